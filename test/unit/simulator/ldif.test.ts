/** LDIF (RFC 2849): what is written is read again as it was, and faults are named with their line. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { LdifError, type LdifValue, formatLdif, parseLdif, valuesOf } from '../../support/ldif.js';

const bytesOf = (value: LdifValue) => (typeof value === 'string' ? Buffer.from(value) : value).toString('hex');

describe('LDIF', () => {
  it('reads folded lines, comments, base64 and several entries', () => {
    const entries = parseLdif(
      [
        'version: 1',
        '# a comment,',
        '  that is folded',
        'dn: CN=A,',
        ' DC=test',
        'description:: w4Q=',
        'photo:: /9j/',
        'description: two',
        '',
        '',
        'DN:: Q049QixEQz10ZXN0',
        'cn:B',
        'empty:',
      ].join('\r\n'),
    );
    assert.deepEqual(
      entries.map(({ dn }) => dn),
      ['CN=A,DC=test', 'CN=B,DC=test'],
    );
    const [first, second] = entries;
    assert.ok(first && second);
    assert.deepEqual(valuesOf(first, 'DESCRIPTION'), ['Ä', 'two']);
    assert.deepEqual(valuesOf(first, 'photo'), [Buffer.from([0xff, 0xd8, 0xff])]);
    assert.deepEqual({ ...second.attributes }, { cn: ['B'], empty: [''] });
  });

  it('reads what it wrote, whatever the bytes', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        ' leading',
        'trailing ',
        ':colon',
        '<angle',
        'line\nfeed',
        '\0',
        '',
        '#hash',
        '\uFEFFbom',
        'x'.repeat(200),
      ),
    );
    const name = fc.constantFrom('cn', 'description', 'userCertificate;binary', '__proto__', 'constructor', 'x-1');
    const entry = fc.record({
      dn: fc.string({ unit: 'binary', minLength: 1 }),
      attributes: fc.dictionary(name, fc.array(value, { minLength: 1, maxLength: 3 }), { noNullPrototype: false }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const text = formatLdif(entries);
        assert.ok(text.split('\n').every((line) => line.length <= 76));
        assert.match(text, /^[\n -~]*$/);
        const again = parseLdif(text);
        const plain = (list: typeof entries) =>
          list.map(({ dn, attributes }) => [
            dn,
            Object.entries(attributes).map(([key, values]) => [key, values.map(bytesOf)]),
          ]);
        assert.deepEqual(plain(again as typeof entries), plain(entries));
      }),
      { numRuns: 200 },
    );
  });

  for (const [what, text, line] of [
    ['no name', 'cn: A', 1],
    ['no colon', 'dn: CN=A\ncn', 2],
    ['bad base64', 'dn: CN=A\ncn:: *', 2],
    ['a value from elsewhere', 'dn: CN=A\n\ndn: CN=B\njpegPhoto:< file:///etc/passwd', 4],
    ['a change record', 'dn: CN=A\nchangetype: delete', 2],
  ] as const) {
    it(`refuses ${what} and names the line`, () => {
      assert.throws(
        () => parseLdif(text),
        (error) => error instanceof LdifError && error.line === line,
      );
    });
  }
});

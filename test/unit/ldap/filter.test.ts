import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BerWriter, FilterParser } from 'ldapts';
import { DOCUMENTED_FILTER } from '../../../engine/extract/extract.js';
import { parseFilter } from '../../../engine/ldap/filter.js';
import { SettingError } from '../../../engine/model/errors.js';

/** What plain ldapts makes of a filter. */
function plain(text: string): string {
  const writer = new BerWriter();
  FilterParser.parseString(text).write(writer);
  return writer.buffer.toString('hex');
}

const ours = (text: string) => parseFilter(text).encoded.toString('hex');

function positionOf(text: string): number {
  try {
    parseFilter(text);
  } catch (error) {
    assert.ok(error instanceof SettingError && error.code === 'FILTER_INVALID');
    return Number(error.params['position']);
  }
  throw new assert.AssertionError({ message: `"${text}" was accepted` });
}

describe('filters', () => {
  const SAME = [
    DOCUMENTED_FILTER,
    '(mail=*)',
    'mail=*',
    '(cn=Ada)',
    '(cn=A*d*a)',
    '(cn=*x*)',
    '(cn=a*)',
    '(cn=*a)',
    '(!(userAccountControl:1.2.840.113556.1.4.803:=2))',
    '(&(objectClass=user)(|(mail=*)(proxyAddresses=smtp:*))(!(cn=x)))',
    '(whenChanged>=20260101000000.0Z)',
    '(uSNChanged<=5)',
    '(cn~=ada)',
    '(cn=a\\2ab\\28\\29\\5c)',
    '(ou:dn:=Sales)',
    '(cn=)',
    '(cn=Müller)',
  ];
  for (const text of SAME) {
    it(`${text} is encoded as the library encodes it`, () => assert.equal(ours(text), plain(text)));
  }

  it('escaped bytes are bytes; negative control: the library sends two for each above 7f', () => {
    assert.match(ours('(cn=M\\c3\\bcller)'), /4dc3bc6c6c6572$/);
    assert.match(plain('(cn=M\\c3\\bcller)'), /4dc383c2bc6c6c6572$/);
    assert.match(ours('(objectGUID=\\b6\\00\\ff)'), /0403b600ff$/);
  });

  it('attribute options and OIDs; negative control: the library refuses them', () => {
    assert.match(ours('(userCertificate;binary=*)'), /^8716/);
    assert.match(ours('(2.5.4.3=x)'), /2e352e342e33/);
    assert.throws(() => plain('(userCertificate;binary=*)'));
  });

  it('a missing parenthesis is an error; negative control: the library accepts it', () => {
    assert.equal(positionOf('(|(mail=*)'), 11);
    assert.equal(typeof plain('(|(mail=*)'), 'string');
  });

  it('white space between filters is allowed, and none and all (RFC 4526)', () => {
    assert.equal(ours(' (& (mail=*)\n  (cn=x) ) '), ours('(&(mail=*)(cn=x))'));
    assert.equal(ours('(&)'), 'a000');
    assert.equal(ours('(|)'), 'a100');
  });

  const WRONG: readonly (readonly [string, number])[] = [
    ['', 2],
    ['(', 2],
    ['()', 2],
    ['(mail)', 6],
    ['(mail=*))', 9],
    ['(mail=*)(cn=x)', 9],
    ['(=x)', 2],
    ['(cn=a(b)', 6],
    ['(cn=a\\zz)', 6],
    ['(cn=a\\2)', 6],
    ['(cn=**)', 7],
    ['(!mail=*)', 3],
    ['(!(mail=*)(cn=x))', 11],
    ['(&(mail=*)x)', 11],
    [':=x', 4],
    ['(cn:dn:rule=x)', 12],
  ];
  for (const [text, position] of WRONG) {
    it(`"${text}" is wrong at character ${position}`, () => assert.equal(positionOf(text), position));
  }

  it('says which setting it is, where, and how a filter looks', () => {
    assert.throws(() => parseFilter('(mail', 'filter'), {
      message: /^"filter" is not a valid LDAP filter: .* at character 6\. A filter looks like/,
    });
  });

  it('thousands of filters in one another are refused, not a stack overflow', () => {
    assert.throws(() => parseFilter('(!'.repeat(50_000)), SettingError);
  });

  it('whatever is written, it is parsed or refused as a setting', () => {
    const text = fc.array(
      fc.constantFrom('(', ')', '&', '|', '!', '=', '*', '\\', 'cn', ':', '>', 'x', ' ', 'ü', '\\2a', '\0'),
    );
    fc.assert(
      fc.property(text, (parts) => {
        try {
          parseFilter(parts.join(''));
        } catch (error) {
          assert.ok(error instanceof SettingError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('a value that is escaped cannot leave its place', () => {
    const escape = (value: string) =>
      [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (value) => {
        const { encoded } = parseFilter(`(cn=${escape(value)})`);
        const bytes = Buffer.from(value);
        assert.equal(encoded[0], 0xa3);
        assert.ok(encoded.subarray(encoded.length - bytes.length).equals(bytes));
      }),
    );
  });
});

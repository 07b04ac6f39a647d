import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AttributeValue, DirectoryObject } from '../../../engine/model/records.js';
import { type ValueRange, syntaxOf } from '../../../engine/ldap/syntax.js';
import { BerCursor } from '../../../engine/ldap/ber.js';
import { type Entry, EntryDecoder } from '../../../engine/ldap/entry.js';
import { AttributeNames } from '../../../engine/ldap/syntax.js';
import { entry, pageEnd, result } from './ber-text.js';
import { plainClient, readFrom, withServer } from './reading.js';
import { behaved, person } from './scripted-server.js';

/** Decodes one entry with these attributes, asked for as `requested`. */
function decode(
  attributes: Parameters<typeof entry>[2],
  requested: readonly string[] = [],
  dn: Buffer | string = 'CN=x',
): Entry {
  const bytes = entry(7, dn, attributes);
  const cursor = new BerCursor();
  cursor.set(bytes, 0);
  const end = cursor.enter(0x30, bytes.length, 'message');
  cursor.integer(0x02, end, 'id');
  const contentsEnd = cursor.enter(0x64, end, 'entry');
  const place = { start: 0, contents: cursor.at, contentsEnd, end };
  return new EntryDecoder(new AttributeNames(requested)).decode(bytes, place);
}

const plain = (found: Entry): Record<string, AttributeValue[]> => ({ ...found.attributes });
const base64 = (bytes: Buffer) => ({ base64: bytes.toString('base64') });
const SID = Buffer.from('010500000000000515000000a065cf7e784b9b5fe77c8770091c0100', 'hex');
const GUID = Buffer.from('33221100554477668899aabbccddeeff', 'hex');

describe('values of attributes', () => {
  it('L20: identifiers are text although their bytes may be valid text', () => {
    const builtin = Buffer.from('01020000000000052000000020020000', 'hex');
    const found = decode([
      ['objectSid', [builtin]],
      ['objectGUID', [Buffer.from('abcdefghijklmnop')]],
      ['msExchMasterAccountSid', [SID]],
      ['sIDHistory', [builtin]],
      ['userCertificate;binary', ['plain text']],
      ['thumbnailPhoto', ['plain text']],
      ['mS-DS-ConsistencyGuid', ['abcdefghijklmnop']],
    ]);
    assert.deepEqual(plain(found), {
      objectSid: ['S-1-5-32-544'],
      objectGUID: ['64636261-6665-6867-696a-6b6c6d6e6f70'],
      msExchMasterAccountSid: ['S-1-5-21-2127521184-1604012920-1887927527-72713'],
      sIDHistory: [base64(builtin)],
      'userCertificate;binary': [base64(Buffer.from('plain text'))],
      thumbnailPhoto: [base64(Buffer.from('plain text'))],
      'mS-DS-ConsistencyGuid': [base64(Buffer.from('abcdefghijklmnop'))],
    });
  });

  it('L20, negative control: plain ldapts gives the SID of a built-in group as broken text', async () => {
    const builtin = Buffer.from('01020000000000052000000020020000', 'hex');
    await withServer(
      behaved(({ id }) => [entry(id, 'CN=x', [['objectSid', [builtin]]]), result(id, 0x65, 0)]),
      async ({ port }) => {
        const client = await plainClient(port);
        const { searchEntries } = await client.search('DC=example,DC=test');
        assert.equal(typeof searchEntries[0]?.['objectSid'], 'string');
        await client.unbind();
      },
    );
  });

  it('L21: names are compared without regard to case, and given out as asked for', () => {
    const found = decode(
      [
        ['OBJECTGUID', [GUID]],
        ['mailNickName', ['x']],
      ],
      ['objectguid', 'mailnickname'],
    );
    assert.deepEqual(plain(found), { objectguid: ['00112233-4455-6677-8899-aabbccddeeff'], mailnickname: ['x'] });
  });

  it('L22: one value that is not UTF-8 is base64, the others stay text', () => {
    const broken = Buffer.from([0x4d, 0xfc, 0x6c]);
    const found = decode([['cn', ['Müller', broken, 'plain', '\ufffd', '😀', '']]]);
    assert.deepEqual(plain(found), { cn: ['Müller', base64(broken), 'plain', '\ufffd', '😀', ''] });
  });

  it('L22, negative control: plain ldapts gives all of them as buffers', async () => {
    await withServer(
      behaved(({ id }) => [entry(id, 'CN=x', [['cn', ['plain', Buffer.from([0xfc])]]]), result(id, 0x65, 0)]),
      async ({ port }) => {
        const client = await plainClient(port);
        const { searchEntries } = await client.search('DC=example,DC=test');
        assert.ok(
          Array.isArray(searchEntries[0]?.['cn']) && searchEntries[0]['cn'].every((value) => Buffer.isBuffer(value)),
        );
        await client.unbind();
      },
    );
  });

  it('L23: emptied is an empty list, not returned is no key', () => {
    const found = decode([['mail', []]], ['mail', 'telephoneNumber']);
    assert.deepEqual(Object.keys(found.attributes), ['mail']);
    assert.deepEqual(found.attributes['mail'], []);
  });

  const odd: Parameters<typeof entry>[2] = [
    ['__proto__', ['polluted']],
    ['constructor', ['c']],
    ['dn', ['CN=somebody else']],
    ['toString', ['t']],
  ];

  it('L24: attributes named __proto__, constructor and dn are attributes like others', async () => {
    const found = decode(odd, [], 'CN=real');
    assert.equal(found.dn, 'CN=real');
    assert.deepEqual(Object.getOwnPropertyNames(found.attributes), ['__proto__', 'constructor', 'dn', 'toString']);
    const { records } = await readFrom(behaved(({ id }) => [person(id, 1), entry(id, 'CN=x', odd), pageEnd(id, '')]));
    assert.equal(records.length, 2);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  it('L24, negative control: plain ldapts loses the name and the prototype of the entry', async () => {
    await withServer(
      behaved(({ id }) => [entry(id, 'CN=real', odd), result(id, 0x65, 0)]),
      async ({ port }) => {
        const client = await plainClient(port);
        const { searchEntries } = await client.search('DC=example,DC=test');
        const [found] = searchEntries;
        assert.notEqual(found?.dn, 'CN=real');
        await client.unbind();
      },
    );
  });

  it('an identifier of the wrong length is base64, not a wrong identifier', () => {
    const found = decode([
      ['objectGUID', [GUID.subarray(1)]],
      ['objectSid', [SID.subarray(0, 20)]],
    ]);
    assert.deepEqual(plain(found), {
      objectGUID: [base64(GUID.subarray(1))],
      objectSid: [base64(SID.subarray(0, 20))],
    });
  });

  it('an object whose name is not UTF-8 is set aside', async () => {
    const broken = (id: number) =>
      entry(id, Buffer.from([0x43, 0x4e, 0x3d, 0xff]), [
        ['objectGUID', [GUID]],
        ['objectClass', ['user']],
      ]);
    const { records, seal } = await readFrom(behaved(({ id }) => [broken(id), pageEnd(id, '')]));
    assert.equal(seal.records.quarantined, 1);
    assert.equal(records[0]?.kind === 'quarantined' && records[0].reason, 'UNDECODABLE_DN');
    assert.equal(records[0]?.id, '00112233-4455-6677-8899-aabbccddeeff');
  });

  it('values of an attribute that comes twice are put together', () => {
    assert.deepEqual(
      plain(
        decode(
          [
            ['mail', ['a']],
            ['MAIL', ['b']],
          ],
          ['mail'],
        ),
      ),
      { mail: ['a', 'b'] },
    );
  });

  it('a part of the values is known by its range', () => {
    const ranges: [string, ValueRange][] = [
      ['member;range=0-1499', { first: 0, last: 1499 }],
      ['member;Range=1500-*', { first: 1500, last: null }],
    ];
    for (const [name, range] of ranges) {
      const found = decode([[name, ['CN=a']]], ['member']);
      assert.deepEqual(found.ranges, [{ key: 'member', range }]);
      assert.deepEqual(plain(found), { member: ['CN=a'] });
    }
    assert.deepEqual(decode([['member;x-other', ['CN=a']]], ['member']).ranges, []);
  });

  it('the server may send attributes in any order', () => {
    const names = new AttributeNames(['mail', 'cn', 'sn']);
    const spelled = ['cn', 'SN', 'mail', 'mail', 'cn', 'title', 'x'];
    let before = names.head;
    const keys = spelled.map((name) => {
      before = names.find(new DataView(Uint8Array.from(Buffer.from(name)).buffer), 0, name.length, before);
      return before.key;
    });
    assert.deepEqual(keys, ['cn', 'sn', 'mail', 'mail', 'cn', 'title', 'x']);
  });

  it('every text comes out as it went in, in small and in large entries', () => {
    const attribute = fc.tuple(
      fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/),
      fc.array(fc.string({ unit: 'binary' })),
    );
    fc.assert(
      fc.property(fc.array(attribute), fc.boolean(), (attributes, large) => {
        const list = attributes.filter(([name]) => syntaxOf(name) === 'text' && !/^(usnchanged|entrycsn)$/i.test(name));
        const padding: [string, string[]][] = large ? [['padding', ['x'.repeat(20_000)]]] : [];
        const expected = new Map<string, string[]>();
        for (const [name, values] of [...list, ...padding])
          expected.set(name, [...(expected.get(name) ?? []), ...values]);
        assert.deepEqual(new Map(Object.entries(decode([...list, ...padding]).attributes)), expected);
      }),
      { numRuns: 300 },
    );
  });

  it('a record is plain JSON', async () => {
    const { records } = await readFrom(behaved(({ id }) => [person(id, 3), pageEnd(id, '')]));
    const expected: DirectoryObject = {
      kind: 'user',
      id: '00000000-0000-0000-0000-000000000003',
      dn: 'CN=Person 3,DC=example,DC=test',
      attributes: {
        objectClass: ['top', 'person', 'user'],
        objectGUID: ['00000000-0000-0000-0000-000000000003'],
        mail: ['person3@example.test'],
      },
    };
    assert.deepEqual(JSON.parse(JSON.stringify(records)), [expected]);
    assert.deepEqual(structuredClone(records), [expected]);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { byName } from '../../../engine/enrich/attributes.js';
import { membersOf, parseMember } from '../../../engine/enrich/members.js';

const GUID = '01234567-89ab-cdef-0123-456789abcdef';
const SID = 'S-1-5-21-1-2-3-1105';

describe('members: extended distinguished names', () => {
  it('with id, sid and name', () => {
    assert.deepEqual(parseMember(`<GUID=${GUID}>;<SID=${SID}>;CN=Anna,DC=x`), {
      id: GUID,
      sid: SID,
      dn: 'CN=Anna,DC=x',
    });
  });

  it('the usual form and the general one agree', () => {
    for (const name of ['CN=Anna,DC=x', 'CN=\\<a\\>\\;b,DC=x', 'CN=日本,DC=x']) {
      for (const sid of ['', `<SID=${SID}>;`]) {
        const usual = `<GUID=${GUID}>;${sid}${name}`;
        assert.deepEqual(parseMember(usual), parseMember(` ${usual}`), 'a blank in front takes the general way');
      }
    }
  });

  it('without a sid (contacts), in another order, in upper case', () => {
    assert.deepEqual(parseMember(`<GUID=${GUID.toUpperCase()}>;CN=Anna,DC=x`), { id: GUID, dn: 'CN=Anna,DC=x' });
    assert.deepEqual(parseMember(`<SID=${SID}>;<GUID=${GUID}>;CN=Anna,DC=x`), {
      id: GUID,
      sid: SID,
      dn: 'CN=Anna,DC=x',
    });
  });

  it('in the hexadecimal form: the bytes of a GUID are mixed-endian', () => {
    const hex = '67452301ab89efcd0123456789abcdef';
    const sid = '010500000000000515000000010000000200000003000000' + '51040000';
    assert.deepEqual(parseMember(`<GUID=${hex}>;<SID=${sid}>;CN=A,DC=x`), { id: GUID, sid: SID, dn: 'CN=A,DC=x' });
  });

  it('a part that cannot be read leaves the rest', () => {
    assert.deepEqual(parseMember('<GUID=nonsense>;<SID=00>;CN=A,DC=x'), { dn: 'CN=A,DC=x' });
    assert.deepEqual(parseMember(`<GUID=${GUID}>`), { id: GUID });
    assert.deepEqual(parseMember('<RMD_FLAGS=0>;CN=A,DC=x'), { dn: 'CN=A,DC=x' });
  });

  it('a plain name stays as it is, escapes, brackets and line feeds included', () => {
    for (const dn of ['CN=A,DC=x', 'CN=\\<GUID\\=1\\>\\;,DC=x', 'CN=a;b>,DC=x', 'CN=a\\0ACNF:1,DC=x']) {
      assert.deepEqual(parseMember(dn), { dn });
    }
  });

  it('nothing at all is no member', () => {
    for (const text of ['', ' ', '<GUID=>;', '<<<>>>', 'x']) assert.equal(parseMember(text), null);
  });

  it('never throws and never hangs, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('<', '>', ';', '=', 'G', '0', '\\') })),
        (text) => {
          parseMember(text);
        },
      ),
    );
  });
});

describe('members: records', () => {
  const many = Array.from({ length: 5 }, (_, index) => `CN=m${String(index)},DC=x`);
  const records = (attributes: Parameters<typeof byName>[0], held: string | null = null, size = 2) =>
    membersOf('g', byName(attributes), { held, membersPerRecord: size, idOf: () => null });

  it('a large group comes in parts, together exactly what was read', () => {
    const parts = records({ member: many });
    assert.deepEqual(
      parts.map(({ part, parts, add }) => [part, parts, add.length]),
      [
        [1, 3, 2],
        [2, 3, 2],
        [3, 3, 1],
      ],
    );
    assert.deepEqual(
      parts.flatMap(({ add }) => add.map(({ dn }) => dn)),
      many,
    );
  });

  it('as many members as fit make one part, not an empty second', () => {
    assert.equal(records({ member: many.slice(0, 2) }).length, 1);
  });

  it('an empty group sends one part without members: it is whole', () => {
    assert.deepEqual(records({}), [{ kind: 'members', group: 'g', add: [], part: 1, parts: 1 }]);
  });

  it('uniqueMember counts, its optional bit string does not, a repeat comes once', () => {
    assert.deepEqual(
      records({ member: ['CN=a,DC=x'], uniqueMember: ["cn=A,dc=x#'0101'B", 'CN=b,DC=x'] }, null, 9)[0]?.add,
      [{ dn: 'cn=A,dc=x' }, { dn: 'CN=b,DC=x' }],
    );
  });

  it('somebody given by name only has the id that is known, and is there once', () => {
    const idOf = (dn: string) => (dn.toLowerCase() === 'cn=a,dc=x' ? 'a1' : null);
    const attributes = byName({ member: ['CN=a,DC=x', 'CN=b,DC=x'], uniqueMember: ["cn=A,dc=x#'0101'B"] });
    const [part] = membersOf('g', attributes, { held: null, membersPerRecord: 9, idOf });
    assert.deepEqual(part?.add, [{ id: 'a1', dn: 'cn=A,dc=x' }, { dn: 'CN=b,DC=x' }]);
  });

  it('a group that extract held stays held, in every part', () => {
    assert.deepEqual(
      records({ member: many }, 'cut').map(({ held }) => held),
      ['cut', 'cut', 'cut'],
    );
  });

  it('a member that cannot be read holds the group: it could be anyone', () => {
    const [part] = records({ member: ['CN=a,DC=x', { base64: '/w==' }] });
    assert.match(part?.held ?? '', /1 of the group's members/);
    assert.equal(records({ member: ['CN=a,DC=x'] })[0]?.held, undefined, 'without it the group is whole');
  });
});

import assert from 'node:assert/strict';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import fc from 'fast-check';
import { enrichRecord } from '../../../engine/enrich/enrich.js';
import {
  type Attributes,
  type DirectoryObject,
  EnrichedRecord,
  ExtractedRecord,
  type ObjectKind,
} from '../../../engine/model/records.js';

const settings = { membersPerRecord: 1000 };
const enriched = TypeCompiler.Compile(EnrichedRecord);
const object = (kind: ObjectKind, attributes: Attributes): DirectoryObject => ({
  kind,
  id: 'id-1',
  dn: 'CN=x,DC=y',
  attributes,
});

describe('enrich', () => {
  it('a user', () => {
    const read = object('user', {
      objectClass: ['top', 'person', 'user'],
      objectSid: ['S-1-5-21-1-2-3-1105'],
      displayName: ['Anna'],
      cn: ['anna'],
      mail: ['anna@x.example'],
      proxyAddresses: ['SMTP:anna@x.example', 'smtp:a@x.example'],
      userAccountControl: ['514'],
      title: ['Engineer'],
      thumbnailPhoto: [{ base64: '/9g=' }],
      department: [],
    });
    assert.deepEqual(enrichRecord(read, settings), [
      {
        kind: 'user',
        id: 'id-1',
        dn: 'CN=x,DC=y',
        sid: 'S-1-5-21-1-2-3-1105',
        name: 'Anna',
        primary: 'anna@x.example',
        aliases: ['a@x.example'],
        enabled: false,
        attributes: {
          displayName: ['Anna'],
          title: ['Engineer'],
          thumbnailPhoto: [{ base64: '/9g=' }],
          department: [],
        },
      },
    ]);
  });

  it('a contact is enabled, whatever it says', () => {
    const [contact] = enrichRecord(object('contact', { mail: ['c@z.example'], userAccountControl: ['514'] }), settings);
    assert.ok(contact?.kind === 'contact' && contact.enabled);
  });

  it('a group is followed by its members', () => {
    const records = enrichRecord(object('group', { groupType: ['8'], member: ['CN=a,DC=y'] }), settings);
    assert.deepEqual(
      records.map(({ kind }) => kind),
      ['group', 'members'],
    );
    assert.deepEqual(records[1], { kind: 'members', group: 'id-1', add: [{ dn: 'CN=a,DC=y' }], part: 1, parts: 1 });
  });

  it('a group that extract held is held', () => {
    const [, members] = enrichRecord(
      { ...object('group', { member: ['CN=a,DC=y'] }), held: { member: 'RANGE_CUT' } },
      settings,
    );
    assert.ok(members?.kind === 'members' && members.held === 'RANGE_CUT');
  });

  it('an object of which another attribute was cut is set aside: half its addresses would be taken for all of them', () => {
    const cut = { ...object('user', { proxyAddresses: ['SMTP:a@x.example'] }), held: { proxyAddresses: 'RANGE_CUT' } };
    assert.equal(reasonOf(cut), 'NOT_READ_WHOLE');
    assert.equal(reasonOf({ ...cut, held: {} }), null, 'read whole, it is a user');
  });

  it('a dynamic list carries its filter, and no members: the directory resolves it', () => {
    const [list, ...rest] = enrichRecord(
      object('dynamic-group', { msExchDynamicDLFilter: ['(title=x)'], msExchDynamicDLBaseDN: ['OU=a,DC=y'] }),
      settings,
    );
    assert.ok(list?.kind === 'dynamic-group' && list.filter === '(title=x)' && list.filterBase === 'OU=a,DC=y');
    assert.equal(rest.length, 0);
  });

  it('a sid as bytes (another source) is the same sid', () => {
    const base64 = Buffer.from('01050000000000051500000001000000020000000300000051040000', 'hex').toString('base64');
    const [user] = enrichRecord(object('user', { objectSid: [{ base64 }] }), settings);
    assert.ok(user?.kind === 'user' && user.sid === 'S-1-5-21-1-2-3-1105');
  });

  it('a sid that cannot be read is none: the object has its id', () => {
    for (const objectSid of [['nonsense'], [{ base64: 'AQ==' }], [{ base64: '' }], []]) {
      const [user] = enrichRecord(object('user', { objectSid }), settings);
      assert.ok(user?.kind === 'user' && user.sid === null);
    }
  });

  it('what extract set aside stays so', () => {
    const record = { kind: 'quarantined', id: null, dn: 'CN=x', reason: 'NO_ID', detail: '…' } as const;
    assert.deepEqual(enrichRecord(record, settings), [record]);
  });

  it('an account of which nobody can say whether it is enabled is set aside, with its id, so that it counts as present', () => {
    const [record] = enrichRecord(object('user', { userAccountControl: ['x'], mail: ['a@x.example'] }), settings);
    assert.ok(record?.kind === 'quarantined');
    assert.deepEqual(
      [record.id, record.reason, record.shown],
      ['id-1', 'UNDECODABLE_STATE', { objectClass: ['user'], mail: ['a@x.example'] }],
    );
  });

  it('an object without a name or an id is set aside', () => {
    assert.equal(reasonOf({ ...object('user', {}), dn: '' }), 'UNDECODABLE_DN');
    assert.equal(reasonOf({ ...object('group', {}), id: ' ' }), 'NO_ID');
  });

  it('attributes with awkward names come through', () => {
    const attributes = JSON.parse('{"__proto__":["a"],"constructor":["b"],"toString":["c"]}') as Attributes;
    const [user] = enrichRecord(object('user', attributes), settings);
    assert.ok(user?.kind === 'user');
    assert.equal(JSON.stringify(user.attributes), JSON.stringify(attributes));
  });

  it('does not change what it is given', () => {
    const frozen = deepFreeze(object('group', { member: ['CN=a'], mail: ['A@x.example'], title: ['t'] }));
    assert.equal(enrichRecord(frozen, settings).length, 2);
  });
});

describe('enrich: any JSON that fits the schema', () => {
  const names = [
    'member',
    'uniqueMember',
    'mail',
    'proxyAddresses',
    'cn',
    'displayName',
    'objectSid',
    'userAccountControl',
    'groupType',
    'msExchRecipientTypeDetails',
    'title',
    '__proto__',
  ];
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'SMTP:a@b',
      '<GUID=00>;<SID=01',
      '512',
      '99999999999999999999',
      'CN=\\',
      '\ud800',
      '<GUID=' + '0'.repeat(32) + '>',
    ),
    fc.record({ base64: fc.oneof(fc.base64String(), fc.string()) }),
  );
  const record = fc.oneof(
    fc.record({
      kind: fc.constantFrom<ObjectKind>('user', 'contact', 'group', 'dynamic-group'),
      id: fc.oneof(fc.uuid(), fc.string()),
      dn: fc.oneof(fc.string(), fc.constant('CN=a,DC=b')),
      attributes: fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.array(value, { maxLength: 5 }), {
        maxKeys: 8,
      }),
      held: fc.dictionary(fc.constantFrom(...names), fc.string(), { maxKeys: 1 }),
    }),
    fc.record({
      kind: fc.constant('quarantined' as const),
      id: fc.option(fc.string()),
      dn: fc.string(),
      reason: fc.string(),
      detail: fc.string(),
    }),
  );

  it('never throws, never loses the object, and gives records that fit', () => {
    const extracted = TypeCompiler.Compile(ExtractedRecord);
    fc.assert(
      fc.property(record, fc.integer({ min: 1, max: 3 }), (input, membersPerRecord) => {
        assert.ok(extracted.Check(input));
        const [first, ...members] = enrichRecord(input, { membersPerRecord });
        assert.ok(first && first.kind !== 'members', 'the object itself comes first');
        assert.ok(first.kind === 'quarantined' || first.id === input.id);
        assert.ok(
          input.kind !== 'group' || first.kind === 'quarantined' || members.length > 0,
          'a group has its members',
        );
        for (const output of [first, ...members]) assert.ok(enriched.Check(output), JSON.stringify(output));
      }),
      { numRuns: 2000 },
    );
  });
});

function reasonOf(record: DirectoryObject): string | null {
  const [first] = enrichRecord(record, settings);
  return first?.kind === 'quarantined' ? first.reason : null;
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

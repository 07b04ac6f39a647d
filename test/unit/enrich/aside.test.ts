/** Nobody leaves a group because somebody else was set aside, or because a value of him could not be read. */
import assert from 'node:assert/strict';
import { Enrichment } from '../../../engine/enrich/enrichment.js';
import type { EnrichSettings } from '../../../engine/enrich/settings.js';
import type {
  Attributes,
  DirectoryObject,
  EnrichedRecord,
  ExtractedRecord,
  Quarantined,
} from '../../../engine/model/records.js';
import { membersByName } from '../../support/enriched.js';

const DOMAIN = 'S-1-5-21-1-2-3';
const idOf = (number: number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`;
const nameOf = (number: number) => `CN=o${number},DC=x`;

function person(number: number, attributes: Attributes = {}): DirectoryObject {
  return {
    kind: 'user',
    id: idOf(number),
    dn: nameOf(number),
    attributes: {
      objectClass: ['top', 'person', 'user'],
      cn: [`o${number}`],
      objectSid: [`${DOMAIN}-${1000 + number}`],
      primaryGroupID: ['513'],
      ...attributes,
    },
  };
}

function group(number: number, members: readonly number[], attributes: Attributes = {}): DirectoryObject {
  return {
    kind: 'group',
    id: idOf(number),
    dn: nameOf(number),
    attributes: {
      objectClass: ['top', 'group'],
      cn: [`o${number}`],
      objectSid: [`${DOMAIN}-${2000 + number}`],
      groupType: ['-2147483646'],
      member: members.map((one) => `<GUID=${idOf(one)}>;${nameOf(one)}`),
      ...attributes,
    },
  };
}

function aside(number: number, shown: Attributes, rest: Partial<Quarantined> = {}): Quarantined {
  return {
    kind: 'quarantined',
    id: idOf(number),
    dn: nameOf(number),
    reason: 'NAME_CONFLICT',
    detail: '…',
    shown,
    ...rest,
  };
}

/** Who is in which group at the end of a run, by number; `HELD` for a group that is not whole. */
async function membersOf(
  records: readonly ExtractedRecord[],
  settings: Partial<EnrichSettings>,
): Promise<Record<string, number[] | 'HELD'>> {
  const { signal } = new AbortController();
  const run = new Enrichment({ membersPerRecord: 2, ...settings }, { own: null, other: null }, new Date(), signal);
  const { records: made } = await run.batch(records);
  const members = membersByName([...made, ...[...run.rest()].flat()]);
  return Object.fromEntries(
    Object.entries(members).map(([name, list]) => [
      String(/\d+/.exec(name)?.[0]),
      list === 'HELD' ? list : list.map((one) => Number(/\d+/.exec(one)?.[0])),
    ]),
  );
}

describe('members by primary group, where not everything was read', () => {
  const users = group(50, [], { objectSid: [`${DOMAIN}-513`] });
  const others = group(51, [3]);
  const elsewhere = group(52, [], { objectSid: ['S-1-5-21-9-9-9-2052'] });
  const primary = { primaryGroups: true };
  const of = (...records: ExtractedRecord[]) => membersOf([...records, users, others, elsewhere], primary);

  it('negative control: with everything read, every group is whole', async () => {
    assert.deepEqual(await of(person(1), person(2)), { 50: [1, 2], 51: [3], 52: [] });
  });

  it('somebody who was set aside, and whose group is known, is still in it', async () => {
    const { objectClass = [], objectSid = [], primaryGroupID = [] } = person(1).attributes;
    const members = await of(aside(1, { objectClass, objectSid, primaryGroupID }), person(2));
    assert.deepEqual(members['50'], [1, 2]);
  });

  it('somebody who was set aside, and of whom nothing is shown, holds every group that may be his', async () => {
    assert.deepEqual(await of(aside(1, {}), person(2)), { 50: 'HELD', 51: 'HELD', 52: 'HELD' });
  });

  it('a computer, contact or group that was set aside holds nothing', async () => {
    for (const objectClass of [['user', 'computer'], ['contact'], ['group']]) {
      assert.deepEqual((await of(aside(1, { objectClass }), person(2)))['50'], [2]);
    }
  });

  it('without a SID: the groups of that last part, in any domain', async () => {
    for (const objectSid of [[], ['nonsense']]) {
      assert.deepEqual(await of(person(1, { objectSid }), person(2)), { 50: 'HELD', 51: [3], 52: [] });
    }
  });

  it('without a primaryGroupID: the groups of his domain', async () => {
    for (const primaryGroupID of [[], ['x'], ['-1']]) {
      assert.deepEqual(await of(person(1, { primaryGroupID }), person(2)), { 50: 'HELD', 51: 'HELD', 52: [] });
    }
  });

  it('without either: all; and with an id that is none: his group', async () => {
    const neither = await of(person(1, { objectSid: [], primaryGroupID: [] }), person(2));
    assert.deepEqual(neither, { 50: 'HELD', 51: 'HELD', 52: 'HELD' });
    assert.deepEqual(await of({ ...person(1), id: 'x' }, person(2)), { 50: 'HELD', 51: [3], 52: [] });
  });

  it('people of directories that have no primary groups hold nothing', async () => {
    const lightweight = person(1, { objectSid: ['S-1-396843-1-2-3'], primaryGroupID: [] });
    const posix = person(1, { objectClass: ['person'], objectSid: [], primaryGroupID: [] });
    for (const one of [lightweight, posix]) assert.deepEqual((await of(one, person(2)))['50'], [2]);
  });

  it('a group without groupType is not taken for one of distribution', async () => {
    const untyped = group(50, [], { objectSid: [`${DOMAIN}-513`], groupType: [] });
    assert.deepEqual(await membersOf([person(1), untyped], primary), { 50: [1] });
  });

  it('a group whose SID was not read is held where somebody has no group', async () => {
    const unknown = group(50, [], { objectSid: [] });
    assert.deepEqual(await membersOf([person(1), unknown], primary), { 50: 'HELD' });
    const own = { ...users, id: idOf(53), dn: nameOf(53) };
    assert.deepEqual(await membersOf([person(1), unknown, own], primary), { 50: [], 53: [1] }, 'here he has one');
  });

  it('a group that lost its last parts on the way is not whole, with and without members by primary group', async () => {
    for (const people of [[], [person(1), person(2), person(3)]]) {
      const { signal } = new AbortController();
      const run = new Enrichment({ membersPerRecord: 2, ...primary }, { own: null, other: null }, new Date(), signal);
      const { records } = await run.batch([...people, users]);
      const late = [...run.rest()].flat();
      assert.deepEqual(membersByName(records), { [nameOf(50).toLowerCase()]: 'HELD' });
      assert.notDeepEqual(membersByName([...records, ...late]), membersByName(records), 'whole with them');
      if (late.length > 1) {
        assert.deepEqual(membersByName([...records, ...late.slice(0, -1)]), membersByName(records));
        assert.deepEqual(membersByName([...records, ...late.slice(1)]), membersByName(records));
      }
    }
  });

  it('flattened: held with the reason, and so is every group above', async () => {
    const records = [person(1, { primaryGroupID: [] }), person(2), users, group(60, [50]), elsewhere];
    assert.deepEqual(await membersOf(records, { ...primary, nested: 'flattened' }), {
      50: 'HELD',
      52: [],
      60: 'HELD',
    });
  });
});

describe('flattening, where a group in a group was set aside', () => {
  const people = [1, 2, 3].map((number) => person(number));
  const flattened = { nested: 'flattened' } as const;
  const above = [group(70, [60]), group(60, [1, 61]), group(62, [3])];
  const held = { 60: 'HELD', 62: [3], 70: 'HELD' };

  it('negative control: read, it gives those in it to the groups above', async () => {
    assert.deepEqual(await membersOf([...people, ...above, group(61, [2])], flattened), {
      60: [1, 2],
      61: [2],
      62: [3],
      70: [1, 2],
    });
  });

  it('by extract: known by id, by name, or of unknown class', async () => {
    const shown = { objectClass: ['group'] };
    for (const one of [aside(61, shown), aside(61, {}), aside(61, shown, { id: null, reason: 'NO_ID' })]) {
      assert.deepEqual(await membersOf([...people, ...above, one], flattened), held);
      assert.deepEqual(await membersOf([one, ...above, ...people], flattened), held, 'in any order');
    }
  });

  it('by its SID alone, or by nothing at all', async () => {
    const bySid = group(60, [], { member: [`<SID=${DOMAIN}-2061>;CN=renamed,DC=x`] });
    const shown = { objectClass: ['group'], objectSid: [`${DOMAIN}-2061`] };
    assert.deepEqual(await membersOf([...people, bySid, aside(61, shown)], flattened), { 60: 'HELD' });
    const nothing = aside(61, {}, { id: null, dn: '', reason: 'UNDECODABLE_DN' });
    assert.deepEqual(await membersOf([...people, group(62, [3]), nothing], flattened), { 62: 'HELD' });
  });

  it('by enrich, because another attribute was cut; and a group whose members were', async () => {
    const cut = { ...group(61, [2]), held: { proxyAddresses: 'cut' } };
    assert.deepEqual(await membersOf([...people, ...above, cut], flattened), held);
    const unread = { ...group(61, [2]), held: { member: 'cut' } };
    assert.deepEqual(await membersOf([...people, ...above, unread], flattened), { ...held, 61: 'HELD' });
  });

  it('a person who was set aside is no group: nothing is held, and he stays', async () => {
    const shown = { objectClass: ['user'] };
    const members = await membersOf([aside(1, shown), person(2), ...above, group(61, [2])], flattened);
    assert.deepEqual(members['60'], [1, 2]);
    const broken = person(1, { userAccountControl: ['x'] });
    assert.deepEqual((await membersOf([broken, person(2), ...above, group(61, [2])], flattened))['60'], [1, 2]);
  });
});

describe('the batches at the end of a run', () => {
  it('hold many records of groups without anybody, and few of full ones', async () => {
    const sizes = async (records: readonly ExtractedRecord[], more: Partial<EnrichSettings> = {}) => {
      const settings = { membersPerRecord: 2, primaryGroups: true, ...more };
      const { signal } = new AbortController();
      const run = new Enrichment(settings, { own: null, other: null }, new Date(), signal);
      await run.batch(records);
      return [...run.rest()].map(({ length }) => length);
    };
    const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
    assert.deepEqual(await sizes(numbers(1, 1001).map((number) => group(number, []))), [500, 500, 1]);
    assert.deepEqual(await sizes([group(2000, numbers(1, 202))], { nested: 'flattened' }), [50, 50, 1]);
  });
});

describe('people of a primary group that was read', () => {
  const settings = { membersPerRecord: 2, primaryGroups: true };
  const users = (listed: readonly number[]) => group(50, listed, { objectSid: [`${DOMAIN}-513`] });
  const enrichment = () =>
    new Enrichment(settings, { own: null, other: null }, new Date(), new AbortController().signal);
  const partsIn = (records: readonly EnrichedRecord[]) =>
    records.flatMap((record) =>
      record.kind === 'members' && record.group === users([]).id
        ? [{ part: record.part, parts: record.parts, members: record.add.length, held: record.held !== undefined }]
        : [],
    );

  it('are sent as soon as they fill a record, and do not wait for the end', async () => {
    const run = enrichment();
    await run.batch([users([])]);
    assert.deepEqual(partsIn((await run.batch([person(1), person(2), person(3)])).records), [
      { part: 2, parts: 3, members: 2, held: false },
    ]);
    assert.deepEqual(partsIn([...run.rest()].flat()), [{ part: 3, parts: 3, members: 1, held: false }]);
  });

  it('are held all the same where somebody may be missing', async () => {
    const run = enrichment();
    await run.batch([users([]), person(1), person(2), person(3, { primaryGroupID: [] })]);
    assert.deepEqual(partsIn([...run.rest()].flat()), [{ part: 3, parts: 3, members: 0, held: true }]);
  });

  it('a group that is read twice is held where its parts would be mixed up', async () => {
    for (const [again, held] of [
      [[7], false],
      [[7, 8, 9], true],
    ] as const) {
      const run = enrichment();
      await run.batch([users([7]), person(1), person(2)]);
      await run.batch([users(again)]);
      assert.deepEqual(partsIn([...run.rest()].flat()), [{ part: 3, parts: 3, members: 0, held }]);
    }
  });
});

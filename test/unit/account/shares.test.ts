/** Limits: of how many a share is, and of one group. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { UNLIMITED, Workshop, contact, group, members, sync, user } from './support.js';

const people = (count: number) => Array.from({ length: count }, (_, index) => user(`p${String(index)}`));
const ids = (count: number) => people(count).map(({ id }) => id);

describe('what a limit is measured by', () => {
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  const only = (rules: Partial<Rules>) => workshop.settings({ rules: { holdUnusual: false, ...rules } });
  const whole = (account: Account, records: readonly EnrichedRecord[], source = 'hq') =>
    sync(account, workshop.run({ source }), records, { batchSize: 500 });

  it('LIMIT_MEMBERS_PER_GROUP: below and at it is done, above it is held, however many there are in all', async () => {
    const rest = [...people(300), group('big'), members('big', ids(300))];
    const little = (count: number) => [group('little'), members('little', ids(count))];
    for (const [taken, held] of [
      [9, []],
      [10, []],
      [11, ['LIMIT_MEMBERS_PER_GROUP']],
    ] as const) {
      const account = await workshop.open(only({}));
      await whole(account, [...rest, ...little(40)]);
      const report = await whole(account, [...rest, ...little(40 - taken)]);
      assert.deepEqual(report.holds?.map((hold) => hold.code) ?? [], held);
      assert.equal((await account.snapshot()).groups[1]?.members.length, held.length > 0 ? 40 : 40 - taken);
    }
    const account = await workshop.open(only({ limits: UNLIMITED }));
    await whole(account, [...rest, ...little(40)]);
    assert.equal(
      (await whole(account, [...rest, ...little(29)])).outcome,
      'committed',
      'without limits it goes through',
    );
  });

  it('a group that waits for the end of its grace period was counted when it was marked, and not again', async () => {
    const few = { count: 2, percent: null };
    const account = await workshop.open(only({ limits: { ...UNLIMITED, groups: few, users: few } }));
    const lists = (count: number) =>
      Array.from({ length: count }, (_, index) => `g${String(index)}`).flatMap((id) => [
        group(id),
        members(id, ['p0']),
      ]);
    for (const left of [6, 4, 2]) {
      const report = await whole(account, [...people(left), ...lists(left)]);
      assert.equal(report.outcome, 'committed', String(left));
    }
    const { holds } = await whole(account, [user('p0')]);
    assert.deepEqual(holds, undefined, 'two more groups, one more user');
    const held = await workshop.open(only({ limits: { ...UNLIMITED, groups: few } }));
    await whole(held, [...people(1), ...lists(6)]);
    assert.equal((await whole(held, [...people(1), ...lists(3)])).outcome, 'held', 'three at once are more than two');
  });

  it('a source is measured by what it has itself, each kind by its own: not by what there is of another source', async () => {
    const half = { count: null, percent: 50 };
    const company = (of: string, count: number, left: number) => {
      const people = Array.from({ length: count }, (_, index) =>
        user(`${of}${String(index)}`, { aliases: index < left ? [] : [`${of}-a${String(index)}@example.com`] }),
      );
      const ids = people.map(({ id }) => id);
      return { people, all: group(`${of}-all`), ids };
    };
    const records = (
      of: string,
      count: number,
      gone: { people?: number; aliases?: number; members?: number; groups?: number },
    ) => {
      const { people, all, ids } = company(of, count, gone.aliases ?? 0);
      const lists = Array.from({ length: count - 4 }, (_, index) => `${of}-g${String(index)}`);
      return [
        ...people.slice(gone.people ?? 0),
        all,
        members(all.id, ids.slice(gone.members ?? 0)),
        ...lists
          .slice(gone.groups ?? 0)
          .flatMap((id) => [group(id), members(id, [{ id: `${of}${String(count - 1)}` }])]),
        contact(`${of}-c`),
      ];
    };
    for (const [kind, gone, message] of [
      ['users', { people: 13 }, 'users and contacts: 13 of 25;'],
      ['groups', { groups: 13 }, 'groups: 13 of 21;'],
      ['members', { members: 23 }, 'members out of groups: 23 of 44;'],
      ['membersPerGroup', { members: 13 }, 'one group: 13 of 24;'],
      ['addresses', { aliases: 25 }, 'addresses: 24 of 49;'],
    ] as const) {
      const limit = kind === 'addresses' ? { count: null, percent: 48 } : half;
      const account = await workshop.open(only({ limits: { ...UNLIMITED, [kind]: limit } }));
      await whole(account, records('branch', 60, {}), 'branch');
      await whole(account, records('hq', 24, {}));
      const report = await whole(account, records('hq', 24, gone));
      const said = (report.holds ?? []).map((hold) => hold.message);
      assert.ok(said.length === 1 && said.join().includes(message), `${kind}: ${said.join()}`);
    }
  });
});

/** Random directories and histories of them, against a second opinion that is slow and simple. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Account } from '../../../engine/account/account.js';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';
import type { EnrichedRecord, User } from '../../../engine/model/records.js';
import { Workshop, asideLines, group, members, sync, user } from './support.js';

const PEOPLE = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'];
const GROUPS = ['g1', 'g2', 'g3', 'g4'];
const ADDRESSES = Array.from({ length: 8 }, (_, index) => `a${String(index)}@example.com`);

/** Anybody may have any address: full of clashes. */
const contested = fc.record({
  people: fc.subarray(PEOPLE).chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc
          .record({
            primary: fc.option(fc.constantFrom(...ADDRESSES), { freq: 8 }),
            aliases: fc.subarray(ADDRESSES, { maxLength: 3 }),
            enabled: fc.boolean(),
            name: fc.constantFrom('N', 'M'),
            rank: fc.constantFrom('', 'A', 'z'),
          })
          .map(({ rank, ...rest }) => user(id, { ...rest, dn: `CN=${rank}${id},DC=example` })),
      ),
    ),
  ),
  groups: fc.tuple(
    ...GROUPS.map((id) =>
      fc
        .option(fc.subarray([...PEOPLE, ...GROUPS], { maxLength: 5 }), { freq: 6 })
        .map((list) => (list ? [group(id), members(id, list)] : [])),
    ),
  ),
});
type Directory = typeof contested extends fc.Arbitrary<infer T> ? T : never;

/** Everybody is there, and no address is wanted twice: but addresses move. */
const agreed = fc
  .record({
    dealt: fc.shuffledSubarray(ADDRESSES, { minLength: ADDRESSES.length }),
    more: fc.array(fc.nat(PEOPLE.length - 1), { maxLength: ADDRESSES.length - PEOPLE.length }),
    rest: contested,
  })
  .map(({ dealt, more, rest }): Directory => {
    const aliases = new Map<string, string[]>();
    for (const [index, owner] of more.entries()) {
      const id = PEOPLE[owner] ?? '';
      aliases.set(id, [...(aliases.get(id) ?? []), dealt[PEOPLE.length + index] ?? '']);
    }
    const people = PEOPLE.map((id, index) => user(id, { primary: dealt[index] ?? '', aliases: aliases.get(id) ?? [] }));
    return { people, groups: rest.groups };
  });

const recordsOf = ({ people, groups }: Directory): EnrichedRecord[] => [...people, ...groups.flat()];

/** What a new account holds after one run, by the rules, on plain lists. */
function expected({ people, groups }: Directory): AccountSnapshot {
  const inOrder = [...people].sort((left, right) => order(left.dn.toLowerCase(), right.dn.toLowerCase()));
  const owners = new Map<string, User>();
  for (const one of inOrder) if (one.primary !== null && !owners.has(one.primary)) owners.set(one.primary, one);
  const aliases = new Map<string, string>();
  for (const one of inOrder.filter((each) => owners.get(each.primary ?? '') === each)) {
    for (const alias of one.aliases) if (!owners.has(alias) && !aliases.has(alias)) aliases.set(alias, one.id);
  }
  const lists = groups.flatMap(([record, list]) =>
    record?.kind === 'group' && list?.kind === 'members'
      ? [{ id: record.id, ids: list.add.map(({ id }) => id ?? '') }]
      : [],
  );
  const bearing = new Set(people.filter(({ primary }) => primary !== null).map(({ id }) => id));
  for (let size = -1; size !== bearing.size;) {
    size = bearing.size;
    for (const { id, ids } of lists) if (ids.some((member) => bearing.has(member))) bearing.add(id);
  }
  const written = new Map([...owners].map(([address, { id }]) => [id, `user:${address}`]));
  for (const { id } of lists) if (bearing.has(id)) written.set(id, `group:${id}`);
  return {
    users: [...owners]
      .map(([address, { id, name, enabled }]) => ({
        address,
        name,
        origin: 'directory' as const,
        enabled,
        aliases: [...aliases]
          .filter(([, owner]) => owner === id)
          .map(([alias]) => alias)
          .sort(order),
        attributes: {},
      }))
      .sort((left, right) => order(left.address, right.address)),
    contacts: [],
    groups: lists
      .filter(({ id }) => bearing.has(id))
      .map(({ id, ids }) => ({
        name: id,
        address: null,
        kind: 'group' as const,
        members: ids.flatMap((member) => written.get(member) ?? []).sort(order),
      })),
  };
}

/** More in a long run: HISTORIES=1000. */
const RUNS = { numRuns: Number(process.env['HISTORIES'] ?? 15) };

const order = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

describe('random directories', function () {
  this.timeout(120_000 + 10_000 * RUNS.numRuns);
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  const withAccount = async (work: (account: Account) => Promise<void>) => {
    const account = await workshop.open();
    try {
      await work(account);
    } finally {
      await account.close();
    }
  };

  it('a first run makes the account what the rules say', () =>
    fc.assert(
      fc.asyncProperty(contested, (directory) =>
        withAccount(async (account) => {
          await sync(account, workshop.run(), recordsOf(directory));
          assert.deepEqual(await account.snapshot(), expected(directory));
        }),
      ),
      RUNS,
    ));

  it('twice is once; and looking at everything finds no more than looking at what changed', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(contested, fc.boolean()), { minLength: 1, maxLength: 4 }), (history) =>
        withAccount(async (account) => {
          for (const [directory, complete] of history) {
            await sync(account, workshop.run(), recordsOf(directory), { complete });
          }
          const last = recordsOf(history.at(-1)?.[0] ?? { people: [], groups: [] as never });
          const settled = await sync(account, workshop.run(), last);
          const snapshot = await account.snapshot();
          const again = await sync(account, workshop.run(), last);
          assert.equal(again.outcome, 'unchanged');
          assert.deepEqual(asideLines(again), asideLines(settled));
          const cut = await sync(account, workshop.run(), last, { complete: false });
          assert.equal(cut.outcome, 'unchanged');
          const everything = await sync(account, workshop.run(), last);
          assert.equal(everything.outcome, 'unchanged');
          assert.deepEqual(asideLines(everything), asideLines(settled));
          assert.deepEqual(everything.totals, settled.totals);
          assert.deepEqual(await account.snapshot(), snapshot);
        }),
      ),
      RUNS,
    ));

  it('a history plans the same, looking at what changed or at everything', () =>
    fc.assert(
      fc.asyncProperty(fc.array(contested, { minLength: 2, maxLength: 4 }), (history) =>
        withAccount((quick) =>
          withAccount(async (thorough) => {
            for (const directory of history) {
              const records = recordsOf(directory);
              const one = await sync(quick, workshop.run(), records);
              await sync(thorough, workshop.run(), [], { complete: false });
              const other = await sync(thorough, workshop.run(), records);
              assert.deepEqual([one.plan, asideLines(one)], [other.plan, asideLines(other)]);
            }
            assert.deepEqual(await quick.snapshot(), await thorough.snapshot());
          }),
        ),
      ),
      RUNS,
    ));

  it('where nobody disputes an address, a history ends where a first run does', () =>
    fc.assert(
      fc.asyncProperty(fc.array(agreed, { minLength: 2, maxLength: 4 }), (history) =>
        withAccount(async (account) => {
          for (const directory of history) {
            const report = await sync(account, workshop.run(), recordsOf(directory));
            assert.deepEqual(report.setAside, []);
          }
          const last = history.at(-1);
          const { users } = await account.snapshot();
          assert.deepEqual(users, last ? expected(last).users : []);
        }),
      ),
      RUNS,
    ));
});

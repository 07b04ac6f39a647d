/** What a hold says: how many, of how many, and how many there may be. Each thing that is taken away counts once, and only for its kind. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Limits, Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord, User } from '../../../engine/model/records.js';
import { type Sent, UNLIMITED, Workshop, contact, group, members, outcomeOf, user } from './support.js';

const NONE = { count: 0, percent: null };
const ALL_LIMITS: Limits = {
  users: NONE,
  groups: NONE,
  members: NONE,
  membersPerGroup: NONE,
  addresses: NONE,
  values: NONE,
};

describe('what a hold says', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const open = async (rules: Partial<Rules>) => {
    account = await workshop.open(
      workshop.settings({ attributes: ['title'], rules: { holdUnusual: false, limits: UNLIMITED, ...rules } }),
    );
  };
  const outcome = (records: readonly EnrichedRecord[], rest: Sent = {}) => outcomeOf(workshop, account, records, rest);
  /** Each hold in short: its code, how many are planned, of how many. */
  const held = async (records: readonly EnrichedRecord[], rest: Sent = {}) => {
    const { report } = await outcome(records, rest);
    return (report.holds ?? []).map(
      ({ code, message }) =>
        `${code.replace('LIMIT_', '')} ${/(\d+ of \d+); .* allow 0\./.exec(message)?.[1] ?? message}`,
    );
  };

  const staff = (...names: string[]) => names.map((name) => user(name, { attributes: { title: ['x'] } }));
  const list = (id: string, ...add: string[]) => [group(id), members(id, add)];
  const first = [
    ...staff('ann', 'bob', 'cyd'),
    contact('dan'),
    ...list('team', 'ann', 'bob'),
    ...list('club', 'cyd'),
    user('eve', { aliases: ['e1@example.com', 'e2@example.com'] }),
  ];
  /** The same with some others in place of those with their ids. */
  const with_ = (...others: EnrichedRecord[]) => {
    const key = (one: EnrichedRecord) => `${one.kind} ${one.kind === 'members' ? one.group : (one.id ?? one.dn)}`;
    const changed = new Map(others.map((one) => [key(one), one]));
    return first.map((one) => changed.get(key(one)) ?? one);
  };
  const without = (...ids: string[]) =>
    first.filter((one) => !ids.includes(one.kind === 'members' ? one.group : one.id));

  // Another source beside it, with more of everything, is no part of what is counted.
  const elsewhere = [
    ...['u', 'v', 'w'].map((name) => user(name, { aliases: [`${name}1@example.com`], attributes: { title: ['y'] } })),
    ...list('far', 'u', 'v', 'w'),
    ...list('wide', 'u'),
  ];

  const cases: readonly [string, EnrichedRecord[], string[]][] = [
    ['a user who is gone', without('bob'), ['USERS 1 of 5']],
    ['a contact who is gone', without('dan'), ['USERS 1 of 5']],
    ['a user who is disabled', with_(user('ann', { ...staff('ann')[0], enabled: false })), ['USERS 1 of 5']],
    ['a group that is gone', without('club'), ['GROUPS 1 of 2']],
    ['a member', with_(members('team', ['ann'])), ['MEMBERS 1 of 3', 'MEMBERS_PER_GROUP 1 of 2']],
    ['an alias', with_(user('eve', { aliases: ['e1@example.com'] })), ['ADDRESSES 1 of 7']],
    ['an address', with_(user('bob', { ...staff('bob')[0], primary: 'b@example.com' })), ['ADDRESSES 1 of 7']],
    ['a value', with_(user('cyd')), ['VALUES 1 of 3']],
  ];
  for (const [what, next, holds] of cases) {
    it(`${what}, beside another source`, async () => {
      await open({ limits: ALL_LIMITS });
      await outcome(first);
      await outcome(elsewhere, { source: 'branch' });
      assert.deepEqual(await held(next), holds);
      assert.deepEqual(await held(first), [], 'negative control');
    });
  }

  it('of a group it is the one that loses most, whatever the order', async () => {
    for (const [one, other] of [
      [['ann'], ['ann', 'bob', 'cyd']],
      [['ann', 'bob', 'cyd'], ['ann']],
    ] as const) {
      await open({ limits: { ...UNLIMITED, membersPerGroup: NONE } });
      const people = staff('ann', 'bob', 'cyd', 'eve');
      await outcome([...people, ...list('a', ...one, 'eve'), ...list('b', ...other, 'eve')]);
      assert.deepEqual(await held([...people, ...list('a', 'eve'), ...list('b', 'eve')]), ['MEMBERS_PER_GROUP 3 of 4']);
    }
  });

  it('whoever is replaced by a preferred source counts as a person, and not as a member again', async () => {
    await open({ limits: ALL_LIMITS, precedence: ['main', 'hq'] });
    await outcome(first);
    assert.deepEqual(await held([user('new', { primary: 'ann@example.com' })], { source: 'main' }), ['USERS 1 of 5']);
    assert.deepEqual(await held([user('new')], { source: 'main' }), [], 'negative control');
  });

  it('an address that moves to somebody else, as primary or alias, is not taken away', async () => {
    await open({ limits: ALL_LIMITS });
    await outcome(first);
    const to = (id: string, rest: Partial<User>) => user(id, { ...staff(id)[0], ...rest });
    assert.deepEqual(
      await held(with_(user('eve', { aliases: ['e1@example.com'] }), to('cyd', { aliases: ['e2@example.com'] }))),
      [],
    );
    assert.deepEqual(
      await held(
        with_(
          user('eve', { primary: 'e3@example.com', aliases: ['e1@example.com', 'eve@example.com'] }),
          to('cyd', { aliases: ['e2@example.com'] }),
        ),
      ),
      [],
    );
    assert.deepEqual(
      await held(
        with_(
          user('eve', { primary: 'e3@example.com', aliases: ['e1@example.com'] }),
          to('cyd', { primary: 'eve@example.com', aliases: ['cyd@example.com', 'e2@example.com'] }),
        ),
      ),
      [],
    );
  });

  it('an address waits with the plan that would take it away, though additions go ahead', async () => {
    const limits = { ...UNLIMITED, addresses: { count: 1, percent: null } };
    const others = (name: string) => user(name, { primary: `${name}@new.example.com`, name: 'New' });
    const addresses = async () => (await account.snapshot()).users.map(({ address }) => address.replace(/\.com$/, ''));
    for (const [names, kept] of [
      [['ann', 'bob'], 'example'],
      [['ann'], 'new.example'],
    ] as const) {
      await open({ additionsWhileHeld: true, limits });
      await outcome(names.map((name) => user(name)));
      const { report } = await outcome([...names.map(others), user('cyd')]);
      const held = names.length > 1;
      assert.deepEqual([report.outcome, report.wentAhead], held ? ['held', 3] : ['committed', undefined]);
      assert.deepEqual(await addresses(), [...names.map((name) => `${name}@${kept}`), 'cyd@example']);
      if (!held) continue;
      const approved = await account.decide({ plan: report.plan, verdict: 'approve', by: 'ada' });
      assert.deepEqual([approved.outcome, approved.changes.usersReaddressed], ['committed', 2]);
      assert.deepEqual(await addresses(), [...names.map((name) => `${name}@new.example`), 'cyd@example'].sort());
    }
  });

  it('whoever wants another’s address and keeps the own one loses none', async () => {
    await open({ limits: ALL_LIMITS });
    await outcome(first);
    const { report, aside } = await outcome(with_(user('bob', { ...staff('bob')[0], primary: 'ann@example.com' })));
    assert.deepEqual([report.holds ?? [], aside], [[], ['ADDRESS_CLASH bob']]);
  });

  it('whoever is absent and stays all the same, or a group that leaves, is not counted as a member again', async () => {
    await open({ limits: { ...ALL_LIMITS, groups: UNLIMITED.groups }, protect: ['ann@*'] });
    const lists = (...out: string[]) => [...list('out', 'cyd', ...out), ...list('in', 'bob')];
    const bob = user('bob', { ...staff('bob')[0], primary: null });
    await outcome([...staff('ann', 'bob', 'cyd'), ...lists('ann', 'in')]);
    const { report } = await outcome([bob, ...staff('cyd'), ...lists('in')]);
    assert.deepEqual(
      [report.holds ?? [], report.setAside.map(({ reason }) => reason).sort()],
      [[], ['NO_ADDRESS', 'PROTECTED']],
    );
    const next = await outcome([bob, ...staff('cyd'), ...lists()]);
    assert.deepEqual([next.report.outcome, next.changes.includes('member-removed out in')], ['committed', true]);
  });

  it('whoever ends at once counts, whoever else was marked or disabled before', async () => {
    const ending = { userLeft: 'disable', graceDays: 0, graceRuns: 1 } as const;
    await open({ ...ending, limits: { ...UNLIMITED, users: { count: 1, percent: null }, groups: NONE } });
    await outcome(first);
    assert.deepEqual((await outcome(without('dan'))).changes, ['removed dan absent']);
    assert.deepEqual((await outcome(without('dan', 'ann'))).changes, ['disabled ann left']);
    const { report } = await outcome(without('dan', 'ann', 'bob', 'eve', 'club'));
    assert.deepEqual(
      report.holds?.map(({ code, planned }) => [code, planned]),
      [
        ['LIMIT_USERS', 2],
        ['LIMIT_GROUPS', 1],
      ],
    );
  });

  it('of a source that has nothing yet it is as many as those have from whom it takes', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE }, precedence: ['main', 'hq'] });
    await outcome(first);
    await outcome([user('other')], { source: 'branch' });
    assert.deepEqual(await held([user('far', { primary: 'ann@example.com' })], { source: 'main' }), ['USERS 1 of 5']);
  });
});

/** What seldom comes, and what a rule says of it all the same: each case is one that no other suite would miss. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import {
  type Sent,
  UNLIMITED,
  Workshop,
  contact,
  group,
  memberNames,
  members,
  outcomeOf,
  quarantined,
  seal,
  sync,
  user,
} from './support.js';

describe('what seldom comes', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const outcome = (records: readonly EnrichedRecord[], rest: Sent = {}) => outcomeOf(workshop, account, records, rest);
  const reopened = async (rest: Partial<AccountSettings>) => (account = await workshop.open(workshop.settings(rest)));
  const membersOf = (name: string) => memberNames(account, name);

  it('an address that only somebody wants who is set aside is taken away, and counts as that', async () => {
    const none = { count: 0, percent: null };
    for (const [limits, expected] of [
      [{ ...UNLIMITED, addresses: none }, ['LIMIT_ADDRESSES']],
      [UNLIMITED, []],
    ] as const) {
      await reopened({ rules: { holdUnusual: false, limits } });
      await outcome([user('ann', { aliases: ['x@example.com'] }), contact('eve')]);
      const { report, aside } = await outcome([user('ann'), user('eve', { primary: 'x@example.com' })]);
      assert.deepEqual(aside, ['KIND_CHANGED eve']);
      assert.deepEqual(report.holds?.map(({ code }) => code) ?? [], expected);
      assert.equal(report.changes.addressesRemoved, 1);
    }
  });

  describe('a successor', () => {
    const as = (id: string) => user(id, { primary: 'office@example.com' });

    it('follows in a run of the own source only', async () => {
      await outcome([as('old'), user('bob')]);
      await outcome([user('bob')]);
      await outcome([user('eve')], { source: 'branch', complete: false });
      const paused = await outcome([as('new'), user('bob')]);
      assert.deepEqual([paused.changes, paused.aside], [[], ['ADDRESS_CLASH new']]);
      assert.deepEqual((await outcome([user('eve')], { source: 'branch' })).changes, []);
      assert.deepEqual(await account.find({ id: 'new' }), null);
      assert.ok((await outcome([as('new'), user('bob')])).changes.includes('updated new id'));
    });

    it('does not follow whom another source brought, but replaces them', async () => {
      await outcome([as('old'), user('bob')]);
      await outcome([user('bob')]);
      assert.deepEqual((await outcome([as('far')], { source: 'branch' })).changes, ['replaced old', 'linked far']);
    });

    it('does not follow who is gone again', async () => {
      await outcome([as('old'), user('bob')]);
      await outcome([user('bob')]);
      await outcome([as('new')], { complete: false });
      for (let look = 0; look < 2; look += 1) assert.deepEqual((await outcome([user('bob')])).changes, []);
      assert.equal((await account.snapshot()).users.length, 2);
    });

    it('is the first of several by name, and the others are set aside', async () => {
      await outcome([as('old'), user('bob')]);
      const several = [as('c'), as('a'), as('b'), user('bob')];
      const { changes, aside } = await outcome(several);
      assert.deepEqual(aside, ['ADDRESS_CLASH b', 'ADDRESS_CLASH c']);
      assert.ok(changes.includes('updated a id'), changes.join());
    });

    it('is nobody whom the settings do not take: a contact, or somebody of another domain', async () => {
      const settings = workshop.settings();
      account = await workshop.open(settings);
      const one = contact('old', { primary: 'office@example.com' });
      await outcome([one, as('boss'), user('bob')]);
      await account.close();
      account = await workshop.open({ ...settings, contacts: false, domains: ['Other.example', 'partner.example'] });
      const { changes, aside } = await outcome([{ ...one, id: 'new' }, as('next'), user('bob')]);
      assert.deepEqual(aside, ['OUTSIDE_DOMAINS bob', 'OUTSIDE_DOMAINS next']);
      assert.deepEqual(changes, ['leaving old absent', 'leaving boss absent']);
      await account.close();
      // negative control: where the settings take them, they follow
      account = await workshop.open(settings);
      const taken = await outcome([{ ...one, id: 'new' }, as('next'), user('bob')]);
      for (const line of ['updated new id', 'updated next id'])
        assert.ok(taken.changes.includes(line), taken.changes.join());
    });

    it('is in the groups of whom he follows only if the source says so', async () => {
      const team = [group('team'), members('team', ['old', 'bob']), group('solo'), members('solo', ['old'])];
      await outcome([as('old'), user('bob'), ...team]);
      await outcome([as('new'), user('bob'), ...team]);
      assert.deepEqual([await membersOf('team'), await membersOf('solo')], [['user:bob'], []]);
      await outcome([as('new'), user('bob'), group('team'), members('team', ['new', 'bob'])]);
      assert.deepEqual(await membersOf('team'), ['user:bob', 'user:office']);
    });

    it('takes nothing over in a run that is not complete; in a complete one it does', async () => {
      await outcome([as('old'), user('bob')]);
      await outcome([user('bob')]);
      const cut = await outcome([as('new'), user('bob')], { complete: false });
      assert.deepEqual([cut.changes, cut.aside], [[], ['ADDRESS_CLASH new']]);
      assert.deepEqual((await outcome([as('new'), user('bob')])).changes.slice(0, 1), ['returned new']);
    });
  });

  it('whoever has no address any more gives it up to who wants it, unless protected', async () => {
    const office = { primary: 'office@example.com' };
    for (const [protect, changes, aside] of [
      [['office@*'], [], ['ADDRESS_CLASH new', 'NO_ADDRESS old']],
      [[], ['replaced old', 'linked new'], ['NO_ADDRESS old']],
    ] as const) {
      await reopened({ rules: { ...workshop.settings().rules, protect } });
      await outcome([user('old', office), user('bob')]);
      const given = await outcome([user('old', { primary: null }), user('new', office), user('bob')]);
      assert.deepEqual([given.changes, given.aside], [changes, aside]);
    }
  });

  it('what comes twice in a run counts as it came last, new or known', async () => {
    const twice = (first: string, last: string) => [
      user('ann', { name: first }),
      user('bob'),
      user('eve'),
      user('ann', { name: last }),
    ];
    // In the order in which they came first.
    assert.deepEqual((await outcome(twice('First', 'Last'))).changes, ['added ann', 'added bob', 'added eve']);
    assert.deepEqual(
      (await account.snapshot()).users.map(({ name }) => name),
      ['Last', 'bob', 'eve'],
    );
    assert.deepEqual((await outcome(twice('Other', 'Last'))).changes, []);
    assert.deepEqual((await outcome(twice('Last', 'Newest'))).changes, ['updated ann name']);
  });

  it('so it does in the first run of another source, which takes nothing of the first', async () => {
    await outcome([user('ann'), user('bob')]);
    const again = user('ann', { name: 'Last', primary: 'second@example.com' });
    const { changes, report } = await outcome([user('ann', { name: 'First' }), user('dan'), again], {
      source: 'branch',
    });
    assert.deepEqual(changes, ['added ann', 'added dan']);
    assert.equal(report.totals.users, 4);
    assert.deepEqual((await outcome([user('ann'), user('bob')])).changes, []);
    assert.deepEqual((await outcome([again, user('dan')], { source: 'branch' })).changes, []);
  });

  it('whoever is only marked is not purged, though others end in the same run', async () => {
    await reopened({ rules: { ...workshop.settings().rules, userLeft: 'remove', graceDays: 0, graceRuns: 2 } });
    for (const ids of [['a', 'b', 'c'], ['b', 'c'], ['c']]) await outcome(ids.map((id) => user(id)));
    assert.deepEqual(await account.purge(new Date('2999-01-01')), { purged: 1 });
    assert.deepEqual((await outcome([user('b'), user('c')])).changes, ['returned b']);
  });

  it('nor who had ended before, and was there again: people and groups', async () => {
    const rules = { ...workshop.settings().rules, userLeft: 'remove' as const, graceDays: 0, graceRuns: 2 };
    await reopened({ rules });
    const all = [user('ann'), user('bob'), group('team'), members('team', ['bob'])];
    for (const records of [all, [user('bob')], [user('bob')], all]) await outcome(records);
    assert.deepEqual((await outcome([user('bob')])).changes, ['leaving ann absent', 'leaving team absent']);
    assert.deepEqual(await account.purge(new Date('2999-01-01')), { purged: 0 });
    assert.deepEqual((await outcome(all)).changes, ['returned ann', 'returned team']);
  });

  it('nor whoever had ended before, and has somebody’s place now', async () => {
    await reopened({ rules: { ...workshop.settings().rules, userLeft: 'remove', graceDays: 0, graceRuns: 2 } });
    const [old, bob] = [user('old', { primary: 'office@example.com' }), user('bob')];
    for (const records of [
      [user('new'), old, bob],
      [old, bob],
      [old, bob],
    ])
      await outcome(records);
    const heir = user('new', { primary: 'office@example.com' });
    assert.ok((await outcome([heir, bob])).changes.includes('updated new id'));
    assert.deepEqual((await outcome([bob])).changes, ['leaving new absent']);
    assert.deepEqual(await account.purge(new Date('2999-01-01')), { purged: 0 });
    assert.deepEqual((await outcome([heir, bob])).changes, ['returned new']);
  });

  it('whoever was set aside and is gone is not told of any more', async () => {
    assert.deepEqual((await outcome([user('ann'), quarantined('bob')])).aside, ['UNSUPPORTED_CLASS bob']);
    assert.deepEqual((await outcome([user('ann')])).aside, []);
  });

  it('a run that failed, and was not refused for good, can be applied again', async () => {
    const run = workshop.run();
    await account.stage(run, 0, [user('ann')]);
    const wrong = { ...run, startedAt: 'yesterday' };
    await assert.rejects(account.apply(wrong, seal(1), { dryRun: false }), { code: 'NOT_AS_AGREED' });
    assert.equal((await account.apply(run, seal(1), { dryRun: false })).outcome, 'committed');
  });

  it('contacts that are only looked at are not updated', async () => {
    const settings = workshop.settings();
    account = await workshop.open(settings);
    const all = [contact('con'), user('ann')];
    await outcome(all);
    await account.close();
    account = await workshop.open({ ...settings, attributes: ['title'] });
    const { report } = await outcome(all);
    assert.deepEqual(
      [report.outcome, report.changes.contactsUpdated, report.changes.usersUpdated],
      ['unchanged', 0, 0],
    );
  });

  it('each field of a group is told by itself', async () => {
    const full = {
      primary: 'team@example.com',
      sid: 'S-1-5-21-9',
      name: 'Team',
      dn: 'CN=team',
      scope: 'global',
    } as const;
    const told = (rest: object) =>
      outcome([user('ann'), group('team', { ...full, ...rest }), members('team', ['ann'])]);
    await told({});
    const others = {
      primary: 'other@example.com',
      sid: 'S-1-5-21-8',
      name: 'Other',
      dn: 'CN=other',
      scope: 'universal',
      type: 'distribution',
    };
    for (const [name, value] of Object.entries(others)) {
      const field = name === 'primary' ? 'address' : name;
      assert.deepEqual((await told({ [name]: value })).changes, [`updated team ${field}`]);
      assert.deepEqual((await told({})).changes, [`updated team ${field}`]);
    }
  });

  it('whoever wants as primary address what was an alias of somebody who left is somebody else', async () => {
    const bob = user('bob');
    await outcome([user('old', { aliases: ['office@example.com'] }), bob]);
    const { changes } = await outcome([user('new', { primary: 'office@example.com' }), bob]);
    assert.ok(
      changes.includes('leaving old absent') && changes.every((line) => !line.startsWith('updated')),
      changes.join(),
    );
  });

  it('members that come in a run before their group does are in it', async () => {
    await outcome([user('ann'), members('team', ['ann'])]);
    const { changes } = await outcome([user('ann'), group('team')], { complete: false });
    assert.deepEqual(changes, ['added team', 'member-added team ann']);
  });

  it('members of a group that is not there stand in the way of nobody who is looked for by name', async () => {
    const { dn } = user('ann');
    const ghost = members('ghost', [{ dn }]);
    const team = [group('team'), members('team', [{ dn }])];
    await outcome([ghost, user('ann'), ...team]);
    assert.deepEqual(await membersOf('team'), ['user:ann']);
    await outcome([ghost, user('ann', { id: 'anew', primary: 'anew@example.com' }), ...team]);
    assert.deepEqual(await membersOf('team'), ['user:anew']);
  });

  describe('members who gave way to others', () => {
    const SID = 'S-1-5-21-1000';
    for (const names of [['one'], ['one', 'two']]) {
      it(`in ${String(names.length)} groups; who has the SID no longer is in none of them`, async () => {
        const teams = names.flatMap((id) => [group(id), members(id, [{ sid: SID }, { id: 'bob' }])]);
        await outcome([user('old', { sid: SID }), user('bob'), ...teams]);
        await outcome([user('new', { sid: SID }), user('bob'), ...teams]);
        for (const id of names) assert.deepEqual(await membersOf(id), ['user:bob', 'user:new']);
        await outcome([user('new', { sid: 'S-1-5-21-2000' }), user('bob'), ...teams]);
        for (const id of names) assert.deepEqual(await membersOf(id), ['user:bob']);
      });
    }
  });

  it('whoever is replaced by a preferred source is in no group any more, and nobody in the place of them', async () => {
    const precedence = ['main', 'hq'];
    await reopened({ rules: { ...workshop.settings().rules, precedence } });
    const team = [group('team'), members('team', ['ann', 'bob'])];
    await outcome([user('ann'), user('bob'), ...team]);
    const eve = user('eve', { primary: 'ann@example.com' });
    const { changes, report } = await outcome([eve], { source: 'main' });
    assert.deepEqual(changes, ['replaced ann', 'linked eve', 'member-removed team ann']);
    assert.deepEqual(
      [report.changes.membersRemoved, report.totals.members, await membersOf('team')],
      [1, 1, ['user:bob']],
    );
    const again = await outcome([eve], { source: 'main' });
    assert.deepEqual(again.changes, [], 'negative control: told once');
  });

  it('who opened the account last writes, and writes again', async () => {
    await reopened({ exclusive: true });
    for (const name of ['a', 'b', 'c']) await outcome([user('ann', { name })]);
    await account.addKnown([{ address: 'x@example.com', origin: 'manual' }]);
    assert.equal((await outcome([user('ann', { name: 'd' })])).report.outcome, 'committed');
  });

  it('an approved plan of a run that only brought what changed makes no run the first complete one', async () => {
    const count = { count: 0, percent: null };
    await reopened({ rules: { holdUnusual: true, limits: { ...UNLIMITED, users: count } } });
    const delta = async (records: readonly EnrichedRecord[]) =>
      sync(account, workshop.run({ mode: 'delta' }), records, { complete: true });
    await delta([user('ann'), user('bob')]);
    const held = await delta([user('bob', { enabled: false })]);
    assert.equal(held.outcome, 'held');
    await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' });
    const first = await outcome([user('ann')]);
    assert.deepEqual(
      first.report.holds?.map(({ code }) => code),
      ['LIMIT_USERS', 'FIRST_RUN'],
    );
  });
});

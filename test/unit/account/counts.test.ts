/** The counts of a report: of each kind of change as many as there were, of everything else none. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { askStore } from '../../support/account-store.js';
import { type Sent, UNLIMITED, Workshop, contact, group, members, outcomeOf, totalsIn, user } from './support.js';

describe('the counts of a report', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const open = async (rules: Partial<Rules> = {}) => {
    const settings = workshop.settings({
      attributes: ['title', 'city'],
      rules: { holdUnusual: false, limits: UNLIMITED, ...rules },
    });
    account = await workshop.open(settings);
    return settings.store;
  };
  const reportOf = async (records: readonly EnrichedRecord[], rest: Sent = {}) =>
    (await outcomeOf(workshop, account, records, rest)).report;
  /** Those that are not 0. */
  const counts = async (records: readonly EnrichedRecord[], rest: Sent = {}) =>
    Object.fromEntries(Object.entries((await reportOf(records, rest)).changes).filter(([, count]) => count !== 0));

  const ann = user('ann', { aliases: ['a1@example.com', 'a2@example.com'], attributes: { title: ['A'], city: ['B'] } });
  const bob = user('bob');
  const eve = user('eve', { enabled: false });
  const [con, dan] = [contact('con'), contact('dan')];
  const list = (id: string, ...add: string[]) => [group(id), members(id, add)];
  const lists = [...list('team', 'ann', 'bob', 'con'), ...list('club', 'bob')];
  const all = [ann, bob, eve, con, dan, ...lists];

  it('of a run that changes nothing are all 0', async () => {
    await open();
    await reportOf(all);
    const { changes } = await reportOf(all);
    assert.ok(Object.keys(changes).length > 20);
    assert.deepEqual([...new Set(Object.values(changes))], [0]);
  });

  it('tell who is added, changed, marked and back, each kind by itself', async () => {
    await open();
    await account.addKnown([{ address: 'bob@example.com', origin: 'manual' }]);
    assert.deepEqual(await counts(all), {
      usersAdded: 2,
      usersLinked: 1,
      usersDisabled: 1,
      contactsAdded: 2,
      groupsAdded: 2,
      membersAdded: 4,
      aliasesLinked: 2,
    });
    const changed = [
      user('ann', { name: 'Ann', dn: 'CN=Ann', aliases: ['a1@example.com'], attributes: { title: ['C'] } }),
      user('bob', { primary: 'b@example.com', name: 'Bob' }),
      user('eve'),
      contact('con', { name: 'Con', dn: 'CN=Con' }),
      dan,
      group('team', { name: 'Team', scope: 'global' }),
      members('team', ['bob']),
      ...list('club', 'bob'),
    ];
    assert.deepEqual(await counts(changed), {
      usersUpdated: 2,
      usersReaddressed: 1,
      usersEnabled: 1,
      contactsUpdated: 1,
      groupsUpdated: 1,
      membersRemoved: 2,
      aliasesUnlinked: 1,
      attributesUpdated: 2,
      addressesRemoved: 2,
    });
    assert.deepEqual(await counts(changed.slice(2, 4)), { usersLeaving: 2, contactsLeaving: 1, groupsLeaving: 2 });
    assert.deepEqual(await counts(changed), { usersReturned: 2, contactsReturned: 1, groupsReturned: 2 });
  });

  it('tell of a person whichever field is another one', async () => {
    await open();
    const full = { name: 'A', dn: 'CN=A', sid: 'S-1-5-21-1' };
    const two = (rest: object) => [user('ann', { ...full, ...rest }), contact('con', { ...full, ...rest })];
    await reportOf(two({}));
    for (const [field, value] of Object.entries({ name: 'B', dn: 'CN=B', sid: 'S-1-5-21-2' })) {
      const { changes } = await outcomeOf(workshop, account, two({ [field]: value }), {});
      assert.deepEqual(changes, [`updated ann ${field}`, `updated con ${field}`]);
      assert.deepEqual(await counts(two({})), { usersUpdated: 1, contactsUpdated: 1 });
    }
    assert.deepEqual(await counts([user('ann', { ...full, id: 'anew' }), contact('con', { ...full, id: 'new-con' })]), {
      usersUpdated: 1,
      contactsUpdated: 1,
    });
  });

  it('tell who ends, by each rule', async () => {
    for (const [userLeft, users] of [
      ['downgrade', { usersDowngraded: 2 }],
      ['remove', { usersRemoved: 2 }],
      ['disable', { usersDisabled: 2 }],
    ] as const) {
      await open({ userLeft, graceDays: 0, graceRuns: 1 });
      await reportOf(all);
      const ended = await counts([eve, con, ...list('team', 'con')]);
      assert.deepEqual(ended, { ...users, contactsRemoved: 1, groupsRemoved: 1, membersRemoved: 2 }, userLeft);
    }
  });

  it('tell who is replaced by a source that is preferred', async () => {
    await open({ precedence: ['main', 'hq'] });
    await reportOf(all);
    const main = [
      ...['ann', 'bob'].map((name) => user(`new-${name}`, { primary: `${name}@example.com` })),
      contact('new-con', { primary: 'con@example.com' }),
    ];
    assert.deepEqual(await counts(main, { source: 'main' }), {
      usersLinked: 2,
      usersReplaced: 2,
      contactsReplaced: 1,
      membersRemoved: 4,
    });
  });

  it('are those of the journal, also where additions have gone ahead of a plan that waits', async () => {
    const none = { count: 0, percent: null };
    const store = await open({ additionsWhileHeld: true, limits: { ...UNLIMITED, users: none } });
    await reportOf([ann, bob]);
    await account.close();
    const journal = async () => Number((await askStore(store, 'SELECT count(*) AS count FROM journal'))[0]?.['count']);
    const before = await journal();
    account = await workshop.open({
      ...workshop.settings({ attributes: ['title', 'city'] }),
      store,
      rules: { holdUnusual: false, additionsWhileHeld: true, limits: { ...UNLIMITED, users: none } },
    });
    const { outcome, wentAhead } = await reportOf([ann, dan, user('zoe')]);
    assert.deepEqual([outcome, wentAhead], ['held', 2]);
    await account.close();
    assert.equal((await journal()) - before, 2);
  });

  it('say beside them how much there is, after whatever has changed the account', async () => {
    const store = await open({ graceDays: 0, graceRuns: 1, groupLeft: 'remove' });
    const agree = async (records: readonly EnrichedRecord[], rest: Sent = {}) => {
      const { totals } = await reportOf(records, rest);
      assert.deepEqual(totals, totalsIn(await account.snapshot()));
    };
    await agree(all);
    await agree(all);
    await account.addKnown([{ address: 'x@example.com', origin: 'manual' }]);
    await agree(all);
    await agree([bob, con, ...list('club', 'bob')]);
    await account.purge(new Date(Date.UTC(2100, 0, 1)));
    await agree([bob, con, ...list('club', 'bob')]);
    await agree([ann], { source: 'branch' });
    // negative control: whoever changes the account and does not say so is not seen
    await askStore(store, `DELETE FROM entry WHERE kind = 'contact'`);
    const { totals } = await reportOf([ann], { source: 'branch' });
    assert.notDeepEqual(totals, totalsIn(await account.snapshot()));
  });
});

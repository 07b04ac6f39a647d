/** Mailboxes and accounts that come, go, and are linked otherwise: what the other half becomes. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { type Sent, UNLIMITED, Workshop, group, memberNames, members, outcomeOf, user } from './support.js';

describe('twins that part', () => {
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

  const SID = 'S-1-5-21-7-7-7-1001';
  const box = user('box', { sid: 'S-1-5-21-1-1-1-5', primary: 'ann@example.com', masterSid: SID, enabled: false });
  const ann = user('ann', { sid: SID, primary: 'ann@example.com' });

  const people = async () => (await account.snapshot()).users.map(({ address, enabled }) => ({ address, enabled }));
  const ANN = [{ address: 'ann@example.com', enabled: true }];
  const ZOE = { address: 'zoe@example.com', enabled: true };
  const gone = () => ({ ...workshop.settings().rules, userLeft: 'remove', graceDays: 0, graceRuns: 1 }) as const;

  for (const source of ['hq', 'people'] as const) {
    it(`when the mailbox is gone, the account is somebody by itself: in the source ${source}`, async () => {
      await reopened({ rules: gone() });
      const [all, without] = source === 'hq' ? [[box, ann], [ann]] : [[box], []];
      for (let round = 0; round < 2; round += 1) {
        await outcome(all);
        if (source !== 'hq') await outcome([ann], { source });
      }
      assert.deepEqual(await people(), ANN);
      await outcome([user('bob'), ...without]);
      if (source !== 'hq') await outcome([ann], { source });
      assert.deepEqual(await people(), [...ANN, { address: 'bob@example.com', enabled: true }]);
      assert.deepEqual((await outcome([user('bob'), ...without])).changes, [], 'and stays so');
    });
  }

  it('of another source count against the limit of users, and as some of whom it is a share', async () => {
    const half = { count: null, percent: 50 };
    await reopened({ rules: { holdUnusual: false, limits: { ...UNLIMITED, users: half } } });
    const pair = (n: number) => ({ sid: `${SID}${String(n)}`, primary: `t${String(n)}@example.com` });
    const boxes = [1, 2].map((n) => ({
      ...box,
      ...pair(n),
      id: `box${String(n)}`,
      masterSid: pair(n).sid,
      sid: null,
    }));
    const own = (n: number, enabled: boolean) => user(`own${String(n)}`, { ...pair(n), enabled });
    const others = (off: number) =>
      Array.from({ length: 20 }, (_, index) => user(`p${String(index)}`, { enabled: index >= off }));
    const off = (count: number, first: boolean) => [...others(count), own(1, !first), own(2, true)];
    for (const [count, expected] of [
      [10, 'committed'],
      [11, 'held'],
    ] as const) {
      await reopened({ rules: { holdUnusual: false, limits: { ...UNLIMITED, users: half } } });
      await outcome(boxes, { source: 'mail' });
      await outcome(off(0, false));
      assert.equal((await outcome(off(count, true))).report.outcome, expected, String(count));
    }
  });

  it('a mailbox that comes later, with an address of its own, gives its state to the account, and takes it back', async () => {
    const own = user('ann', { sid: SID, primary: 'own@example.com', enabled: false });
    const other = { ...box, enabled: true };
    await outcome([own]);
    await outcome([own, other]);
    assert.deepEqual(await people(), [...ANN, { address: 'own@example.com', enabled: true }]);
    await outcome([own, { ...other, enabled: false }]);
    assert.deepEqual(
      (await people()).map(({ enabled }) => enabled),
      [false, false],
    );
  });

  it('when the account has another SID, the mailbox has its own state; and its groups have the mailbox no more', async () => {
    const team = [group('team'), members('team', ['ann'])];
    await outcome([box, ann, ...team]);
    assert.deepEqual([await people(), await membersOf('team')], [ANN, ['user:ann']]);
    const { changes } = await outcome([box, { ...ann, sid: 'S-1-5-21-7-7-7-3003' }, ...team]);
    assert.deepEqual(changes, ['disabled box', 'member-removed team box']);
  });

  it('and what that takes away waits in the plan, where additions have gone ahead', async () => {
    const none = { count: 0, percent: null };
    const rules = { holdUnusual: false, additionsWhileHeld: true, limits: { ...UNLIMITED, users: none } };
    await reopened({ rules });
    for (let look = 0; look < 2; look += 1) await outcome([box, ann]);
    const { report, changes } = await outcome([box, { ...ann, sid: 'S-1-5-21-7-7-7-3003' }, user('zoe')]);
    assert.deepEqual([report.outcome, changes], ['held', ['added zoe']]);
    const approved = await account.decide({ plan: report.plan, verdict: 'approve', by: 'ada' });
    assert.equal(approved.changes.usersDisabled, 1);
    assert.deepEqual(await people(), [{ address: 'ann@example.com', enabled: false }, ZOE]);
  });

  it('when the mailbox is linked to another, the account is somebody by itself; negative control: it was not', async () => {
    const alias = { ...ann, primary: 'a@example.com' };
    const linked = { ...box, aliases: ['a@example.com'] };
    await outcome([linked, alias]);
    assert.deepEqual(await people(), ANN);
    const { aside } = await outcome([{ ...linked, masterSid: 'S-1-5-21-7-7-7-2002', aliases: [] }, alias]);
    assert.deepEqual(aside, []);
    assert.deepEqual(await people(), [
      { address: 'a@example.com', enabled: true },
      { address: 'ann@example.com', enabled: false },
    ]);
  });

  it('a mailbox that has as alias the address of an account that is somebody already stays beside it', async () => {
    const team = [group('team'), members('team', ['ann'])];
    const own = { ...ann, primary: 'a@example.com' };
    await outcome([own, ...team]);
    for (let look = 0; look < 2; look += 1) {
      const { aside } = await outcome([{ ...box, aliases: ['a@example.com'] }, own, ...team]);
      assert.deepEqual([aside, await membersOf('team')], [['ALIAS_CLASH box'], ['user:a']]);
    }
    assert.deepEqual(await people(), [{ address: 'a@example.com', enabled: true }, ...ANN]);
  });

  it('of two accounts with the SID the mailbox follows one that is there', async () => {
    const other = user('other', { sid: SID, primary: 'other@example.com', enabled: false });
    await outcome([{ ...ann, primary: null }, user('bob')], { source: 'first' });
    await outcome([other], { source: 'second' });
    const linked = [{ ...box, linked: true }];
    await outcome(linked);
    assert.deepEqual(await people(), [
      ...ANN,
      { address: 'bob@example.com', enabled: true },
      { address: 'other@example.com', enabled: false },
    ]);
    await outcome([user('bob')], { source: 'first' });
    assert.deepEqual((await outcome(linked)).changes, ['disabled box']);
  });

  it('an account that comes later gives its state to the mailbox at once', async () => {
    await outcome([box]);
    assert.deepEqual(await people(), [{ address: 'ann@example.com', enabled: false }]);
    assert.deepEqual((await outcome([box, { ...ann, primary: null }])).changes, ['enabled box']);
  });
});

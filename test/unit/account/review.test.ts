/** What must outlast a bad day: objects set aside, people created anew, groups that were away, runs that were cut. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import { Workshop, asideLines, changeLines, group, members, quarantined, sync, user } from './support.js';

describe('an account on a bad day', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  async function outcome(records: Parameters<typeof sync>[2], rest = {}) {
    const run = workshop.run();
    const report = await sync(account, run, records, rest);
    return { changes: await changeLines(account, run.id), aside: asideLines(report), report };
  }
  const membersOf = async (name: string) =>
    (await account.snapshot()).groups.find((one) => one.name === name)?.members.map((one) => one.replace(/@.*/, ''));

  describe('somebody who is set aside', () => {
    const sid = 'S-1-5-21-1000';
    const bob = user('bob');

    it('stays in the groups that know the SID', async () => {
      const team = [group('team'), members('team', [{ sid }, { id: 'bob' }])];
      await outcome([user('ann', { sid }), bob, ...team]);
      assert.deepEqual((await outcome([quarantined('ann'), bob, ...team])).changes, []);
      assert.deepEqual(await membersOf('team'), ['user:ann', 'user:bob']);
      assert.deepEqual((await outcome([user('ann', { sid }), bob, ...team])).changes, [], 'and is the same afterwards');
      // negative control: who has another SID now is a member no longer
      const other = await outcome([user('ann', { sid: 'S-1-5-21-2000' }), bob, ...team]);
      assert.deepEqual(other.changes, ['updated ann sid', 'member-removed team ann']);
    });

    it('stays in the groups that know the name, even where the name cannot be read', async () => {
      const team = [group('team'), members('team', [{ dn: 'CN=ann,DC=example,DC=com' }, { id: 'bob' }])];
      await outcome([user('ann'), bob, ...team]);
      const aside = quarantined('ann', { dn: '', reason: 'UNDECODABLE_DN' });
      assert.deepEqual((await outcome([aside, bob, ...team])).changes, []);
      assert.deepEqual(await membersOf('team'), ['user:ann', 'user:bob']);
      const changed = await outcome([aside, bob, group('team'), members('team', [{ dn: 'CN=ann,DC=example,DC=com' }])]);
      assert.deepEqual(changed.changes, ['member-removed team bob'], 'also where the group changes meanwhile');
    });

    it('counts as present when only the name is known', async () => {
      await outcome([user('ann'), bob]);
      const known = quarantined(null, { dn: 'cn=Ann, dc=example, dc=com' });
      assert.equal((await outcome([known, bob])).report.absent.users, 0);
      // negative control: under the name of somebody else, ann is absent
      assert.equal((await outcome([quarantined(null, { dn: 'CN=x' }), bob])).report.absent.users, 1);
    });
  });

  describe('members known by name or SID only', () => {
    const dn = 'uid=j,DC=example,DC=com';
    for (const how of ['name', 'SID'] as const) {
      it(`follow the one who is there under that ${how}, not the one who left`, async () => {
        const sid = 'S-1-5-21-1000';
        const as = how === 'name' ? { dn } : { sid };
        const team = [group('team'), members('team', [as, { id: 'bob' }])];
        await outcome([user('old', as), user('bob'), ...team]);
        const { changes } = await outcome([user('new', as), user('bob'), ...team]);
        assert.ok(changes.includes('member-added team new'), changes.join());
        assert.ok(changes.includes('member-removed team old'), changes.join());
        assert.deepEqual(await membersOf('team'), ['user:bob', 'user:new']);
        const later = await outcome([user('new', as), user('bob'), group('team'), members('team', [as])]);
        assert.deepEqual(later.changes, ['member-removed team bob']);
      });
    }
  });

  it('a group that was away, or set aside, gets the members who came meanwhile', async () => {
    const team = [group('team'), members('team', ['ann', 'new'])];
    await outcome([user('ann'), ...team]);
    for (const [away, name] of [
      [[], 'new'],
      [[quarantined('team')], 'newer'],
    ] as const) {
      const list = members('team', ['ann', 'new', 'newer']);
      const there = name === 'new' ? [user('ann'), user('new')] : [user('ann'), user('new'), user('newer')];
      await outcome([...there, ...away]);
      const { changes } = await outcome([...there, group('team'), list]);
      assert.ok(changes.includes(`member-added team ${name}`), changes.join());
    }
  });

  it('a group that only was away gets the members who came meanwhile, though its list is the same', async () => {
    const team = [group('team'), members('team', ['ann', 'new'])];
    await outcome([user('ann'), ...team]);
    await outcome([user('ann'), user('new'), quarantined('team')]);
    const { changes } = await outcome([user('ann'), user('new'), ...team]);
    assert.deepEqual(changes, ['member-added team new']);
  });

  it('a run that is not complete empties nothing', async () => {
    const team = (rest = {}) => [group('team', rest), members('team', ['ann'])];
    const full = { primary: 'team@example.com', sid: 'S-1-5-21-9' };
    await outcome([user('ann', { sid: 'S-1-5-21-8' }), ...team(full)]);
    const poor = [user('ann'), ...team({ scope: null })];
    assert.deepEqual((await outcome(poor, { complete: false })).changes, []);
    assert.equal((await account.snapshot()).groups[0]?.address, 'team@example.com');
    // negative control: the same records in a complete run do
    assert.deepEqual((await outcome(poor)).changes, [
      'updated ann sid',
      'updated team address',
      'updated team scope',
      'updated team sid',
    ]);
  });
});

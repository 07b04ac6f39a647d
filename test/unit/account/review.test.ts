/** What must outlast a bad day: objects set aside, people created anew, groups that were away, runs that were cut. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import { askStore } from '../../support/account-store.js';
import { Workshop, asideLines, changeLines, group, members, quarantined, seal, sync, user } from './support.js';

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

  describe('somebody created anew', () => {
    const team = (id: string) => [group('team'), members('team', [id, 'bob'])];
    const as = (id: string, rest = {}) => user(id, { primary: 'ann@example.com', name: 'Ann', dn: 'CN=Ann', ...rest });

    it('is the same user: one step, and stays in the groups', async () => {
      await outcome([as('old'), user('bob'), ...team('old')]);
      const { changes, aside, report } = await outcome([as('new'), user('bob'), ...team('new')]);
      assert.deepEqual([changes, aside], [['updated new id'], []]);
      assert.deepEqual([report.absent.users, report.totals.users, report.totals.members], [0, 2, 2]);
      assert.deepEqual((await outcome([as('new'), user('bob'), ...team('new')])).changes, []);
      const found = await account.find({ id: 'new' });
      assert.equal(found !== null && 'groups' in found && found.groups.join(), 'team');
    });

    it('also after being set aside by a cut run, and keeps memberships of held groups', async () => {
      await outcome([as('old'), user('bob'), ...team('old')]);
      const held = [group('team'), members('team', [], { held: 'cut' })];
      const cut = await outcome([as('new'), user('bob'), ...held], { complete: false });
      assert.deepEqual([cut.changes, cut.aside], [[], ['ADDRESS_CLASH new', 'GROUP_HELD team']]);
      assert.deepEqual((await outcome([as('new'), user('bob'), ...held])).changes, ['updated new id']);
      assert.deepEqual(await membersOf('team'), ['user:ann', 'user:bob']);
    });

    it('is a successor in an office, with what is otherwise', async () => {
      await outcome([as('old', { aliases: ['a@example.com'] }), user('bob'), ...team('old')]);
      const { changes } = await outcome([
        as('new', { name: 'New', enabled: false, dn: 'CN=New' }),
        user('bob'),
        group('team'),
        members('team', ['bob']),
      ]);
      assert.deepEqual(changes, [
        'updated new dn',
        'updated new id',
        'updated new name',
        'disabled new',
        'alias-unlinked new a@example.com',
        'member-removed team new',
      ]);
    });

    it('comes into the groups that name it already, though they say the same as before', async () => {
      const both = [group('team'), members('team', ['new', 'bob'])];
      await outcome([as('old'), as('new', { primary: null }), user('bob'), ...both]);
      assert.deepEqual(await membersOf('team'), ['user:bob']);
      const { changes } = await outcome([as('new'), user('bob'), ...both]);
      assert.deepEqual(changes, ['updated new id', 'member-added team new']);
    });

    it('takes the address only of somebody who is not there', async () => {
      await outcome([as('old'), user('bob')]);
      const there = await outcome([as('old'), as('new'), user('bob')]);
      assert.deepEqual([there.changes, there.aside], [[], ['ADDRESS_CLASH new']]);
      const aside = await outcome([quarantined('old'), as('new'), user('bob')]);
      assert.deepEqual(aside.changes, [], 'who is set aside counts as present');
    });

    it('changes nothing in a dry run', async () => {
      await outcome([as('old'), user('bob')]);
      await outcome([as('new'), user('bob')], { dryRun: true });
      assert.equal((await account.find({ id: 'old' }))?.kind, 'user');
    });

    it('and somebody known moves to the address of one who left', async () => {
      await outcome([as('old'), user('bob'), ...team('old')]);
      const moved = user('bob', { primary: 'ann@example.com' });
      const { changes, aside } = await outcome([moved, group('team'), members('team', ['bob'])]);
      assert.deepEqual(
        [changes.filter((one) => !one.startsWith('member')), aside],
        [['replaced old', 'readdressed bob'], []],
      );
      assert.deepEqual(
        (await account.snapshot()).users.map(({ address }) => address),
        ['ann@example.com'],
      );
      assert.deepEqual(await membersOf('team'), ['user:ann']);
      assert.deepEqual((await outcome([moved, group('team'), members('team', ['bob'])])).changes, []);
    });
  });

  describe('somebody known who has no address any more', () => {
    it('is disabled and renamed all the same, and keeps the address', async () => {
      await outcome([user('ann')]);
      const gone = user('ann', { primary: null, enabled: false, name: 'Ann' });
      const { changes, aside } = await outcome([gone]);
      assert.deepEqual([changes, aside], [['updated ann name', 'disabled ann'], ['NO_ADDRESS ann']]);
      assert.equal((await account.snapshot()).users[0]?.address, 'ann@example.com');
      const again = await outcome([gone]);
      assert.deepEqual([again.changes, again.aside], [[], ['NO_ADDRESS ann']]);
    });

    for (const known of [true, false]) {
      it(`gives it up to somebody ${known ? 'known' : 'new'} who wants it, in a complete run`, async () => {
        const info = (id: string) => user(id, { primary: 'info@example.com' });
        const team = [group('team'), members('team', ['x', 'y', 'z'])];
        await outcome([info('x'), user('z'), ...(known ? [user('y')] : []), ...team]);
        const next = [user('x', { primary: null }), user('z'), info('y'), ...team];
        assert.deepEqual((await outcome(next, { complete: false })).changes, []);
        const { changes, aside } = await outcome(next);
        assert.deepEqual(aside, ['NO_ADDRESS x']);
        assert.equal(changes[0], 'replaced x');
        assert.deepEqual(await membersOf('team'), ['user:info', 'user:z']);
        const again = await outcome(next);
        assert.deepEqual([again.changes, again.aside], [[], ['NO_ADDRESS x']]);
      });
    }
  });

  it('a dry run does not end the run: it is applied afterwards, from what was staged', async () => {
    const run = workshop.run();
    assert.equal((await sync(account, run, [user('ann')], { dryRun: true })).outcome, 'dry-run');
    assert.equal((await sync(account, run, [user('ann')], { dryRun: true })).outcome, 'dry-run');
    assert.equal((await account.apply(run, seal(1), { dryRun: false })).outcome, 'committed');
    const [first, second] = [workshop.run(), workshop.run()];
    await sync(account, first, [user('ann')], { dryRun: true });
    await sync(account, second, [user('ann')], { dryRun: true });
    await assert.rejects(account.apply(first, seal(1), { dryRun: false }), { code: 'RUN_ABANDONED' });
  });

  it('a run of a clock that is far ahead is refused, and locks nobody out', async () => {
    const ahead = (hours: number) =>
      workshop.run({ startedAt: new Date(Date.now() + hours * 3_600_000).toISOString() });
    await assert.rejects(sync(account, ahead(25), [user('ann')]), { code: 'RUN_FROM_THE_FUTURE', message: /clock/ });
    assert.equal((await sync(account, workshop.run(), [user('ann')])).outcome, 'committed');
    // negative control: a little ahead is no reason
    assert.equal((await sync(account, ahead(23), [user('ann')])).outcome, 'unchanged');
  });

  it('what was set aside is kept of the last run only', async () => {
    const settings = workshop.settings();
    account = await workshop.open(settings);
    for (let index = 0; index < 3; index += 1) await outcome([user('ann', { primary: null }), user('bob')]);
    await account.close();
    const [row] = await askStore(settings.store, 'SELECT count(*) AS count FROM set_aside');
    assert.equal(Number(row?.['count']), 1);
  });
});

/** Who ended and is purged: what their groups know of them, when somebody comes with their id or SID, and who is not purged. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord, Member } from '../../../engine/model/records.js';
import { Workshop, group, memberNames, members, outcomeOf, user } from './support.js';

const SID = 'S-1-5-21-1-1-1-1';
const BOB = 'S-1-5-21-1-1-1-2';

describe('after a purge', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    const { rules, ...settings } = workshop.settings();
    const ending = { userLeft: 'remove', graceDays: 0, graceRuns: 1 } as const;
    account = await workshop.open({ ...settings, rules: { ...rules, ...ending } });
  });
  afterEach(() => workshop.close());

  const changes = async (records: readonly EnrichedRecord[]) =>
    (await outcomeOf(workshop, account, records, {})).changes;
  const purge = async () => (await account.purge(new Date('2999-01-01'))).purged;
  const list = (id: string, ...add: (string | Member)[]) => [group(id), members(id, add)];
  const ann = user('ann', { sid: SID });
  const bob = user('bob', { sid: BOB });
  const lists = [
    ...list('by-id', 'ann', 'bob'),
    ...list('by-sid', { sid: SID }, { sid: BOB }),
    ...list('by-name', { dn: ann.dn }, 'bob'),
  ];

  it('who comes back is in the groups again that name them, by whatever it is', async () => {
    await changes([ann, bob, ...lists]);
    await changes([bob, ...lists]);
    assert.equal(await purge(), 1);
    const back = await changes([ann, bob, ...lists]);
    assert.deepEqual(back.sort(), [
      'added ann',
      'member-added by-id ann',
      'member-added by-name ann',
      'member-added by-sid ann',
    ]);
    // And who was there all the time is a member for as long as before.
    const other = { ...bob, sid: `${BOB}9` };
    assert.deepEqual(await changes([ann, other, ...lists]), ['updated bob sid', 'member-removed by-sid bob']);
  });

  it('who comes back with the id alone is in no group that knew the SID or the name', async () => {
    await changes([ann, bob, ...lists]);
    await changes([bob, ...lists]);
    await purge();
    const other = user('ann', { sid: null, dn: 'CN=other', primary: 'other@example.com' });
    assert.deepEqual(await changes([other, bob, ...lists]), ['added ann', 'member-added by-id ann']);
    assert.deepEqual(await memberNames(account, 'by-sid'), ['user:bob']);
  });

  it('whoever comes new is in no group of somebody whose place they have', async () => {
    const club = list('club', 'ann', 'eve');
    await changes([ann, ...club]);
    assert.deepEqual((await changes([ann, user('eve'), ...club])).sort(), ['added eve', 'member-added club eve']);
    await changes([ann, ...club]);
    assert.equal(await purge(), 1);
    assert.deepEqual(await changes([ann, user('zoe'), ...club]), ['added zoe']);
  });

  it('a group that comes back has its members', async () => {
    await changes([ann, bob, ...lists]);
    const rest = [ann, bob, ...list('by-sid', { sid: SID }, { sid: BOB })];
    assert.deepEqual((await changes(rest)).sort(), ['removed by-id absent', 'removed by-name absent']);
    assert.equal(await purge(), 2);
    assert.deepEqual((await changes([ann, bob, ...lists])).sort(), [
      'added by-id',
      'added by-name',
      'member-added by-id ann',
      'member-added by-id bob',
      'member-added by-name ann',
      'member-added by-name bob',
    ]);
  });

  it('nobody is missing who was only set aside when they came back, and is gone again', async () => {
    await changes([ann, bob]);
    await changes([bob]);
    assert.deepEqual(await changes([{ ...ann, primary: bob.primary }, bob]), []);
    assert.equal(await purge(), 0, 'there again');
    await changes([bob]);
    assert.equal(await purge(), 1);
    assert.deepEqual(await changes([ann, bob]), ['added ann']);
  });
});

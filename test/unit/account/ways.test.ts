/** By which ways the members of a group are found, id, SID and name, and how long what was found that way holds. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord, Member } from '../../../engine/model/records.js';
import { type Sent, Workshop, group, memberNames, members, outcomeOf, quarantined, user } from './support.js';

const SIDS = ['S-1-5-21-1-1-1-1', 'S-1-5-21-1-1-1-2', 'S-1-5-21-1-1-1-3'] as const;

describe('a member is found', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const outcome = (records: readonly EnrichedRecord[], rest: Sent = {}) => outcomeOf(workshop, account, records, rest);
  const changes = async (records: readonly EnrichedRecord[], rest: Sent = {}) => (await outcome(records, rest)).changes;
  const membersOf = (name: string) => memberNames(account, name);
  const list = (id: string, ...add: (string | Member)[]) => [group(id), members(id, add)];
  const [ann, bob] = [user('ann', { sid: SIDS[0] }), user('bob', { sid: SIDS[1] })];

  it('in the own source first, by SID and by name, whoever has them in another that came before', async () => {
    const twin = user('other', { sid: SIDS[0], dn: ann.dn, primary: 'other@example.com' });
    await outcome([twin], { source: 'branch' });
    const lists = [...list('by-sid', { sid: SIDS[0] }, 'bob'), ...list('by-name', { dn: ann.dn }, 'bob')];
    const all = [ann, bob, ...lists];
    await outcome(all);
    for (const name of ['by-sid', 'by-name']) assert.deepEqual(await membersOf(name), ['user:ann', 'user:bob'], name);
    // and also where they come after the groups
    account = await workshop.open();
    await outcome([twin], { source: 'branch' });
    await outcome([bob, ...lists]);
    await outcome(all);
    for (const name of ['by-sid', 'by-name']) assert.deepEqual(await membersOf(name), ['user:ann', 'user:bob'], name);
  });

  it('by the SID, where nobody has the id; by the id, as soon as somebody has', async () => {
    const lists = list('team', { id: 'elsewhere', sid: SIDS[0] }, 'bob');
    await outcome([ann, bob, ...lists]);
    assert.deepEqual(await membersOf('team'), ['user:ann', 'user:bob']);
    const later = list('team', { id: 'later', sid: SIDS[2] }, 'bob');
    assert.deepEqual(await changes([ann, bob, ...later]), ['member-removed team ann']);
    assert.deepEqual(await changes([ann, bob, user('later'), ...later]), ['added later', 'member-added team later']);
  });

  it('once, though several parts name him', async () => {
    const parts = [
      group('team'),
      members('team', ['ann', 'bob'], { part: 1, parts: 2 }),
      members('team', ['bob', 'ann', 'late'], { part: 2, parts: 2 }),
    ];
    assert.ok((await changes([ann, bob, ...parts])).includes('member-added team ann'));
    assert.deepEqual(await membersOf('team'), ['user:ann', 'user:bob']);
    assert.deepEqual(await changes([ann, bob, user('late'), ...parts]), ['added late', 'member-added team late']);
  });

  it('by a SID, for as long as he has it, whoever else of the group changes meanwhile', async () => {
    const lists = list('team', { sid: SIDS[0] }, { sid: SIDS[1] });
    await outcome([ann, bob, ...lists]);
    assert.deepEqual(await changes([ann, { ...bob, name: 'Bob' }, ...lists]), ['updated bob name']);
    assert.deepEqual(await changes([{ ...ann, sid: SIDS[2] }, { ...bob, name: 'Bob' }, ...lists]), [
      'updated ann sid',
      'member-removed team ann',
    ]);
    assert.deepEqual(await changes([ann, { ...bob, name: 'Bob' }, ...lists]), [
      'updated ann sid',
      'member-added team ann',
    ]);
  });

  it('the first of two who come with one SID', async () => {
    const lists = list('team', { sid: SIDS[0] }, 'bob');
    await outcome([bob, ...lists]);
    const two = ['one', 'two'].map((id) => user(id, { sid: SIDS[0] }));
    assert.deepEqual(await changes([bob, ...two, ...lists]), ['added one', 'added two', 'member-added team one']);
  });

  it('and stays the one while he is there and has the SID, though one who was known before gets it, too', async () => {
    // Somebody is waited for, too.
    const lists = list('team', { sid: SIDS[0] }, { sid: SIDS[2] }, 'bob');
    const [one, two] = [user('one'), user('two', { sid: SIDS[0] })];
    await outcome([one, two, bob, ...lists]);
    assert.deepEqual(await membersOf('team'), ['user:bob', 'user:two']);
    const both = [{ ...one, sid: SIDS[0] }, two, bob, ...lists];
    assert.deepEqual(await changes(both), ['updated one sid']);
    assert.deepEqual(await changes([...both, user('three', { sid: SIDS[0] })]), ['added three']);
  });

  it('and stays the one while he is set aside, though another gets the SID in the same run', async () => {
    const lists = list('team', { sid: SIDS[0] }, 'bob');
    const one = user('one');
    await outcome([one, user('two', { sid: SIDS[0] }), bob, ...lists]);
    assert.deepEqual(await changes([{ ...one, sid: SIDS[0] }, quarantined('two'), bob, ...lists]), ['updated one sid']);
    assert.deepEqual(await membersOf('team'), ['user:bob', 'user:two']);
  });

  it('by name alone, when he comes; in a group that comes later than its list, whoever has one of that id elsewhere', async () => {
    await outcome([user('other'), ...list('team', 'other')], { source: 'branch' });
    const late = user('late');
    await outcome([bob, members('team', ['bob', { dn: late.dn }])]);
    assert.deepEqual(await changes([group('team')], { complete: false }), ['added team', 'member-added team bob']);
    assert.deepEqual(await changes([bob, late, group('team'), members('team', ['bob', { dn: late.dn }])]), [
      'added late',
      'member-added team late',
    ]);
  });

  it('in another source for as long as he has the SID there, though the group was there first', async () => {
    const lists = list('team', { sid: SIDS[0], external: true }, 'bob');
    await outcome([bob, ...lists]);
    await outcome([ann], { source: 'other' });
    assert.deepEqual(await changes([bob, ...lists]), ['member-added team ann']);
    await outcome([{ ...ann, sid: null }], { source: 'other' });
    assert.deepEqual(await changes([bob, ...lists]), ['member-removed team ann']);
  });

  it('by SID, and stays the one when he is absent too, though somebody absent had the SID before', async () => {
    const sid = 'S-1-5-21-7-7-7-1';
    const team = list('team', { sid }, 'bob');
    await outcome([user('old', { sid }), bob, ...team]);
    await outcome([user('new', { sid }), bob, ...team]);
    assert.deepEqual(await membersOf('team'), ['user:bob', 'user:new']);
    assert.deepEqual(await changes([bob, ...team]), ['leaving new absent']);
    assert.deepEqual(await membersOf('team'), ['user:bob', 'user:new']);
    assert.deepEqual(await changes([user('old', { sid }), bob, ...team]), [
      'returned old',
      'member-removed team new',
      'member-added team old',
    ]);
  });

  it('by name in place of who is absent, in each group that names him, and in no other', async () => {
    const old = user('old', { sid: SIDS[2] });
    const lists = [
      ...list('by-name', { dn: old.dn }, 'bob'),
      ...list('by-sid', { sid: SIDS[2] }, 'bob'),
      ...list('by-id', 'old', 'bob'),
      ...list('both', 'old', { sid: SIDS[2] }, { sid: SIDS[0] }, 'bob'),
    ];
    await outcome([ann, old, bob, ...lists]);
    const heir = user('heir', { sid: SIDS[2], dn: old.dn, primary: 'heir@example.com' });
    assert.deepEqual((await changes([ann, heir, bob, ...lists])).sort(), [
      'added heir',
      'leaving old absent',
      'member-added both heir',
      'member-added by-name heir',
      'member-added by-sid heir',
      'member-removed by-name old',
      'member-removed by-sid old',
    ]);
    assert.deepEqual(await changes([ann, heir, bob, ...lists]), []);
    assert.deepEqual(await membersOf('both'), ['user:ann', 'user:bob', 'user:heir', 'user:old']);
    assert.deepEqual(await changes([{ ...ann, sid: `${SIDS[0]}9` }, heir, bob, ...lists]), [
      'updated ann sid',
      'member-removed both ann',
    ]);
  });
});

/** Who is in a group: named twice or by a name of another kind, new to the account or on the way out of it, in a group that is new. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord, Member } from '../../../engine/model/records.js';
import { type Sent, Workshop, dynamicGroup, group, memberNames, members, outcomeOf, user } from './support.js';

describe('who is in a group', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const outcome = (records: readonly EnrichedRecord[], rest: Sent = {}) => outcomeOf(workshop, account, records, rest);
  const changes = async (records: readonly EnrichedRecord[], rest: Sent = {}) => (await outcome(records, rest)).changes;
  const reopened = async (rest: Partial<AccountSettings>) => (account = await workshop.open(workshop.settings(rest)));
  const membersOf = (name: string) => memberNames(account, name);
  const ending = { graceDays: 0, graceRuns: 1, userLeft: 'remove' } as const;
  const list = (id: string, add: readonly (string | Member)[]) => [group(id), members(id, add)];

  it('who is named twice, by id and by SID, is one member; who is named by SID alone is one, too', async () => {
    const sid = 'S-1-5-21-1-1-1-5';
    const all = [
      user('ann', { sid }),
      user('bob'),
      ...list('twice', ['ann', { sid }, 'bob']),
      ...list('by-sid', [{ sid }, 'bob']),
      ...list('by-id', ['ann']),
    ];
    const { report } = await outcome(all);
    assert.deepEqual(report.changes.membersAdded, 5);
    for (const name of ['twice', 'by-sid']) assert.deepEqual(await membersOf(name), ['user:ann', 'user:bob'], name);
    assert.deepEqual(await changes(all), []);
  });

  it('whoever gives the place up to another in the same run comes into no group', async () => {
    const office = { primary: 'office@example.com' };
    const bob = user('bob');
    await outcome([user('old', office), bob, ...list('team', ['bob'])]);
    const said = [user('old', { primary: null }), user('new', office), bob, ...list('team', ['bob', 'old'])];
    assert.deepEqual(await changes(said), ['replaced old', 'linked new']);
    assert.deepEqual(await membersOf('team'), ['user:bob']);
  });

  it('a group that is new comes into the groups that name it already, and say the same as ever', async () => {
    const lists = [...list('out', ['bob', 'in']), ...list('in', ['ann'])];
    await outcome([user('bob'), user('ann', { primary: null }), ...lists]);
    assert.deepEqual([await membersOf('out'), await membersOf('in')], [['user:bob'], undefined]);
    assert.deepEqual((await changes([user('bob'), user('ann'), ...lists])).sort(), [
      'added ann',
      'added in',
      'member-added in ann',
      'member-added out in',
    ]);
  });

  it('a protected group keeps the last member, unless that one ends', async () => {
    await reopened({ rules: { ...workshop.settings().rules, ...ending, protect: ['team'], groupWithoutMail: 'keep' } });
    const bob = user('bob');
    await outcome([user('ann'), bob, ...list('team', ['ann']), ...list('other', ['ann', 'bob'])]);
    assert.deepEqual(await changes([user('ann'), bob, ...list('team', []), ...list('other', ['bob'])]), [
      'member-removed other ann',
    ]);
    assert.deepEqual(await changes([bob, ...list('team', ['ann']), ...list('other', ['bob'])]), [
      'member-removed team ann',
      'removed ann absent',
    ]);
  });

  it('who is new comes into no group that was not read whole, nor into one that the account does not have', async () => {
    const held = [group('team'), members('team', ['bob', 'late'], { held: 'A range was cut.' })];
    const dynamic = [dynamicGroup('dynamic'), members('dynamic', ['bob', 'late'])];
    const bob = user('bob');
    assert.deepEqual(await changes([bob, ...list('team', ['bob', 'late']), ...dynamic]), [
      'added bob',
      'added team',
      'member-added team bob',
    ]);
    assert.deepEqual(await changes([bob, user('late'), ...held, ...dynamic]), ['added late']);
    assert.deepEqual(await changes([bob, user('late'), ...list('team', ['bob', 'late']), ...dynamic]), [
      'member-added team late',
    ]);
  });

  it('a group that had ended has its members again, when one who stayed bears mail again', async () => {
    await reopened({ rules: { ...workshop.settings().rules, ...ending } });
    const [ann, team] = [user('ann'), list('team', ['bob'])];
    await outcome([ann, user('bob'), ...team]);
    assert.deepEqual(await changes([ann, user('bob', { primary: null }), ...team]), ['removed team no-mail']);
    assert.deepEqual(await changes([ann, user('bob'), ...team]), ['added team', 'member-added team bob']);
  });
});

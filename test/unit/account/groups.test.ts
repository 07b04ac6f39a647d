/** Which groups there are: for whom they are added, for whom they stay, and what a mark waits for while removals are paused. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { type Sent, Workshop, contact, dynamicGroup, group, members, outcomeOf, quarantined, user } from './support.js';

describe('a group', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const changes = async (records: readonly EnrichedRecord[], rest: Sent = {}) =>
    (await outcomeOf(workshop, account, records, rest)).changes;
  const reopened = async (rest: Partial<AccountSettings>) => (account = await workshop.open(workshop.settings(rest)));
  const names = async () => (await account.snapshot()).groups.map(({ name }) => name);
  const list = (id: string, ...add: string[]) => [group(id), members(id, add)];
  const [ann, bob] = [user('ann'), user('bob')];

  it('is added for somebody who is there and has an address, however deep; in a circle, too', async () => {
    await changes([
      ann,
      user('mute', { primary: null }),
      contact('con'),
      ...list('top', 'middle', 'mute'),
      ...list('middle', 'deep', 'top'),
      ...list('deep', 'ann'),
      ...list('quiet', 'mute', 'hollow'),
      ...list('hollow', 'quiet'),
      ...list('outside', 'con'),
      group('unheard'),
      dynamicGroup('dynamic'),
      members('dynamic', ['ann']),
    ]);
    assert.deepEqual(await names(), ['deep', 'middle', 'outside', 'top']);
  });

  it('of contacts is added where contacts are wanted', async () => {
    await reopened({ contacts: false });
    await changes([ann, contact('con'), ...list('outside', 'con'), ...list('both', 'con', 'ann')]);
    assert.deepEqual(await names(), ['both']);
  });

  it('is not added for somebody who is set aside or absent, though the account knows them', async () => {
    await changes([ann, bob]);
    const lists = [...list('of-ann', 'ann'), ...list('of-bob', 'bob')];
    assert.deepEqual(await changes([quarantined('ann'), ...lists]), ['leaving bob absent']);
    assert.deepEqual(await names(), []);
    await changes([ann, bob, ...lists]);
    assert.deepEqual(await names(), ['of-ann', 'of-bob'], 'negative control');
    assert.deepEqual(await changes([quarantined('ann'), ...lists]), ['leaving bob absent'], 'and stays for them');
  });

  it('does not stay for somebody who was never anybody', async () => {
    const eve = quarantined('eve');
    await changes([ann, eve, ...list('team', 'ann', 'eve')]);
    assert.deepEqual(await changes([ann, eve, ...list('team', 'eve')]), [
      'member-removed team ann',
      'leaving team no-mail',
    ]);
  });

  it('is none where the account knows the object as a person', async () => {
    await changes([ann, bob]);
    assert.deepEqual(await changes([ann, ...list('bob', 'ann')]), []);
    assert.deepEqual([await names(), (await account.snapshot()).users.length], [[], 2]);
  });

  it('and people that are marked: while removals are paused, only who is there again loses the mark', async () => {
    const mute = { ...bob, primary: null };
    const others = { source: 'branch' };
    const far = user('far');
    await changes([far, user('gone')], others);
    await changes([ann, bob, user('eve'), ...list('team', 'bob')]);
    assert.deepEqual(await changes([mute, ...list('team', 'bob')]), [
      'leaving ann absent',
      'leaving eve absent',
      'leaving team no-mail',
    ]);
    await changes([far], { ...others, complete: false });
    assert.deepEqual(await changes([ann, bob, ...list('team', 'bob')]), ['returned ann']);
    assert.deepEqual(await changes([far], others), ['leaving gone absent']);
    assert.deepEqual(await changes([ann, bob, ...list('team', 'bob')]), ['returned team']);
  });
});

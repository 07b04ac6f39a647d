/** Who counts as absent: whoever a complete run of the own source did not bring, however many others came, are there, or were gone. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { type Sent, Workshop, group, members, outcomeOf, quarantined, user } from './support.js';

describe('whoever a complete run does not bring', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const outcome = (records: readonly EnrichedRecord[], rest: Sent = {}) => outcomeOf(workshop, account, records, rest);
  const changes = async (records: readonly EnrichedRecord[], rest: Sent = {}) => (await outcome(records, rest)).changes;
  const people = (...ids: string[]) => ids.map((id) => user(id));

  it('is marked beside a source of as many as came', async () => {
    await changes(people('x'), { source: 'branch' });
    await changes(people('ann', 'bob'));
    assert.deepEqual(await changes(people('ann')), ['leaving bob absent']);
  });

  it('is marked beside a source of which as many are gone', async () => {
    await changes(people('x', 'y'), { source: 'branch' });
    await changes(people('y'), { source: 'branch' });
    await changes(people('ann', 'bob'));
    assert.deepEqual(await changes(people('ann')), ['leaving bob absent']);
  });

  it('is marked where as many as came were gone before, or come instead', async () => {
    await changes(people('ann', 'bob', 'cyd'));
    assert.deepEqual(await changes(people('ann', 'bob')), ['leaving cyd absent']);
    assert.deepEqual(await changes(people('ann')), ['leaving bob absent']);
    assert.deepEqual(await changes(people('cyd')), ['returned cyd', 'leaving ann absent']);
    assert.deepEqual(await changes(people('dan')), ['added dan', 'leaving cyd absent']);
    assert.deepEqual(await changes([]), ['leaving dan absent']);
  });

  it('is marked where lists of members came of groups that did not', async () => {
    await changes([...people('ann', 'bob'), group('team'), members('team', ['ann'])]);
    const next = [user('ann'), members('team', ['ann']), members('club', ['ann'])];
    assert.deepEqual(await changes(next), ['leaving bob absent', 'leaving team absent']);
  });

  it('is marked where somebody is set aside of whom nothing at all is known', async () => {
    await changes([user('eve', { dn: '' }), user('ann')]);
    const nobody = quarantined(null, { dn: '' });
    assert.deepEqual(await changes([nobody, user('ann')]), ['leaving eve absent']);
  });
});

/** Who takes over the entry of somebody who is gone: the one person of an account, and people of the account's own domains. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { type Sent, Workshop, outcomeOf, user } from './support.js';

describe('a successor', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const open = async (rest: Partial<AccountSettings> = {}) => (account = await workshop.open(workshop.settings(rest)));
  const outcome = (records: readonly EnrichedRecord[], rest: Sent = {}) => outcomeOf(workshop, account, records, rest);
  const as = (id: string) => user(id, { primary: 'office@example.com', name: 'Office', dn: 'CN=Office' });

  it('of the only person of an account takes the entry over', async () => {
    await open();
    await outcome([as('old')]);
    await outcome([]);
    assert.deepEqual((await outcome([as('new')])).changes, ['returned new', 'updated new id']);
    assert.equal((await account.snapshot()).users.length, 1);
  });

  it('in one of the domains of the account takes the entry over', async () => {
    await open({ domains: ['other.example', 'Example.COM'] });
    await outcome([as('old'), user('bob')]);
    assert.deepEqual((await outcome([as('new'), user('bob')])).changes, ['updated new id']);
  });
});

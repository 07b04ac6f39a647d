import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import { Workshop, asideLines, changeLines, contact, dynamicGroup, group, members, sync, user } from './support.js';

describe('rules of an account', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  it('adds users, contacts and groups, and says so', async () => {
    const run = workshop.run();
    const report = await sync(account, run, [
      user('ann', { aliases: ['a@example.com', 'b@example.com'] }),
      user('bob', { enabled: false }),
      contact('cas'),
      group('team'),
      members('team', ['ann', 'cas', 'stranger']),
      group('outer'),
      members('outer', ['team']),
      group('empty'),
      members('empty', []),
      dynamicGroup('everyone', { primary: 'all@example.com' }),
      members('everyone', [], { held: 'dynamic' }),
    ]);
    assert.equal(report.outcome, 'committed');
    assert.deepEqual(report.setAside, []);
    assert.deepEqual(await account.snapshot(), {
      users: [
        {
          address: 'ann@example.com',
          name: 'ann',
          origin: 'directory',
          enabled: true,
          aliases: ['a@example.com', 'b@example.com'],
          attributes: {},
        },
        { address: 'bob@example.com', name: 'bob', origin: 'directory', enabled: false, aliases: [], attributes: {} },
      ],
      contacts: [{ address: 'cas@example.com', name: 'cas', aliases: [], attributes: {} }],
      groups: [
        { name: 'everyone', address: 'all@example.com', kind: 'dynamic-group', members: [] },
        { name: 'outer', address: null, kind: 'group', members: ['group:team'] },
        { name: 'team', address: null, kind: 'group', members: ['contact:cas@example.com', 'user:ann@example.com'] },
      ],
    });
    assert.deepEqual(await changeLines(account, run.id), [
      'added ann',
      'added bob',
      'added cas',
      'disabled bob',
      'alias-linked ann a@example.com',
      'alias-linked ann b@example.com',
      'added everyone',
      'added outer',
      'added team',
      'member-added outer team',
      'member-added team ann',
      'member-added team cas',
    ]);
    const { usersAdded, usersDisabled, contactsAdded, groupsAdded, membersAdded, aliasesLinked } = report.changes;
    assert.deepEqual(
      { usersAdded, usersDisabled, contactsAdded, groupsAdded, membersAdded, aliasesLinked },
      { usersAdded: 2, usersDisabled: 1, contactsAdded: 1, groupsAdded: 3, membersAdded: 3, aliasesLinked: 2 },
    );
    assert.deepEqual(report.totals, { users: 2, contacts: 1, groups: 3, members: 3, aliases: 2 });
    assert.equal(report.groupsWithoutMail, 1);
    assert.equal(report.groupsHeld, 1);
    const again = await sync(account, workshop.run(), [user('ann')], { complete: false });
    assert.deepEqual(asideLines(again), []);
  });
});

import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import { Workshop, contact, group, members, sync, user } from './support.js';

describe('finding somebody in an account', () => {
  let workshop: Workshop;
  let account: Account;
  before(async () => {
    workshop = new Workshop();
    account = await workshop.open(workshop.settings({ attributes: ['title'] }));
    await account.addKnown([{ address: 'known@example.com', name: 'Known', origin: 'mail-flow' }]);
    await sync(account, workshop.run(), [
      user('ann', { aliases: ['a@example.com'], attributes: { title: ['Engineer'] } }),
      contact('cas'),
      group('team', { primary: 'team@example.com' }),
      members('team', ['ann', 'cas']),
    ]);
  });
  after(() => workshop.close());

  const ann = {
    kind: 'user',
    id: 'ann',
    source: 'hq',
    address: 'ann@example.com',
    name: 'ann',
    origin: 'directory',
    enabled: true,
    aliases: ['a@example.com'],
    attributes: { title: 'Engineer' },
    groups: ['team'],
  };

  it('by primary address, alias or id, in any case', async () => {
    assert.deepEqual(await account.find({ address: 'ann@example.com' }), ann);
    assert.deepEqual(await account.find({ address: ' A@Example.com ' }), ann);
    assert.deepEqual(await account.find({ id: 'ann' }), ann);
  });

  it('contacts, groups and users known from elsewhere too', async () => {
    assert.deepEqual((await account.find({ address: 'cas@example.com' }))?.kind, 'contact');
    assert.deepEqual(await account.find({ address: 'team@example.com' }), {
      kind: 'group',
      id: 'team',
      source: 'hq',
      address: 'team@example.com',
      name: 'team',
      members: 2,
    });
    assert.deepEqual(await account.find({ id: 'team' }), await account.find({ address: 'team@example.com' }));
    const known = await account.find({ address: 'known@example.com' });
    assert.ok(known?.kind === 'user');
    assert.deepEqual([known.id, known.source, known.origin], [null, null, 'mail-flow']);
  });

  it('or nobody', async () => {
    assert.equal(await account.find({ address: 'nobody@example.com' }), null);
    assert.equal(await account.find({ id: 'nobody' }), null);
  });

  it('everything that was set aside, also beyond what a report shows', async () => {
    const other = await workshop.open();
    const people = Array.from({ length: 1_203 }, (_, index) => user(`p${String(index)}`, { primary: null }));
    const run = workshop.run();
    const report = await sync(other, run, people, { batchSize: 500 });
    assert.deepEqual([report.setAside.length, report.setAsideCount], [1_000, 1_203]);
    const all = [];
    for await (const batch of other.quarantine()) all.push(...batch);
    assert.deepEqual(new Set(all.map(({ id }) => id)), new Set(people.map(({ id }) => id)));
    const [first] = all;
    assert.deepEqual([first?.reason, first?.source, first?.run], ['NO_ADDRESS', 'hq', run.id]);
    await sync(other, workshop.run(), [user('p1')]);
    for await (const batch of other.quarantine()) assert.fail(JSON.stringify(batch));
  });
});

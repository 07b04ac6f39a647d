/** How batches wait for their seal: of a source that is new or known, one after the other or at once; and what the new have then. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Change } from '../../../engine/model/report.js';
import { UNLIMITED, Workshop, changeLines, contact, group, members, quarantined, seal, sync, user } from './support.js';

const NAMES = ['Title', 'department'];
const titled = (id: string, title: string) => user(id, { attributes: { TITLE: [title] } });

async function changesOf(account: Account, run: string): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const page of account.changes(run)) changes.push(...page);
  return changes;
}

describe('batches that wait for their seal', () => {
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  const company = (mark: string) => [
    user('ann', { name: `Ann\n"${mark}"`, aliases: [`ann-${mark}@example.com`], enabled: mark !== 'b' }),
    titled('bob', mark),
    contact('cas', { name: '' }),
    group('team', { name: mark }),
    members('team', mark === 'a' ? ['ann', 'bob'] : ['ann', 'cas']),
    quarantined('dan', { detail: `Detail\t${mark}` }),
    // Without an id it is known by its name, which may have a line break in it.
    quarantined(null, { dn: `CN=two\nlines ${mark},DC=example,DC=com` }),
  ];

  it('say the same of a source that is known as of one that is new', async () => {
    const known = await workshop.open(workshop.settings({ attributes: NAMES }));
    for (const mark of ['a', 'b', 'b', 'a', 'b']) await sync(known, workshop.run(), company(mark));
    const fresh = await workshop.open(workshop.settings({ attributes: NAMES }));
    await sync(fresh, workshop.run(), company('a'));
    await sync(fresh, workshop.run(), company('b'));
    assert.deepEqual(await known.snapshot(), await fresh.snapshot());
    const aside = async (account: Account) => {
      const all: string[] = [];
      for await (const page of account.quarantine())
        all.push(...page.map(({ id, detail }) => `${String(id)} ${detail}`));
      return all;
    };
    assert.deepEqual(await aside(known), await aside(fresh));
  });

  it('are the same people in whatever order they come', async () => {
    const account = await workshop.open();
    const people = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => user(id));
    await sync(account, workshop.run({ source: 'branch' }), [user('x'), user('y')]);
    await sync(account, workshop.run(), people);
    await sync(account, workshop.run({ source: 'branch' }), [user('x'), user('y'), user('z')]);
    const turned = (by: number) => [...people.slice(by), ...people.slice(0, by)];
    for (const order of [people, people.toReversed(), turned(1), turned(4), [group('none'), ...turned(2)]]) {
      const { changes, outcome } = await sync(account, workshop.run(), order);
      assert.deepEqual([outcome, changes.usersLeaving], ['unchanged', 0]);
    }
    const run = workshop.run();
    const others = [user('new'), ...people.slice(0, 3), user('e', { name: 'First' }), ...people.slice(5)];
    await sync(account, run, [...others, user('newer'), user('e', { name: 'Last' })]);
    assert.deepEqual(await changeLines(account, run.id), [
      'added new',
      'added newer',
      'updated e name',
      'leaving d absent',
    ]);
    assert.equal((await account.snapshot()).users.filter(({ name }) => name === 'Last').length, 1);
  });

  it('come from before and behind the first commit of their source', async () => {
    const account = await workshop.open(workshop.settings({ attributes: NAMES }));
    const [before, run] = [workshop.run(), workshop.run()];
    await account.stage(run, 0, [titled('ann', 'Head'), titled('bob', 'Clerk')]);
    await account.stage(run, 1, [titled('cas', 'Clerk')]);
    await sync(account, before, [titled('ann', 'Guest'), titled('dan', 'Guest')]);
    await account.stage(run, 2, [titled('eve', 'Head'), group('team'), members('team', ['ann', 'eve'])]);
    await account.stage(run, 3, [titled('fay', 'Head')]);
    const { changes, complete } = await account.apply(run, seal(4), { dryRun: false });
    assert.deepEqual([complete, changes.usersAdded, changes.attributesUpdated, changes.membersAdded], [true, 4, 1, 2]);
    const { users } = await account.snapshot();
    const titles = users.map(({ address, attributes }) => `${address.slice(0, 3)} ${String(attributes['Title'])}`);
    assert.deepEqual(titles, ['ann Head', 'bob Clerk', 'cas Clerk', 'dan Guest', 'eve Head', 'fay Head']);
  });

  it('take the place of those that came under their number, whoever is under way', async () => {
    const account = await workshop.open(workshop.settings({ attributes: NAMES }));
    for (let round = 0; round < 2; round += 1) {
      const run = workshop.run();
      const staged = ['first', 'second', 'third'].flatMap((title) => [
        account.stage(run, 0, [titled('ann', title)]),
        account.stage(run, 1, [titled('bob', title)]),
      ]);
      await Promise.all(staged);
      await account.stage(run, 1, [titled('bob', `last ${String(round)}`)]);
      await account.apply(run, seal(2), { dryRun: false });
      const { users } = await account.snapshot();
      assert.deepEqual(
        users.map(({ attributes }) => attributes['Title']),
        ['third', `last ${String(round)}`],
      );
    }
  });

  it('give the new their values in the spelling of the account, whatever is in them', async () => {
    const account = await workshop.open(workshop.settings({ attributes: NAMES }));
    const tricky = '"title":"x", {"department":1} \\ "';
    const run = workshop.run();
    const ann = user('ann', { attributes: { title: [tricky], DEPARTMENT: ['"title":'] } });
    await sync(account, run, [ann, user('bob')]);
    const after = (await changesOf(account, run.id)).map((one) => one.after);
    assert.deepEqual(after, [
      { address: 'ann@example.com', name: 'ann', attributes: { department: '"title":', Title: tricky } },
      { address: 'bob@example.com', name: 'bob', attributes: {} },
    ]);
  });

  it('plan no more than the account takes, though more was staged, and the same as if it had not been', async () => {
    const settings = workshop.settings({ attributes: NAMES });
    const both = await workshop.open(settings);
    const ann = user('ann', { attributes: { title: ['Head'], department: ['IT'] } });
    const run = workshop.run();
    await both.stage(run, 0, [ann]);
    await both.close();
    const fewer = await workshop.open({ ...settings, attributes: ['Title'] });
    const { plan } = await fewer.apply(run, seal(1), { dryRun: false });
    const { users } = await fewer.snapshot();
    assert.deepEqual(users[0]?.attributes, { Title: 'Head' });
    const other = await workshop.open(workshop.settings({ attributes: ['Title'] }));
    assert.equal((await sync(other, workshop.run(), [ann])).plan, plan);
  });

  /** What the account was told of those who are new, and what it has then. */
  async function valuesOf(account: Account, run: string) {
    const { users } = await account.snapshot();
    const told = (await changesOf(account, run)).map(({ id, after }) => [
      id,
      (after as { attributes?: object }).attributes,
    ]);
    return { told: Object.fromEntries(told) as object, kept: users.map(({ attributes }) => attributes) };
  }
  const HEAD = { title: ['Head'], department: ['IT'] };

  it('plan no more than the account takes, though more was staged of some of them', async () => {
    const settings = workshop.settings({ attributes: NAMES });
    const run = workshop.run();
    const both = await workshop.open(settings);
    for (const index of [0, 1]) await both.stage(run, index, [user(`of-both-${String(index)}`, { attributes: HEAD })]);
    await both.close();
    const fewer = await workshop.open({ ...settings, attributes: ['Title'] });
    await fewer.stage(run, 1, [user('again', { attributes: HEAD })]);
    await fewer.stage(run, 2, [user('of-one', { attributes: HEAD })]);
    await fewer.apply(run, seal(3), { dryRun: false });
    const title = { Title: 'Head' };
    const told = { 'of-both-0': title, again: title, 'of-one': title };
    assert.deepEqual(await valuesOf(fewer, run.id), { told, kept: [title, title, title] });
  });

  it('plan no more than the account takes when a plan that waited is approved, which is the plan that was shown', async () => {
    const settings = workshop.settings({ attributes: NAMES });
    const run = workshop.run();
    const both = await workshop.open(settings);
    await both.stage(run, 0, [user('ann', { attributes: HEAD })]);
    await both.close();
    const limits = { ...UNLIMITED, users: { count: 0, percent: null } };
    const fewer = await workshop.open({ ...settings, attributes: ['Title'], rules: { holdUnusual: false, limits } });
    await sync(fewer, workshop.run(), [user('bob')]);
    const last = { ...run, startedAt: workshop.run().startedAt };
    const { outcome, plan } = await fewer.apply(last, seal(1), { dryRun: false });
    assert.equal(outcome, 'held', 'bob left');
    const decided = await fewer.decide({ plan, verdict: 'approve', by: 'test' });
    assert.equal(decided.outcome, 'committed');
    const { users } = await fewer.snapshot();
    assert.deepEqual(
      users.map(({ name, attributes }) => [name, attributes]),
      [
        ['ann', { Title: 'Head' }],
        ['bob', {}],
      ],
    );
  });

  it('plan no more than the account takes of somebody of whom a run says only that there is somebody', async () => {
    const settings = workshop.settings({ attributes: NAMES, domains: ['example.org'] });
    const ann = user('ann', { attributes: HEAD });
    const before = await workshop.open(settings);
    await sync(before, workshop.run(), [ann]);
    await before.close();
    const account = await workshop.open({ ...settings, attributes: ['Title'], domains: [] });
    const run = workshop.run();
    await sync(account, run, [quarantined(null, { dn: ann.dn })]);
    assert.deepEqual(await valuesOf(account, run.id), { told: { ann: { Title: 'Head' } }, kept: [{ Title: 'Head' }] });
  });

  it('give their values to somebody known from elsewhere, and tell of them', async () => {
    const account = await workshop.open(workshop.settings({ attributes: NAMES }));
    await account.addKnown([{ address: 'ann@example.com', name: 'Ann', origin: 'manual' }]);
    const run = workshop.run();
    await sync(account, run, [user('ann', { attributes: HEAD })]);
    const values = { department: 'IT', Title: 'Head' };
    assert.deepEqual(await valuesOf(account, run.id), { told: { ann: values }, kept: [values] });
  });
});

/** Aliases: of which domains, beside those of the other kind, and who keeps, loses and gets one that several have. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { type Sent, Workshop, changesOf, contact, outcomeOf, sync, user } from './support.js';

const at = (name: string) => (name.includes('@') ? name : `${name}@example.com`);
const person = (id: string, primary: string, aliases: string[] = []) =>
  user(id, { primary: at(primary), aliases: aliases.map(at) });

describe('an alias', () => {
  let workshop: Workshop;
  let account: Account;
  let settings: AccountSettings;
  beforeEach(async () => {
    workshop = new Workshop();
    settings = workshop.settings();
    account = await workshop.open(settings);
  });
  afterEach(() => workshop.close());

  const reopen = async (rest: Partial<AccountSettings>, rules: Partial<Rules> = {}) => {
    await account.close();
    account = await workshop.open({ ...settings, ...rest, rules: { ...settings.rules, ...rules } });
  };
  const outcome = async (records: readonly EnrichedRecord[], rest: Sent = {}) => {
    const { changes, aside, report } = await outcomeOf(workshop, account, records, rest);
    return { changes, aside, details: report.setAside.map(({ detail }) => detail) };
  };
  const x = at('x');

  it('of a user is in the domains of the account, where it has some; that of a contact may be in any', async () => {
    const far = 'x@far.example';
    const both = [person('ann', 'ann', [far, 'x']), contact('con', { aliases: [far] })];
    assert.deepEqual((await outcome(both)).aside, []);
    await reopen({ domains: ['example.com'] });
    assert.deepEqual(await outcome(both), {
      changes: [`alias-unlinked ann ${far}`],
      aside: ['ALIAS_OUTSIDE_DOMAINS ann'],
      details: ['One of its aliases is in none of the domains of the setting "domains".'],
    });
    assert.deepEqual((await outcome(both)).changes, []);
  });

  it('of a user is nothing to contacts, and theirs is nothing to users', async () => {
    const all = [
      person('ann', 'ann', ['x', 'con']),
      contact('con', { aliases: [x, at('ann')] }),
      contact('eve', { aliases: [at('bob')] }),
      person('bob', 'bob'),
    ];
    assert.deepEqual((await outcome(all)).aside, []);
    const { changes, aside } = await outcome([
      ...all,
      contact('cy', { primary: at('y') }),
      person('dan', 'eve', ['y']),
    ]);
    assert.deepEqual([changes, aside], [['added cy', 'added dan', `alias-linked dan ${at('y')}`], []]);
    // One of the own kind takes it.
    const taken = await outcome([...all, contact('cy', { primary: x })]);
    assert.deepEqual(taken.aside, ['ALIAS_CLASH con']);
    assert.ok(taken.changes.includes(`alias-unlinked con ${x}`) && !taken.changes.includes(`alias-unlinked ann ${x}`));
  });

  it('that somebody wants who is set aside is free; one that somebody absent has is theirs', async () => {
    await outcome([person('ann', 'ann'), contact('eve')]);
    assert.deepEqual(await outcome([person('ann', 'ann', ['x']), person('eve', 'x')]), {
      changes: [`alias-linked ann ${x}`],
      aside: ['KIND_CHANGED eve'],
      details: ['The account knows this object as another kind.'],
    });
    await reopen({ store: workshop.settings().store }, { protect: ['x@*'] });
    await outcome([person('gone', 'x'), person('bob', 'bob'), person('ann', 'ann')]);
    const { aside, details } = await outcome([person('bob', 'x'), person('ann', 'ann', ['x'])]);
    assert.deepEqual(aside, ['ADDRESS_CLASH bob', 'ALIAS_CLASH ann', 'PROTECTED gone']);
    assert.ok(details.includes('An alias of object ann is an address of object gone.'), details.join());
  });

  it('of somebody who became another kind, or who may not have another primary address, is theirs', async () => {
    await outcome([contact('eve', { aliases: [x] }), contact('con'), person('ann', 'y'), person('bob', 'z')]);
    const next = [user('eve'), contact('con', { aliases: [x] }), person('ann', 'z', []), person('bob', 'z', ['y'])];
    const { aside } = await outcome(next);
    assert.deepEqual(aside, ['ADDRESS_CLASH ann', 'ALIAS_CLASH bob', 'ALIAS_CLASH con', 'KIND_CHANGED eve']);
  });

  it('that two want as primary address goes to the first, and whoever had it is told of that one', async () => {
    await outcome([person('ann', 'ann', ['x'])]);
    const { aside, details } = await outcome([person('ann', 'ann', ['x']), person('cyd', 'x'), person('bob', 'x')]);
    assert.deepEqual(aside, ['ADDRESS_CLASH cyd', 'ALIAS_CLASH ann']);
    assert.ok(details.includes('An alias of object ann is an address of object bob.'), details.join());
  });

  it('that its person gives up in the same run is told of nobody', async () => {
    await outcome([person('ann', 'ann', ['x'])]);
    assert.deepEqual((await outcome([person('ann', 'ann'), person('bob', 'x')])).aside, []);
  });

  it('stays where aliases are switched off, but keeps nobody from an own address', async () => {
    await outcome([person('ann', 'ann', ['x', 'y'])]);
    await reopen({ linkAliases: false });
    assert.deepEqual((await outcome([person('ann', 'ann', ['z'])])).changes, []);
    const { changes } = await outcome([person('ann', 'ann', ['z']), person('bob', 'y')]);
    assert.deepEqual(changes, ['added bob', `alias-unlinked ann ${at('y')}`]);
  });

  it('that is somebody known from elsewhere is linked beside the primary address that is another one', async () => {
    await account.addKnown([
      { address: at('ann'), name: 'Known Ann', origin: 'manual' },
      { address: at('a'), name: 'Known A', origin: 'manual' },
    ]);
    const run = workshop.run();
    await sync(account, run, [person('ann', 'ann', ['a', 'b'])]);
    const told = (await changesOf(account, run.id)).map(({ change, before }) => [change, before]);
    assert.deepEqual(told, [
      ['linked', { address: at('ann'), name: 'Known Ann', origin: 'manual' }],
      ['alias-linked', { address: at('a'), name: 'Known A', origin: 'manual' }],
      ['alias-linked', null],
    ]);
    const { users } = await account.snapshot();
    assert.deepEqual(
      users.map(({ address, aliases }) => [address, aliases]),
      [[at('ann'), [at('a'), at('b')]]],
    );
  });

  it('of somebody whose place is taken goes in the same run to whoever has it', async () => {
    await outcome([person('old', 'x', ['y', 'z']), person('bob', 'bob'), person('ann', 'ann')]);
    const next = [person('bob', 'x', ['y']), person('ann', 'ann', ['z'])];
    assert.deepEqual((await outcome(next)).aside, []);
    assert.deepEqual((await outcome(next)).changes, []);
  });

  it('of somebody without an address whose place is taken is told of with that person, whoever gets it', async () => {
    await outcome([person('ann', 'ann', ['x'])]);
    const none = user('ann', { primary: null, aliases: [at('x')] });
    const { changes } = await outcome([none, person('bob', 'ann'), person('eve', 'x')]);
    assert.deepEqual(changes, ['replaced ann', 'added eve', 'linked bob']);
  });

  it('that two want goes to the first by name, though only the other is known', async () => {
    await outcome([person('bob', 'bob')]);
    const both = [person('bob', 'bob', ['x', 'y']), person('ann', 'ann', ['x'])];
    assert.deepEqual((await outcome(both)).aside, ['ALIAS_CLASH bob']);
    assert.deepEqual((await outcome([person('bob', 'bob', ['x'])])).aside, ['ALIAS_CLASH bob']);
  });

  it('outside of the domains, one that somebody of another source has stays with them until that source comes', async () => {
    const all = workshop.settings();
    const before = await workshop.open(all);
    const far = 'z@far.example';
    await sync(before, workshop.run(), [user('ann', { aliases: [far] })]);
    await before.close();
    const after = await workshop.open({ ...all, domains: ['example.com'] });
    await sync(after, workshop.run({ source: 'branch' }), [user('bob', { aliases: [far] })]);
    const ofAnn = async () => (await after.snapshot()).users.find(({ name }) => name === 'ann')?.aliases;
    assert.deepEqual(await ofAnn(), [far]);
    await sync(after, workshop.run(), [user('ann', { aliases: [far] })]);
    assert.deepEqual(await ofAnn(), [], 'negative control: the own source');
  });
});

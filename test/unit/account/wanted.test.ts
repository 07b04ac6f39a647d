/** Who gets an address that somebody else in the account has, and in which state people come into it. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { type Sent, Workshop, contact, outcomeOf, user } from './support.js';

const at = (name: string) => `${name}@example.com`;
const person = (id: string, primary: string, aliases: string[] = []) =>
  user(id, { primary: at(primary), aliases: aliases.map(at) });

describe('an address that somebody has', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const open = async (rules: Partial<Rules> = {}) => {
    const settings = workshop.settings();
    account = await workshop.open({ ...settings, rules: { ...settings.rules, ...rules } });
  };
  const outcome = async (records: readonly EnrichedRecord[], rest: Sent = {}) => {
    const { changes, aside } = await outcomeOf(workshop, account, records, rest);
    return { changes, aside };
  };
  const addresses = async () =>
    (await account.snapshot()).users.map(({ address, aliases }) =>
      [address, ...aliases].map((one) => one.replace('@example.com', '')).join(' '),
    );

  describe('and who is not there any more', () => {
    for (const [name, rules, aside] of [
      ['goes to somebody known', {}, []],
      ['stays where that one is protected by address', { protect: ['x@*'] }, ['ADDRESS_CLASH b', 'PROTECTED gone']],
      ['stays where that one is protected by id', { protect: ['gone'] }, ['ADDRESS_CLASH b', 'PROTECTED gone']],
    ] as const) {
      it(`${name}, in a complete run`, async () => {
        await open(rules);
        await outcome([person('gone', 'x', ['y']), person('b', 'b')]);
        const cut = await outcome([person('b', 'x')], { complete: false });
        assert.deepEqual(cut, { changes: [], aside: ['ADDRESS_CLASH b'] });
        assert.deepEqual((await outcome([person('b', 'x')])).aside, aside);
        assert.deepEqual(await addresses(), aside.length === 0 ? ['x'] : ['b', 'x y']);
      });
    }

    it('keeps the aliases, unless somebody of that kind comes in their place', async () => {
      for (const [rules, known, others, aside] of [
        [{}, [], [person('b', 'x')], []],
        [{}, [person('b', 'b')], [person('b', 'x')], []],
        [{}, [], [contact('b', { primary: at('x') })], ['ADDRESS_CLASH new']],
        [
          { protect: ['x@*'] },
          [person('b', 'b')],
          [person('b', 'x')],
          ['ADDRESS_CLASH b', 'ADDRESS_CLASH new', 'PROTECTED gone'],
        ],
        [{}, [], [person('eve', 'x')], ['ADDRESS_CLASH new', 'KIND_CHANGED eve']],
      ] as const) {
        await open(rules);
        await outcome([person('gone', 'x', ['y']), ...known, contact('eve')]);
        const { aside: told } = await outcome([...others, person('new', 'y')]);
        assert.deepEqual(told, aside);
      }
    });
  });

  describe('and is of a source that another one beats', () => {
    const precedence = ['main', 'hq'];
    it('goes to a person of that one in a complete run, as a primary address only', async () => {
      await open({ precedence });
      await outcome([person('a', 'x', ['y']), person('b', 'b')]);
      const main = { source: 'main' };
      assert.deepEqual(await outcome([person('m', 'x')], { ...main, complete: false }), {
        changes: [],
        aside: ['ADDRESS_CLASH m'],
      });
      assert.deepEqual((await outcome([person('m', 'y')], main)).aside, ['ADDRESS_CLASH m']);
      const { changes, aside } = await outcome([person('m', 'x')], main);
      assert.deepEqual([changes, aside], [['replaced a', 'linked m'], []]);
    });

    it('and need not be named itself: whoever is not in the order follows', async () => {
      await open({ precedence: ['main'] });
      await outcome([person('a', 'x')]);
      assert.deepEqual((await outcome([person('m', 'x')], { source: 'main' })).changes, ['replaced a', 'linked m']);
    });

    it('negative control: the source that is beaten gets none', async () => {
      await open({ precedence: [...precedence].reverse() });
      await outcome([person('a', 'x')]);
      assert.deepEqual((await outcome([person('m', 'x')], { source: 'main' })).aside, ['ADDRESS_CLASH m']);
    });
  });

  it('and who has none any more, goes in a complete run only', async () => {
    await open();
    await outcome([person('old', 'x'), person('b', 'b')]);
    const next = [user('old', { primary: null }), person('b', 'x')];
    assert.deepEqual((await outcome(next, { complete: false })).aside, ['ADDRESS_CLASH b']);
    assert.deepEqual((await outcome(next)).changes, ['replaced old', 'readdressed b']);
  });
});

describe('the state of somebody', () => {
  let workshop: Workshop;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const off = [user('ann', { enabled: false }), user('bob', { enabled: false }), contact('con', { enabled: false })];
  const states = async (account: Account) => {
    const { users, contacts } = await account.snapshot();
    return [...users, ...contacts].map((one) => [one.name, 'enabled' in one ? one.enabled : null]);
  };

  it('who is new is that of the directory, but protected ones are enabled; a contact has none', async () => {
    const settings = workshop.settings();
    const account = await workshop.open({ ...settings, rules: { ...settings.rules, protect: ['ann@*'] } });
    await outcomeOf(workshop, account, off, {});
    assert.deepEqual(await states(account), [
      ['ann', true],
      ['bob', false],
      ['con', null],
    ]);
  });

  it('is enabled where the account takes no states over, whatever the directory says', async () => {
    const account = await workshop.open(workshop.settings({ acknowledgeDisabled: false }));
    await outcomeOf(workshop, account, off, {});
    const on = off.map((one) => ({ ...one, name: `${one.name} on`, enabled: true }));
    const { changes } = await outcomeOf(workshop, account, on, {});
    assert.deepEqual(changes, ['updated ann name', 'updated bob name', 'updated con name']);
    assert.deepEqual((await states(account)).slice(0, 2), [
      ['ann on', true],
      ['bob on', true],
    ]);
  });

  it('who was disabled before he was protected stays so', async () => {
    const settings = workshop.settings();
    const before = await workshop.open(settings);
    await outcomeOf(workshop, before, off, {});
    await before.close();
    const account = await workshop.open({ ...settings, rules: { ...settings.rules, protect: ['ann@*'] } });
    assert.deepEqual((await outcomeOf(workshop, account, off, {})).changes, []);
  });
});

import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import { Workshop, asideLines, changeLines, changesOf, contact, sync, user } from './support.js';

const at = (name: string) => `${name}@example.com`;
const person = (id: string, primary: string, aliases: string[] = []) =>
  user(id, { primary: at(primary), aliases: aliases.map(at) });

describe('an address belongs to one user', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  async function outcome(records: Parameters<typeof sync>[2], rest = {}) {
    const run = workshop.run();
    const report = await sync(account, run, records, rest);
    return { changes: await changeLines(account, run.id), aside: asideLines(report), report };
  }

  /** Who has which addresses: `primary alias alias`. */
  async function addresses(): Promise<string[]> {
    return (await account.snapshot()).users.map(({ address, aliases }) =>
      [address, ...aliases].map((one) => one.replace('@example.com', '')).join(' '),
    );
  }

  it('two new users want one: the first by name gets it, the other is set aside whole, with both ids', async () => {
    const { aside, report } = await outcome([person('B', 'x', ['b']), person('a', 'x', ['a2'])]);
    assert.deepEqual(await addresses(), ['x a2']);
    assert.deepEqual(aside, ['ADDRESS_CLASH b']);
    assert.match(report.setAside[0]?.detail ?? '', /object b .*object a/);
    assert.doesNotMatch(report.setAside[0]?.detail ?? '', /@/, 'an id is all that is told of a person');
  });

  it('an alias of somebody whose place another takes is free in the same run, and not where nobody takes it', async () => {
    await outcome([person('gone', 'x', ['old']), person('b', 'b')]);
    const { aside } = await outcome([person('b', 'x'), person('new', 'old')]);
    assert.deepEqual([aside, await addresses()], [[], ['old', 'x']]);
    await outcome([person('b', 'x', ['own']), person('new', 'old')]);
    // Absent, and marked only: what they have is theirs.
    assert.deepEqual((await outcome([person('new', 'old'), person('c', 'own')])).aside, ['ADDRESS_CLASH c']);
  });

  it('the one who has it keeps it, whatever the name of the other', async () => {
    await outcome([person('m', 'x')]);
    const { aside, changes } = await outcome([person('a', 'x'), person('m', 'x')]);
    assert.deepEqual([aside, changes], [['ADDRESS_CLASH a'], []]);
  });

  it('one who has it as an alias comes before one who is new to it', async () => {
    await outcome([person('m', 'm', ['x'])]);
    const { aside, changes } = await outcome([person('a', 'x'), person('m', 'x')]);
    assert.deepEqual([aside, changes], [['ADDRESS_CLASH a'], ['readdressed m']]);
  });

  it('one whose primary address it was, and who keeps it as an alias, comes before one who is new to it', async () => {
    await outcome([person('m', 'x')]);
    const { aside, changes } = await outcome([person('a', 'a', ['x']), person('m', 'm', ['x'])]);
    assert.deepEqual(
      [aside, changes],
      [['ALIAS_CLASH a'], ['added a', 'readdressed m', 'alias-linked m x@example.com']],
    );
  });

  it('a known user who loses keeps the present address, and the rest of the update goes on', async () => {
    await outcome([person('a', 'x'), person('b', 'y')]);
    const { aside, changes } = await outcome([
      person('a', 'x'),
      user('b', { primary: at('x'), name: 'New name', aliases: [at('z')], enabled: false }),
    ]);
    assert.deepEqual(aside, ['ADDRESS_CLASH b']);
    assert.deepEqual(changes, ['updated b name', 'disabled b', 'alias-linked b z@example.com']);
    assert.deepEqual(await addresses(), ['x', 'y z']);
    const later = await outcome([
      user('b', { primary: at('x'), name: 'New name', aliases: [at('z')], enabled: false }),
      person('a', 'w'),
    ]);
    assert.deepEqual(later.changes, ['readdressed a', 'readdressed b'], 'and gets it when it is free');
  });

  it('a primary address beats an alias, in one run and over runs', async () => {
    const first = await outcome([person('a', 'a', ['x']), person('b', 'x')]);
    assert.deepEqual([await addresses(), first.aside], [['a', 'x'], ['ALIAS_CLASH a']]);

    account = await workshop.open();
    await outcome([person('a', 'a', ['x'])]);
    const second = await outcome([person('a', 'a', ['x']), person('b', 'x')]);
    assert.deepEqual([await addresses(), second.aside], [['a', 'x'], ['ALIAS_CLASH a']]);
    assert.deepEqual(second.changes, ['added b', 'alias-unlinked a x@example.com']);
    const third = await outcome([person('a', 'a', ['x']), person('b', 'x')]);
    assert.deepEqual([third.changes, third.aside], [[], ['ALIAS_CLASH a']]);
    const fourth = await outcome([person('a', 'a', ['x']), person('b', 'b')]);
    assert.deepEqual(
      fourth.changes,
      ['readdressed b', 'alias-linked a x@example.com'],
      'and gets it back when it is free',
    );
  });

  it('a primary address beats an alias only in a complete run', async () => {
    await outcome([person('a', 'a', ['x'])]);
    const cut = await outcome([person('a', 'a', ['x']), person('b', 'x')], { complete: false });
    assert.deepEqual([cut.changes, cut.aside], [[], ['ADDRESS_CLASH b']]);
    const whole = await outcome([person('a', 'a', ['x']), person('b', 'x')]);
    assert.deepEqual(whole.changes, ['added b', 'alias-unlinked a x@example.com']);
  });

  it('two have one alias: the first by name gets it, the other loses only that', async () => {
    const { aside } = await outcome([person('b', 'b', ['x', 'z']), person('a', 'a', ['x'])]);
    assert.deepEqual([await addresses(), aside], [['a x', 'b z'], ['ALIAS_CLASH b']]);
    await outcome([person('b', 'b', ['x', 'z']), person('a', 'a', [])]);
    assert.deepEqual(await addresses(), ['a', 'b x z']);
    await outcome([person('b', 'b', ['x', 'z']), person('a', 'a', ['x'])]);
    assert.deepEqual(await addresses(), ['a', 'b x z'], 'the one who has it keeps it');
  });

  describe('an address that moves within a run moves in one step', () => {
    it('from primary to primary, in a chain and in a circle', async () => {
      await outcome([person('a', '1'), person('b', '2'), person('c', '3')]);
      const chain = await outcome([person('a', '2'), person('b', '3'), person('c', '4')]);
      assert.deepEqual([chain.aside, chain.changes], [[], ['readdressed a', 'readdressed b', 'readdressed c']]);
      const circle = await outcome([person('a', '3'), person('b', '4'), person('c', '2')]);
      assert.deepEqual([circle.aside, circle.changes], [[], ['readdressed a', 'readdressed b', 'readdressed c']]);
      assert.deepEqual((await account.snapshot()).users.map(({ name, address }) => `${name} ${address}`).sort(), [
        'a 3@example.com',
        'b 4@example.com',
        'c 2@example.com',
      ]);
    });

    it('from primary to alias and from alias to primary', async () => {
      await outcome([person('a', 'x', ['y']), person('b', 'b')]);
      const swapped = await outcome([person('a', 'y', ['x']), person('b', 'b')]);
      assert.deepEqual([swapped.aside, await addresses()], [[], ['b', 'y x']]);
      const given = await outcome([person('a', 'a'), person('b', 'x', ['y'])]);
      assert.deepEqual([given.aside, await addresses()], [[], ['a', 'x y']]);
    });

    it('from alias to alias', async () => {
      await outcome([person('a', 'a', ['x']), person('b', 'b')]);
      const { changes, aside } = await outcome([person('a', 'a'), person('b', 'b', ['x'])]);
      assert.deepEqual([changes, aside], [['alias-unlinked a x@example.com', 'alias-linked b x@example.com'], []]);
    });

    it('to a new user, from one who gets another', async () => {
      await outcome([person('a', 'x')]);
      const { changes } = await outcome([person('a', 'y'), person('b', 'x')]);
      assert.deepEqual(changes, ['added b', 'readdressed a']);
    });

    it('but not where the chain is blocked: each who cannot move holds up the next', async () => {
      await outcome([person('a', '1'), person('b', '2'), person('c', '3'), person('d', '4')]);
      const { changes, aside } = await outcome([
        person('a', '2'),
        person('b', '3'),
        person('c', '4'),
        person('d', '4'),
      ]);
      assert.deepEqual([changes, aside], [[], ['ADDRESS_CLASH a', 'ADDRESS_CLASH b', 'ADDRESS_CLASH c']]);
      assert.deepEqual(await addresses(), ['1', '2', '3', '4']);
    });

    it('and an alias only in a complete run', async () => {
      await outcome([person('a', 'a', ['x']), person('b', 'b')]);
      const { changes, aside } = await outcome([person('a', 'a'), person('b', 'b', ['x'])], { complete: false });
      assert.deepEqual([changes, aside], [[], ['ALIAS_CLASH b']]);
    });
  });

  it('somebody who is absent keeps the addresses, until somebody new has the primary one', async () => {
    await outcome([person('a', 'x', ['y'])]);
    const kept = await outcome([person('c', 'c', ['y'])]);
    assert.deepEqual([kept.changes, kept.aside], [['added c', 'leaving a absent'], ['ALIAS_CLASH c']]);
    const { changes, aside } = await outcome([person('b', 'x'), person('c', 'c', ['y'])]);
    assert.deepEqual(aside, []);
    assert.ok(changes.includes('updated b id'), changes.join());
    assert.deepEqual(await addresses(), ['c y', 'x']);
  });

  it('somebody of another source keeps the address', async () => {
    await outcome([person('a', 'x', ['y'])]);
    const run = workshop.run({ source: 'branch' });
    const report = await sync(account, run, [person('b', 'x'), person('c', 'c', ['y'])]);
    assert.deepEqual(asideLines(report), ['ADDRESS_CLASH b', 'ALIAS_CLASH c']);
    assert.deepEqual(await addresses(), ['c', 'x y']);
  });

  it('aliases are unlinked when they are gone, in a complete run only', async () => {
    await outcome([person('a', 'a', ['x', 'y'])]);
    assert.deepEqual((await outcome([person('a', 'a', ['y'])], { complete: false })).changes, []);
    assert.deepEqual((await outcome([person('a', 'a', ['y'])])).changes, ['alias-unlinked a x@example.com']);
  });

  it('contacts have addresses apart from users, and clash among themselves', async () => {
    const { aside } = await outcome([
      person('a', 'x'),
      contact('p', { primary: at('x') }),
      contact('q', { primary: at('x') }),
    ]);
    assert.deepEqual(aside, ['ADDRESS_CLASH q']);
    const { users, contacts } = await account.snapshot();
    assert.deepEqual([users.length, contacts.length], [1, 1]);
  });

  it('takes addresses in any case for the same', async () => {
    await outcome([user('a', { primary: 'X@Example.COM', aliases: ['Y@EXAMPLE.com', 'x@example.com'] })]);
    assert.deepEqual(await addresses(), ['x y']);
  });

  describe('users known from elsewhere', () => {
    beforeEach(async () => {
      const added = await account.addKnown([
        { address: 'Ann@Example.com', name: 'Known Ann', origin: 'manual' },
        { address: at('x'), origin: 'mail-flow' },
        { address: at('y'), origin: 'mail-flow' },
        { address: at('ann'), origin: 'mail-flow' },
      ]);
      assert.deepEqual(added, { added: 3, known: 1 });
    });

    it('are kept as they are', async () => {
      assert.deepEqual((await account.snapshot()).users[0], {
        address: at('ann'),
        name: 'Known Ann',
        origin: 'manual',
        enabled: true,
        aliases: [],
        attributes: {},
      });
      assert.deepEqual(await account.addKnown([{ address: at('x'), origin: 'manual' }]), { added: 0, known: 1 });
    });

    it('become directory users where the primary address is theirs', async () => {
      const run = workshop.run();
      const report = await sync(account, run, [person('a', 'ann')]);
      assert.deepEqual(await changesOf(account, run.id), [
        {
          kind: 'user',
          id: 'a',
          change: 'linked',
          what: null,
          before: { address: at('ann'), name: 'Known Ann', origin: 'manual' },
          after: { address: at('ann'), name: 'a', origin: 'directory', attributes: {} },
        },
      ]);
      assert.deepEqual([report.changes.usersAdded, report.changes.usersLinked], [0, 1]);
      assert.equal((await account.snapshot()).users[0]?.origin, 'directory');
      assert.equal(report.totals.users, 3);
    });

    it('become directory users where an alias is theirs, and further ones become aliases', async () => {
      const { report, changes } = await outcome([person('a', 'a', ['x', 'y'])]);
      assert.deepEqual(changes, ['linked a', 'alias-linked a x@example.com', 'alias-linked a y@example.com']);
      assert.deepEqual([report.changes.usersAdded, report.changes.usersLinked], [0, 1]);
      assert.deepEqual(await addresses(), ['a x y', 'ann']);
      assert.deepEqual((await outcome([person('a', 'a', ['x', 'y'])])).changes, []);
    });

    it('become aliases of a directory user whom the account knows', async () => {
      await outcome([person('a', 'a')]);
      const run = workshop.run();
      await sync(account, run, [person('a', 'a', ['x'])]);
      assert.deepEqual(await changesOf(account, run.id), [
        {
          kind: 'user',
          id: 'a',
          change: 'alias-linked',
          what: at('x'),
          before: { address: at('x'), name: '', origin: 'mail-flow' },
          after: null,
        },
      ]);
      assert.deepEqual(await addresses(), ['a x', 'ann', 'y']);
    });

    it('end where a directory user takes their address over', async () => {
      await outcome([person('a', 'a')]);
      assert.deepEqual((await outcome([person('a', 'x')])).changes, ['readdressed a']);
      assert.deepEqual(await addresses(), ['ann', 'x', 'y']);
    });

    it('go to the one whose primary address it is, not to one who has it as an alias', async () => {
      const { aside } = await outcome([person('a', 'a', ['x']), person('b', 'x')]);
      assert.deepEqual(aside, ['ALIAS_CLASH a']);
      assert.deepEqual(await addresses(), ['a', 'ann', 'x', 'y']);
    });
  });
});

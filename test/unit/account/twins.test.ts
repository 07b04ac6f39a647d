/** Two accounts of one person: a mailbox in a resource forest, and the account in another that it is linked to. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord, User } from '../../../engine/model/records.js';
import { twinsMerged } from '../../support/oracle/twins.js';
import { UNLIMITED, Workshop, asideLines, changeLines, group, members, sync, user } from './support.js';

const SID = 'S-1-5-21-7-7-7-1001';
const FROM = ['resource', 'people'] as const;

describe('twins', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const mailbox = (rest: Partial<User> = {}) =>
    user('box', {
      sid: 'S-1-5-21-1-1-1-5',
      primary: 'ann@example.com',
      aliases: ['a@example.com'],
      enabled: false,
      masterSid: SID,
      ...rest,
    });
  const own = (rest: Partial<User> = {}) => user('ann', { sid: SID, primary: 'ann@example.com', ...rest });
  const groups = [group('mail'), members('mail', ['box'])];
  const teams = [group('team'), members('team', ['ann'])];

  async function run(source: string, records: readonly EnrichedRecord[], complete = true) {
    const what = workshop.run({ source });
    const report = await sync(account, what, records, { complete });
    return { report, changes: await changeLines(account, what.id) };
  }
  const people = async () =>
    (await account.snapshot()).users.map(({ address, aliases, enabled }) => ({ address, aliases, enabled }));
  const inGroups = async () =>
    Object.fromEntries((await account.snapshot()).groups.map((one) => [one.name, one.members]));
  const ANN = { address: 'ann@example.com', aliases: ['a@example.com'], enabled: true };
  const BOTH = { mail: ['user:ann@example.com'], team: ['user:ann@example.com'] };

  it('of one source are one person, enabled as long as one account is, in the groups of both', async () => {
    const all = [mailbox(), own(), ...groups, ...teams];
    const { report } = await run('hq', all);
    assert.deepEqual(asideLines(report), []);
    assert.deepEqual(await people(), [ANN]);
    assert.deepEqual(await inGroups(), BOTH);
    assert.deepEqual((await run('hq', all)).changes, [], 'and stay so');
    assert.deepEqual((await run('hq', [mailbox(), own({ enabled: false }), ...groups, ...teams])).changes, [
      'disabled box',
    ]);
    assert.deepEqual((await run('hq', all)).changes, ['enabled box']);
  });

  it('an account that is another mailbox’s now has its address at once, though a third has it as an alias', async () => {
    const other = (rest: Partial<User> = {}) => user('other', { sid: 'S-1-5-21-1-1-1-4', ...rest });
    const ann = own({ primary: 'a@example.com' });
    await run('hq', [other(), mailbox(), ann, ...teams]);
    assert.deepEqual(await inGroups(), { team: ['user:ann@example.com'] });
    const { changes, report } = await run('hq', [other({ masterSid: SID }), mailbox(), ann, ...teams]);
    assert.deepEqual(asideLines(report), ['ALIAS_CLASH box']);
    assert.ok(changes.includes('added ann'), changes.join());
    assert.deepEqual(await inGroups(), { team: ['user:a@example.com'] });
  });

  it('an account whose mailbox another source says to be another’s is looked at in the next run of its own', async () => {
    const rules = { holdUnusual: false, limits: UNLIMITED, precedence: ['people', 'resource'] };
    account = await workshop.open(workshop.settings({ rules }));
    const other = (rest: Partial<User> = {}) => user('other', { sid: 'S-1-5-21-1-1-1-4', ...rest });
    await run('resource', [other(), mailbox()]);
    assert.deepEqual((await run('people', [own()])).changes, ['enabled box']);
    await run('resource', [other({ masterSid: SID }), mailbox()]);
    assert.ok((await run('people', [own()])).changes.includes('linked ann'));
    assert.deepEqual((await run('people', [own()])).changes, []);
  });

  it('negative control: without the SID the address clashes, and the disabled account is not enabled', async () => {
    const stranger = mailbox();
    delete stranger.masterSid;
    const { report } = await run('hq', [stranger, own(), ...groups, ...teams]);
    assert.deepEqual(asideLines(report), ['ADDRESS_CLASH box']);
    assert.deepEqual(await inGroups(), { mail: [], team: ['user:ann@example.com'] });
  });

  it('a mailbox that names its own SID is not its own twin, but that of whoever has the SID elsewhere', async () => {
    await run('resource', [mailbox({ sid: SID }), ...groups]);
    await run('people', [own({ primary: null }), ...teams]);
    await run('resource', [mailbox({ sid: SID }), ...groups]);
    assert.deepEqual(await people(), [ANN]);
    assert.deepEqual(await inGroups(), BOTH);
  });

  it('the person leaves a group that has neither of them any more, whatever others are in', async () => {
    const zoe = user('zoe');
    const lists = (team: string[]) => [mailbox(), own(), zoe, ...groups, group('team'), members('team', team)];
    await run('hq', lists(['ann', 'zoe']));
    assert.deepEqual((await run('hq', lists(['zoe']))).changes, ['member-removed team box']);
    assert.deepEqual((await run('hq', lists(['zoe', 'box']))).changes, ['member-added team box']);
    assert.deepEqual((await run('hq', lists(['zoe', 'ann']))).changes, []);
  });

  it('take an address from one another, and from nobody else', async () => {
    await run('people', [own({ primary: null })]);
    await run('resource', [mailbox(), user('zoe')]);
    for (const [box, zoe, who] of [
      [{ primary: 'zoe@example.com' }, {}, 'box'],
      [{}, { primary: 'ann@example.com' }, 'zoe'],
    ] as const) {
      const { changes, report } = await run('resource', [mailbox(box), user('zoe', zoe)]);
      assert.deepEqual([changes, asideLines(report)], [[], [`ADDRESS_CLASH ${who}`]]);
    }
    assert.deepEqual(
      (await people()).map(({ address }) => address),
      ['ann@example.com', 'zoe@example.com'],
    );
  });

  it('an account without any address is the person in its groups, and nobody who is set aside', async () => {
    const { report } = await run('hq', [mailbox(), own({ primary: null }), ...groups, ...teams]);
    assert.deepEqual(asideLines(report), []);
    assert.deepEqual(await people(), [ANN]);
    assert.deepEqual(await inGroups(), BOTH);
  });

  for (const [first, second] of [FROM, [...FROM].reverse()] as [string, string][]) {
    it(`of two sources, ${first} first, are one person, and nothing flips`, async () => {
      const said: Record<string, EnrichedRecord[]> = {
        resource: [mailbox(), ...groups],
        people: [own(), ...teams],
      };
      for (const source of [first, second, first, second]) {
        const { report } = await run(source, said[source] ?? []);
        assert.deepEqual(asideLines(report), []);
      }
      assert.deepEqual(await people(), [ANN]);
      assert.deepEqual(await inGroups(), BOTH);
      for (const source of [first, second]) {
        assert.deepEqual((await run(source, said[source] ?? [])).changes, [], `${source} changes nothing`);
      }
      await run('people', [own({ enabled: false }), ...teams]);
      await run('resource', said['resource'] ?? []);
      assert.deepEqual(await people(), [{ ...ANN, enabled: false }], 'disabled in the run that follows');
      assert.deepEqual((await run('resource', said['resource'] ?? [])).changes, []);
    });
  }

  it('a mailbox that is disabled by nature has the state of its account, and its own where that is not known', async () => {
    const linked = mailbox({ enabled: true, linked: true });
    await run('hq', [linked]);
    assert.deepEqual(await people(), [ANN]);
    await run('hq', [linked, own({ enabled: false })]);
    assert.deepEqual(await people(), [{ ...ANN, enabled: false }]);
    await run('hq', [linked]);
    assert.equal((await people())[0]?.enabled, false, 'an account that is deleted enables nobody');
  });

  it('who have addresses of their own stay two, with one state', async () => {
    await run('hq', [mailbox(), own({ primary: 'other@example.com' })]);
    assert.deepEqual(await people(), [ANN, { address: 'other@example.com', aliases: [], enabled: true }]);
  });

  it('who were two before stay two, though one now says the address of the other', async () => {
    const before = user('box', { sid: mailbox().sid, primary: 'box@example.com' });
    await run('hq', [before, own(), ...groups, ...teams]);
    const { report } = await run('hq', [mailbox({ aliases: [] }), own(), ...groups, ...teams]);
    assert.deepEqual(asideLines(report), ['ADDRESS_CLASH box']);
    assert.deepEqual(
      (await people()).map(({ address }) => address),
      ['ann@example.com', 'box@example.com'],
    );
    assert.deepEqual(await inGroups(), { mail: ['user:box@example.com'], team: ['user:ann@example.com'] });
  });

  it('a mailbox that is set aside keeps its person in the groups', async () => {
    const all = [mailbox(), own(), ...groups, ...teams];
    await run('hq', all);
    const aside = { kind: 'quarantined', id: 'box', dn: 'CN=box', reason: 'X', detail: 'x' } as const;
    const { changes } = await run('hq', [aside, own(), ...groups, ...teams]);
    assert.deepEqual(changes, []);
  });

  it('an incomplete run takes the person out of no group', async () => {
    await run('hq', [mailbox(), own(), ...groups, ...teams]);
    assert.deepEqual((await run('hq', [own(), ...teams], false)).changes, []);
    assert.deepEqual(await inGroups(), BOTH);
  });

  it('are as the oracle has them, whoever has which address and state', async () => {
    const said: User[] = [];
    const inside: Record<string, string[]> = {};
    for (const address of [null, 'ann', 'a', 'other']) {
      for (const states of ['111', '110', '101', '100', '011', '010', '001', '000']) {
        const number = said.length;
        const [box, ann, linked] = [0, 1, 2].map((at) => states[at] === '1');
        const primary = address === null ? null : `${address}${String(number)}@example.com`;
        const ids = [`box${String(number)}`, `ann${String(number)}`] as const;
        const sid = `${SID}${String(number)}`;
        const addresses = { primary: `ann${String(number)}@example.com`, aliases: [`a${String(number)}@example.com`] };
        said.push(user(ids[0], { ...addresses, enabled: box ?? false, masterSid: sid, linked: linked ?? false }));
        said.push(user(ids[1], { primary, sid, enabled: ann ?? false }));
        inside[`mail${String(number)}`] = [ids[0]];
        inside[`team${String(number)}`] = [ids[1]];
      }
    }
    const lists = Object.entries(inside).flatMap(([name, ids]) => [group(name), members(name, ids)]);
    await run('hq', [...said, ...lists]);
    const expected = twinsMerged(said, inside);
    assert.equal(expected.users.length, 40, 'a fourth of them are two');
    assert.deepEqual(await people(), expected.users);
    assert.deepEqual(await inGroups(), expected.groups);
  });
});

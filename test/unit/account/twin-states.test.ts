/** What one source says of a logon account reaches the mailbox's user, who is of another source, in the same run. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord, User } from '../../../engine/model/records.js';
import { twinsMerged } from '../../support/oracle/twins.js';
import { UNLIMITED, Workshop, asideLines, changeLines, quarantined, sync, user } from './support.js';

const sidOf = (name: string) => `S-1-5-21-7-7-7-${name}`;
const LIMIT = { count: 1, percent: null };

describe('the state of a twin of another source', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const mailbox = (name: string, rest: Partial<User> = {}) =>
    user(`box${name}`, {
      sid: `S-1-5-21-1-1-1-${name}`,
      primary: `p${name}@example.com`,
      enabled: false,
      masterSid: sidOf(name),
      linked: true,
      ...rest,
    });
  const own = (name: string, rest: Partial<User> = {}) =>
    user(`own${name}`, { sid: sidOf(name), primary: `p${name}@example.com`, ...rest });
  const open = async (settings: Partial<AccountSettings> = {}) => {
    account = await workshop.open(workshop.settings(settings));
  };
  async function run(source: string, records: readonly EnrichedRecord[], complete = true) {
    const what = workshop.run({ source });
    const report = await sync(account, what, records, { complete });
    return { report, changes: await changeLines(account, what.id) };
  }
  const enabled = async () =>
    Object.fromEntries((await account.snapshot()).users.map((one) => [one.address.replace(/@.*/, ''), one.enabled]));

  it('is taken over at once, in either direction, and no run flips it', async () => {
    await open();
    const boxes = [mailbox('1'), mailbox('2')];
    await run('resource', boxes);
    await run('people', [own('1'), own('2')]);
    const off = [own('1', { enabled: false }), own('2')];
    const { report, changes } = await run('people', off);
    assert.deepEqual(changes, ['disabled box1']);
    assert.equal(report.changes.usersDisabled, 1);
    assert.deepEqual(await enabled(), { p1: false, p2: true });
    assert.deepEqual((await run('resource', boxes)).changes, []);
    assert.deepEqual((await run('people', off)).changes, []);
    const back = await run('people', [own('1'), own('2')]);
    assert.deepEqual(back.changes, ['enabled box1']);
    assert.equal(back.report.changes.usersEnabled, 1);
    assert.deepEqual((await run('resource', boxes)).changes, []);
  });

  it('of a mailbox without an address is taken over by the user whom its account is', async () => {
    await open();
    await run('people', [own('1', { enabled: false })]);
    assert.deepEqual(await enabled(), { p1: false });
    const box = mailbox('1', { primary: null, linked: false, enabled: true });
    assert.deepEqual((await run('resource', [box])).changes, ['enabled own1']);
    assert.deepEqual((await run('people', [own('1', { enabled: false })])).changes, []);
  });

  it('an enabled mailbox that is not disabled by nature wins over its disabled account', async () => {
    await open();
    await run('resource', [mailbox('1', { linked: false, enabled: true })]);
    assert.deepEqual((await run('people', [own('1', { enabled: false })])).changes, []);
    assert.deepEqual(await enabled(), { p1: true });
  });

  it('is taken over by two who stay two', async () => {
    await open();
    await run('resource', [mailbox('1')]);
    await run('people', [own('1', { primary: 'q1@example.com' })]);
    const { changes } = await run('people', [own('1', { primary: 'q1@example.com', enabled: false })]);
    assert.deepEqual(changes, ['disabled box1', 'disabled own1']);
    assert.deepEqual(await enabled(), { p1: false, q1: false });
  });

  it('is not taken over where the account takes no states over', async () => {
    await open({ acknowledgeDisabled: false });
    await run('resource', [mailbox('1')]);
    assert.deepEqual((await run('people', [own('1', { enabled: false })])).changes, []);
    assert.deepEqual(await enabled(), { p1: true });
  });

  it('is not taken over by somebody who is protected', async () => {
    await open({ rules: { holdUnusual: false, limits: UNLIMITED, protect: ['p1@*'] } });
    await run('resource', [mailbox('1'), mailbox('2')]);
    await run('people', [own('1'), own('2')]);
    const { changes } = await run('people', [own('1', { enabled: false }), own('2', { enabled: false })]);
    assert.deepEqual(changes, ['disabled box2']);
  });

  it('is not taken over by somebody who is absent: who is gone is marked, and no more', async () => {
    await open();
    const box = mailbox('1', { linked: false, enabled: true });
    await run('resource', [box]);
    await run('people', [own('1', { primary: 'q1@example.com', enabled: false }), own('2')]);
    assert.deepEqual(await enabled(), { p1: true, p2: true, q1: true });
    assert.deepEqual((await run('people', [own('2')])).changes, ['leaving own1 absent']);
    assert.deepEqual((await run('resource', [box])).changes, []);
    assert.deepEqual(await enabled(), { p1: true, p2: true, q1: true });
  });

  it('is not taken over by somebody who is set aside, until they are read again', async () => {
    await open();
    await run('resource', [mailbox('1'), mailbox('2')]);
    await run('people', [own('1'), own('2')]);
    await run('resource', [quarantined('box1'), mailbox('2')]);
    const off = [own('1', { enabled: false }), own('2', { enabled: false })];
    assert.deepEqual((await run('people', off)).changes, ['disabled box2']);
    assert.deepEqual((await run('resource', [mailbox('1'), mailbox('2')])).changes, ['disabled box1']);
  });

  it('is not taken over by an account that stays the person until a complete run brings its mailbox', async () => {
    await open();
    const off = [own('1', { enabled: false })];
    const box = [mailbox('1', { linked: false, enabled: true })];
    await run('people', off);
    const { changes, report } = await run('resource', box, false);
    assert.deepEqual([changes, asideLines(report)], [[], ['ADDRESS_CLASH box1']]);
    assert.deepEqual((await run('resource', box)).changes, ['replaced own1', 'linked box1']);
    assert.deepEqual(await enabled(), { p1: true });
  });

  it('is nothing to somebody whom another replaces in the same run', async () => {
    await open({ rules: { holdUnusual: false, limits: UNLIMITED, precedence: ['people', 'resource'] } });
    const elsewhere = { primary: 'q1@example.com' };
    await run('resource', [mailbox('1')]);
    await run('people', [own('1', elsewhere)]);
    const eve = user('eve', { primary: 'p1@example.com' });
    const { changes } = await run('people', [own('1', { ...elsewhere, enabled: false }), eve]);
    assert.deepEqual(changes, ['replaced box1', 'linked eve', 'disabled own1']);
  });

  it('counts against the limits: what enables goes ahead, what disables waits', async () => {
    const rules = { holdUnusual: false, additionsWhileHeld: true, limits: { ...UNLIMITED, users: LIMIT } };
    await open({ rules });
    const names = ['1', '2', '3'];
    await run(
      'resource',
      names.map((name) => mailbox(name)),
    );
    await run(
      'people',
      names.map((name) => own(name, { enabled: name !== '3' })),
    );
    assert.deepEqual(await enabled(), { p1: true, p2: true, p3: false });
    const { report } = await run(
      'people',
      names.map((name) => own(name, { enabled: name === '3' })),
    );
    assert.equal(report.outcome, 'held');
    assert.deepEqual(
      report.holds?.map(({ code, planned }) => [code, planned]),
      [['LIMIT_USERS', 2]],
    );
    assert.deepEqual(await enabled(), { p1: true, p2: true, p3: true });
    const decided = await account.decide({ plan: report.plan, verdict: 'approve', by: 'admin' });
    assert.equal(decided.changes.usersDisabled, 2);
    assert.deepEqual(await enabled(), { p1: false, p2: false, p3: true });
  });

  it('is measured against all whose state the source tells', async () => {
    const names = Array.from({ length: 300 }, (_, at) => String(at + 1));
    await open({ rules: { holdUnusual: false, limits: { ...UNLIMITED, users: { count: null, percent: 5 } } } });
    await run(
      'resource',
      names.map((name) => mailbox(name)),
    );
    await run(
      'people',
      names.map((name) => own(name)),
    );
    const off = (count: number) => names.map((name, at) => own(name, { enabled: at >= count }));
    assert.equal((await run('people', off(15))).report.outcome, 'committed');
    assert.equal((await run('people', off(31))).report.outcome, 'held', 'sixteen more');
  });

  it('counts for nothing where no state of another source changes: the limit is that of the own users', async () => {
    await open({ rules: { holdUnusual: false, limits: { ...UNLIMITED, users: { count: null, percent: 5 } } } });
    const names = Array.from({ length: 100 }, (_, at) => String(at + 1));
    await run(
      'resource',
      names.map((name) => mailbox(name)),
    );
    const others = Array.from({ length: 220 }, (_, at) => user(`u${String(at)}`));
    const accounts = names.map((name) => own(name));
    await run('people', [...accounts, ...others]);
    assert.equal((await run('people', [...accounts, ...others.slice(12)])).report.outcome, 'held', 'twelve of 220');
    assert.equal((await run('people', [...accounts, ...others.slice(11)])).report.outcome, 'committed');
  });

  for (const order of [
    ['resource', 'people'],
    ['people', 'resource'],
  ]) {
    it(`is as the oracle has it after each run of ${order.join(' and ')}`, async () => {
      await open();
      const states = ['111', '110', '101', '100', '011', '010', '001', '000'];
      const said = (turn: number): Record<string, User[]> => {
        const flags = states.map((_, at) => states[(at * 3 + turn * 5) % states.length] ?? '');
        return {
          resource: states.map((_, at) =>
            mailbox(String(at), { enabled: flags[at]?.[0] === '1', linked: flags[at]?.[2] === '1' }),
          ),
          people: states.map((_, at) => own(String(at), { enabled: flags[at]?.[1] === '1' })),
        };
      };
      const now = said(0);
      for (const source of [...order, ...order]) await run(source, now[source] ?? []);
      for (let turn = 1; turn < 12; turn += 1) {
        const source = order[turn % 2] ?? '';
        now[source] = said(turn)[source] ?? [];
        await run(source, now[source]);
        const expected = twinsMerged([...(now['resource'] ?? []), ...(now['people'] ?? [])], {});
        assert.deepEqual(
          await enabled(),
          Object.fromEntries(expected.users.map((one) => [one.address.replace(/@.*/, ''), one.enabled])),
          `turn ${String(turn)}`,
        );
      }
    });
  }
});

/** Who left: the mark, the grace period, the rule, the return; what protects and what pauses. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import type { Report } from '../../../engine/model/report.js';
import { UNLIMITED, Workshop, changeLines, contact, group, members, seal, user } from './support.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

describe('who left', () => {
  let workshop: Workshop;
  let account: Account;
  let day: number;
  beforeEach(async () => {
    workshop = new Workshop();
    day = 0;
    await open();
  });
  afterEach(() => workshop.close());

  const open = async (rules: Partial<Rules> = {}, rest = {}) => {
    const settings = workshop.settings({ rules: { holdUnusual: false, limits: UNLIMITED, ...rules }, ...rest });
    account = await workshop.open(settings);
  };
  /** A run on the day that `day` says: its changes, and its report. */
  async function run(records: readonly EnrichedRecord[], { complete = true, source = 'hq', mode = 'full' } = {}) {
    const what = workshop.run({ source, mode: mode === 'full' ? 'full' : 'delta' });
    await account.stage(what, 0, records);
    const at = new Date(START + day * DAY).toISOString();
    const report: Report = await account.apply(what, seal(1, { complete }), { dryRun: false, at });
    return { changes: await changeLines(account, what.id), report };
  }
  const changes = async (...args: Parameters<typeof run>) => (await run(...args)).changes;
  const ann = user('ann', { aliases: ['a@example.com'], attributes: {} });
  const bob = user('bob');
  const all = [ann, bob, contact('cas'), group('team'), members('team', ['ann', 'bob', 'cas'])];
  const without = (...ids: string[]) => all.filter((one) => !ids.includes(one.kind === 'members' ? one.group : one.id));

  it('is marked, then downgraded when seven days and two complete runs are over', async () => {
    await run(all);
    assert.deepEqual(await changes(without('ann')), ['leaving ann absent']);
    day = 6.9;
    assert.deepEqual(await changes(without('ann')), []);
    assert.equal((await account.snapshot()).users.length, 2);
    day = 7;
    assert.deepEqual(await changes(without('ann')), ['member-removed team ann', 'downgraded ann']);
    const { users, groups } = await account.snapshot();
    assert.deepEqual(users[0], {
      address: 'ann@example.com',
      name: 'ann',
      origin: 'mail-flow',
      enabled: true,
      aliases: [],
      attributes: {},
    });
    assert.deepEqual(groups[0]?.members, ['contact:cas@example.com', 'user:bob@example.com']);
    assert.deepEqual(await changes(without('ann')), []);
  });

  it('is not taken away by days alone: two complete runs have to miss somebody', async () => {
    await run(all);
    day = 1;
    await run(without('ann'));
    day = 100;
    assert.deepEqual(await changes(without('ann'), { complete: false }), []);
    assert.deepEqual(await changes(without('ann'), { mode: 'delta' }), []);
    assert.deepEqual(await changes(without('ann')), ['member-removed team ann', 'downgraded ann']);
  });

  it('who returns loses the mark, and the grace period begins anew', async () => {
    await run(all);
    await run(without('ann'));
    day = 5;
    assert.deepEqual(await changes(all), ['returned ann']);
    day = 8;
    assert.deepEqual(await changes(without('ann')), ['leaving ann absent']);
    assert.deepEqual(await changes(without('ann')), []);
  });

  for (const userLeft of ['downgrade', 'disable', 'remove'] as const) {
    it(`gets everything back on returning after ${userLeft}`, async () => {
      await open({ userLeft, graceDays: 0, graceRuns: 1 });
      await run(all);
      const before = await account.snapshot();
      const gone = await run(without('ann'));
      const word = { downgrade: 'downgraded', disable: 'disabled', remove: 'removed' }[userLeft];
      assert.ok(
        gone.changes.some((line) => line.startsWith(`${word} ann`)),
        gone.changes.join(),
      );
      assert.notDeepEqual(await account.snapshot(), before);
      await run(all);
      assert.deepEqual(await account.snapshot(), before);
      assert.equal((await run(all)).report.outcome, 'unchanged');
    });
  }

  it('disabled as a leaver is enabled on returning, though disabled accounts are not looked at', async () => {
    await open({ userLeft: 'disable', graceDays: 0, graceRuns: 1 }, { acknowledgeDisabled: false });
    await run(all);
    assert.deepEqual(await changes(without('ann')), ['disabled ann left']);
    assert.deepEqual(await changes(without('ann')), []);
    assert.deepEqual((await changes(all)).sort(), ['enabled ann', 'returned ann']);
  });

  it('disabled as a leaver is enabled also where the first run with them may not be believed in states', async () => {
    for (const doubtful of [true, false]) {
      await open({ userLeft: 'disable', graceDays: 0, graceRuns: 1 }, { acknowledgeDisabled: false });
      await run(all);
      await run(without('ann'));
      const what = workshop.run();
      await account.stage(what, 0, all);
      const incomplete = [{ code: doubtful ? 'CANARY_ATTRIBUTE_MISSING' : 'CUT', message: 'Not all was read.' }];
      await account.apply(what, seal(1, { complete: false, incomplete }), { dryRun: false });
      const back = ['returned ann', 'enabled ann'];
      assert.deepEqual(await changeLines(account, what.id), doubtful ? [] : back, 'control: a run that is cut');
      assert.deepEqual(await changes(all), doubtful ? back : []);
    }
  });

  it('removes contacts and groups, keeps groups in use, and keeps groups where that is the setting', async () => {
    await open({ graceDays: 0, graceRuns: 1, inUse: ['policy*'] });
    const groups = [group('policy-1'), members('policy-1', ['ann']), group('plain'), members('plain', ['ann'])];
    await run([...all, ...groups]);
    assert.deepEqual(await changes(without('cas')), [
      'member-removed team cas',
      'removed cas absent',
      'removed plain absent',
    ]);
    await open({ graceDays: 0, graceRuns: 1, groupLeft: 'keep' });
    await run([...all, ...groups]);
    assert.deepEqual(await changes(all), []);
  });

  it('removes a group when the last member that bears mail left it, also from inside', async () => {
    await open({ graceDays: 0, graceRuns: 1 });
    const nested = (ids: string[]) => [ann, bob, group('in'), members('in', ids), group('out'), members('out', ['in'])];
    await run(nested(['ann']));
    assert.deepEqual(await changes(nested([])), ['removed in no-mail', 'removed out no-mail']);
    assert.deepEqual((await account.snapshot()).groups, []);
    assert.deepEqual(await changes(nested(['bob'])), [
      'added in',
      'added out',
      'member-added in bob',
      'member-added out in',
    ]);
    await open({ graceDays: 0, graceRuns: 1, groupWithoutMail: 'keep' });
    await run(nested(['ann']));
    assert.deepEqual(await changes(nested([])), ['member-removed in ann']);
  });

  it('protected by address, id or name: never removed, disabled or emptied', async () => {
    const off = user('bob', { enabled: false });
    const away = [off, group('team'), members('team', [])];
    const rest = { graceDays: 0, graceRuns: 1 };
    await open({ ...rest, protect: ['ann@*', 'BOB', 'Team'] });
    await run(all);
    const { changes: made, report } = await run(away);
    assert.deepEqual(made, ['removed cas absent'].flatMap((line) => ['member-removed team cas', line]).slice(0, 2));
    assert.deepEqual(
      report.setAside.map(({ id, reason }) => [id, reason]),
      [['ann', 'PROTECTED']],
    );
    await open(rest);
    await run(all);
    assert.ok(
      (await changes(away)).some((line) => line === 'downgraded ann'),
      'not protected',
    );
  });

  it('a group is protected under any spelling of its name, in every script', async () => {
    const named = [group('team', { name: 'ÄRZTE Süd' }), members('team', ['ann']), user('ann'), user('bob')];
    const grace = { graceDays: 0, graceRuns: 1 };
    for (const protect of [['ärzte*'], ['Ärzte SÜD'], ['*süd'], []]) {
      await open({ ...grace, protect });
      await run(named);
      const { changes: made } = await run([user('ann'), user('bob')]);
      assert.deepEqual(made, protect.length === 0 ? ['removed team absent'] : [], protect.join());
    }
  });

  describe('is kept while', () => {
    const gone = (source: string) => [user(`only-${source}`)];
    const grace = { graceDays: 0, graceRuns: 1 };

    it('another source is failing, and until it is well again', async () => {
      await open(grace);
      await run(all);
      await run(gone('branch'), { source: 'branch' });
      await run([], { source: 'branch', complete: false });
      const { changes: made, report } = await run([bob]);
      assert.deepEqual(made, []);
      assert.deepEqual(
        report.paused?.map(({ code, source }) => [code, source]),
        [['SOURCE_FAILING', 'branch']],
      );
      await run(gone('branch'), { source: 'branch' });
      assert.ok((await changes([bob])).includes('downgraded ann'));
    });

    it('another source is silent for too long, unless it is retired', async () => {
      const file = workshop.settings().store;
      const rules = { ...grace, holdUnusual: false, limits: UNLIMITED };
      account = await workshop.open(workshop.settings({ store: file, rules }));
      await run(all);
      await run(gone('branch'), { source: 'branch' });
      day = 7.1;
      const { changes: made, report } = await run([bob]);
      assert.deepEqual([made, report.paused?.[0]?.code], [[], 'SOURCE_SILENT']);
      account = await workshop.open(workshop.settings({ store: file, rules: { ...rules, retired: ['branch'] } }));
      assert.ok((await changes([bob])).includes('downgraded ann'));
    });
  });

  it('purged, nothing is known of them any more; before, everything is', async () => {
    await open({ userLeft: 'remove', graceDays: 0, graceRuns: 1 });
    await run(all);
    await run(without('ann'));
    assert.deepEqual(await account.purge(new Date(START - DAY)), { purged: 0 });
    assert.deepEqual(await account.purge(new Date(START + DAY)), { purged: 1 });
    assert.deepEqual(await account.purge(new Date(START + DAY)), { purged: 0 });
    assert.ok((await changes(all)).includes('added ann'));
    assert.deepEqual((await account.snapshot()).groups[0]?.members.length, 3);
  });

  describe('several sources for one address', () => {
    const here = user('here', { primary: 'x@example.com' });
    const there = user('there', { primary: 'x@example.com' });

    it('the first of the list has it, in any order of runs; the other gets it when the first is gone', async () => {
      for (const order of [
        ['hq', 'branch'],
        ['branch', 'hq'],
      ] as const) {
        await open({ precedence: ['branch', 'hq'], graceDays: 0, graceRuns: 1, userLeft: 'remove' });
        for (const source of order) await run([source === 'hq' ? here : there], { source });
        assert.equal((await find())?.id, 'there');
        assert.deepEqual((await run([here])).changes, []);
        await run([], { source: 'branch' });
        await run([here]);
        assert.equal((await find())?.id, 'here');
      }
    });

    it('an enabled account has it before its disabled twin', async () => {
      for (const order of [
        ['hq', 'branch'],
        ['branch', 'hq'],
      ] as const) {
        await open({ precedence: ['branch', 'hq'] });
        for (const source of order) {
          await run([source === 'hq' ? here : { ...there, enabled: false }], { source });
        }
        const found = await find();
        assert.deepEqual([found?.id, found?.enabled], ['here', true]);
      }
    });

    const find = async () => {
      const found = await account.find({ address: 'x@example.com' });
      return found?.kind === 'user' ? found : null;
    };
  });
});

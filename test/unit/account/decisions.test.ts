/** Plans that wait, of several sources and under changed circumstances; runs that are tried; what a report says. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import { AccountError } from '../../../engine/model/errors.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import type { Change } from '../../../engine/model/report.js';
import { askStore } from '../../support/account-store.js';
import {
  UNLIMITED,
  Workshop,
  changeLines,
  changesOf,
  group,
  members,
  quarantined,
  seal,
  sync,
  user,
} from './support.js';

const NONE = { count: 0, percent: null };

describe('decisions', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(() => {
    workshop = new Workshop();
  });
  afterEach(() => workshop.close());

  const settingsWith = (rules: Partial<Rules>) => workshop.settings({ rules: { holdUnusual: false, ...rules } });
  const open = async (rules: Partial<Rules>) => (account = await workshop.open(settingsWith(rules)));
  const whole = (records: readonly EnrichedRecord[], source = 'hq', complete = true) =>
    sync(account, workshop.run({ source }), records, { complete });
  const planned = async (plan: string) => {
    const all: Change[] = [];
    for await (const batch of account.planned(plan)) all.push(...batch);
    return all;
  };
  const waiting = async () => (await account.heldPlans()).map(({ source, changes }) => `${source} ${String(changes)}`);
  const approve = (plan: string) => account.decide({ plan, verdict: 'approve', by: 'ada' });
  const reject = (plan: string) => account.decide({ plan, verdict: 'reject', by: 'ada' });

  it('plans of two sources wait apart: a decision or a newer run is about that of its own source only', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE } });
    for (const source of ['hq', 'branch'])
      await whole(
        ['a', 'b', 'c'].map((id) => user(`${source}-${id}`)),
        source,
      );
    const one = await whole([user('hq-a')], 'hq');
    const other = await whole([user('branch-a'), user('branch-b')], 'branch');
    assert.deepEqual(await waiting(), ['hq 2', 'branch 1']);
    await whole([user('hq-a')], 'hq');
    assert.deepEqual(await waiting(), ['branch 1', 'hq 2']);
    await reject(one.plan);
    assert.deepEqual(await waiting(), ['branch 1']);
    assert.deepEqual(
      (await planned(other.plan)).map(({ change, id }) => [change, id]),
      [['leaving', 'branch-c']],
    );
    assert.equal((await approve(other.plan)).outcome, 'committed');
    await whole([user('hq-a'), user('hq-b'), user('hq-c')], 'hq');
    await assert.rejects(reject(one.plan), (error: unknown) => {
      return error instanceof AccountError && error.code === 'PLAN_DECIDED' && error.params['state'] === 'rejected';
    });
  });

  it('of two sources with the same plan, the one that still waits is decided', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE } });
    const one = (source: string, enabled: boolean) => user('x', { primary: `${source}@example.com`, enabled });
    const held: string[] = [];
    for (const enabled of [true, false])
      for (const source of ['hq', 'branch']) held.push((await whole([one(source, enabled)], source)).plan);
    assert.equal(held[2], held[3]);
    const plan = held[2] ?? '';
    const verdicts = [await reject(plan), await approve(plan)].map(({ source, outcome }) => `${source} ${outcome}`);
    assert.deepEqual(verdicts, ['branch rejected', 'hq committed']);
  });

  it('approved, a plan of a run that was cut takes no alias, member or value from anybody', async () => {
    const settings = settingsWith({ limits: { ...UNLIMITED, users: NONE } });
    account = await workshop.open({ ...settings, attributes: ['title'] });
    const rich = user('a', { aliases: ['x@example.com'], attributes: { title: ['T'] } });
    await whole([rich, user('b'), group('team'), members('team', ['a', 'b'])]);
    const held = await whole(
      [user('a'), user('b', { enabled: false }), group('team'), members('team', ['a'])],
      'hq',
      false,
    );
    assert.equal(held.outcome, 'held');
    await approve(held.plan);
    assert.deepEqual(await changeLines(account, held.run), ['disabled b']);
  });

  it('a long plan is shown whole, each change once and in order', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE } });
    const people = Array.from({ length: 1_203 }, (_, index) => user(`p${String(index)}`));
    const batch = { batchSize: 2_000 };
    await sync(account, workshop.run(), people, batch);
    const held = await sync(account, workshop.run(), [user('new')], batch);
    const ids = (await planned(held.plan)).map(({ id }) => id);
    assert.deepEqual(ids, ['new', ...people.map(({ id }) => id)]);
    await approve(held.plan);
    assert.deepEqual(
      (await changesOf(account, held.run)).map(({ id }) => id),
      ids,
    );
  });

  it('the digest of a plan is of every change in it, however many there are', async () => {
    await open({ limits: UNLIMITED });
    const digestWith = async (other: number) => {
      const people = Array.from({ length: 4_001 }, (_, at) =>
        user(`p${String(at)}`, { name: at === other ? 'Other' : 'Name' }),
      );
      return (await sync(account, workshop.run(), people, { dryRun: true, batchSize: 2_500 })).plan;
    };
    const usual = await digestWith(-1);
    assert.equal(await digestWith(-1), usual);
    const digests = [usual];
    for (const other of [0, 1_999, 2_000, 3_999, 4_000]) digests.push(await digestWith(other));
    assert.equal(new Set(digests).size, digests.length);
  });

  it('approved while another source fails, a plan takes nobody away, and no alias', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE }, userLeft: 'remove', graceDays: 0, graceRuns: 1 });
    const aliases = async () => (await account.snapshot()).users.flatMap((one) => one.aliases);
    await whole([user('x')], 'branch');
    await whole([user('a', { aliases: ['other@example.com'] }), user('b')]);
    const held = await whole([user('a')]);
    await whole([], 'branch', false);
    assert.deepEqual((await approve(held.plan)).changes.usersRemoved, 0);
    assert.equal((await account.snapshot()).users.length, 3);
    assert.deepEqual(await aliases(), ['other@example.com']);
    // negative control: when it is well again, the next plan does
    await whole([user('x')], 'branch');
    assert.equal((await approve((await whole([user('a')])).plan)).changes.usersRemoved, 1);
    assert.deepEqual(await aliases(), []);
  });

  it('approved when there is nothing to do any more, a plan is done with', async () => {
    const settings = settingsWith({ limits: { ...UNLIMITED, addresses: NONE } });
    account = await workshop.open(settings);
    await whole([user('a', { aliases: ['x@example.com'] })]);
    const held = await whole([user('a')]);
    await account.close();
    account = await workshop.open({ ...settings, linkAliases: false });
    const report = await approve(held.plan);
    assert.deepEqual([report.outcome, report.decidedBy, await waiting()], ['unchanged', 'ada', []]);
    await assert.rejects(approve(held.plan), { code: 'PLAN_DECIDED' });
  });

  it('approved, a plan is what the next run starts from: it is not the first, and under no other settings', async () => {
    await open({ holdUnusual: true, limits: UNLIMITED });
    await whole([user('a'), user('b')], 'hq', false);
    const held = await whole([user('a')]);
    assert.deepEqual(
      held.holds?.map(({ code }) => code),
      ['FIRST_RUN'],
    );
    await approve(held.plan);
    assert.equal((await whole([user('c')])).outcome, 'committed');
  });

  it('while additions go ahead, each who is set aside is told of once, and so are those of other sources', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE }, additionsWhileHeld: true });
    await sync(account, workshop.run({ source: 'branch' }), [quarantined('q1')]);
    await whole([user('a'), user('b')]);
    const held = await whole([user('c'), quarantined('q2'), quarantined('q3')]);
    assert.deepEqual([held.outcome, held.wentAhead], ['held', 1]);
    const told: (string | null)[] = [];
    for await (const batch of account.quarantine()) told.push(...batch.map(({ id }) => id));
    assert.deepEqual(told, ['q1', 'q2', 'q3']);
  });

  it('while additions go ahead nobody is followed; approved, whoever follows is in the same groups', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE }, additionsWhileHeld: true });
    const as = (id: string) => user(id, { primary: 'office@example.com' });
    const team = (id: string) => [group('team'), members('team', [id])];
    await whole([as('old'), user('b'), ...team('old')]);
    const run = workshop.run();
    const held = await sync(account, run, [as('new'), user('c'), ...team('new')]);
    assert.deepEqual([held.outcome, held.wentAhead], ['held', 1]);
    assert.deepEqual(await changeLines(account, run.id), ['added c']);
    assert.deepEqual((await account.snapshot()).groups[0]?.members, ['user:office@example.com']);
    assert.deepEqual(await account.find({ id: 'new' }), null);
    assert.equal((await approve(held.plan)).outcome, 'committed');
    const lines = await changeLines(account, run.id);
    for (const line of ['updated new id', 'leaving b absent']) assert.ok(lines.includes(line), lines.join());
    assert.deepEqual((await account.snapshot()).groups[0]?.members, ['user:office@example.com']);
    assert.equal((await whole([as('new'), user('c'), ...team('new')])).outcome, 'unchanged');
  });

  it('the journal of a run has what went ahead and what was approved, whatever others did between, and for as long as it is kept', async () => {
    const rules = { limits: { ...UNLIMITED, users: NONE }, additionsWhileHeld: true, keepDays: 1 };
    const settings = settingsWith(rules);
    account = await workshop.open(settings);
    await whole([user('a'), user('b')]);
    const run = workshop.run();
    const held = await sync(account, run, [user('a'), user('c')]);
    const other = workshop.run({ source: 'branch' });
    await sync(account, other, [user('x')]);
    await account.close();
    account = await workshop.open({ ...settings, rules: { ...settings.rules, userLeft: 'remove' } });
    const anew = await approve(held.plan);
    assert.deepEqual([anew.outcome, await changeLines(account, run.id)], ['held', ['added c']]);
    await approve(anew.plan);
    assert.deepEqual(await changeLines(account, run.id), ['added c', 'leaving b absent']);
    const behind: Change[] = [];
    for await (const batch of account.changes(run.id, anew.wentAhead)) behind.push(...batch);
    assert.deepEqual(
      behind.map(({ change, id }) => `${change} ${id}`),
      ['leaving b'],
    );
    assert.deepEqual(await changeLines(account, other.id), ['added x'], 'negative control: each run has its own');
    const at = new Date(Date.now() + 2 * 86_400_000).toISOString();
    await whole([user('a'), user('c')]);
    await account.apply(workshop.run(), seal(0), { dryRun: false, at });
    const kept = await askStore(settings.store, 'SELECT DISTINCT r.id FROM journal j JOIN run r ON r.key = j.run');
    assert.deepEqual(
      kept.map((row) => row['id']),
      [other.id],
      'the last run of its source',
    );
    const [all] = await askStore(settings.store, 'SELECT count(*) AS count FROM journal');
    assert.equal(Number(all?.['count']), 1);
  });

  it('a plain report speaks of no holds, pauses, warnings or additions that went ahead; others do', async () => {
    await open({ limits: { ...UNLIMITED, users: NONE }, additionsWhileHeld: true });
    const plain = await whole([user('a'), user('b')]);
    const said = (report: object) =>
      ['holds', 'paused', 'warnings', 'wentAhead', 'findings'].filter((name) => name in report);
    assert.deepEqual(said(plain), []);
    assert.deepEqual(said(await whole([user('a')])), ['holds']);
    assert.deepEqual(said(await whole([user('a'), user('c')])), ['holds', 'wentAhead']);
    await whole([], 'branch', false);
    assert.deepEqual(said(await whole([user('a'), user('b'), user('c')])), ['paused']);
    const [stage] = plain.stages.slice(-1);
    assert.deepEqual([stage?.stage, stage?.batches, stage?.records.user], ['apply', 1, 2]);
  });

  it('a run that was tried ends with the next one that is tried: of the same source, and later', async () => {
    await open({ limits: UNLIMITED });
    const [early, late, never] = [workshop.run(), workshop.run(), workshop.run()];
    const elsewhere = workshop.run({ source: 'branch' });
    const dry = { dryRun: true };
    await account.stage(never, 0, [user('n')]);
    await sync(account, elsewhere, [user('x')], dry);
    await sync(account, late, [user('a')], dry);
    await sync(account, early, [user('a')], dry);
    await sync(account, late, [user('a')], dry);
    await assert.rejects(account.apply(early, seal(1), dry), { code: 'RUN_ABANDONED' });
    for (const run of [elsewhere, late, never]) {
      assert.equal((await account.apply(run, seal(1), { dryRun: false })).outcome, 'committed', run.id);
    }
  });

  it('plans that differ only in what was before, or comes after, have different digests', async () => {
    const x = 'x@example.com';
    const digest = async (known: string, title: string, first: string) => {
      account = await workshop.open({ ...settingsWith({ limits: UNLIMITED }), attributes: ['title'] });
      await account.addKnown([{ address: x, name: known, origin: 'manual' }]);
      await whole([user('ann', { attributes: { title: [first] } })]);
      return (await whole([user('ann', { aliases: [x], attributes: title === '' ? {} : { title: [title] } })])).plan;
    };
    const plans = [
      await digest('Known', 'B', 'A'),
      await digest('Other', 'B', 'A'),
      await digest('Known', 'C', 'A'),
      await digest('Known', 'B', 'C'),
      await digest('Known', '', 'A'),
      await digest('Known', '', 'C'),
      await digest('Known', 'A', 'A'),
    ];
    assert.equal(new Set(plans).size, plans.length);
    assert.equal(await digest('Known', 'B', 'A'), plans[0]);
  });
});

/**
 * Applies a run at its seal: takes in what it brought, plans, commits, all in one transaction, so that the account is at
 * any moment as before or as after.
 */
import { digestOf } from '../model/canonical.js';
import { AccountError, ContractError } from '../model/errors.js';
import { sealWithMissing } from '../model/ledger.js';
import { type RecordCounts, noRecords } from '../model/records.js';
import type { Hold, Report } from '../model/report.js';
import type { ReadScope, Run, Seal, Stage } from '../model/run.js';
import { commitPlan } from './commit.js';
import { type Keeping, dropPlanned, endPlan, heldPlan, keepPlan, supersedePlans } from './held.js';
import { forgetOld } from './history.js';
import { writeMarks } from './leavers.js';
import { pausesOf } from './pause.js';
import type { PlanSummary } from './plan/changes.js';
import { type PlanContext, flag } from './plan/context.js';
import { destructionOf, holdsOf } from './plan/limits.js';
import { makePlan } from './plan/plan.js';
import { planFigures, totalsOf, unreadOf } from './report.js';
import { rulesOf } from './rules.js';
import { type AccountSettings, settingsDigest } from './settings.js';
import {
  type Doubts,
  NO_DOUBTS,
  type Reading,
  askedOf,
  changedScope,
  doubted,
  doubtsOf,
  heardWith,
  keptReading,
  readingOf,
  sourceBefore,
} from './source/reading.js';
import { handBack, handOver } from './source/successors.js';
import { clearTakenIn, takeIn } from './source/take-in.js';
import { arrivedBatches, endRun, findRun, openRun, stagedRange } from './staging.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';

/** What to apply, and how. `stageMs`: what staging has cost so far. `at`: what time it is; ISO 8601. */
export interface Application {
  readonly run: Run;
  readonly seal: Seal;
  readonly dryRun: boolean;
  readonly stageMs: number;
  readonly at: string;
}

const FUTURE_MS = 24 * 3_600_000;

/** Undoes the transaction of a dry run, and carries its report out of it. */
class NotCommitted extends Error {
  constructor(readonly report: Report) {
    super('dry run');
  }
}

/** The run is open no more: what became of it is looked up anew. */
class EndedMeanwhile extends Error {}

/**
 * Applies the run. A run that was applied already answers with the report of then.
 * A dry run does not end the run: it may still be applied, from what was staged.
 * @throws AccountError `RUN_SUPERSEDED` where a run of the same source that started later was applied before,
 *   `RUN_FROM_THE_FUTURE` where it started more than a day after now.
 */
export async function applyRun(db: SqlConnection, settings: AccountSettings, what: Application): Promise<Report> {
  const { key, source, state } = await db.transaction(() => openRun(db, what.run));
  if (state === 'ended') return storedReport(db, what.run.id);
  try {
    return await db.alone(async () => {
      // Another instance may have been first.
      if (!(await stillOpen(db, key))) throw new EndedMeanwhile();
      refuseFuture(what);
      await refuseSuperseded(db, source, what.run);
      const report = await applyInTransaction(db, settings, { ...what, key, source });
      if (what.dryRun) throw new NotCommitted(report);
      await finish(db, key, report);
      await forgetOld(db, rulesOf(settings), what.at);
      return report;
    });
  } catch (error) {
    if (error instanceof NotCommitted) {
      const report = { ...error.report, totals: await totalsOf(db) };
      await db.transaction(() => keepOpen(db, { key, source }, what.run));
      return report;
    }
    if (error instanceof AccountError && ['RUN_SUPERSEDED', 'RUN_FROM_THE_FUTURE'].includes(error.code)) {
      await db.transaction(() => endRun(db, key, 'abandoned'));
    }
    if (error instanceof EndedMeanwhile) return applyRun(db, settings, what);
    throw error;
  }
}

/** Nobody stages anything more of the run, or ends it, until this transaction ends. */
async function stillOpen(db: SqlConnection, run: number): Promise<boolean> {
  const [row] = await db.query(`SELECT state FROM run WHERE key = ?1${db.keepingRows}`, [run]);
  return text(row, 'state') === 'open';
}

interface Applying extends Application {
  readonly key: number;
  readonly source: number;
}

async function applyInTransaction(db: SqlConnection, settings: AccountSettings, what: Applying): Promise<Report> {
  const { run, key, source, at } = what;
  const started = performance.now();
  const arrived = new Set(await arrivedBatches(db, key));
  const missing = Array.from({ length: what.seal.batches }, (_, index) => index).filter((index) => !arrived.has(index));
  const arrivedSeal = sealWithMissing(what.seal, missing);
  const records = await stagedRecords(db, key);

  const rules = rulesOf(settings);
  const before = await sourceBefore(db, source);
  const reading = readingOf(arrivedSeal);
  const settled = settledWith(settings, reading);
  const doubts = arrivedSeal.complete && run.mode === 'full' ? doubtsOf(before, reading, run.source) : NO_DOUBTS;
  const seal = rules.holdUnusual ? arrivedSeal : doubted(arrivedSeal, doubts);
  const whole = seal.complete && run.mode === 'full';
  await takeIn(db, { run: key, records, source, complete: seal.complete, whole });
  await supersedePlans(db, source);
  const paused = await pausesOf(db, { source, rules, at });
  const removing = seal.complete && paused.length === 0;
  const context: PlanContext = {
    db,
    source,
    run: key,
    complete: removing,
    removals: removing && whole,
    additionsOnly: false,
    settled: before.settled === settled,
    asked: askedOf(reading),
    cautious: seal !== arrivedSeal && doubts.lost.length > 0,
    settings,
    rules,
    at,
  };
  const config = configOf(settings, seal);
  await handOver(context);
  const plan = await makePlan(context);
  const destruction = await destructionOf(context);
  const scope = changedScope(before.reading, reading);
  const holds = await holdsOf(context, destruction, {
    ...doubts,
    firstRun: before.config === null,
    changed:
      scope !== null
        ? `What is read of the directory (${scope}) is`
        : before.config !== null && before.config !== config
          ? 'Settings of the account, or what is read of the directory, are'
          : null,
    empty: whole && total(records) === 0,
  });
  const planned = performance.now();
  const held = holds.length > 0 && !what.dryRun;
  const result = held
    ? await hold(context, plan, {
        keeping: { run: key, source, at, complete: seal.complete, whole, config, reading, holds },
        doubts,
      })
    : { plan, destruction, wentAhead: 0 };
  if (!held) await commit(context, plan);
  const settledNow = seal.complete && !held && paused.length === 0;
  await rememberSource(db, {
    ...what,
    seal,
    settled: settledNow ? settled : null,
    config: settledNow && whole ? config : null,
    reading: settledNow && whole ? keptReading(before.reading, reading) : null,
    scopes: heardWith(before.heard, reading),
  });

  const warnings = [...doubts.lost, ...(doubts.shared === null ? [] : [doubts.shared]), ...(await unreadOf(db))];

  const apply: Stage = {
    stage: 'apply',
    ...(await openedAt(db, key)),
    batches: arrived.size,
    records,
    figures: {
      stageMs: Math.round(what.stageMs),
      planMs: Math.round(planned - started),
      commitMs: Math.round(performance.now() - planned),
    },
  };
  return {
    kind: 'report',
    run: run.id,
    source: run.source,
    account: settings.name,
    outcome: what.dryRun ? 'dry-run' : held ? 'held' : plan.changes > 0 ? 'committed' : 'unchanged',
    complete: seal.complete,
    incomplete: seal.incomplete,
    plan: result.plan.digest,
    changes: { ...result.plan.counts, addressesRemoved: result.destruction.addresses },
    totals: await totalsOf(db),
    ...(await planFigures(context, whole)),
    ...(holds.length > 0 ? { holds } : {}),
    ...(paused.length > 0 ? { paused } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(result.wentAhead > 0 ? { wentAhead: result.wentAhead } : {}),
    stages: [...seal.stages, apply],
    ...(seal.findings === undefined ? {} : { findings: seal.findings }),
  };
}

async function commit(context: PlanContext, plan: PlanSummary): Promise<void> {
  if (plan.changes > 0) await commitPlan(context);
  else await writeMarks(context);
}

/** Keeps the plan for approval. Where additions may go ahead they are committed first, and what is left is the plan. */
async function hold(
  context: PlanContext,
  plan: PlanSummary,
  { keeping, doubts }: { keeping: Omit<Keeping, 'digest'>; doubts: Doubts },
) {
  const { db, run, rules } = context;
  if (!rules.additionsWhileHeld) {
    await keepPlan(db, { ...keeping, digest: plan.digest });
    const destruction = await destructionOf(context);
    await handBack(db);
    return { plan, destruction, wentAhead: 0 };
  }
  const again: PlanContext = { ...context, settled: false };
  await handBack(db);
  await dropPlanned(db, run);
  const partly = { complete: false, removals: false, additionsOnly: true, cautious: doubts.lost.length > 0 };
  const additions = await makePlanAnew({ ...again, ...partly });
  if (additions.changes > 0) await commitPlan({ ...again, ...partly });
  const made = await changeRange(db, run);
  await handOver(again);
  const rest = await makePlanAnew(again);
  const destruction = await destructionOf(again);
  await keepPlan(db, { ...keeping, digest: rest.digest });
  await handBack(db);
  await db.run('UPDATE run SET first_change = ?2, last_change = ?3 WHERE key = ?1', [run, made.first, made.last]);
  return { plan: rest, destruction, wentAhead: additions.changes };
}

async function makePlanAnew(context: PlanContext): Promise<PlanSummary> {
  await context.db.run('DELETE FROM set_aside WHERE run = ?1', [context.run]);
  return makePlan(context);
}

async function changeRange(db: SqlConnection, run: number): Promise<{ first: number; last: number }> {
  const [row] = await db.query('SELECT first_change, last_change FROM run WHERE key = ?1', [run]);
  return { first: integer(row, 'first_change'), last: integer(row, 'last_change') };
}

/** What was decided about a held plan, and by whom. */
export interface Decision {
  readonly plan: string;
  readonly verdict: 'approve' | 'reject';
  readonly by: string;
}

/**
 * Approves or rejects a held plan. Approved, it is made again from what its source said; if it is the plan that was shown it
 * is committed, else the new one is held and needs an approval of its own.
 * @throws AccountError `PLAN_UNKNOWN`, `PLAN_DECIDED`
 */
export async function decidePlan(db: SqlConnection, settings: AccountSettings, what: Decision): Promise<Report> {
  return db.alone(async () => {
    const kept = await heldPlan(db, what.plan);
    const { run, source, at, complete, whole, config, reading } = kept;
    const before = await storedReport(db, kept.runId);
    const report = { ...before, decidedBy: what.by };
    if (what.verdict === 'reject') {
      await endPlan(db, run, { state: 'rejected', by: what.by });
      return remember(db, run, { ...report, outcome: 'rejected' });
    }
    const rules = rulesOf(settings);
    const paused = await pausesOf(db, { source, rules, at });
    const removing = complete && paused.length === 0;
    const context: PlanContext = {
      db,
      source,
      run,
      complete: removing,
      removals: removing && whole,
      additionsOnly: false,
      settled: false,
      asked: askedOf(reading),
      cautious: false,
      settings,
      rules,
      at,
    };
    await clearTakenIn(db);
    await handOver(context);
    const plan = await makePlanAnew(context);
    const destruction = await destructionOf(context);
    const changes = { ...plan.counts, addressesRemoved: destruction.addresses };
    if (plan.digest !== kept.digest && plan.changes > 0) {
      const holds = [PLAN_CHANGED, ...kept.holds.filter(({ code }) => code !== PLAN_CHANGED.code)];
      await endPlan(db, run, { state: 'superseded', by: null });
      await db.run('DELETE FROM held_plan WHERE run = ?1', [run]);
      await keepPlan(db, { ...kept, digest: plan.digest, holds });
      await handBack(db);
      return remember(db, run, { ...before, outcome: 'held', plan: plan.digest, changes, holds });
    }
    await commit(context, plan);
    await endPlan(db, run, { state: 'approved', by: what.by });
    if (removing) {
      await db.run(
        'UPDATE source SET settled = ?2, config = coalesce(?3, config), reading = coalesce(?4, reading) WHERE key = ?1',
        [
          source,
          settledWith(settings, reading),
          whole ? config : null,
          whole ? keptReading((await sourceBefore(db, source)).reading, reading) : null,
        ],
      );
    }
    const outcome = plan.changes > 0 ? 'committed' : 'unchanged';
    const figures = await planFigures(context, whole);
    return remember(db, run, {
      ...report,
      ...figures,
      outcome,
      plan: plan.digest,
      changes,
      totals: await totalsOf(db),
    });
  });
}

const PLAN_CHANGED: Hold = {
  code: 'PLAN_CHANGED',
  message:
    'The account or its settings changed since the plan was held, so it was made again and is another one. Look at it, then approve or reject it.',
};

async function remember(db: SqlConnection, run: number, report: Report): Promise<Report> {
  await db.run('UPDATE run SET report = ?2 WHERE key = ?1', [run, JSON.stringify(report)]);
  return report;
}

/** Settings and what was read: a run under others is looked at before it removes anything. */
function configOf(settings: AccountSettings, seal: Seal): string {
  const settled = settingsDigest(settings);
  const bases = new Set((seal.proof?.searches ?? []).map(({ base }) => base));
  return digestOf({ settled, bases: [...bases].sort() });
}

/** With what a run leaves the account settled: only under the same is it enough to look at what changed. */
function settledWith(settings: AccountSettings, { scope }: Reading): string {
  return digestOf({ settings: settingsDigest(settings), scope: scope?.digest ?? null });
}

function total(records: RecordCounts): number {
  return Object.values(records).reduce((sum, count) => sum + count, 0);
}

/** The token goes with the data, in one transaction: the next delta starts where this run ended, or not at all. */
async function rememberSource(
  db: SqlConnection,
  what: Applying & {
    settled: string | null;
    config: string | null;
    reading: string | null;
    scopes: readonly ReadScope[];
  },
): Promise<void> {
  const { run, key, source, seal, settled, config, reading, scopes, at } = what;
  await db.run(
    `UPDATE source SET started_at = ?2, last_run = ?3, settled = ?4, token = coalesce(?5, token),
       config = coalesce(?6, config), failing = ?7, heard_at = ?8, reading = coalesce(?9, reading), scopes = ?10
     WHERE key = ?1`,
    [
      source,
      run.startedAt,
      key,
      settled,
      seal.complete && seal.token ? JSON.stringify(seal.token) : null,
      config,
      flag(!seal.complete),
      at,
      reading,
      JSON.stringify(scopes),
    ],
  );
}

/** What was staged stays, for a day or until a later run is tried: a run is planned as often as one likes. */
async function keepOpen(db: SqlConnection, { key, source }: { key: number; source: number }, run: Run): Promise<void> {
  const older = await db.query(
    `SELECT key FROM run WHERE state = 'open' AND source = ?1 AND started_at < ?2 AND tried_at IS NOT NULL`,
    [source, run.startedAt],
  );
  for (const row of older) await endRun(db, integer(row, 'key'), 'abandoned');
  await db.run('UPDATE run SET tried_at = ?2 WHERE key = ?1', [key, new Date().toISOString()]);
}

/** Its start would supersede every run until then. */
function refuseFuture({ run, at }: Application): void {
  if (!(Date.parse(run.startedAt) - Date.parse(at) > FUTURE_MS)) return;
  throw new AccountError('RUN_FROM_THE_FUTURE', {
    message: `Run ${run.id} was not applied: it says that it started at ${run.startedAt}, and here it is ${at}. Set the clock of the computer that reads the directory, and start a new run.`,
    status: 'clock of the sender is ahead',
    params: { run: run.id, source: run.source, startedAt: run.startedAt },
  });
}

async function refuseSuperseded(db: SqlConnection, source: number, run: Run): Promise<void> {
  const started = Date.parse(run.startedAt);
  if (Number.isNaN(started)) {
    throw new ContractError('NOT_AS_AGREED', {
      message:
        'msg.run is not as docs/messages.md says: startedAt is no date. Look at what the nodes before change in it.',
      status: 'unexpected message',
      params: { what: 'msg.run', pointer: '/startedAt', expected: 'a date' },
    });
  }
  const [row] = await db.query('SELECT started_at FROM source WHERE key = ?1', [source]);
  const applied = textOrNull(row, 'started_at');
  if (applied === null || Date.parse(applied) <= started) return;
  throw new AccountError('RUN_SUPERSEDED', {
    message: `Run ${run.id} was not applied: a run of the same source that started later was applied before it. Nothing needs to be done; look at the schedule if it happens often.`,
    status: 'superseded',
    params: { run: run.id, source: run.source },
  });
}

async function finish(db: SqlConnection, key: number, report: Report): Promise<void> {
  await endRun(db, key, 'ended');
  await db.run('UPDATE run SET report = ?2 WHERE key = ?1', [key, JSON.stringify(report)]);
}

async function storedReport(db: SqlConnection, id: string): Promise<Report> {
  const found = await findRun(db, id);
  return reportOf(db, found?.key ?? -1);
}

async function reportOf(db: SqlConnection, run: number): Promise<Report> {
  const [row] = await db.query('SELECT report FROM run WHERE key = ?1', [run]);
  return JSON.parse(text(row, 'report')) as Report;
}

async function openedAt(db: SqlConnection, run: number): Promise<{ startedAt: string; milliseconds: number }> {
  const [row] = await db.query('SELECT opened_at FROM run WHERE key = ?1', [run]);
  const startedAt = text(row, 'opened_at');
  return { startedAt, milliseconds: Math.max(0, Date.now() - Date.parse(startedAt)) };
}

async function stagedRecords(db: SqlConnection, run: number): Promise<RecordCounts> {
  const { first, last } = stagedRange(run);
  const rows = await db.query('SELECT kind, count(*) AS count FROM staged WHERE key BETWEEN ?1 AND ?2 GROUP BY kind', [
    first,
    last,
  ]);
  const counts: Record<string, number> = noRecords();
  for (const row of rows) counts[text(row, 'kind')] = integer(row, 'count');
  return { ...noRecords(), ...counts };
}

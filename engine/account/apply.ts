/**
 * Applies a run at its seal: takes in what it brought, plans, commits, all in one transaction, so that the account is at
 * any moment as before or as after.
 */
import { AccountError, ContractError } from '../model/errors.js';
import { sealWithMissing } from '../model/ledger.js';
import { type RecordCounts, noRecords } from '../model/records.js';
import type { Report } from '../model/report.js';
import type { Run, Seal, Stage } from '../model/run.js';
import { commitPlan } from './commit.js';
import type { PlanContext } from './plan/context.js';
import { makePlan } from './plan/plan.js';
import { planFigures, totalsOf } from './report.js';
import { type AccountSettings, settingsDigest } from './settings.js';
import { takeIn } from './source/take-in.js';
import { arrivedBatches, endRun, findRun, openRun, stagedRange } from './staging.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';

/** What to apply, and how. `stageMs`: what staging has cost so far. */
export interface Application {
  readonly run: Run;
  readonly seal: Seal;
  readonly dryRun: boolean;
  readonly stageMs: number;
}

/** Undoes the transaction of a dry run, and carries its report out of it. */
class NotCommitted extends Error {
  constructor(readonly report: Report) {
    super('dry run');
  }
}

/**
 * Applies the run. A run that was applied already answers with the report of then.
 * @throws AccountError `RUN_SUPERSEDED` where a run of the same source that started later was applied before.
 */
export async function applyRun(db: SqlConnection, settings: AccountSettings, what: Application): Promise<Report> {
  const { key, source, state } = await db.transaction(() => openRun(db, what.run));
  if (state === 'ended') return storedReport(db, what.run.id);
  try {
    return await db.transaction(async () => {
      await refuseSuperseded(db, source, what.run);
      const report = await applyInTransaction(db, settings, { ...what, key, source });
      if (what.dryRun) throw new NotCommitted(report);
      await finish(db, key, report);
      return report;
    });
  } catch (error) {
    if (error instanceof NotCommitted) {
      const report = { ...error.report, totals: await totalsOf(db) };
      await db.transaction(() => finish(db, key, report));
      return report;
    }
    if (error instanceof AccountError && error.code === 'RUN_SUPERSEDED') {
      await db.transaction(() => endRun(db, key, 'abandoned'));
    }
    throw error;
  }
}

interface Applying extends Application {
  readonly key: number;
  readonly source: number;
}

async function applyInTransaction(db: SqlConnection, settings: AccountSettings, what: Applying): Promise<Report> {
  const { run, key, source } = what;
  const started = performance.now();
  const arrived = new Set(await arrivedBatches(db, key));
  const missing = Array.from({ length: what.seal.batches }, (_, index) => index).filter((index) => !arrived.has(index));
  const seal = sealWithMissing(what.seal, missing);
  const whole = seal.complete && run.mode === 'full';
  const records = await stagedRecords(db, key);

  const settled = settingsDigest(settings);
  const before = await settledWith(db, source);
  await takeIn(db, { run: key, source, whole });
  const context: PlanContext = { db, source, run: key, complete: seal.complete, settled: before === settled, settings };
  const plan = await makePlan(context);
  const planned = performance.now();
  if (plan.changes > 0) await commitPlan(context);
  await rememberSource(db, { ...what, seal, settled });

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
    outcome: what.dryRun ? 'dry-run' : plan.changes > 0 ? 'committed' : 'unchanged',
    complete: seal.complete,
    incomplete: seal.incomplete,
    plan: plan.digest,
    changes: plan.counts,
    totals: await totalsOf(db),
    ...(await planFigures(context, whole)),
    stages: [...seal.stages, apply],
    ...(seal.findings === undefined ? {} : { findings: seal.findings }),
  };
}

/** The settings that the source's last run left the account settled with, if it was complete. */
async function settledWith(db: SqlConnection, source: number): Promise<string | null> {
  const [row] = await db.query('SELECT settled FROM source WHERE key = ?1', [source]);
  return textOrNull(row, 'settled');
}

/** The token goes with the data, in one transaction: the next delta starts where this run ended, or not at all. */
async function rememberSource(
  db: SqlConnection,
  { run, key, source, seal, settled }: Applying & { settled: string },
): Promise<void> {
  await db.run(
    `UPDATE source SET started_at = ?2, last_run = ?3, settled = ?4, token = coalesce(?5, token) WHERE key = ?1`,
    [
      source,
      run.startedAt,
      key,
      seal.complete ? settled : null,
      seal.complete && seal.token ? JSON.stringify(seal.token) : null,
    ],
  );
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

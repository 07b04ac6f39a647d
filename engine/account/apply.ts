/**
 * Applies a run at its seal: takes in what it brought, plans, commits, all in one transaction, so that the account is at
 * any moment as before or as after.
 */
import { AccountError } from '../model/errors.js';
import { sealWithArrived } from '../model/ledger.js';
import { type RecordCounts } from '../model/records.js';
import type { Report } from '../model/report.js';
import type { Run, Seal, Stage } from '../model/run.js';
import { supersedePlans } from './held.js';
import { forgetOld } from './history.js';
import { pausesOf } from './pause.js';
import { type PlanContext } from './plan/context.js';
import { destructionOf, holdsOf } from './plan/limits.js';
import { makePlan } from './plan/plan.js';
import { planFigures, unreadOf } from './report.js';
import { rulesOf } from './rules.js';
import { type AccountSettings } from './settings.js';
import {
  NO_DOUBTS,
  askedOf,
  changedScope,
  doubted,
  doubtsOf,
  heardWith,
  keptReading,
  lacksValues,
  readingOf,
  sourceBefore,
} from './source/reading.js';
import { handOver } from './source/successors.js';
import { hasVouched, takeIn } from './source/take-in.js';
import { takesOf } from './staged-record.js';
import { allTake, arrivedBatches, endRun, openRun } from './staging.js';
import { type SqlConnection, integer, text } from './store/connection.js';
import { stagedRange } from './store/staged-keys.js';
import { keepTotals, totalsOf } from './totals.js';
import { commit, hold } from './outcome.js';
import { refuseFuture, refuseSuperseded } from './refuse.js';
import { finish, openedAt, stagedRecords, storedReport } from './run-row.js';
import { configOf, rememberSource, settledWith } from './source/remember.js';

/** What to apply, and how. `stageMs`: what staging has cost so far. `at`: what time it is; ISO 8601. */
export interface Application {
  readonly run: Run;
  readonly seal: Seal;
  readonly dryRun: boolean;
  readonly stageMs: number;
  readonly at: string;
}

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
      await keepTotals(db, report.totals);
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
  const arrived = await arrivedBatches(db, key);
  const arrivedSeal = sealWithArrived(what.seal, arrived);
  await db.openStaged(stagedRange(key));
  const records = await stagedRecords(db, key);

  const rules = rulesOf(settings);
  const before = await sourceBefore(db, source);
  const reading = readingOf(arrivedSeal);
  const settled = settledWith(settings, reading);
  const suspected = run.mode === 'full' ? doubtsOf(before, reading, run.source) : NO_DOUBTS;
  const doubts = arrivedSeal.complete ? suspected : NO_DOUBTS;
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
    allTaken: whole && (await allTake(db, key, takesOf(settings.attributes))) && !(await hasVouched(db)),
    cautious: !seal.complete && (suspected.lost.length > 0 || lacksValues(seal)),
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
    batches: arrived.length,
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

function total(records: RecordCounts): number {
  return Object.values(records).reduce((sum, count) => sum + count, 0);
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

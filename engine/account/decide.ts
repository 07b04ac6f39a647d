/** Deciding about a held plan. */
import type { Hold, Report } from '../model/report.js';
import { endPlan, heldPlan } from './held.js';
import { commitApproved, holdAnew, madeBefore, makePlanAnew } from './outcome.js';
import { pausesOf } from './pause.js';
import type { PlanContext } from './plan/context.js';
import { destructionOf } from './plan/limits.js';
import { planFigures } from './report.js';
import { rulesOf } from './rules.js';
import { remember, storedReport } from './run-row.js';
import type { AccountSettings } from './settings.js';
import { askedOf, keptReading, sourceBefore } from './source/reading.js';
import { settledWith } from './source/remember.js';
import { handOver } from './source/successors.js';
import { clearTakenIn } from './source/take-in.js';
import type { SqlConnection } from './store/connection.js';
import { keepTotals, totalsOf } from './totals.js';

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
      allTaken: false,
      cautious: false,
      settings,
      rules,
      at,
    };
    await db.openStaged(NOTHING_STAGED);
    await clearTakenIn(db);
    await handOver(context);
    const made = await madeBefore(db, run);
    const plan = await makePlanAnew(context);
    const destruction = await destructionOf(context);
    const changes = { ...plan.counts, addressesRemoved: destruction.addresses };
    if (plan.digest !== kept.digest && plan.changes > 0) {
      const holds = [PLAN_CHANGED, ...kept.holds.filter(({ code }) => code !== PLAN_CHANGED.code)];
      await endPlan(db, run, { state: 'superseded', by: null });
      await holdAnew(db, { ...kept, digest: plan.digest, holds }, made);
      return remember(db, run, { ...before, outcome: 'held', plan: plan.digest, changes, holds });
    }
    await commitApproved(context, plan, made);
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
    const totals = await totalsOf(db);
    await keepTotals(db, totals);
    return remember(db, run, {
      ...report,
      ...figures,
      outcome,
      plan: plan.digest,
      changes,
      totals,
    });
  });
}

/** The plan is made of what was taken in. */
const NOTHING_STAGED = { first: 0, last: -1 };

const PLAN_CHANGED: Hold = {
  code: 'PLAN_CHANGED',
  message:
    'The account or its settings changed since the plan was held, so it was made again and is another one. Look at it, then approve or reject it.',
};

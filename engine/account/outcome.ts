/** What becomes of a plan: it is committed, or held. */
import { commitPlan } from './commit.js';
import { type Keeping, dropPlanned, keepPlan } from './held.js';
import { writeMarks } from './leavers.js';
import type { PlanSummary } from './plan/changes.js';
import type { PlanContext } from './plan/context.js';
import { destructionOf } from './plan/limits.js';
import { makePlan } from './plan/plan.js';
import type { Doubts } from './source/reading.js';
import { handBack, handOver } from './source/successors.js';
import { type SqlConnection, integer } from './store/connection.js';

/** Writes the plan into the account; where it changes nothing, the marks of who is to leave. */
export async function commit(context: PlanContext, plan: PlanSummary): Promise<void> {
  if (plan.changes > 0) await commitPlan(context, plan);
  else await writeMarks(context);
}

/** Keeps the plan for approval. Where additions may go ahead they are committed first, and what is left is the plan. */
export async function hold(
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
  if (additions.changes > 0) await commitPlan({ ...again, ...partly }, additions);
  const made = await madeBefore(db, run);
  await handOver(again);
  const rest = await makePlanAnew(again);
  const destruction = await destructionOf(again);
  await keepBehind(db, { ...keeping, digest: rest.digest }, made);
  return { plan: rest, destruction, wentAhead: additions.changes };
}

/** In place of a plan that was made in this transaction, or before. */
export async function makePlanAnew(context: PlanContext): Promise<PlanSummary> {
  await context.db.run('DELETE FROM set_aside WHERE run = ?1', [context.run]);
  return makePlan(context);
}

/** The first and the last change in the journal that a run made so far; null: none. */
export type Made = { readonly first: number; readonly last: number } | null;

/** Ask before its plan is made anew, which says it of that plan. */
export async function madeBefore(db: SqlConnection, run: number): Promise<Made> {
  const [row] = await db.query(
    'SELECT first_change AS first, last_change AS last FROM run WHERE key = ?1 AND first_change <= last_change',
    [run],
  );
  return row ? { first: integer(row, 'first'), last: integer(row, 'last') } : null;
}

/** Keeps a plan for approval, behind what its run made before. */
async function keepBehind(db: SqlConnection, plan: Keeping, made: Made): Promise<void> {
  await keepPlan(db, plan);
  await db.run('UPDATE run SET first_change = ?2, last_change = ?3 WHERE key = ?1', [
    plan.run,
    made?.first ?? null,
    made?.last ?? null,
  ]);
  await handBack(db);
}

/** In place of a plan that waits, another one of the same run. */
export async function holdAnew(db: SqlConnection, plan: Keeping, made: Made): Promise<void> {
  await db.run('DELETE FROM held_plan WHERE run = ?1', [plan.run]);
  await keepBehind(db, plan, made);
}

/** Writes a plan that was approved. What went ahead of it is of the same run. */
export async function commitApproved(context: PlanContext, plan: PlanSummary, made: Made): Promise<void> {
  await commit(context, plan);
  if (made === null) return;
  await context.db.run('UPDATE run SET first_change = ?2 WHERE key = ?1', [context.run, made.first]);
}

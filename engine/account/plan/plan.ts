/** Makes the plan of a run: what has to change in the account, computed as a set from what the source says. */
import { planAliases } from './aliases.js';
import { type PlanSummary, writeChanges } from './changes.js';
import type { PlanContext } from './context.js';
import { planGroups } from './groups.js';
import { planLeaving } from './leaving.js';
import { planMembers } from './members.js';
import { planPersons } from './persons.js';
import { listPatterns } from './protect.js';
import { rankSources } from './rank.js';
import { planScope, rememberOpen, scopeHolders } from './scope.js';
import { writeSetAside } from './set-aside.js';
import { clearPlan } from './tables.js';
import { planTouched } from './touched.js';
import { planTwinStates, planTwins, scopeTwins } from './twins.js';
import { planValues } from './values.js';

/**
 * Fills the tables of the plan, the journal and the list of what is set aside; the account itself stays as it is. Call it
 * in the transaction that takes the run in, and roll that back where nothing is to come of it.
 */
export async function makePlan(context: PlanContext): Promise<PlanSummary> {
  const { db } = context;
  await clearPlan(db);
  await listPatterns(context);
  await rankSources(context);
  await planTwins(context);
  await planScope(context);
  await scopeTwins(context);
  await scopeHolders(context);
  await db.analyze('plan_scope');
  await planPersons(context);
  await planAliases(context);
  await planGroups(context);
  await db.analyze('plan_absorb', 'plan_group');
  await planTwinStates(context);
  await planLeaving(context);
  const values = await planValues(context);
  await db.analyze('plan_leaving', 'plan_value');
  await planTouched(context);
  await db.analyze('plan_touched');
  await planMembers(context);
  await db.analyze('plan_member');
  await writeSetAside(context);
  await rememberOpen(context);
  return writeChanges(context, values);
}

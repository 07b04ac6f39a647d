/**
 * Which persons a plan has to look at. After a settled run that is not everybody: whom the account has as the source says
 * wants nothing, and can only lose an alias to somebody whose primary address it becomes. So: who is new, changed or back;
 * whom the account could not take in whole; and who holds the primary address that one of these wants.
 */
import type { PlanContext } from './context.js';

/** Fills `plan_scope`, all but those who are in it because of others. Where the account is not settled, everybody is looked at. */
export async function planScope({ db, source, settled }: PlanContext): Promise<void> {
  if (!settled) return;
  await db.run(
    `INSERT INTO plan_scope SELECT object FROM dirty UNION SELECT key FROM object WHERE source = ?1 AND open = 1`,
    [source],
  );
}

/** The persons to look at, as objects `o`. */
export function inScope({ settled }: PlanContext): string {
  return settled ? 'plan_scope s CROSS JOIN object o ON o.key = s.object' : 'object o';
}

/** Adds whoever holds an address that one of these wants. Call it when all who may want something are in it, twins too. */
export async function scopeHolders({ db, settled }: PlanContext): Promise<void> {
  if (!settled) return;
  await db.run(
    `INSERT INTO plan_scope SELECT a.entry FROM (SELECT object FROM plan_scope) s CROSS JOIN object o ON o.key = s.object
     CROSS JOIN address a ON a.kind = o.kind AND a.address = o.address WHERE a.entry > 0 ON CONFLICT DO NOTHING`,
  );
}

/** Remembers whom the account could not take in whole, for the next run to try again. */
export async function rememberOpen({ db, source }: PlanContext): Promise<void> {
  const open = `SELECT object FROM plan_person
      WHERE reason IS NOT NULL OR aside IS NOT NULL OR clash IS NOT NULL OR troubled = 1
    UNION SELECT object FROM plan_alias WHERE state IS NOT NULL UNION SELECT object FROM plan_unlink WHERE clash IS NOT NULL`;
  // The plus keeps SQLite to the few that are open.
  await db.run(
    `UPDATE object SET open = 0 WHERE open = 1 AND +key IN (SELECT object FROM plan_person) AND key NOT IN (${open})`,
  );
  await db.run(
    `UPDATE object SET open = 0 WHERE open = 1 AND source = ?1 AND key IN (SELECT object FROM plan_twin WHERE person <> object)`,
    [source],
  );
  await db.run(`UPDATE object SET open = 1 WHERE open = 0 AND key IN (${open})`);
}

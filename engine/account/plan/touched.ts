/** Which persons and groups of the account are not as the source says. Only they are written. */
import type { PlanContext } from './context.js';

/** Fills `plan_touched`. */
export async function planTouched({ db }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_touched SELECT p.object FROM plan_person p
     CROSS JOIN entry e ON e.key = p.object CROSS JOIN object o ON o.key = p.object
     WHERE p.reason IS NULL AND (e.name IS DISTINCT FROM o.name OR e.dn IS DISTINCT FROM o.dn
       OR e.sid IS DISTINCT FROM o.sid OR e.id IS DISTINCT FROM o.id OR (p.clash IS NULL AND p.wanted <> p.held)
       OR (p.kind = 'user' AND e.enabled <> p.enabled))`,
  );
  await db.run(
    `INSERT INTO plan_touched SELECT g.object FROM plan_group g
     CROSS JOIN entry e ON e.key = g.object CROSS JOIN object o ON o.key = g.object
     WHERE e.name IS DISTINCT FROM o.name OR e.dn IS DISTINCT FROM o.dn OR e.sid IS DISTINCT FROM o.sid
       OR e.address IS DISTINCT FROM o.address OR e.scope IS DISTINCT FROM o.scope OR e.type IS DISTINCT FROM o.type
       OR e.kind <> o.kind`,
  );
}

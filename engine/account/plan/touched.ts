/** Which persons and groups of the account are not as the source says, apart from addresses in their own table. */
import { type PlanContext, flag } from './context.js';

/** Fills `plan_touched`: only what differs is written. */
export async function planTouched({ db, settings }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_touched SELECT p.object, p.kind FROM plan_person p
     CROSS JOIN entry e ON e.key = p.entry CROSS JOIN object o ON o.key = p.object
     WHERE p.reason IS NULL AND p.is_new = 0 AND (p.linked IS NOT NULL OR e.name IS DISTINCT FROM o.name
       OR e.dn IS DISTINCT FROM o.dn OR e.sid IS DISTINCT FROM o.sid OR (p.clash IS NULL AND p.wanted <> p.held)
       OR (?1 = 1 AND p.kind = 'user' AND e.enabled <> o.enabled))`,
    [flag(settings.acknowledgeDisabled)],
  );
  await db.run(
    `INSERT INTO plan_touched SELECT g.object, g.kind FROM plan_group g
     CROSS JOIN entry e ON e.key = g.entry CROSS JOIN object o ON o.key = g.object
     WHERE g.is_new = 0 AND (e.name IS DISTINCT FROM o.name OR e.dn IS DISTINCT FROM o.dn OR e.sid IS DISTINCT FROM o.sid
       OR e.address IS DISTINCT FROM o.address OR e.scope IS DISTINCT FROM o.scope OR e.type IS DISTINCT FROM o.type
       OR e.kind <> o.kind)`,
  );
}

/** Which groups there are to be. */
import { type PlanContext, flag } from './context.js';
import { indexPlan } from './tables.js';

/** Fills `plan_group`. */
export async function planGroups(context: PlanContext): Promise<void> {
  const { db, source } = context;
  await db.run(
    `INSERT INTO plan_group (object, id, kind, known, whole)
     SELECT o.key, o.id, o.kind, CASE WHEN e.key IS NULL THEN 0 ELSE 1 END, CASE WHEN o.members = 'whole' THEN 1 ELSE 0 END
     FROM object o LEFT JOIN entry e ON e.key = o.key
     WHERE o.source = ?1 AND o.present = 1 AND o.kind <> 'user' AND o.kind IN ('group', 'dynamic-group')
       AND (e.key IS NULL OR e.kind IN ('group', 'dynamic-group'))`,
    [source],
  );
  await findMailBearing(context);
  // New: an ordinary group that was read whole and has a mail-bearing member; a dynamic one with an address of its own.
  await db.run(
    `UPDATE plan_group SET is_new = 1 WHERE known = 0 AND CASE kind
       WHEN 'group' THEN whole = 1 AND bears_mail = 1
       ELSE (SELECT address FROM object WHERE key = plan_group.object) IS NOT NULL END`,
  );
}

/**
 * A group bears mail when a user or contact with an address is in it, or in a group in it, however deep; one that
 * the account has, also when somebody is in it who is set aside. Cycles end, because a closure holds each group once
 * (`UNION`, not `UNION ALL`).
 */
async function findMailBearing({ db, settings }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_group SET bears_mail = 1 WHERE (
       SELECT 1 FROM object_member r CROSS JOIN object o ON o.key = r.member
       WHERE r.object = plan_group.object AND CASE
         WHEN o.kind = 'quarantined' THEN plan_group.known = 1 AND EXISTS (SELECT 1 FROM entry e WHERE e.key = o.key)
         ELSE (o.address IS NOT NULL OR EXISTS (
             SELECT 1 FROM plan_twin t CROSS JOIN object x ON x.key = t.person WHERE t.object = o.key AND x.address IS NOT NULL))
           AND (o.kind = 'user' OR (o.kind = 'contact' AND ?1 = 1))
           AND (o.present = 1 OR (plan_group.known = 1 AND EXISTS (SELECT 1 FROM entry e WHERE e.key = o.key))) END
       LIMIT 1) = 1`,
    [flag(settings.contacts)],
  );
  await db.run(
    `INSERT INTO plan_nesting
     WITH RECURSIVE reach (object) AS (
       SELECT object FROM plan_group WHERE bears_mail = 0
       UNION
       SELECT g.object FROM reach CROSS JOIN object_member r ON r.object = reach.object
       CROSS JOIN plan_group g ON g.object = r.member
     )
     SELECT r.object, r.member FROM reach CROSS JOIN object_member r ON r.object = reach.object
     CROSS JOIN plan_group g ON g.object = r.member`,
  );
  await indexPlan(db, 'plan_nesting_child');
  await db.run(
    `UPDATE plan_group SET bears_mail = 1 WHERE bears_mail = 0 AND object IN (
       WITH RECURSIVE bearing (object) AS (
         SELECT object FROM plan_group WHERE bears_mail = 1
         UNION
         SELECT n.parent FROM bearing CROSS JOIN plan_nesting n ON n.child = bearing.object
       ) SELECT object FROM bearing)`,
  );
}

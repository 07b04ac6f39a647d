/** Which groups there are to be, and who is to be in them. */
import { type PlanContext, flag } from './context.js';

/** Fills `plan_group`, but for the entries of new groups. */
export async function planGroups(context: PlanContext): Promise<void> {
  const { db, source } = context;
  await db.run(
    `INSERT INTO plan_group (object, id, kind, entry, whole)
     SELECT o.key, o.id, o.kind, e.key, CASE WHEN o.members = 'whole' THEN 1 ELSE 0 END
     FROM object o LEFT JOIN entry e ON e.object = o.key
     WHERE o.source = ?1 AND o.present = 1 AND o.kind IN ('group', 'dynamic-group')
       AND (e.key IS NULL OR e.kind IN ('group', 'dynamic-group'))`,
    [source],
  );
  await findMailBearing(context);
  // New: an ordinary group that was read whole and has a mail-bearing member; a dynamic one with an address of its own.
  await db.run(
    `UPDATE plan_group SET is_new = 1 WHERE entry IS NULL AND CASE kind
       WHEN 'group' THEN whole = 1 AND bears_mail = 1
       ELSE (SELECT address FROM object WHERE key = plan_group.object) IS NOT NULL END`,
  );
}

/**
 * A group bears mail when a user or contact with an address is in it, or in a group in it, however deep. Asked only of
 * groups that the account does not have. Cycles end, because a closure holds each group once (`UNION`, not `UNION ALL`).
 */
async function findMailBearing({ db, settings }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_nesting
     WITH RECURSIVE reach (object) AS (
       SELECT object FROM plan_group WHERE entry IS NULL
       UNION
       SELECT g.object FROM reach CROSS JOIN object_member r ON r.object = reach.object
       CROSS JOIN plan_group g ON g.object = r.member
     )
     SELECT r.object, r.member FROM reach CROSS JOIN object_member r ON r.object = reach.object
     CROSS JOIN plan_group g ON g.object = r.member`,
  );
  await db.run(
    `UPDATE plan_group SET bears_mail = 1 WHERE (entry IS NULL OR object IN (SELECT child FROM plan_nesting))
       AND EXISTS (
         SELECT 1 FROM object_member r CROSS JOIN object o ON o.key = r.member
         WHERE r.object = plan_group.object AND o.present = 1 AND o.address IS NOT NULL
           AND (o.kind = 'user' OR (o.kind = 'contact' AND ?1 = 1)))`,
    [flag(settings.contacts)],
  );
  await db.run(
    `UPDATE plan_group SET bears_mail = 1 WHERE object IN (
       WITH RECURSIVE bearing (object) AS (
         SELECT object FROM plan_group WHERE bears_mail = 1
         UNION
         SELECT n.parent FROM bearing CROSS JOIN plan_nesting n ON n.child = bearing.object
       ) SELECT object FROM bearing)`,
  );
}

/** Fills `plan_member`, once everybody has an entry. Of groups that were not read whole nothing is planned. */
export async function planMembers(context: PlanContext): Promise<void> {
  await chooseGroups(context);
  const { db, complete } = context;
  await db.run(
    `INSERT INTO plan_wanted_member
     SELECT g.entry, coalesce(p.entry, n.entry, e.key), g.object, r.member FROM plan_group g
     CROSS JOIN object_member r ON r.object = g.object
     LEFT JOIN plan_person p ON p.object = r.member
     LEFT JOIN plan_group n ON n.object = r.member AND p.object IS NULL
     LEFT JOIN entry e ON e.object = r.member AND p.object IS NULL AND n.object IS NULL
     WHERE g.compare = 1 AND coalesce(p.entry, n.entry, e.key) IS NOT NULL ON CONFLICT DO NOTHING`,
  );
  await db.run(
    `INSERT INTO plan_member SELECT w.grp, w.entry, w.grp_object, w.object, 1 FROM plan_wanted_member w
     WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.grp = w.grp AND m.entry = w.entry)`,
  );
  await db.run(
    `INSERT INTO plan_member SELECT m.grp, m.entry, g.object, e.object, 0
     FROM plan_group g CROSS JOIN member m ON m.grp = g.entry CROSS JOIN entry e ON e.key = m.entry
     WHERE ?1 = 1 AND g.compare = 1
       AND NOT EXISTS (SELECT 1 FROM plan_wanted_member w WHERE w.grp = m.grp AND w.entry = m.entry)`,
    [flag(complete)],
  );
}

/** Groups to compare: all, or those that are new, that changed, or in which somebody is who is new to the account. */
async function chooseGroups({ db, settled }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_group SET compare = 1 WHERE whole = 1 AND entry IS NOT NULL AND (
       ?1 = 1 OR is_new = 1 OR object IN (SELECT object FROM seen_group) OR object IN (
         SELECT object FROM object_member WHERE member IN (
           SELECT object FROM plan_person WHERE is_new = 1 OR linked IS NOT NULL
           UNION ALL SELECT object FROM plan_group WHERE is_new = 1)))`,
    [flag(!settled)],
  );
}

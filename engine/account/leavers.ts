/**
 * Writes what becomes of who leaves: the mark first, the rule when the grace period is over. What ended is kept aside
 * (`removed`) until it is purged.
 */
import { ENTRY_FIELDS } from './plan/change-queries.js';
import type { PlanContext } from './plan/context.js';
import { jsonObject } from './plan/json.js';
import { ENDED } from './plan/leaving.js';
import type { SqlConnection } from './store/connection.js';

/** Takes who ends out of the account. Before any other change is written, so that their addresses are free. */
export async function endLeavers({ db, run, at }: PlanContext): Promise<void> {
  const [some] = await db.query(`SELECT 1 AS yes FROM ${ENDED} e LIMIT 1`);
  if (!some) return;
  await db.run(
    `INSERT INTO removed (object, kind, id, rule, at, run, entry)
     SELECT l.object, e.kind, o.id, l.rule, ?1, ?2, ${jsonObject({ ...ENTRY_FIELDS, groups: `'[' || coalesce(g.groups, '') || ']'` })}
     FROM plan_leaving l CROSS JOIN entry e ON e.key = l.object CROSS JOIN object o ON o.key = l.object
     LEFT JOIN (SELECT entry, group_concat('' || grp, ',' ORDER BY grp) AS groups FROM plan_member WHERE added = 0 GROUP BY entry) g
       ON g.entry = l.object
     WHERE l.step = 'final' AND l.rule <> 'disable'
     ON CONFLICT (object) DO UPDATE SET rule = excluded.rule, at = excluded.at, run = excluded.run, entry = excluded.entry`,
    [at, run],
  );
  await addMailFlowUsers(db);
  await db.exec(`
    DELETE FROM member WHERE grp IN ${ENDED} OR entry IN ${ENDED};
    DELETE FROM attribute WHERE entry IN ${ENDED};
    DELETE FROM address WHERE entry IN ${ENDED};
    INSERT INTO address SELECT e.kind, e.address, e.key, 1 FROM entry e WHERE e.key < 0
      AND NOT EXISTS (SELECT 1 FROM address a WHERE a.kind = e.kind AND a.address = e.address);
    DELETE FROM leaving WHERE object IN ${ENDED};
    DELETE FROM entry WHERE key IN ${ENDED};`);
}

/** Who is downgraded goes on as a user known from mail flow, with the primary address and the name. */
async function addMailFlowUsers(db: SqlConnection): Promise<void> {
  const added = await db.run(
    `INSERT INTO entry (key, kind, address, name, origin, enabled)
     SELECT -(k.value + row_number() OVER (ORDER BY l.object)), 'user', e.address, e.name, 'mail-flow', 1
     FROM plan_leaving l CROSS JOIN entry e ON e.key = l.object CROSS JOIN meta k ON k.name = 'last_known'
     WHERE l.step = 'final' AND l.rule = 'downgrade'`,
  );
  await db.run(`UPDATE meta SET value = value + ?1 WHERE name = 'last_known'`, [added]);
}

/** Marks who is to leave, counts one more run for who is marked, takes the mark from who returned. */
export async function writeMarks({ db }: PlanContext): Promise<void> {
  await db.exec(`
    UPDATE entry SET enabled = 0 WHERE key IN (SELECT object FROM plan_leaving WHERE step = 'final' AND rule = 'disable');
    INSERT INTO leaving (object, why, since, runs, done)
      SELECT object, why, since, runs, CASE WHEN step = 'final' THEN 'disable' END FROM plan_leaving
      WHERE step IN ('mark', 'wait') OR (step = 'final' AND rule = 'disable')
      ON CONFLICT (object) DO UPDATE SET runs = excluded.runs, why = excluded.why, done = excluded.done;
    DELETE FROM leaving WHERE object IN (SELECT object FROM plan_leaving WHERE step = 'return');`);
  const [removed] = await db.query('SELECT 1 AS yes FROM removed LIMIT 1');
  if (!removed) return;
  await db.run(
    `DELETE FROM removed WHERE object IN (SELECT object FROM plan_person WHERE is_new = 1 AND reason IS NULL)
       OR object IN (SELECT object FROM plan_group WHERE is_new = 1) OR object IN (SELECT heir FROM heir)`,
  );
}

/**
 * Forgets for good what ended before `before`, with everything that its source said of it. Answers how many.
 * Should it be in the directory again one day, it comes as something new.
 */
export async function purgeRemoved(db: SqlConnection, before: Date): Promise<{ purged: number }> {
  return db.alone(async () => {
    await db.exec('CREATE TEMP TABLE IF NOT EXISTS purged (object INTEGER PRIMARY KEY); DELETE FROM purged');
    const purged = await db.run(
      `INSERT INTO purged SELECT r.object FROM removed r CROSS JOIN object o ON o.key = r.object
       WHERE r.at < ?1 AND o.present = 0`,
      [before.toISOString()],
    );
    await db.exec(`
      INSERT INTO object_ref SELECT m.object, 'id', o.id, NULL FROM object_member m CROSS JOIN object o ON o.key = m.member
        WHERE m.via = 0 AND m.member IN (SELECT object FROM purged) ON CONFLICT DO NOTHING;
      DELETE FROM object_member WHERE object IN (SELECT object FROM purged) OR member IN (SELECT object FROM purged);
      DELETE FROM object_ref WHERE object IN (SELECT object FROM purged);
      UPDATE object_ref SET member = NULL WHERE member IN (SELECT object FROM purged);
      DELETE FROM removed WHERE object IN (SELECT object FROM purged);
      DELETE FROM object WHERE key IN (SELECT object FROM purged);`);
    return { purged };
  });
}

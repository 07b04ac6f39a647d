/**
 * Applies a plan: exactly the rows that its tables hold, in an order in which no address ever has two owners. Runs inside
 * the transaction in which the plan was made.
 */
import type { SqlConnection } from './store/connection.js';
import { endLeavers, writeMarks } from './leavers.js';
import type { NewValues } from './plan/change-queries.js';
import type { PlanSummary } from './plan/changes.js';
import type { PlanContext } from './plan/context.js';

/** Persons of the account who get another primary address than they have. */
const MOVED = 'p.reason IS NULL AND p.is_new = 0 AND p.clash IS NULL AND p.wanted <> p.held';
const NEW = 'p.is_new = 1 AND p.reason IS NULL';

/** Writes the plan into the account. */
export async function commitPlan(context: PlanContext, { values }: PlanSummary): Promise<void> {
  const { db } = context;
  await endLeavers(context);
  await releaseAddresses(db);
  await db.filling(['entry', 'address', 'attribute', 'member'], async () => {
    await writePersons(context);
    await takeAddresses(db);
    await writeValues(db, values);
    await writeGroups(db);
  });
  await writeMarks(context);
  await db.analyze('entry', 'address', 'attribute', 'member');
  await db.run(`UPDATE meta SET value = value + 1 WHERE name = 'fence'`);
}

async function releaseAddresses(db: SqlConnection): Promise<void> {
  await db.exec(`
    DELETE FROM address WHERE (kind, address) IN (SELECT kind, address FROM plan_unlink);
    DELETE FROM address WHERE (kind, address) IN (SELECT p.kind, p.held FROM plan_person p WHERE ${MOVED});
    DELETE FROM address WHERE (kind, address) IN (
      SELECT a.kind, a.address FROM plan_person p
      CROSS JOIN address a ON a.kind = p.kind AND a.address = p.wanted AND a.entry = p.object WHERE ${MOVED});
    DELETE FROM address WHERE (kind, address) IN (
      SELECT e.kind, e.address FROM plan_absorb b CROSS JOIN entry e ON e.key = b.entry);
    DELETE FROM address WHERE is_primary = 0 AND entry IN (SELECT entry FROM plan_absorb);
    DELETE FROM attribute WHERE entry IN (SELECT entry FROM plan_absorb);
    DELETE FROM leaving WHERE object IN (SELECT entry FROM plan_absorb);
    UPDATE object SET open = 1 WHERE key IN (SELECT entry FROM plan_absorb);
    DELETE FROM entry WHERE key IN (SELECT entry FROM plan_absorb);`);
}

async function writePersons({ db }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO entry (key, kind, address, name, origin, enabled, dn, sid, id)
     SELECT p.object, p.kind, p.wanted, o.name, 'directory', p.enabled, o.dn, o.sid, o.id
     FROM plan_person p CROSS JOIN object o ON o.key = p.object WHERE ${NEW}`,
  );
  await db.run(
    `UPDATE entry SET address = n.address, name = n.name, dn = n.dn, sid = n.sid, id = n.id,
       enabled = n.enabled
     FROM (
       SELECT p.object, CASE WHEN p.clash IS NULL THEN p.wanted ELSE p.held END AS address, o.name, o.dn, o.sid, o.id, p.enabled
       FROM plan_touched t CROSS JOIN plan_person p ON p.object = t.object CROSS JOIN object o ON o.key = t.object
     ) n WHERE n.object = entry.key AND entry.key IN (SELECT object FROM plan_touched)`,
  );
  await db.run('UPDATE entry SET enabled = s.enabled FROM plan_state s WHERE s.object = entry.key');
}

async function takeAddresses(db: SqlConnection): Promise<void> {
  await db.exec(`
    INSERT INTO address SELECT p.kind, p.wanted, p.object, 1 FROM plan_person p WHERE (${NEW}) OR (${MOVED});
    INSERT INTO address SELECT w.kind, w.address, w.object, 0 FROM plan_alias w WHERE w.state IS NULL;`);
}

async function writeValues(db: SqlConnection, { rows }: NewValues): Promise<void> {
  await db.exec(`
    DELETE FROM attribute WHERE (entry, name) IN (SELECT object, name FROM plan_value WHERE before IS NOT NULL);
    INSERT INTO attribute SELECT object, name, shown, after FROM plan_value WHERE after IS NOT NULL;`);
  if (rows !== null) await db.run(`INSERT INTO attribute ${rows}`);
}

async function writeGroups(db: SqlConnection): Promise<void> {
  await db.exec(`
    INSERT INTO entry (key, kind, address, name, origin, enabled, dn, sid, scope, type, id)
      SELECT g.object, g.kind, o.address, o.name, 'directory', 1, o.dn, o.sid, o.scope, o.type, o.id
      FROM plan_group g CROSS JOIN object o ON o.key = g.object WHERE g.is_new = 1;
    UPDATE entry SET kind = n.kind, address = n.address, name = n.name, dn = n.dn, sid = n.sid, scope = n.scope, type = n.type
      FROM (SELECT o.* FROM plan_touched t CROSS JOIN plan_group g ON g.object = t.object
        CROSS JOIN object o ON o.key = t.object) n WHERE n.key = entry.key AND entry.key IN (SELECT object FROM plan_touched);
    DELETE FROM member WHERE (grp, entry) IN (SELECT grp, entry FROM plan_member WHERE added = 0);
    DELETE FROM member WHERE entry IN (SELECT entry FROM plan_absorb WHERE entry > 0);
    INSERT INTO member SELECT grp, entry FROM plan_member WHERE added = 1;`);
}

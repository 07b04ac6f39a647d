/** Who is to be in the groups. Members are brought to exactly what was read, where a group was read whole. */
import { type PlanContext, flag } from './context.js';
import { ENDED } from './leaving.js';
import { isListed } from './protect.js';
import type { SqlConnection } from '../store/connection.js';

/** Entries that this plan takes out of every group. */
const GONE = `(SELECT object FROM ${ENDED} e UNION SELECT entry FROM plan_absorb WHERE entry > 0)`;

/** Fills `plan_member`. */
export async function planMembers(context: PlanContext): Promise<void> {
  await chooseGroups(context);
  const { db, complete } = context;
  const [twins] = await db.query('SELECT 1 AS yes FROM plan_twin LIMIT 1');
  // A member, or the person that a twin is of; that may be one person twice.
  const [distinct, person, twin] = twins
    ? ['DISTINCT', 'coalesce(t.person, r.member)', 'LEFT JOIN plan_twin t ON t.object = r.member']
    : ['', 'r.member', ''];
  await db.run(
    `INSERT INTO plan_member (grp, entry, added, id)
     SELECT ${distinct} g.object, ${person}, 1, p.id FROM plan_group g CROSS JOIN object_member r ON r.object = g.object
     ${twin} LEFT JOIN plan_person p ON p.object = ${person}
     WHERE g.compare = 1 AND ((p.is_new = 1 AND p.reason IS NULL)
         OR EXISTS (SELECT 1 FROM entry e WHERE e.key = ${person})
         OR EXISTS (SELECT 1 FROM plan_group n WHERE n.object = r.member AND n.is_new = 1))
       AND (g.is_new = 1 OR NOT EXISTS (SELECT 1 FROM member m WHERE m.grp = g.object AND m.entry = ${person}))
       AND ${person} NOT IN (SELECT entry FROM plan_absorb)
       AND (r.via = 0 OR NOT EXISTS (
         SELECT 1 FROM object_member z WHERE z.object = r.object AND z.member = r.member AND z.via < r.via))`,
  );
  if (!complete) return;
  // Looked for one by one: PostgreSQL would go through all that a group had for each of its members.
  const byTwin = `AND NOT EXISTS (SELECT 1 FROM plan_twin t WHERE t.person = m.entry
    AND (SELECT 1 FROM object_member r WHERE r.object = m.grp AND r.member = t.object LIMIT 1) = 1)`;
  await db.run(
    `INSERT INTO plan_member (grp, entry, added) SELECT m.grp, m.entry, 0 FROM plan_group g CROSS JOIN member m ON m.grp = g.object
     WHERE g.compare = 1
       AND NOT EXISTS (SELECT 1 FROM object_member r WHERE r.object = m.grp AND r.member = m.entry) ${twins ? byTwin : ''}`,
  );
  await endMemberships(context);
  await keepProtected(context);
}

/** Who ends, or is replaced by another, is in no group any more; a group that ends is told of as a whole. */
async function endMemberships({ db }: PlanContext): Promise<void> {
  const [some] = await db.query(`SELECT 1 AS yes FROM ${GONE} e LIMIT 1`);
  if (!some) return;
  await db.run(`DELETE FROM plan_member WHERE entry IN ${GONE}`);
  await db.run(
    `INSERT INTO plan_member (grp, entry, added) SELECT m.grp, m.entry, 0 FROM member m WHERE m.entry IN ${GONE}`,
  );
  await db.run(`DELETE FROM plan_member WHERE grp IN ${ENDED}`);
}

/** A protected group that would lose its last member keeps those it has. */
async function keepProtected({ db, rules }: PlanContext): Promise<void> {
  if (rules.protect.length === 0) return;
  const known = { address: 'e.address', id: 'o.id', name: 'e.name' };
  await db.run(
    `DELETE FROM plan_member WHERE added = 0 AND entry NOT IN ${GONE} AND grp IN (
       SELECT f.grp FROM (SELECT p.grp, count(*) AS removed, max(p.added) AS added FROM plan_member p GROUP BY p.grp) f
       CROSS JOIN entry e ON e.key = f.grp CROSS JOIN object o ON o.key = f.grp
       WHERE f.added = 0 AND ${isListed('protect', known)} AND f.removed = (SELECT count(*) FROM member m WHERE m.grp = f.grp))`,
  );
}

/** Groups to compare: all, or those that are new, that changed or are back, or in which somebody is who is new to the account. */
async function chooseGroups({ db, settled }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_group SET compare = 1 WHERE whole = 1 AND (known = 1 OR is_new = 1) AND (
       ?1 = 1 OR is_new = 1 OR object IN (SELECT object FROM seen_group) OR object IN (SELECT object FROM dirty)
       OR object IN (SELECT object FROM moved_group))`,
    [flag(!settled)],
  );
  if (settled) await chooseGroupsOfNewcomers(db);
  await db.analyze('plan_group');
}

async function chooseGroupsOfNewcomers(db: SqlConnection): Promise<void> {
  const newcomers = await db.run(
    `INSERT INTO plan_newcomer SELECT object FROM plan_person WHERE is_new = 1 AND reason IS NULL
     UNION SELECT object FROM plan_group WHERE is_new = 1
     UNION SELECT t.object FROM plan_twin t CROSS JOIN plan_scope s ON s.object = t.object
     UNION SELECT t.object FROM plan_twin t CROSS JOIN plan_scope s ON s.object = t.person`,
  );
  // Only groups list members: whose groups somebody is in takes a look at every membership.
  if (newcomers === 0) return;
  await db.run(
    `UPDATE plan_group SET compare = 1 WHERE compare = 0 AND whole = 1 AND (known = 1 OR is_new = 1) AND object IN (
       SELECT r.object FROM object_member r WHERE r.member IN (SELECT object FROM plan_newcomer))`,
  );
}

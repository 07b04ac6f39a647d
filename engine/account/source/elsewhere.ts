/**
 * Members whom the group's own source does not bring, but another source of the account: people of another forest, who stand in the
 * group under their SID, or under the id by which enrich found them there. Looked for anew in each run, because what another
 * source has under a SID may be somebody else tomorrow: the reference stays open, for the own source to fill.
 */
import type { SqlConnection } from '../store/connection.js';

/** Kept in `object_member.via`: found in another source. */
const VIA = 2;
const TABLES = `
CREATE TEMP TABLE IF NOT EXISTS elsewhere (object INTEGER NOT NULL, member INTEGER NOT NULL, PRIMARY KEY (object, member)) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS elsewhere_group (object INTEGER PRIMARY KEY);
DELETE FROM elsewhere; DELETE FROM elsewhere_group;
`;
/** The object of any other source: one that is there, else the one known longest. */
const firstOf = (column: 'id' | 'sid') =>
  `(SELECT o.key FROM source s CROSS JOIN object o ON o.source = s.key AND o.${column} = r.ref
     WHERE s.key <> ?1 AND o.kind <> 'members' ORDER BY o.present DESC, o.key LIMIT 1)`;
/** Somebody, or the person with the mailbox that is linked to them, came into the account since, in a run of their own source. */
const NOT_YET_IN = (group: string, member: string) =>
  `EXISTS (SELECT 1 FROM entry n WHERE (n.key = ${member} OR n.key IN (
       SELECT m.key FROM object x CROSS JOIN object m ON m.master_sid = x.sid WHERE x.key = ${member}))
     AND NOT EXISTS (SELECT 1 FROM member w WHERE w.grp = ${group} AND w.entry = n.key))`;
const WAITING = 'object_ref r CROSS JOIN object g ON g.key = r.object AND g.source = ?1';

/** Call it when the run's own members are taken in; groups whose members changed by it are added to `moved_group`. */
export async function findElsewhere(db: SqlConnection, source: number): Promise<void> {
  const [another] = await db.query('SELECT 1 AS yes FROM source WHERE key <> ?1 LIMIT 1', [source]);
  if (!another) return;
  await db.exec(TABLES);
  await db.run(
    `INSERT INTO elsewhere SELECT f.object, f.member FROM (
       SELECT r.object, CASE r.how WHEN 'sid' THEN ${firstOf('sid')} ELSE ${firstOf('id')} END AS member
       FROM ${WAITING} WHERE r.member IS NULL AND r.how IN ('id', 'sid')
     ) f WHERE f.member IS NOT NULL ON CONFLICT DO NOTHING`,
    [source],
  );
  // Groups that may have such members from before.
  await db.run(
    `INSERT INTO elsewhere_group SELECT r.object FROM ${WAITING} WHERE r.member IS NULL
     UNION SELECT object FROM seen_group UNION SELECT object FROM moved_group`,
    [source],
  );
  await db.exec(`
    INSERT INTO moved_group SELECT m.object FROM elsewhere_group g CROSS JOIN object_member m ON m.object = g.object AND m.via = ${VIA}
      WHERE NOT EXISTS (SELECT 1 FROM elsewhere e WHERE e.object = m.object AND e.member = m.member) ON CONFLICT DO NOTHING;
    INSERT INTO moved_group SELECT e.object FROM elsewhere e
      WHERE NOT EXISTS (SELECT 1 FROM object_member m WHERE m.object = e.object AND m.member = e.member AND m.via = ${VIA})
      ON CONFLICT DO NOTHING;
    INSERT INTO moved_group SELECT e.object FROM elsewhere e WHERE ${NOT_YET_IN('e.object', 'e.member')} ON CONFLICT DO NOTHING;
    DELETE FROM object_member WHERE via = ${VIA} AND object IN (SELECT object FROM elsewhere_group)
      AND (object, member) NOT IN (SELECT object, member FROM elsewhere);
    INSERT INTO object_member SELECT object, member, ${VIA} FROM elsewhere WHERE true ON CONFLICT DO NOTHING;`);
}

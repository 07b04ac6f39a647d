/** What a source says of the members of its groups. A group is whole when all its parts arrived and none is held. */
import { dnKey } from '../../model/dn.js';
import { type SqlConnection, integer, text } from '../store/connection.js';
import { stagedRange } from '../staging.js';

const TABLES = `
CREATE TEMP TABLE IF NOT EXISTS seen_part (
  object INTEGER NOT NULL, part INTEGER NOT NULL, staged INTEGER NOT NULL, PRIMARY KEY (object, part)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS seen_group (object INTEGER PRIMARY KEY, digest TEXT NOT NULL, members TEXT NOT NULL);
DELETE FROM seen_part; DELETE FROM seen_group;
`;
const PAGE = 5_000;

/** Takes in the members records of a run. Answers for how many groups they say something new. */
export async function takeInMembers(db: SqlConnection, { run, source }: { run: number; source: number }) {
  await db.exec(TABLES);
  const { first, last } = stagedRange(run);
  await db.run(
    `INSERT INTO seen_part SELECT o.key, s.part, s.key FROM staged s CROSS JOIN object o ON o.source = ?1 AND o.id = s.id
     WHERE s.key BETWEEN ?2 AND ?3 AND s.kind = 'members'
     ON CONFLICT (object, part) DO UPDATE SET staged = excluded.staged WHERE excluded.staged > seen_part.staged`,
    [source, first, last],
  );
  const groups = await db.run(
    `INSERT INTO seen_group SELECT heard.object, heard.digest, heard.members FROM (
       SELECT p.object, group_concat(s.digest, ',' ORDER BY p.part) AS digest,
         CASE WHEN max(s.held) = 0 AND min(s.parts) = max(s.parts) AND count(*) = max(s.parts) THEN 'whole' ELSE 'held' END
           AS members
       FROM seen_part p CROSS JOIN staged s ON s.key = p.staged GROUP BY p.object
     ) heard JOIN object o ON o.key = heard.object
     WHERE o.member_digest IS DISTINCT FROM heard.digest OR o.members IS DISTINCT FROM heard.members`,
  );
  if (groups > 0) await replaceMembers(db, source);
  return groups;
}

/** A held group keeps the members that were heard of when it was last whole. */
async function replaceMembers(db: SqlConnection, source: number): Promise<void> {
  await db.run(
    `UPDATE object SET member_digest = g.digest, members = g.members FROM seen_group g WHERE object.key = g.object`,
  );
  await db.exec(`DELETE FROM object_member WHERE object IN (SELECT object FROM seen_group WHERE members = 'whole')`);
  await addByIdOrSid(db, source);
  if (await someByName(db)) {
    await fillNameKeys(db, source);
    await addByName(db, source);
  }
}

/**
 * Members by the best that is known of them: the id of an object of this source, else the SID of one (a member of another
 * domain stands in the group under an id of its own), else the id as it is, for when its object comes later.
 */
async function addByIdOrSid(db: SqlConnection, source: number): Promise<void> {
  await db.run(
    `INSERT INTO object_member
     SELECT object, how, CASE how WHEN 'id' THEN id ELSE sid END, coalesce(byid, bysid) FROM (
       SELECT g.object, m.value ->> 'id' AS id, m.value ->> 'sid' AS sid, byid.key AS byid, bysid.key AS bysid,
         CASE WHEN m.value ->> 'id' IS NULL OR (byid.key IS NULL AND bysid.key IS NOT NULL) THEN 'sid' ELSE 'id' END AS how
       FROM seen_group g CROSS JOIN seen_part p ON p.object = g.object CROSS JOIN staged s ON s.key = p.staged
       CROSS JOIN json_each(s.record, '$.add') m
       LEFT JOIN object byid ON byid.source = ?1 AND byid.id = m.value ->> 'id'
       LEFT JOIN object bysid ON byid.key IS NULL AND bysid.source = ?1 AND bysid.sid = m.value ->> 'sid'
       WHERE g.members = 'whole'
     ) WHERE id IS NOT NULL OR sid IS NOT NULL
     ON CONFLICT DO NOTHING`,
    [source],
  );
}

/** Does any group name a member that has neither id nor SID? */
async function someByName(db: SqlConnection): Promise<boolean> {
  const [found] = await db.query(
    `SELECT 1 AS yes FROM seen_part p CROSS JOIN staged s ON s.key = p.staged CROSS JOIN json_each(s.record, '$.add') m
     WHERE m.value ->> 'id' IS NULL AND m.value ->> 'sid' IS NULL LIMIT 1`,
  );
  return found !== undefined;
}

/** Members of whom only the distinguished name is known (directories without extended DNs). */
async function addByName(db: SqlConnection, source: number): Promise<void> {
  const parts = await db.query(
    `SELECT p.object, p.staged FROM seen_group g JOIN seen_part p ON p.object = g.object WHERE g.members = 'whole'`,
  );
  for (const part of parts) {
    const named = await db.query(
      `SELECT m.value ->> 'dn' AS dn FROM staged s, json_each(s.record, '$.add') m WHERE s.key = ?1
         AND m.value ->> 'id' IS NULL AND m.value ->> 'sid' IS NULL AND m.value ->> 'dn' IS NOT NULL`,
      [integer(part, 'staged')],
    );
    const group = integer(part, 'object');
    await db.runEach(
      `INSERT INTO object_member VALUES (?1, 'dn', ?2, (SELECT min(key) FROM object WHERE source = ?3 AND dn_key = ?2))
       ON CONFLICT DO NOTHING`,
      named.map((row) => [group, dnKey(text(row, 'dn')), source]),
    );
  }
}

/**
 * Objects that changed may be members that groups wait for, and those that were found by SID or name may be others now.
 * Call it before the groups' own changes are taken in.
 */
export async function findMembers(db: SqlConnection, source: number): Promise<void> {
  await db.run(`UPDATE object_member SET member = NULL WHERE how <> 'id' AND member IN (SELECT object FROM dirty)`);
  const [waiting] = await db.query('SELECT 1 AS yes FROM object_member WHERE member IS NULL LIMIT 1');
  if (!waiting) return;
  await fillNameKeys(db, source);
  for (const [how, column] of Object.entries({ id: 'id', sid: 'sid', dn: 'dn_key' })) {
    await db.run(
      `UPDATE object_member SET member = f.key FROM (
         SELECT r.object, r.ref, min(o.key) AS key FROM dirty d CROSS JOIN object o ON o.key = d.object
         CROSS JOIN object_member r ON r.ref = o.${column} AND r.member IS NULL AND r.how = '${how}'
         CROSS JOIN object g ON g.key = r.object AND g.source = o.source
         GROUP BY r.object, r.ref
       ) f WHERE object_member.object = f.object AND object_member.how = '${how}' AND object_member.ref = f.ref`,
    );
  }
}

/** Canonical names are made only where some group needs them to find its members. */
async function fillNameKeys(db: SqlConnection, source: number): Promise<void> {
  for (let after = 0; ;) {
    const page = await db.query(
      `SELECT key, dn FROM object WHERE source = ?1 AND key > ?2 AND dn IS NOT NULL AND dn_key IS NULL ORDER BY key LIMIT ?3`,
      [source, after, PAGE],
    );
    await db.runEach(
      'UPDATE object SET dn_key = ?2 WHERE key = ?1',
      page.map((row) => [integer(row, 'key'), dnKey(text(row, 'dn'))]),
    );
    const last = page.at(-1);
    if (!last) return;
    after = integer(last, 'key');
  }
}

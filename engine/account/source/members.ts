/**
 * What a source says of the members of its groups. A group is whole when all its parts arrived, from 1 to the largest `parts`
 * that was said, and none is held: enrich sends parts at the end of a run, for members by primary group, and says before that they
 * follow.
 */
import { type SqlConnection, integer, text } from '../store/connection.js';
import { stagedRange } from '../store/staged-keys.js';
import { nameKey } from '../texts.js';

/**
 * The parts that a run brought (`came_part`: by the id of the group; `seen_part`: by its object), the groups of which they say something new (`seen_group`), their
 * parts, if they are whole (`new_part`), with what they say of members who are not to be found by id (`part_left`; `unknown_id`: ids of which the source brought nobody, by their place), and
 * groups whose members are others although they say the same (`moved_group`). Beside them what is on its way between the
 * store and here: canonical names, and who gives way to whom.
 */
const TABLES = `
CREATE TEMP TABLE IF NOT EXISTS came_part (
  id TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, held INTEGER NOT NULL, digest TEXT NOT NULL, staged INTEGER NOT NULL
);
CREATE TEMP TABLE IF NOT EXISTS seen_part (
  object INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, held INTEGER NOT NULL, digest TEXT NOT NULL,
  staged INTEGER NOT NULL, PRIMARY KEY (object, part)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS seen_group (object INTEGER PRIMARY KEY, digest TEXT NOT NULL, members TEXT NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS new_part (
  object INTEGER NOT NULL, staged INTEGER NOT NULL, ids TEXT NOT NULL, listed INTEGER NOT NULL, others INTEGER NOT NULL
);
CREATE TEMP TABLE IF NOT EXISTS part_left (object INTEGER NOT NULL, staged INTEGER NOT NULL, ids TEXT NOT NULL, record JSONTEXT NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS unknown_id (object INTEGER NOT NULL, staged INTEGER NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS moved_group (object INTEGER PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS name_key (object INTEGER PRIMARY KEY, dn_key TEXT NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS given_way (
  object INTEGER NOT NULL, how TEXT NOT NULL, ref TEXT NOT NULL, absent INTEGER NOT NULL, present INTEGER NOT NULL
);
DELETE FROM came_part; DELETE FROM seen_part; DELETE FROM seen_group; DELETE FROM new_part; DELETE FROM part_left; DELETE FROM unknown_id; DELETE FROM moved_group; DELETE FROM name_key;
DELETE FROM given_way;
`;
const PAGE = 5_000;
/**
 * The object of source ?1 that has this SID or name: one that is there, else the one known longest. The plus keeps SQLite from
 * walking the index by `present`, with every object of the source in it.
 */
const firstOf = (alias: string, column: 'sid' | 'dn_key', value: string) =>
  `(SELECT ${alias}.key FROM object ${alias} WHERE ${alias}.source = ?1 AND ${alias}.${column} = ${value}
     ORDER BY +${alias}.present DESC, ${alias}.key LIMIT 1)`;
/** Those that changed and can be found by what they say now. Who is set aside says nothing. */
const SPEAKING = `dirty d CROSS JOIN object s ON s.key = d.object AND s.kind <> 'quarantined'`;

/** Makes the temporary tables that what follows needs, empty. */
export async function clearMembers(db: SqlConnection): Promise<void> {
  await db.exec(TABLES);
}

/** Takes in the members records of a run. */
export async function takeInMembers(
  db: SqlConnection,
  { run, source }: { run: number; source: number },
): Promise<void> {
  const { first, last } = stagedRange(run);
  await db.run(
    `INSERT INTO came_part SELECT s.id, s.part, s.parts, s.held, s.digest, s.key FROM staged s
     WHERE s.key BETWEEN ?1 AND ?2 AND s.kind <> 'user' AND s.kind = 'members' ORDER BY s.key`,
    [first, last],
  );
  await db.analyze('came_part');
  await db.run(
    `INSERT INTO object (source, id, kind, digest, present)
     SELECT ?1, c.id, 'members', '', 0 FROM came_part c
     WHERE NOT EXISTS (SELECT 1 FROM object o WHERE o.source = ?1 AND o.id = c.id)
     ORDER BY c.staged ON CONFLICT DO NOTHING`,
    [source],
  );
  await db.run(
    `INSERT INTO seen_part SELECT o.key, c.part, c.parts, c.held, c.digest, c.staged
     FROM came_part c CROSS JOIN object o ON o.source = ?1 AND o.id = c.id ORDER BY c.staged DESC ON CONFLICT DO NOTHING`,
    [source],
  );
  const groups = await db.run(
    `INSERT INTO seen_group SELECT heard.object, heard.digest, heard.members FROM (
       SELECT p.object, group_concat(p.digest, ',' ORDER BY p.part) AS digest,
         CASE WHEN max(p.held) = 0 AND count(*) = max(p.parts) AND count(*) = max(p.part) THEN 'whole' ELSE 'held' END
           AS members
       FROM seen_part p GROUP BY p.object
     ) heard JOIN object o ON o.key = heard.object
     WHERE o.member_digest IS DISTINCT FROM heard.digest OR o.members IS DISTINCT FROM heard.members`,
  );
  await db.analyze('seen_part', 'seen_group');
  if (groups > 0) await replaceMembers(db, source);
}

/** A held group keeps the members that were heard of when it was last whole. */
async function replaceMembers(db: SqlConnection, source: number): Promise<void> {
  await db.run(
    `UPDATE object SET member_digest = g.digest, members = g.members FROM seen_group g WHERE object.key = g.object`,
  );
  await db.exec(`
    DELETE FROM object_member WHERE object IN (SELECT object FROM seen_group WHERE members = 'whole');
    DELETE FROM object_ref WHERE object IN (SELECT object FROM seen_group WHERE members = 'whole');`);
  const { join, ids, listed, others } = db.listOf('p.staged');
  await db.run(
    `INSERT INTO new_part SELECT g.object, p.staged, ${ids}, ${listed}, ${others}
     FROM seen_group g CROSS JOIN seen_part p ON p.object = g.object ${join} WHERE g.members = 'whole'`,
  );
  await db.analyze('new_part');
  const left = await addById(db, source);
  if (left) await addLeft(db, source);
  await db.analyze('object_member', 'object_ref');
}

/** Members by id, as far as this source brought an object for them. Answers whether any are left. */
async function addById(db: SqlConnection, source: number): Promise<boolean> {
  // A part lists nobody twice; several may list somebody each. A key that is there finds that by itself.
  const [several] = await db.query(
    'SELECT 1 AS yes FROM seen_group g CROSS JOIN seen_part p ON p.object = g.object AND p.part > 1 LIMIT 1',
  );
  const [distinct, behind] = db.ordersByKey
    ? ['', 'ON CONFLICT DO NOTHING']
    : [several ? 'DISTINCT' : '', 'ORDER BY 1, 2'];
  const found = await db.filling(['object_member'], () =>
    db.run(
      `INSERT INTO object_member SELECT ${distinct} g.object, o.key, 0
       FROM new_part g CROSS JOIN json_each(g.ids) m ON true
       CROSS JOIN object o ON o.source = ?1 AND o.id = m.value WHERE true ${behind}`,
      [source],
    ),
  );
  const [all] = await db.query('SELECT coalesce(sum(listed + others), 0) AS count FROM new_part');
  return found !== integer(all, 'count');
}

/** Members of the parts in which some are not found by id. */
async function addLeft(db: SqlConnection, source: number): Promise<void> {
  const { join, value } = db.recordOf('g.staged');
  await db.run(
    `INSERT INTO part_left SELECT g.object, g.staged, g.ids, CAST(${value} AS JSONTEXT) FROM new_part g ${join}
     WHERE g.others > 0 OR g.object IN (
       SELECT p.object FROM new_part p GROUP BY p.object
       HAVING sum(p.listed) > (SELECT count(*) FROM object_member m WHERE m.object = p.object AND m.via = 0))`,
  );
  await db.analyze('part_left');
  await addUnknownIds(db, source);
  await addBySid(db, source);
  await addByName(db, source);
  await db.run(
    `INSERT INTO object_member SELECT r.object, r.member, CASE r.how WHEN 'id' THEN 0 ELSE 1 END
     FROM seen_group g CROSS JOIN object_ref r ON r.object = g.object
     WHERE g.members = 'whole' AND r.member IS NOT NULL ON CONFLICT DO NOTHING`,
  );
}

/**
 * Who was listed by an id that this source brought no object for may be another's under its SID (a member of another domain
 * stands in the group under an id of its own); else the id is kept, for when its object comes later.
 */
async function addUnknownIds(db: SqlConnection, source: number): Promise<void> {
  await db.run(
    `INSERT INTO unknown_id SELECT g.object, g.staged, CAST(m.key AS INTEGER), m.value
     FROM part_left g CROSS JOIN json_each(g.ids) m ON true
     WHERE NOT EXISTS (SELECT 1 FROM object o WHERE o.source = ?1 AND o.id = m.value)`,
    [source],
  );
  await db.analyze('unknown_id');
  // The SIDs of a part as one list: to look for each by its place takes the whole record into the hand each time.
  await db.run(
    `INSERT INTO object_ref
     SELECT u.object, CASE WHEN b.key IS NULL THEN 'id' ELSE 'sid' END, CASE WHEN b.key IS NULL THEN u.id ELSE u.sid END, b.key
     FROM (
       SELECT n.object, n.id, z.sid FROM unknown_id n LEFT JOIN (
         SELECT g.staged, CAST(m.key AS INTEGER) AS place, m.value AS sid
         FROM part_left g CROSS JOIN json_each(g.record, '$.sidsOfIds') m ON true
         WHERE m.value IS NOT NULL AND g.staged IN (SELECT staged FROM unknown_id)
       ) z ON z.staged = n.staged AND z.place = n.place
     ) u LEFT JOIN object b ON b.key = ${firstOf('b', 'sid', 'u.sid')}
     WHERE true ON CONFLICT DO NOTHING`,
    [source],
  );
}

async function addBySid(db: SqlConnection, source: number): Promise<void> {
  await db.run(
    `INSERT INTO object_ref
     SELECT g.object, 'sid', m.value, ${firstOf('o', 'sid', 'm.value')}
     FROM part_left g CROSS JOIN json_each(g.record, '$.sids') m ON true WHERE true ON CONFLICT DO NOTHING`,
    [source],
  );
}

/** Members of whom only the distinguished name is known (directories without extended DNs). */
async function addByName(db: SqlConnection, source: number): Promise<void> {
  const [named] = await db.query(
    `SELECT 1 AS yes FROM part_left g WHERE json_array_length(g.record, '$.names') > 0 LIMIT 1`,
  );
  if (!named) return;
  await fillNameKeys(db, source);
  await db.run(
    `INSERT INTO object_ref SELECT g.object, 'dn', m.value, ${firstOf('o', 'dn_key', 'm.value')}
     FROM part_left g CROSS JOIN json_each(g.record, '$.names') m ON true WHERE true ON CONFLICT DO NOTHING`,
    [source],
  );
}

/**
 * Objects that changed may be members that groups wait for, and those that were found by SID or name may be others now.
 * Call it before the groups' own changes are taken in.
 */
export async function findMembers(db: SqlConnection, source: number): Promise<void> {
  const [any] = await db.query('SELECT 1 AS yes FROM object_ref LIMIT 1');
  if (!any) return;
  await db.exec(`
    INSERT INTO moved_group SELECT DISTINCT r.object FROM ${SPEAKING} CROSS JOIN object_ref r ON r.member = d.object AND r.how <> 'id'
      WHERE true ON CONFLICT DO NOTHING;
    DELETE FROM object_member WHERE via = 1 AND (object, member) IN (
      SELECT r.object, r.member FROM ${SPEAKING} CROSS JOIN object_ref r ON r.member = d.object AND r.how <> 'id');
    UPDATE object_ref SET member = NULL WHERE how <> 'id' AND member IN (SELECT d.object FROM ${SPEAKING});`);
  const [waiting] = await db.query('SELECT 1 AS yes FROM object_ref WHERE member IS NULL LIMIT 1');
  if (!waiting) return;
  const [named] = await db.query(`SELECT 1 AS yes FROM object_ref WHERE how = 'dn' LIMIT 1`);
  if (named) await fillNameKeys(db, source);
  for (const [how, column] of Object.entries({ id: 'id', sid: 'sid', dn: 'dn_key' })) {
    const found = await db.run(
      `UPDATE object_ref SET member = f.key FROM (
         SELECT r.object, r.ref, min(o.key) AS key FROM dirty d CROSS JOIN object o ON o.key = d.object
         CROSS JOIN object_ref r ON r.ref = o.${column} AND r.member IS NULL AND r.how = '${how}'
         CROSS JOIN object g ON g.key = r.object AND g.source = o.source
         GROUP BY r.object, r.ref
       ) f WHERE object_ref.object = f.object AND object_ref.how = '${how}' AND object_ref.ref = f.ref`,
    );
    if (found > 0) await addFound(db, how);
  }
}

async function addFound(db: SqlConnection, how: string): Promise<void> {
  await db.run(
    `INSERT INTO object_member SELECT r.object, r.member, CASE r.how WHEN 'id' THEN 0 ELSE 1 END
     FROM dirty d CROSS JOIN object_ref r ON r.member = d.object WHERE r.how = ?1 ON CONFLICT DO NOTHING`,
    [how],
  );
  await db.run(
    `INSERT INTO moved_group SELECT DISTINCT r.object FROM dirty d CROSS JOIN object_ref r ON r.member = d.object
     WHERE r.how = ?1 ON CONFLICT DO NOTHING`,
    [how],
  );
}

/** Who was found by SID or name, and is absent, gives way to somebody who is there and has that SID or name now. */
export async function replaceAbsentMembers(db: SqlConnection, source: number): Promise<void> {
  const absent = `object a CROSS JOIN object_ref r ON r.member = a.key AND r.how <> 'id' WHERE a.source = ?1 AND a.present = 0`;
  const [named] = await db.query(`SELECT 1 AS yes FROM ${absent} AND r.how = 'dn' LIMIT 1`, [source]);
  if (named) await fillNameKeys(db, source);
  const found = await db.run(
    `INSERT INTO given_way SELECT f.object, f.how, f.ref, f.absent, f.present FROM (
       SELECT r.object, r.how, r.ref, a.key AS absent,
         CASE r.how WHEN 'sid' THEN ${firstOf('n', 'sid', 'r.ref')} ELSE ${firstOf('n', 'dn_key', 'r.ref')} END AS present
       FROM ${absent}
     ) f WHERE EXISTS (SELECT 1 FROM object n WHERE n.key = f.present AND n.present = 1)`,
    [source],
  );
  if (found === 0) return;
  await db.exec(`
    UPDATE object_ref SET member = w.present FROM given_way w
      WHERE object_ref.object = w.object AND object_ref.how = w.how AND object_ref.ref = w.ref;
    DELETE FROM object_member WHERE via = 1 AND (object, member) IN (SELECT object, absent FROM given_way);
    INSERT INTO object_member SELECT object, present, 1 FROM given_way WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO moved_group SELECT object FROM given_way WHERE true ON CONFLICT DO NOTHING;`);
}

/** Canonical names are made only where some group needs them to find its members. */
export async function fillNameKeys(db: SqlConnection, source: number): Promise<void> {
  for (let after = 0; ;) {
    const page = await db.query(
      `SELECT key, dn FROM object WHERE +source = ?1 AND key > ?2 AND dn IS NOT NULL AND dn_key IS NULL ORDER BY key LIMIT ?3`,
      [source, after, PAGE],
    );
    const last = page.at(-1);
    if (!last) return;
    await db.fill(
      'name_key',
      page.map((row) => [integer(row, 'key'), nameKey(text(row, 'dn'))]),
    );
    await db.exec(
      `UPDATE object SET dn_key = n.dn_key FROM name_key n WHERE n.object = object.key; DELETE FROM name_key`,
    );
    after = integer(last, 'key');
  }
}

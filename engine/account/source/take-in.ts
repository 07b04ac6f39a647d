/**
 * Brings what the store knows of a source up to what a run said. Records are compared by digest first, so that a run that
 * says what the last one said costs little more than its reading.
 */
import type { RecordCounts } from '../../model/records.js';
import { type SqlConnection, type StagedRange, integer, text } from '../store/connection.js';
import { RECORD_FIELDS, type RecordField } from '../store/record-fields.js';
import { BATCH_ROOM, firstKey, stagedRange } from '../store/staged-keys.js';
import { nameKey } from '../texts.js';
import { findElsewhere } from './elsewhere.js';
import { openChangedTwins, openLeftTwins } from './former-twins.js';
import { clearMembers, fillNameKeys, findMembers, replaceAbsentMembers, takeInMembers } from './members.js';

/**
 * Which run to take in. `complete`: if not, a field that it does not bring is not empty. `whole`: a full run that is
 * complete, so that what it did not bring is absent.
 */
export interface TakeIn {
  readonly run: number;
  /** What was staged of it. */
  readonly records: RecordCounts;
  readonly source: number;
  readonly complete: boolean;
  readonly whole: boolean;
}

/**
 * What a run brought (`seen`; `differs`: not as it was, or back again; `first`: of a new one, the first record with its id),
 * what of that is new or differs (`dirty`), how far behind the key of its first record the objects of a batch are likely to be (`batch_shift`), and objects whose names those set aside without an id have (`vouched`;
 * `vouching`: those names).
 */
const tablesWith = (key: string) => `
CREATE TEMP TABLE IF NOT EXISTS seen (object INTEGER ${key}, staged INTEGER NOT NULL, differs INTEGER NOT NULL, first INTEGER);
CREATE TEMP TABLE IF NOT EXISTS dirty (object INTEGER ${key}, staged INTEGER NOT NULL, differs INTEGER NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS batch_shift (first INTEGER PRIMARY KEY, shift INTEGER);
CREATE TEMP TABLE IF NOT EXISTS vouched (object INTEGER PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS vouching (dn_key TEXT NOT NULL);
DELETE FROM seen; DELETE FROM dirty; DELETE FROM batch_shift; DELETE FROM vouched; DELETE FROM vouching;
`;

/** Fields that a run which is not complete may not empty. What else it may not take the plan keeps. */
const KEPT: readonly RecordField[] = ['sid', 'name', 'address', 'scope', 'type', 'master_sid'];

/** Takes in a run's staged records. Call it inside the transaction that applies the run. */
export async function takeIn(db: SqlConnection, what: TakeIn): Promise<void> {
  await clearTakenIn(db);
  await noteSeen(db, what);
  const dirty = await db.run(
    'INSERT INTO dirty SELECT object, staged, differs FROM seen WHERE differs = 1 OR first IS NOT NULL',
  );
  await db.analyze('dirty');
  if (dirty > 0) {
    await openChangedTwins(db);
    await updateObjects(db, what);
    await findMembers(db, what.source);
  }
  if (what.records.members > 0) await takeInMembers(db, what);
  if (what.whole) {
    await vouchByName(db, what);
    await openLeftTwins(db, what.source);
    await markAbsent(db, what.source);
  }
  await replaceAbsentMembers(db, what.source);
  await findElsewhere(db, what.source);
}

/** Makes the temporary tables of what is taken in, empty: for a plan without a run. */
export async function clearTakenIn(db: SqlConnection): Promise<void> {
  await db.exec(tablesWith(db.ordersByKey ? 'PRIMARY KEY' : 'NOT NULL'));
  await clearMembers(db);
}

/** Notes all that the run brought, and adds what is new; where the run brought an object twice, the later record counts. */
async function noteSeen(db: SqlConnection, { run, source, records }: TakeIn): Promise<void> {
  const { first, last } = stagedRange(run);
  const [any] = await db.query('SELECT 1 AS yes FROM object WHERE source = ?1 LIMIT 1', [source]);
  const known = any ? await noteKnown(db, run, source) : 0;
  const staged = Object.values(records).reduce((sum, count) => sum + count, 0) - records.members;
  await db.analyze('seen');
  if (known === staged) return;
  const news = { source, first, last, known: known > 0 };
  if (known > 0 || !db.ordersByKey || !(await addEach(db, news))) await addObjects(db, news);
  await db.analyze('object', 'seen');
}

/** Notes records of objects that are known; answers how many. */
async function noteKnown(db: SqlConnection, run: number, source: number): Promise<number> {
  if (!db.ordersByKey) {
    const { first, last } = stagedRange(run);
    const known = await db.run(
      `INSERT INTO seen SELECT o.key, s.key, CASE WHEN o.digest <> s.digest OR o.kind <> s.kind OR o.present = 0 THEN 1 ELSE 0 END, NULL
       FROM staged s CROSS JOIN object o ON o.source = ?1 AND o.id = s.id
       WHERE s.key BETWEEN ?2 AND ?3 AND s.kind <> 'members'`,
      [source, first, last],
    );
    await keepLast(db, known);
    return known;
  }
  // Most come as they came when they were new: the first of a batch tells where the others are likely to be, which is seen sooner than
  // an id is found.
  await db.run(
    `INSERT INTO batch_shift SELECT b.first, (
       SELECT o.key FROM staged s CROSS JOIN object o ON o.source = ?1 AND o.id = s.id WHERE s.key = b.first
     ) - b.first FROM (SELECT ${firstKey('run', 'batch')} AS first FROM staged_batch WHERE run = ?2) b`,
    [source, run],
  );
  const known = (column: string) => `CASE WHEN k.key IS NULL THEN o.${column} ELSE k.${column} END`;
  return db.run(
    `INSERT INTO seen SELECT ${known('key')}, s.key,
       CASE WHEN ${known('digest')} <> s.digest OR ${known('kind')} <> s.kind OR ${known('present')} = 0 THEN 1 ELSE 0 END, NULL
     FROM batch_shift l CROSS JOIN staged s ON s.key BETWEEN l.first AND l.first + ?2 AND s.kind <> 'members'
     LEFT JOIN object k ON k.key = s.key + l.shift AND k.source = ?1 AND k.id = s.id
     LEFT JOIN object o ON o.key = CASE WHEN k.key IS NULL THEN (SELECT f.key FROM object f WHERE f.source = ?1 AND f.id = s.id) END
     WHERE k.key IS NOT NULL OR o.key IS NOT NULL
     ON CONFLICT (object) DO UPDATE SET staged = excluded.staged, differs = excluded.differs
       WHERE excluded.staged > seen.staged`,
    [source, BATCH_ROOM - 1],
  );
}

/** Where no key does it: of an object that came twice only the later record stays. */
async function keepLast(db: SqlConnection, noted: number): Promise<void> {
  const [once] = await db.query('SELECT count(DISTINCT object) AS count FROM seen');
  if (integer(once, 'count') === noted) return;
  await db.run(
    `DELETE FROM seen WHERE (object, staged) NOT IN (SELECT n.object, max(n.staged) FROM seen n GROUP BY n.object)`,
  );
}

/** `known`: some of what was staged is. */
interface News extends StagedRange {
  readonly source: number;
  readonly known: boolean;
}

/**
 * Where nothing that came is known each record is a new object, unless something came twice: then nothing is added, and the answer is
 * false. The index of objects tells; to look for it costs as much as all else. Rows get the keys that follow by themselves.
 */
async function addEach(db: SqlConnection, { source, first, last }: News): Promise<boolean> {
  const next = await db.nextKey('object', 'key');
  await db.run('INSERT INTO seen (object, staged, differs) VALUES (?1, 0, 0)', [next - 1]);
  const came = await db.run(
    `INSERT INTO seen (staged, differs, first) SELECT s.key, 0, s.key FROM staged s
     WHERE s.key BETWEEN ?1 AND ?2 AND s.kind <> 'members' ORDER BY s.key`,
    [first, last],
  );
  await db.run('DELETE FROM seen WHERE object = ?1', [next - 1]);
  if ((await insertObjects(db, source)) === came) return true;
  await db.run('DELETE FROM seen WHERE object >= ?1', [next]);
  await db.run('DELETE FROM object WHERE key >= ?1', [next]);
  return false;
}

/** In the order in which they came. One that came twice is added as it came first, and differs from that. */
async function addObjects(db: SqlConnection, { source, first, last, known }: News): Promise<void> {
  const others = known ? 'AND NOT EXISTS (SELECT 1 FROM object o WHERE o.source = ?4 AND o.id = s.id)' : '';
  const next = await db.nextKey('object', 'key');
  const added = await db.run(
    `INSERT INTO seen SELECT ?3 + row_number() OVER (ORDER BY n.first), n.last, CASE WHEN n.first <> n.last THEN 1 ELSE 0 END, n.first
     FROM (
       SELECT min(s.key) AS first, max(s.key) AS last FROM staged s
       WHERE s.key BETWEEN ?1 AND ?2 AND s.kind <> 'members' ${others} GROUP BY s.id
     ) n`,
    known ? [first, last, next - 1, source] : [first, last, next - 1],
  );
  if (added === 0) return;
  await db.analyze('seen');
  await db.filling(['object'], () => insertObjects(db, source));
  // Others are added behind these.
  await db.nextKey('object', 'key');
}

/** Adds those that are noted as new, each id once; answers how many. */
async function insertObjects(db: SqlConnection, source: number): Promise<number> {
  const { join, value } = db.fieldsOf('n.first');
  return db.run(
    `INSERT INTO object (key, source, id, kind, digest, present, ${RECORD_FIELDS.join(', ')})
     SELECT n.object, ?1, s.id, s.kind, s.digest, 1, ${RECORD_FIELDS.map(value).join(', ')}
     FROM seen n ${join}
     WHERE n.first IS NOT NULL ${db.ordersByKey ? 'ORDER BY n.object ON CONFLICT DO NOTHING' : ''}`,
    [source],
  );
}

/**
 * Only what is not as it was: a new object is as it was staged already, unless it was staged twice. What is set aside keeps
 * the fields last known: it is the same object still, with the same members and in the same groups.
 */
async function updateObjects(db: SqlConnection, { complete, records }: TakeIn): Promise<void> {
  const of = db.fieldsOf('d.staged');
  const said = (fields: readonly RecordField[], kinds: string) => `(
    SELECT d.object, s.kind, s.digest, ${fields.map((field) => `${of.value(field)} AS ${field}`).join(', ')}
    FROM dirty d ${of.join} WHERE d.differs = 1 AND s.kind ${kinds} 'quarantined') n
    WHERE object.key = n.object AND object.key IN (SELECT object FROM dirty WHERE differs = 1)`;
  const keeps = (field: RecordField) => !complete && KEPT.includes(field);
  const value = (field: RecordField) =>
    keeps(field) ? `coalesce(nullif(n.${field}, ''), object.${field}, n.${field})` : `n.${field}`;
  // Without its digest a record is looked at again, when a complete run says the same.
  const kept = KEPT.map((field) => `(coalesce(n.${field}, '') = '' AND object.${field} <> '')`).join(' OR ');
  await db.run(
    `UPDATE object SET kind = n.kind, digest = ${complete ? 'n.digest' : `CASE WHEN ${kept} THEN '' ELSE n.digest END`},
       present = 1, dn_key = NULL, ${RECORD_FIELDS.map((field) => `${field} = ${value(field)}`).join(', ')}
     FROM ${said(RECORD_FIELDS, '<>')}`,
  );
  if (records.quarantined === 0) return;
  await db.run(
    `UPDATE object SET kind = n.kind, digest = n.digest, present = 1, reason = n.reason, detail = n.detail
     FROM ${said(['reason', 'detail'], '=')}`,
  );
}

/** Somebody who is set aside without an id may be known by name: whoever had it may not count as absent. */
async function vouchByName(db: SqlConnection, { run, source, records }: TakeIn): Promise<void> {
  if (records.quarantined === 0) return;
  const { first, last } = stagedRange(run);
  const { join, value } = db.fieldsOf('q.key');
  const names = await db.query(
    `SELECT ${value('dn')} AS dn FROM (SELECT key FROM staged WHERE key BETWEEN ?1 AND ?2 AND kind = 'quarantined') q ${join}
     WHERE substr(s.id, 1, 1) = '?' AND length(s.id) > 1`,
    [first, last],
  );
  if (names.length === 0) return;
  await fillNameKeys(db, source);
  await db.fill(
    'vouching',
    names.map((row) => [nameKey(text(row, 'dn'))]),
  );
  await db.run(
    `INSERT INTO vouched SELECT o.key FROM vouching v CROSS JOIN object o ON o.source = ?1 AND o.dn_key = v.dn_key
     WHERE true ON CONFLICT DO NOTHING`,
    [source],
  );
}

/** Is anybody there of whom the run says nothing but that? */
export async function hasVouched(db: SqlConnection): Promise<boolean> {
  const [some] = await db.query('SELECT 1 AS yes FROM vouched LIMIT 1');
  return some !== undefined;
}

/** What a complete run did not bring is absent: marked, not forgotten. Looked for only where numbers say that there is some. */
async function markAbsent(db: SqlConnection, source: number): Promise<void> {
  const [there] = await db.query(
    `SELECT (SELECT count(*) FROM object WHERE source = ?1) - (SELECT count(*) FROM object WHERE source = ?1 AND present = 0) AS present,
       (SELECT count(*) FROM seen) AS seen`,
    [source],
  );
  // What the run brought is marked as present already.
  if (integer(there, 'present') === integer(there, 'seen')) return;
  await db.run(
    `UPDATE object SET present = 0 WHERE +source = ?1 AND present = 1 AND key NOT IN (SELECT object FROM seen)
       AND key NOT IN (SELECT object FROM vouched)`,
    [source],
  );
}

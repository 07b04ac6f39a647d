/**
 * Brings what the store knows of a source up to what a run said. Records are compared by digest first, so that a run that
 * says what the last one said costs little more than its reading.
 */
import type { SqlConnection } from '../store/connection.js';
import { stagedRange } from '../staging.js';
import { findMembers, takeInMembers } from './members.js';

/** What a run changed in what is known of its source. */
export interface TakenIn {
  /** Objects that are new or not as they were, groups whose members are not as they were, objects gone or returned. */
  readonly changed: number;
}

/** Which run to take in. `whole`: a full run that is complete, so that what it did not bring is absent. */
export interface TakeIn {
  readonly run: number;
  readonly source: number;
  readonly whole: boolean;
  /** Names of the attributes to keep. */
  readonly attributes: readonly string[];
}

const TABLES = `
CREATE TEMP TABLE IF NOT EXISTS seen (object INTEGER PRIMARY KEY, staged INTEGER NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS dirty (object INTEGER PRIMARY KEY, staged INTEGER NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS kept_attribute (name TEXT PRIMARY KEY);
DELETE FROM seen; DELETE FROM dirty; DELETE FROM kept_attribute;
`;

/** Takes in a run's staged records. Call it inside the transaction that applies the run. */
export async function takeIn(db: SqlConnection, what: TakeIn): Promise<TakenIn> {
  await db.exec(TABLES);
  await keepAttributes(db, what);
  await noteSeen(db, what);
  const dirty = await noteDirty(db);
  if (dirty > 0) {
    await takeInObjects(db);
    await findMembers(db, what.source);
  }
  const groups = await takeInMembers(db, what);
  const returned = await db.run('UPDATE object SET present = 1 WHERE present = 0 AND key IN (SELECT object FROM seen)');
  const gone = what.whole ? await markAbsent(db, what.source) : 0;
  return { changed: dirty + groups + returned + gone };
}

/** Where other attributes are wanted than before, every record has to be looked at again. */
async function keepAttributes(db: SqlConnection, { source, attributes }: TakeIn): Promise<void> {
  const names = [...new Set(attributes.map((name) => name.toLowerCase()))].sort();
  await db.runEach(
    'INSERT INTO kept_attribute VALUES (?1)',
    names.map((name) => [name]),
  );
  const changed = await db.run('UPDATE source SET attributes = ?2 WHERE key = ?1 AND attributes IS DISTINCT FROM ?2', [
    source,
    JSON.stringify(names),
  ]);
  if (changed > 0) await db.run('UPDATE object SET digest = NULL WHERE source = ?1', [source]);
}

/** Which objects the run brought; where it brought one twice, the later record counts. */
async function noteSeen(db: SqlConnection, { run, source }: TakeIn): Promise<void> {
  const { first, last } = stagedRange(run);
  const note = () =>
    db.run(
      `INSERT INTO seen SELECT o.key, s.key FROM staged s CROSS JOIN object o ON o.source = ?1 AND o.id = s.id
       WHERE s.key BETWEEN ?2 AND ?3 AND s.kind <> 'members'
       ON CONFLICT (object) DO UPDATE SET staged = excluded.staged WHERE excluded.staged > seen.staged`,
      [source, first, last],
    );
  await note();
  const fresh = await db.run(
    `INSERT INTO object (source, id, present)
     SELECT ?1, s.id, 0 FROM staged s WHERE s.key BETWEEN ?2 AND ?3
       AND NOT EXISTS (SELECT 1 FROM object o WHERE o.source = ?1 AND o.id = s.id)
     ON CONFLICT DO NOTHING`,
    [source, first, last],
  );
  if (fresh > 0) await note();
}

async function noteDirty(db: SqlConnection): Promise<number> {
  return db.run(
    `INSERT INTO dirty SELECT n.object, n.staged FROM seen n
     CROSS JOIN object o ON o.key = n.object CROSS JOIN staged s ON s.key = n.staged
     WHERE o.digest IS DISTINCT FROM s.digest`,
  );
}

async function takeInObjects(db: SqlConnection): Promise<void> {
  await db.run(
    `UPDATE object SET kind = s.kind, digest = s.digest, present = 1, dn = s.record ->> 'dn', dn_key = NULL,
       sid = s.record ->> 'sid', name = s.record ->> 'name', address = lower(s.record ->> 'primary'),
       enabled = coalesce(s.record ->> 'enabled', 1), scope = s.record ->> 'scope', type = s.record ->> 'type',
       reason = s.record ->> 'reason', detail = s.record ->> 'detail'
     FROM dirty d CROSS JOIN staged s ON s.key = d.staged WHERE object.key = d.object`,
  );
  await db.exec(`DELETE FROM object_alias WHERE object IN (SELECT object FROM dirty);
    DELETE FROM object_attribute WHERE object IN (SELECT object FROM dirty);`);
  await db.run(
    `INSERT INTO object_alias SELECT d.object, lower(a.value)
     FROM dirty d CROSS JOIN staged s ON s.key = d.staged CROSS JOIN json_each(s.record, '$.aliases') a
     WHERE s.kind IN ('user', 'contact') ON CONFLICT DO NOTHING`,
  );
  // An attribute that was returned without a value says the same as one that was not returned.
  await db.run(
    `INSERT INTO object_attribute SELECT d.object, lower(a.key),
       CASE WHEN json_array_length(a.value) = 1 AND json_type(a.value, '$[0]') = 'text' THEN a.value ->> 0 END,
       CASE WHEN json_array_length(a.value) > 1 THEN 'SEVERAL_VALUES'
            WHEN json_type(a.value, '$[0]') <> 'text' THEN 'NOT_A_STRING' END
     FROM dirty d CROSS JOIN staged s ON s.key = d.staged CROSS JOIN json_each(s.record, '$.attributes') a
     WHERE s.kind IN ('user', 'contact') AND json_array_length(a.value) > 0
       AND lower(a.key) IN (SELECT name FROM kept_attribute)
     ON CONFLICT DO NOTHING`,
  );
}

/** What a complete run did not bring is absent: marked, not forgotten. */
async function markAbsent(db: SqlConnection, source: number): Promise<number> {
  return db.run(
    `UPDATE object SET present = 0 WHERE source = ?1 AND present = 1 AND key NOT IN (SELECT object FROM seen)`,
    [source],
  );
}

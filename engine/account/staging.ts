/**
 * Staging: a batch is stored as it came and answered, long before anything is decided. Staged rows live until their run
 * is applied or given up, a day at most.
 */
import { hash } from 'node:crypto';
import { AccountError, ContractError } from '../model/errors.js';
import { countRecords } from '../model/counts.js';
import type { Run } from '../model/run.js';
import { sourceKey } from '../model/source-name.js';
import { refuseSuperseded } from './refuse.js';
import type { PreparedBatch } from './stager.js';
import { type Pack, type SqlConnection, type StagedRow, integer, text } from './store/connection.js';
import { BATCH_ROOM, ROOMS, RUN_ROOM, batchRange, stagedRange } from './store/staged-keys.js';

/** A run as the store knows it. */
export interface StoredRun {
  readonly key: number;
  readonly source: number;
  readonly state: 'open' | 'ended' | 'abandoned';
}

const EXPIRE_AFTER_MS = 24 * 3_600_000;

/** A batch that is ready to be stored. */
export interface ReadyBatch {
  readonly index: number;
  readonly rows: readonly StagedRow[];
  /** What the store made of the rows already. */
  readonly pack: Pack | null;
}

/**
 * Stores batches, in place of what was stored under their numbers. Does nothing for a run that was applied already. What a power cut
 * undoes is missing at the seal, and is said there. `takes`: {@link takesOf} the attributes. Answers whether a run of their source was
 * applied before.
 */
export async function stageBatches(
  db: SqlConnection,
  run: Run,
  { batches, takes }: { batches: readonly ReadyBatch[]; takes: string },
): Promise<boolean> {
  for (const { index, rows } of batches) {
    if (rows.length >= BATCH_ROOM || index >= RUN_ROOM / BATCH_ROOM) throw tooLarge(index, rows.length);
  }
  const counted = batches.map((batch) => ({ ...batch, counts: JSON.stringify(countRecords(batch.rows)) }));
  const packed = counted.flatMap(({ index, counts, pack }) => (pack === null ? [] : [{ index, counts, pack }]));
  const [any] = packed;
  if (any && packed.length === batches.length && (await db.keepAtOnce({ id: run.id, takes }, packed)))
    return any.pack.known;
  return db.lightTransaction(async () => {
    const open = (await touchRun(db, run)) ?? (await openedRun(db, run));
    if (open === null) return true;
    const { key, known } = open;
    const noted = counted.flatMap(({ index, counts }) => [index, counts]);
    const values = counted.map((_, at) => `(?1, ?${String(2 * at + 3)}, ?2, ?${String(2 * at + 4)})`).join(', ');
    const insert = `INSERT INTO staged_batch (run, batch, takes, counts) VALUES ${values} ON CONFLICT`;
    const fresh = await db.run(`${insert} DO NOTHING`, [key, takes, ...noted]);
    if (fresh < batches.length) {
      for (const { index } of batches) await db.dropStaged(batchRange(key, index));
      await db.run(`${insert} (run, batch) DO UPDATE SET takes = excluded.takes, counts = excluded.counts`, [
        key,
        takes,
        ...noted,
      ]);
    }
    const kept = batches.map(({ index, rows, pack }) => ({ first: batchRange(key, index).first, rows, known, pack }));
    await db.keepStaged(kept);
    return known;
  });
}

/** The rows of a batch, with the digests that they are compared by. */
export function rowsOf({ records }: PreparedBatch): StagedRow[] {
  return records.map(({ kind, id, part, parts, held, json }) => {
    return { kind, id, part, parts, held: held ? 1 : 0, digest: hash('sha256', json, 'base64url'), record: json };
  });
}

/** A run that takes batches. `known`: a run of its source was applied before. */
interface OpenRun {
  readonly key: number;
  readonly known: boolean;
}

/** Notes that something was heard of the run; null where it is not open. Whoever ends it meanwhile is waited for here. */
async function touchRun(db: SqlConnection, run: Run): Promise<OpenRun | null> {
  const [row] = await db.query(
    `UPDATE run SET touched_at = ?2 WHERE id = ?1 AND state = 'open'
     RETURNING key, (SELECT CASE WHEN last_run IS NULL THEN 0 ELSE 1 END FROM source WHERE key = run.source) AS known`,
    [run.id, new Date().toISOString()],
  );
  return row ? { key: integer(row, 'key'), known: integer(row, 'known') === 1 } : null;
}

/** Makes the run where it is new; null where it was applied already. */
async function openedRun(db: SqlConnection, run: Run): Promise<OpenRun | null> {
  const stored = await openRun(db, run);
  if (stored.state === 'ended') return null;
  const open = await touchRun(db, run);
  // Somebody ended it at this moment.
  if (open === null) await openRun(db, run);
  return open;
}

/** The run's row; made, with its source, when the run is new. Throws AccountError `RUN_ABANDONED`, or why it was given up. */
export async function openRun(db: SqlConnection, run: Run): Promise<StoredRun> {
  const found = await findRun(db, run.id);
  if (found?.state === 'abandoned') {
    // A receiver that was redeployed before it kept the answer hands the run over again.
    await refuseSuperseded(db, found.source, run);
    throw abandoned(run.id);
  }
  if (found) return found;
  const now = new Date();
  await expireRuns(db, expiryFrom(now));
  await nameSource(db, run.source);
  await db.run(
    `INSERT INTO run (id, source, mode, started_at, opened_at, touched_at, state)
     SELECT ?1, key, ?3, ?4, ?5, ?5, 'open' FROM source WHERE name = ?2 ON CONFLICT DO NOTHING`,
    [run.id, run.source, run.mode, run.startedAt, now.toISOString()],
  );
  await freeRoom(db, run.id);
  return openRun(db, run);
}

/**
 * Makes the source where it is new. One that is known under another spelling of its name goes on under this one: as another
 * source it would bring everybody a second time, and the one before would be silent for ever.
 */
async function nameSource(db: SqlConnection, name: string): Promise<void> {
  const [exact] = await db.query('SELECT key FROM source WHERE name = ?1', [name]);
  if (exact) return;
  // Two that come at once make one source, too.
  await db.run(`UPDATE meta SET value = value WHERE name = 'last_known'`);
  const known = await db.query('SELECT key, name FROM source ORDER BY key');
  const same = known.find((row) => sourceKey(text(row, 'name')) === sourceKey(name));
  if (same) await db.run('UPDATE source SET name = ?2 WHERE key = ?1', [integer(same, 'key'), name]);
  else await db.run('INSERT INTO source (name) VALUES (?1) ON CONFLICT DO NOTHING', [name]);
}

/** A run of long ago that is open still has the room that a new one is to have: it is given up. */
async function freeRoom(db: SqlConnection, id: string): Promise<void> {
  const others = await db.query(
    `SELECT o.key FROM run r CROSS JOIN run o ON o.state = 'open' AND o.key < r.key AND (r.key - o.key) % ?2 = 0
     WHERE r.id = ?1`,
    [id, ROOMS],
  );
  for (const row of others) await endRun(db, integer(row, 'key'), 'abandoned');
}

/** The run's row, if it was ever heard of. */
export async function findRun(db: SqlConnection, id: string): Promise<StoredRun | null> {
  const [row] = await db.query('SELECT key, source, state FROM run WHERE id = ?1', [id]);
  if (!row) return null;
  const state = text(row, 'state');
  return {
    key: integer(row, 'key'),
    source: integer(row, 'source'),
    state: state === 'ended' || state === 'abandoned' ? state : 'open',
  };
}

/** Runs of which nothing was heard since then are given up. */
export function expiryFrom(now: Date): Date {
  return new Date(now.getTime() - EXPIRE_AFTER_MS);
}

/** Gives up a run that is open. */
export async function abandonRun(db: SqlConnection, id: string): Promise<void> {
  await db.transaction(async () => {
    const found = await findRun(db, id);
    if (found?.state === 'open') await endRun(db, found.key, 'abandoned');
  });
}

/** Gives up runs of which nothing was heard since `before`. */
export async function expireRuns(db: SqlConnection, before: Date): Promise<void> {
  const silent = await db.query(`SELECT key FROM run WHERE state = 'open' AND touched_at < ?1`, [before.toISOString()]);
  for (const row of silent) await endRun(db, integer(row, 'key'), 'abandoned');
}

/** Marks the run and forgets what was staged of it. */
export async function endRun(db: SqlConnection, run: number, state: 'ended' | 'abandoned'): Promise<void> {
  await db.run('UPDATE run SET state = ?2, ended_at = ?3 WHERE key = ?1', [run, state, new Date().toISOString()]);
  await db.run('DELETE FROM staged_batch WHERE run = ?1', [run]);
  await db.dropStaged(stagedRange(run));
}

/** The numbers of the batches that arrived, in order. */
export async function arrivedBatches(db: SqlConnection, run: number): Promise<number[]> {
  const rows = await db.query('SELECT batch FROM staged_batch WHERE run = ?1 ORDER BY batch', [run]);
  return rows.map((row) => integer(row, 'batch'));
}

/** Were all batches of the run made of what the account takes now? Then no record says more than that. */
export async function allTake(db: SqlConnection, run: number, takes: string): Promise<boolean> {
  const [other] = await db.query(
    'SELECT 1 AS yes FROM staged_batch WHERE run = ?1 AND takes IS DISTINCT FROM ?2 LIMIT 1',
    [run, takes],
  );
  return other === undefined;
}

function abandoned(id: string): AccountError {
  return new AccountError('RUN_ABANDONED', {
    message: `Run ${id} was given up, or nothing was heard of it for a day. Start a new run.`,
    status: 'run given up',
    params: { run: id },
  });
}

function tooLarge(index: number, records: number): ContractError {
  return new ContractError('BATCH_TOO_LARGE', {
    message: `Batch ${String(index)} has ${String(records)} records; a batch may have ${String(BATCH_ROOM - 1)}. Lower the batch size in directory-extract.`,
    status: 'batch too large',
    params: { batch: index, records, limit: BATCH_ROOM - 1 },
  });
}

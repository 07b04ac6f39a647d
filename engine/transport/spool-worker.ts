/**
 * The spool, in its thread: runs and their batches until they are applied, reports for a while after, and the nonces of
 * signatures. Batches are inflated and checked here too, beside the thread that serves. Every call is one transaction and
 * durable when it returns, so that what was acknowledged is never lost.
 */
import type { SQLOutputValue } from 'node:sqlite';
import { Type } from '@sinclair/typebox';
import { parserOf } from '../model/check.js';
import { SettingError } from '../model/errors.js';
import { type BatchSummary, checkBatch } from './batch.js';
import { type Encoding, encodingOf, inflate } from './encoding.js';
import type { Nonce } from './nonces.js';
import { inTransaction, migrate, openDatabase } from '../runtime/sqlite.js';
import { serveWorker, workerInput } from '../runtime/worker.js';
import type { RunState } from './protocol.js';

/** A run as it is kept. Times are milliseconds since 1970. JSON is text here: the thread does not look into it. */
export interface SpooledRun {
  readonly id: string;
  readonly sender: string;
  /** JSON: what opened it. */
  readonly description: string;
  readonly state: RunState;
  readonly openedAt: number;
  readonly sealDigest: string | null;
  /** JSON: the seal as it is handed on. */
  readonly seal: string | null;
  /** JSON: the report, or the failure. */
  readonly outcome: string | null;
}

export interface SpooledBatch {
  readonly batch: number;
  readonly digest: string;
  readonly records: number;
  /** JSON: records of each kind. */
  readonly counts: string;
  readonly jsonBytes: number;
  readonly sentBytes: number;
}

/** What became of a batch. `same`: it was there already; `differs`: with other content; `sealed`: too late; `gone`: no such run. */
export type Stored =
  | { readonly result: 'stored' | 'same'; readonly digest: string; readonly records: number }
  | { readonly result: 'differs' | 'sealed' | 'gone' | 'not-yours' };

export type SpoolMethods = typeof methods;

const parseInput = parserOf(
  Type.Object({
    file: Type.String({ minLength: 1 }),
    limits: Type.Object({
      batchBytes: Type.Number(),
      ratio: Type.Number(),
      records: Type.Number(),
      recordBytes: Type.Number(),
      depth: Type.Number(),
    }),
  }),
  () =>
    new SettingError('SPOOL_FILE_MISSING', {
      message: 'The receiver needs a file for its spool.',
      status: 'no spool file',
      params: { setting: 'spoolFile' },
    }),
);

const SCHEMA = `
  CREATE TABLE run (
    id TEXT PRIMARY KEY, key_id TEXT NOT NULL, description TEXT NOT NULL, state TEXT NOT NULL,
    opened_at INTEGER NOT NULL, touched_at INTEGER NOT NULL, seal_digest TEXT, seal TEXT, outcome TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE batch (
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE, batch INTEGER NOT NULL, digest TEXT NOT NULL,
    records INTEGER NOT NULL, counts TEXT NOT NULL, json_bytes INTEGER NOT NULL, encoding TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (run, batch)
  ) STRICT;
  CREATE TABLE nonce (key_id TEXT NOT NULL, nonce TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (key_id, nonce)) STRICT, WITHOUT ROWID;
  CREATE INDEX nonce_until ON nonce (until);
`;

/** Runs belong to a sender, which may have several keys. The first senders had the names of their only key. */
const SENDERS = 'ALTER TABLE run RENAME COLUMN key_id TO sender';

const { file, limits } = parseInput(workerInput());
const database = openDatabase(file);
migrate(database, [SCHEMA, SENDERS]);

const selectRun = database.prepare('SELECT * FROM run WHERE id = ?');
const insertRun = database.prepare(
  `INSERT INTO run (id, sender, description, state, opened_at, touched_at) VALUES (?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING`,
);
const insertBatch = database.prepare(
  `INSERT INTO batch (run, batch, digest, records, counts, json_bytes, encoding, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const selectBatches = database.prepare(
  `SELECT batch, digest, records, counts, json_bytes, length(content) AS sent_bytes FROM batch WHERE run = ? ORDER BY batch`,
);
const insertNonce = database.prepare(
  'INSERT INTO nonce (key_id, nonce, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
);
const selectContent = database.prepare('SELECT encoding, content FROM batch WHERE run = ? AND batch = ?');
const selectDigest = database.prepare('SELECT digest FROM batch WHERE run = ? AND batch = ?');
const touch = database.prepare('UPDATE run SET touched_at = ? WHERE id = ?');
const setSealed = database.prepare(
  `UPDATE run SET state = 'sealed', seal_digest = ?, seal = ?, outcome = NULL, touched_at = ? WHERE id = ?`,
);
const setOutcome = database.prepare('UPDATE run SET state = ?, outcome = ?, touched_at = ? WHERE id = ?');

type Row = Readonly<Record<string, SQLOutputValue>>;

function find(id: string): SpooledRun | null {
  const row = selectRun.get(id);
  return row ? runOf(row) : null;
}

function runOf(row: Row): SpooledRun {
  return {
    id: String(row['id']),
    sender: String(row['sender']),
    description: String(row['description']),
    state: row['state'] as RunState,
    openedAt: Number(row['opened_at']),
    sealDigest: textOf(row['seal_digest']),
    seal: textOf(row['seal']),
    outcome: textOf(row['outcome']),
  };
}

function batchOf(row: Row): SpooledBatch {
  return {
    batch: Number(row['batch']),
    digest: String(row['digest']),
    records: Number(row['records']),
    counts: String(row['counts']),
    jsonBytes: Number(row['json_bytes']),
    sentBytes: Number(row['sent_bytes']),
  };
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function keepNonces(nonces: readonly Nonce[]): void {
  for (const { key, nonce, until } of nonces) insertNonce.run(key, nonce, until);
}

function checked(content: Uint8Array, encoding: Encoding | '', nonces: readonly Nonce[]): BatchSummary {
  try {
    return checkBatch(inflate(content, encoding, limits), limits);
  } catch (error) {
    keepNonces(nonces);
    throw error;
  }
}

const methods = {
  find,

  /** Makes the run, or finds the one that has this id. `null`: there are `limit` runs that are not done. */
  open(id: string, sender: string, description: string, limit: number, nonces: readonly Nonce[]): SpooledRun | null {
    return inTransaction(database, () => {
      keepNonces(nonces);
      const existing = find(id);
      if (existing) return existing;
      const open = database.prepare(`SELECT count(*) AS count FROM run WHERE state <> 'done'`).get();
      if (Number(open?.['count']) >= limit) return null;
      const now = Date.now();
      insertRun.run(id, sender, description, now, now);
      return find(id);
    });
  },

  /** Checks a batch and keeps it. Throws `ContractError` for one that is not as agreed, or too large. */
  store(
    { sender, run, batch, encoding }: { sender: string; run: string; batch: number; encoding: Encoding | '' },
    content: Uint8Array,
    nonces: readonly Nonce[],
  ): Stored {
    const before = find(run);
    if (before?.sender !== sender) {
      keepNonces(nonces);
      return { result: before ? 'not-yours' : 'gone' };
    }
    const { digest, records, counts, bytes } = checked(content, encoding, nonces);
    return inTransaction(database, () => {
      keepNonces(nonces);
      const existing = selectDigest.get(run, batch)?.['digest'];
      // A repeat is a repeat, also when it comes after the seal.
      if (existing === digest) return { result: 'same', digest, records };
      if (before.state !== 'open') return { result: 'sealed' };
      if (existing !== undefined) return { result: 'differs' };
      touch.run(Date.now(), run);
      insertBatch.run(run, batch, digest, records, JSON.stringify(counts), bytes, encoding, content);
      return { result: 'stored', digest, records };
    });
  },

  batches(run: string): SpooledBatch[] {
    return selectBatches.all(run).map(batchOf);
  },

  /** The NDJSON of a batch. Null where it is not kept. */
  content(run: string, batch: number): Uint8Array | null {
    const { encoding, content } = selectContent.get(run, batch) ?? {};
    return content instanceof Uint8Array ? inflate(content, encodingOf(String(encoding)) ?? '', limits) : null;
  },

  /** Seals an open run, or one that has failed under the same seal. The answer is the run as it is then. */
  seal(run: string, digest: string, seal: string, nonces: readonly Nonce[]): SpooledRun | null {
    return inTransaction(database, () => {
      keepNonces(nonces);
      const existing = find(run);
      const again = existing?.state === 'failed' && existing.sealDigest === digest;
      if (existing?.state === 'open' || again) setSealed.run(digest, seal, Date.now(), run);
      return find(run);
    });
  },

  /** Ends a run with its report. Of its batches the digests stay, so that a repeat is known for one. */
  done(run: string, report: string): void {
    inTransaction(database, () => {
      setOutcome.run('done', report, Date.now(), run);
      database.prepare(`UPDATE batch SET content = x'' WHERE run = ?`).run(run);
    });
  },

  /** Ends a run with its failure. Its batches stay, so that it can be sealed again. */
  failed(run: string, failure: string): void {
    setOutcome.run('failed', failure, Date.now(), run);
  },

  forget(run: string, nonces: readonly Nonce[]): void {
    inTransaction(database, () => {
      keepNonces(nonces);
      database.prepare('DELETE FROM run WHERE id = ?').run(run);
    });
  },

  /** Runs that were sealed and have neither report nor failure. */
  unfinished(): SpooledRun[] {
    return database.prepare(`SELECT * FROM run WHERE state = 'sealed' ORDER BY opened_at`).all().map(runOf);
  },

  /** The nonces that are not too old to matter. */
  nonces(): Nonce[] {
    return database
      .prepare('SELECT key_id, nonce, until FROM nonce WHERE until >= ?')
      .all(Date.now())
      .map((row) => ({ key: String(row['key_id']), nonce: String(row['nonce']), until: Number(row['until']) }));
  },

  /** Keeps nonces of requests that wrote nothing else. */
  remember(nonces: readonly Nonce[]): void {
    inTransaction(database, () => keepNonces(nonces));
  },

  /** Forgets what is past its time. */
  sweep(openBefore: number, doneBefore: number): void {
    inTransaction(database, () => {
      database.prepare(`DELETE FROM run WHERE state IN ('open', 'failed') AND touched_at < ?`).run(openBefore);
      database.prepare(`DELETE FROM run WHERE state = 'done' AND touched_at < ?`).run(doneBefore);
      database.prepare('DELETE FROM nonce WHERE until < ?').run(Date.now());
    });
  },
};

serveWorker(methods, () => database.close());

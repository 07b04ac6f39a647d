/**
 * Opening SQLite databases through `node:sqlite`, with the settings that make a commit durable, and the two things every
 * store needs: transactions and forward-only migrations. Synchronous: call it in a worker thread only.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as NodeSqlite from 'node:sqlite';
import type { DatabaseSync } from 'node:sqlite';
import { AccountError, asDirectorySyncError } from '../model/errors.js';

/**
 * Of a file that is made; one that is there keeps its own. Our rows are long, and a bulk of them is written with fewer calls than
 * in SQLite's usual 4,096.
 */
const PAGE_BYTES = 8_192;
/** How long a statement waits for another process that writes to the same file. */
export const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens `file` (made with its folder if there is none): write-ahead log, every commit on the disk before it returns,
 * foreign keys on.
 * @throws AccountError `SQLITE_MISSING` on a Node.js without node:sqlite, `STORE_UNUSABLE` where the file cannot be opened.
 */
export function openDatabase(file: string): DatabaseSync {
  const { DatabaseSync } = sqlite();
  try {
    mkdirSync(dirname(file), { recursive: true });
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA busy_timeout=${String(BUSY_TIMEOUT_MS)};
      PRAGMA page_size=${String(PAGE_BYTES)}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;`);
    return database;
  } catch (error) {
    throw storeError(error);
  }
}

function sqlite(): typeof NodeSqlite {
  const found = process.getBuiltinModule('node:sqlite') as typeof NodeSqlite | undefined;
  if (found) return found;
  throw new AccountError('SQLITE_MISSING', {
    message: `The embedded store uses node:sqlite, and node:sqlite needs Node.js 22.13 or later; this is ${process.version}. Start Node-RED with a newer Node.js.`,
    status: 'Node.js too old',
    params: { version: process.version },
  });
}

/** Runs `work` in one transaction that can write from its start: all of it is committed, or nothing. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Brings the database to the newest of `migrations` (SQL scripts, oldest first; never change one that was released).
 * How far it is stands in `PRAGMA user_version`.
 * @throws AccountError `STORE_TOO_NEW` where a newer version of this package has written it.
 */
export function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  try {
    inTransaction(database, () => {
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
      if (version > migrations.length) throw tooNew(version, migrations.length);
      for (const migration of migrations.slice(version)) database.exec(migration);
      if (version < migrations.length) database.exec(`PRAGMA user_version=${String(migrations.length)}`);
    });
  } catch (error) {
    throw storeError(error);
  }
}

function tooNew(found: number, known: number): AccountError {
  return new AccountError('STORE_TOO_NEW', {
    message: `The store was written by a newer version of this package (its schema is version ${String(found)}, this package knows ${String(known)}). Update the package, or choose another file.`,
    status: 'store too new',
    params: { found, known },
  });
}

/** What SQLite reported, as an error of the taxonomy. Its messages name tables and conditions, not people. */
export function storeError(thrown: unknown): Error {
  const code = (thrown as { errcode?: unknown } | null)?.errcode;
  const system = (thrown as { syscall?: unknown } | null)?.syscall !== undefined;
  if (!(thrown instanceof Error)) return asDirectorySyncError(thrown);
  if (typeof code !== 'number' && !system) return thrown;
  const kind = typeof code === 'number' ? code & 0xff : 14;
  const advice = advices[kind] ?? 'Look at the file, its folder and the disk.';
  return new AccountError(kind === 5 || kind === 6 ? 'STORE_BUSY' : 'STORE_UNUSABLE', {
    message: `The account's database could not be used: ${thrown.message}. ${advice} Nothing of this step was written.`,
    status: kind === 5 || kind === 6 ? 'store busy' : 'store unusable',
    params: { reason: thrown.message },
    cause: thrown,
    transient: kind === 5 || kind === 6,
  });
}

/** By SQLite's primary result code (https://www.sqlite.org/rescode.html). */
const advices: Readonly<Record<number, string>> = {
  5: 'Another process is writing to it; try again.',
  6: 'Another process is writing to it; try again.',
  8: 'The file or its folder cannot be written to: look at its permissions.',
  10: 'The disk reports an error.',
  11: 'The file is damaged: restore it from a backup.',
  13: 'The disk is full.',
  14: 'The setting "file" must name a file that can be made and opened.',
  26: 'The file is not a SQLite database: choose another in the setting "file".',
};

/** The account's connection over `node:sqlite`. Synchronous underneath: used in the account's thread only. */
import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { AccountError } from '../../model/errors.js';
import { migrate, openDatabase, storeError } from '../../runtime/sqlite.js';
import { checkpoint } from './checkpoint.js';
import {
  type KeptBatch,
  type Pages,
  type SqlConnection,
  type SqlValue,
  type StagedRange,
  bytes,
  integer,
} from './connection.js';
import { EMBEDDED_MIGRATIONS } from './schema.js';
import { type Into, stagedRows, valueOf } from './sqlite-staged.js';
import { Writeback } from './writeback.js';

/** So much of what is staged may gather in the log before it is brought into the file while others wait. */
const LIGHT_BYTES = 128 * 1024 * 1024;
const DURABLE = 'PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0';

/** A call costs as much as some values: so many rows of a table go with one. */
const ROWS_AT_ONCE = 25;

/** Opens the file, brings its schema up to date. Throws AccountError. */
export function openSqlite(file: string): SqlConnection {
  const database = openDatabase(file);
  // A check of each row of a large table costs more than the row; PostgreSQL has none there, and runs the same statements.
  database.exec('PRAGMA foreign_keys=OFF');
  // What does not fit goes into temporary files: memory is the same for a large directory as for a small one.
  database.exec(`PRAGMA cache_size=-12288; PRAGMA temp.cache_size=-8192; PRAGMA temp_store=FILE;
    PRAGMA journal_size_limit=${String(LIGHT_BYTES)};`);
  // Its own lower() knows ASCII only.
  database.function('fold_case', { deterministic: true }, (value) => String(value).toLowerCase());
  migrate(database, EMBEDDED_MIGRATIONS);
  return new SqliteConnection(database, file);
}

class SqliteConnection implements SqlConnection {
  readonly keepingRows = '';
  readonly shared = false;
  readonly ordersByKey = true;
  readonly #statements = new Map<string, StatementSync>();

  readonly #identity: string | null;
  readonly #light: string;
  #kind = '';
  #checkpoint: NodeJS.Immediate | undefined;
  readonly #log: Writeback | null;

  constructor(
    private readonly database: DatabaseSync,
    private readonly file: string,
  ) {
    this.#identity = identityOf(file);
    this.#log = this.#identity === null ? null : new Writeback(`${file}-wal`);
    const pageBytes = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
    this.#light = `PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=${String(LIGHT_BYTES / pageBytes)}`;
  }

  async query(sql: string, params: readonly SqlValue[] = []) {
    return this.#guarded(() => this.#statement(sql).all(...params));
  }

  /** As bytes: a JavaScript text of them would be made only to be taken apart again. */
  async digestOfEach({ first, last, size }: Pages, sql: string) {
    const digests: string[] = [];
    for (let from = first; from <= last; from += size) {
      const [page] = await this.query(`SELECT CAST((${sql}) AS BLOB) AS answer`, [
        from,
        Math.min(last, from + size - 1),
      ]);
      digests.push(hash('sha256', bytes(page, 'answer'), 'hex'));
    }
    return digests;
  }

  async run(sql: string, params: readonly SqlValue[] = []) {
    return this.#guarded(() => Number(this.#statement(sql).run(...params).changes));
  }

  async exec(sql: string) {
    await this.#guarded(() => this.database.exec(sql));
  }

  async fill(table: string, rows: Iterable<readonly SqlValue[]>) {
    const all = [...rows];
    const width = all[0]?.length ?? 0;
    await this.#fill({ table, row: Array(width).fill('?').join(', ') }, all);
  }

  async keepStaged(batches: readonly KeptBatch[]) {
    for (const batch of batches) {
      for (const { into, rows } of stagedRows(batch)) await this.#fill(into, rows);
    }
  }

  /** There is no journey to save. */
  async keepAtOnce() {
    return Promise.resolve(false);
  }

  /** Where nothing else is staged the whole table goes, which is much quicker. */
  async dropStaged({ first, last }: StagedRange) {
    const [other] = await this.query(
      `SELECT 1 AS yes WHERE EXISTS (SELECT 1 FROM staged WHERE key < ?1) OR EXISTS (SELECT 1 FROM staged WHERE key > ?2)`,
      [first, last],
    );
    if (other) await this.run('DELETE FROM staged WHERE key BETWEEN ?1 AND ?2', [first, last]);
    else await this.exec('DELETE FROM staged');
  }

  /** They are rows of it since they came. */
  async openStaged() {
    return Promise.resolve();
  }

  fieldsOf(key: string) {
    return { join: `CROSS JOIN staged s ON s.key = ${key}`, value: valueOf };
  }

  listOf(key: string) {
    const count = (list: string) => `json_array_length(s.record, '$.${list}')`;
    return {
      join: `CROSS JOIN staged s ON s.key = ${key}`,
      ids: `(s.record ->> 'ids')`,
      listed: count('ids'),
      others: `${count('sids')} + ${count('names')}`,
    };
  }

  recordOf(key: string) {
    return { join: `CROSS JOIN staged s ON s.key = ${key}`, value: 's.record' };
  }

  async filling<Result>(_tables: readonly string[], work: () => Promise<Result>) {
    return work();
  }

  async nextKey(table: string, column: string) {
    const [row] = await this.query(`SELECT coalesce(max(${column}), 0) + 1 AS next FROM ${table}`);
    return integer(row, 'next');
  }

  /** SQL says the order of joins itself. */
  async analyze() {
    return Promise.resolve();
  }

  /** Every transaction is: SQLite has one writer at a time. */
  async alone<Result>(work: () => Promise<Result>) {
    return this.transaction(work);
  }

  async transaction<Result>(work: () => Promise<Result>) {
    const result = await this.#transaction(DURABLE, work);
    this.#checkpointSoon();
    return result;
  }

  async lightTransaction<Result>(work: () => Promise<Result>) {
    const result = await this.#transaction(this.#light, work);
    this.#log?.written();
    return result;
  }

  async #transaction<Result>(kind: string, work: () => Promise<Result>) {
    if (kind !== this.#kind) await this.exec(kind);
    this.#kind = kind;
    await this.exec('BEGIN IMMEDIATE');
    try {
      const result = await work();
      // What is committed to a file that was deleted meanwhile is lost: POSIX lets one write on.
      if (identityOf(this.file) !== this.#identity) throw replaced();
      await this.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Nobody else has this connection; another process may commit between two queries. */
  async reading<Result>(work: () => Promise<Result>) {
    return work();
  }

  async close() {
    clearImmediate(this.#checkpoint);
    await this.#log?.settled();
    await this.#guarded(() => this.database.close());
  }

  /** What is in the log is as durable as it will be: bringing it into the file can wait until whoever waits for the commit is answered. */
  #checkpointSoon(): void {
    this.#checkpoint ??= setImmediate(() => {
      this.#checkpoint = undefined;
      checkpoint(this.database);
    });
  }

  async #fill(into: Into, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    await this.#guarded(() => {
      const whole = rows.length - (rows.length % ROWS_AT_ONCE);
      for (let at = 0; at < whole; at += ROWS_AT_ONCE) this.#insert(into, rows.slice(at, at + ROWS_AT_ONCE));
      for (const row of rows.slice(whole)) this.#insert(into, [row]);
    });
  }

  #insert({ table, row }: Into, rows: readonly (readonly SqlValue[])[]): void {
    const statement = this.#statement(`INSERT INTO ${table} VALUES ${rows.map(() => `(${row})`).join(', ')}`);
    statement.run(...rows.flat());
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs it now; what SQLite throws comes out as an error of the taxonomy. */
  #guarded<Result>(work: () => Result): Promise<Result> {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(storeError(error));
    }
  }
}

/** What tells a file from another that takes its place; null where there is none (a database in memory). */
function identityOf(file: string): string | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found ? `${String(found.dev)}:${String(found.ino)}` : null;
}

function replaced(): AccountError {
  return new AccountError('STORE_REPLACED', {
    message:
      'The file of the account was removed or replaced while it was open, and nothing of this step was written. Put the right file in its place (stop Node-RED before you restore a backup), and start the run again: it opens the file anew.',
    status: 'file was replaced',
  });
}

/** The account's connection over `pg`: one session of the server, whose temporary tables are its own. */
import type { ClientBase } from 'pg';
import { storable } from '../texts.js';
import {
  type KeptBatch,
  type Lease,
  type PackedBatch,
  type Pages,
  type SqlConnection,
  type SqlValue,
  type StagedRange,
  type StagedRun,
  integer,
  text,
} from './connection.js';
import { inPostgres } from './dialect.js';
import { copyIn } from './postgres-copy.js';
import { isLost, postgresError } from './postgres-errors.js';
import { filledAtOnce } from './postgres-filling.js';
import {
  type PackForm,
  dropPacks,
  fieldsOf,
  keepPacks,
  keepPacksAtOnce,
  listOf,
  openPacks,
  recordOf,
} from './postgres-packs.js';

/** Of the pages of one question, for as many processes at most. */
const SHARES = 4;

export class PostgresConnection implements SqlConnection {
  readonly keepingRows = ' FOR SHARE';
  readonly shared = true;
  readonly ordersByKey = false;
  #broken = false;
  #opened: PackForm = 'columns';

  /** `account` is what the lock of {@link alone} is known by in this database. */
  constructor(
    private readonly client: ClientBase,
    private readonly account: string,
  ) {}

  /** The session cannot be used any more: its connection was cut, or it stands in a transaction that could not be ended. */
  get broken(): boolean {
    return this.#broken;
  }

  async query(sql: string, params: readonly SqlValue[] = []) {
    return (await this.#send(sql, params)).rows;
  }

  /** In one journey to the server, where several processes share the pages, if it has any to spare. */
  async digestOfEach({ first, last, size }: Pages, sql: string) {
    const shares = Array.from(
      { length: SHARES },
      (_, nth) =>
        `SELECT p.first, text_of_page($1, p.first, least(p.first + ${String(size - 1)}, $2)) AS answer
         FROM generate_series(${String(first + nth * size)}, $2::bigint, ${String(SHARES * size)}) AS p (first)`,
    );
    const rows = await this.query(`${shares.join(' UNION ALL ')} ORDER BY first`, [
      inPostgres(`SELECT sha256_hex((${sql}))`),
      last,
    ]);
    return rows.map((row) => text(row, 'answer'));
  }

  async run(sql: string, params: readonly SqlValue[] = []) {
    return (await this.#send(sql, params)).rowCount ?? 0;
  }

  async exec(sql: string) {
    await this.#guarded(() => this.client.query(inPostgres(sql)));
  }

  async fill(table: string, rows: Iterable<readonly SqlValue[]>) {
    const some = rows instanceof Array ? rows : [...rows];
    if (some.length > 0) await this.#guarded(() => copyIn(this.client, table, some));
  }

  async keepStaged(batches: readonly KeptBatch[]) {
    await this.#guarded(() => keepPacks(this.client, batches));
  }

  async keepAtOnce(run: StagedRun, batches: readonly PackedBatch[], lease?: Lease) {
    return this.#guarded(() => keepPacksAtOnce(this.client, { run, batches, lease: lease ?? null }));
  }

  async dropStaged(range: StagedRange) {
    await this.#guarded(() => dropPacks(this.client, range));
  }

  async openStaged(range: StagedRange) {
    this.#opened = await this.#guarded(() => openPacks(this.client, range));
  }

  fieldsOf(key: string) {
    return fieldsOf(key, this.#opened);
  }

  listOf(key: string) {
    return listOf(key);
  }

  recordOf(key: string) {
    return recordOf(key);
  }

  async filling<Result>(tables: readonly string[], work: () => Promise<Result>) {
    return this.#guarded(() => filledAtOnce(this.client, tables, work));
  }

  /** A sequence has gaps where a transaction was undone; whoever is alone can close them. */
  async nextKey(table: string, column: string) {
    const [row] = await this.query(
      `SELECT setval(pg_get_serial_sequence('${table}', '${column}'), (SELECT coalesce(max(${column}), 0) + 1 FROM ${table}), false)
         AS next`,
    );
    return integer(row, 'next');
  }

  async analyze(...tables: string[]) {
    await this.exec(`ANALYZE ${tables.join(', ')}`);
  }

  async transaction<Result>(work: () => Promise<Result>) {
    return this.#transaction('BEGIN', work);
  }

  /** A whole server that ends at once undoes the same. */
  async lightTransaction<Result>(work: () => Promise<Result>) {
    return this.#transaction('BEGIN; SET LOCAL synchronous_commit = off', work);
  }

  async alone<Result>(work: () => Promise<Result>) {
    return this.#transaction(`BEGIN; ${lockOf(this.account)}`, work);
  }

  async reading<Result>(work: () => Promise<Result>) {
    return this.#transaction('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work);
  }

  /** The pool has the session; whoever got this from it gives it back. */
  async close() {
    return Promise.resolve();
  }

  async #transaction<Result>(begin: string, work: () => Promise<Result>): Promise<Result> {
    try {
      await this.#guarded(() => this.client.query(begin));
      const result = await work();
      await this.exec('COMMIT');
      return result;
    } catch (error) {
      if (!this.#broken) await this.client.query('ROLLBACK').catch(() => (this.#broken = true));
      throw error;
    }
  }

  #send(sql: string, params: readonly SqlValue[]) {
    return this.#guarded(() =>
      this.client.query<Record<string, unknown>>(
        inPostgres(sql),
        params.map((value) => (typeof value === 'string' ? storable(value) : value)),
      ),
    );
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#broken ||= isLost(error);
      throw postgresError(error);
    }
  }
}

/** Waits for whoever has the lock of that account in this database; given back at the end of the transaction. */
export function lockOf(account: string): string {
  return `SELECT pg_advisory_xact_lock(hashtextextended('node-red-directory-sync/${account.replaceAll("'", "''")}', 0))`;
}

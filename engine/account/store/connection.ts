/**
 * What the account needs of a database: SQL with numbered parameters (`?1`), asynchronous, so that an embedded database
 * in a thread and one across the network look the same. There is one text of each statement, in SQLite's words as far as
 * PostgreSQL has others for them (`dialect.ts` says which); what differs between the stores stays in this folder.
 */
import type { RecordKind } from '../../model/counts.js';
import type { RecordField } from './record-fields.js';

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** A record that was staged, as the store keeps it. `record`: JSON. */
export interface StagedRow {
  readonly kind: RecordKind;
  readonly id: string;
  readonly part: number | null;
  readonly parts: number | null;
  readonly held: 0 | 1;
  readonly digest: string;
  readonly record: string;
}

/** Rows of a batch as texts, one for each column. `known`: so is their source, so that most of them are as they were. */
export interface Pack {
  readonly known: boolean;
  readonly asJson: boolean;
  readonly texts: readonly (string | null)[];
}

/** The records of a batch, which get the keys from `first` on. `pack`: of these rows, where it was made ready before. */
export interface KeptBatch {
  readonly first: number;
  readonly rows: readonly StagedRow[];
  readonly known: boolean;
  readonly pack: Pack | null;
}

/** A batch of a run, ready to be stored. */
export interface PackedBatch {
  readonly index: number;
  /** Its records by kind, JSON. */
  readonly counts: string;
  readonly pack: Pack;
}

/** The run that batches are of. `takes`: a name of the list of attributes that its records were made with. */
export interface StagedRun {
  readonly id: string;
  readonly takes: string;
}

/** Who may write under a name: whoever has its last token. */
export interface Lease {
  readonly name: string;
  readonly token: number;
}

/** Keys of staged records, both ends among them. */
export interface StagedRange {
  readonly first: number;
  readonly last: number;
}

/** Staged records of objects as SQL: the rows `s` to be joined, with `kind`, `id` and `digest`, and each field by its name. */
export interface RecordFields {
  readonly join: string;
  readonly value: (field: RecordField) => string;
}

/** Staged records of members, JSON, as SQL: the rows `s` to be joined. */
export interface WholeRecord {
  readonly join: string;
  readonly value: string;
}

/** Whole numbers from `first` to `last`, in pages of `size`. */
export interface Pages {
  readonly first: number;
  readonly last: number;
  readonly size: number;
}

/**
 * Staged lists of members as SQL: the rows `s` to be joined. `ids`: those known by id, a JSON array; `listed`: how many;
 * `others`: how many are known by anything else.
 */
export interface StagedList {
  readonly join: string;
  readonly ids: string;
  readonly listed: string;
  readonly others: string;
}

/** A connection that nobody else uses meanwhile: its temporary tables are ours, and transactions do not nest. */
export interface SqlConnection {
  /** All rows of a query. Page what may be large. */
  query(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** Digests (SHA-256, hexadecimal) of the one text that a query answers of each page, in their order. `?1` and `?2`, once each: the ends of the page. */
  digestOfEach(pages: Pages, sql: string): Promise<string[]>;
  /** Runs one statement; answers how many rows it changed. */
  run(sql: string, params?: readonly SqlValue[]): Promise<number>;
  /** Runs several statements without parameters. */
  exec(sql: string): Promise<void>;
  /** Adds rows to a table in bulk, every column of it, in the order in which they come. */
  fill(table: string, rows: Iterable<readonly SqlValue[]>): Promise<void>;
  /** Keeps the records of batches until their run is sealed or given up. */
  keepStaged(batches: readonly KeptBatch[]): Promise<void>;
  /**
   * Keeps batches of a run in one journey to a server, as a {@link lightTransaction} of its own. False where that does not do: the run
   * is not open, the lease is another's, or some of the batches were there before. Then what was there is to be replaced, all of it.
   */
  keepAtOnce(run: StagedRun, batches: readonly PackedBatch[], lease?: Lease): Promise<boolean>;
  /** Forgets what was kept. A range holds whole batches. */
  dropStaged(range: StagedRange): Promise<void>;
  /**
   * Makes what was kept the rows of the table `staged`. Call it in {@link alone}, before anything that reads that table. Its
   * column `record` has JSON where a record is held; all others by {@link fieldsOf}, {@link listOf} and {@link recordOf}.
   */
  openStaged(range: StagedRange): Promise<void>;
  /** What the record of an object says that is staged under this key, an expression. */
  fieldsOf(key: string): RecordFields;
  /** The list of members that is staged under this key, an expression. */
  listOf(key: string): StagedList;
  /** Its record. The ids may be left out of it. */
  recordOf(key: string): WholeRecord;
  /** Does work that fills tables. Where they are empty, a store may make their indices behind it. Call it in {@link alone}. */
  filling<Result>(tables: readonly string[], work: () => Promise<Result>): Promise<Result>;
  /**
   * The key that the next row added to the table gets, if it is given none; rows behind it get those that follow. Call it in
   * {@link alone}, and again when rows were given keys.
   */
  nextKey(...of: ['journal', 'seq'] | ['object', 'key']): Promise<number>;
  /** Tables have been filled or emptied: a planner that goes by statistics is to look at them again. */
  analyze(...tables: string[]): Promise<void>;
  /** Everything that `work` does, or nothing. Durable when it resolves. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * The same, for what is not missed: it is there whatever becomes of this process, but where the power fails it may be undone,
   * with all such transactions behind it, until a {@link transaction} ends.
   */
  lightTransaction<Result>(work: () => Promise<Result>): Promise<Result>;
  /** The same, while no other transaction of this kind is at work in the account, in whatever process. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Queries that all see the account as it was at one moment, whoever commits meanwhile. */
  reading<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Put behind a query: what it read stays as it is until the transaction ends. */
  readonly keepingRows: string;
  /** Are the rows of a table WITHOUT ROWID kept in the order of its key, so that the key costs nothing? */
  readonly ordersByKey: boolean;
  /** Can somebody else write between two statements of a {@link transaction}? Not where every one is alone. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/** The text in a column. */
export function text(row: SqlRow | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== 'string') throw new TypeError(`the column ${column} holds no text`);
  return value;
}

/** The text in a column, or null. */
export function textOrNull(row: SqlRow | undefined, column: string): string | null {
  return row?.[column] === null || row?.[column] === undefined ? null : text(row, column);
}

/** The bytes in a column. */
export function bytes(row: SqlRow | undefined, column: string): Uint8Array {
  const value = row?.[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`the column ${column} holds no bytes`);
  return value;
}

/** The whole number in a column. */
export function integer(row: SqlRow | undefined, column: string): number {
  const value = Number(row?.[column]);
  if (!Number.isSafeInteger(value)) throw new TypeError(`the column ${column} holds no whole number`);
  return value;
}

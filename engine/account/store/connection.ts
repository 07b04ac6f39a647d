/**
 * What the account needs of a database: SQL with numbered parameters (`?1`), asynchronous, so that an embedded database
 * in a thread and one across the network look the same. What differs between dialects stays in this folder.
 */

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** A connection that nobody else uses meanwhile: its temporary tables are ours, and transactions do not nest. */
export interface SqlConnection {
  /** All rows of a query. Page what may be large. */
  query(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** Runs one statement; answers how many rows it changed. */
  run(sql: string, params?: readonly SqlValue[]): Promise<number>;
  /** Runs several statements without parameters. */
  exec(sql: string): Promise<void>;
  /** Runs a statement once for each row of parameters, in one go. */
  runEach(sql: string, rows: Iterable<readonly SqlValue[]>): Promise<void>;
  /** Everything that `work` does, or nothing. Durable when it resolves. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>;
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

/** The whole number in a column. */
export function integer(row: SqlRow | undefined, column: string): number {
  const value = Number(row?.[column]);
  if (!Number.isSafeInteger(value)) throw new TypeError(`the column ${column} holds no whole number`);
  return value;
}

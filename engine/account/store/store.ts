/** Where an account is kept, as its thread sees it. */
import type { Pack, SqlConnection, StagedRow } from './connection.js';
import { openPostgres } from './postgres-store.js';
import type { PostgresSettings } from './postgres-settings.js';
import { openSqlite } from './sqlite-connection.js';

/** The embedded store. */
export interface SqliteSettings {
  readonly kind: 'sqlite';
  readonly file: string;
}
export type StoreSettings = SqliteSettings | PostgresSettings;

/** An open store. */
export interface AccountStore {
  /** Does some work on a connection of its own; the embedded store has one for all. */
  on<Result>(work: (db: SqlConnection) => Promise<Result>): Promise<Result>;
  /** Makes rows ready that are staged soon; null where that is no work. */
  pack(rows: readonly StagedRow[], known: boolean): Pack | null;
  close(): Promise<void>;
}

/** Opens the store, making it where there is none, and brings its schema up to date. Throws AccountError. */
export async function openStore(settings: StoreSettings): Promise<AccountStore> {
  if (settings.kind === 'postgres') return openPostgres(settings);
  const connection = openSqlite(settings.file);
  return { on: (work) => work(connection), pack: () => null, close: () => connection.close() };
}

/**
 * Stores of accounts for tests: SQLite files, or schemas of the PostgreSQL that `ACCOUNT_STORE` names as a URL (see
 * `postgres.ts`), so that the same tests run on both.
 */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { migratePostgres } from '../../engine/account/store/postgres-schema.js';
import type { PostgresSettings } from '../../engine/account/store/postgres-settings.js';
import type { StoreSettings } from '../../engine/account/store/store.js';

/** A new store; `file` is taken where it is SQLite. */
export function newStore(file: string): StoreSettings {
  const url = process.env['ACCOUNT_STORE'] ?? '';
  return url === '' ? { kind: 'sqlite', file } : postgresStore(url);
}

/** A schema of its own in the database that the URL names. */
export function postgresStore(url: string, rest: Partial<PostgresSettings> = {}): PostgresSettings {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    kind: 'postgres',
    host: hostname,
    port: Number(port),
    database: decodeURIComponent(pathname.slice(1)),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    schema: `test_${randomBytes(6).toString('hex')}`,
    tls: null,
    applicationName: 'tests',
    writer: 'tests',
    timeouts: { connect: 10_000, statement: 120_000, idle: 60_000 },
    ...rest,
  };
}

/** Asks the store itself, beside any account that is open. SQL in the words of both; parameters `$1`, `$2` …  */
export async function askStore(
  store: StoreSettings,
  sql: string,
  params: readonly (string | number)[] = [],
): Promise<Record<string, unknown>[]> {
  if (store.kind === 'postgres') {
    return withClient(store, async (client) => (await client.query<Record<string, unknown>>(sql, [...params])).rows);
  }
  const database = new DatabaseSync(store.file);
  database.exec('PRAGMA busy_timeout=10000');
  try {
    const named = Object.fromEntries(params.map((value, index) => [`$${String(index + 1)}`, value]));
    return database.prepare(sql).all(named);
  } finally {
    database.close();
  }
}

/** Forgets a schema with all that is in it; files go with their folder. */
export async function dropStore(store: StoreSettings): Promise<void> {
  if (store.kind !== 'postgres') return;
  await withClient(store, (client) => client.query(`DROP SCHEMA IF EXISTS "${store.schema}" CASCADE`));
}

/** Makes the schema as a version of the package left it that knew only these migrations. `between`: after the first of them. */
export async function makeOlder(
  store: PostgresSettings,
  migrations: readonly string[],
  between: string,
): Promise<void> {
  await withClient(store, async (client) => {
    await migratePostgres(client, store.schema, migrations.slice(0, 1));
    await client.query(between);
    await migratePostgres(client, store.schema, migrations);
  });
}

async function withClient<Result>(store: PostgresSettings, work: (client: Client) => Promise<Result>): Promise<Result> {
  const { host, port, database, user, password, schema } = store;
  const client = new Client({ host, port, database, user, password });
  await client.connect();
  try {
    await client.query(`SET search_path = "${schema}"; SET client_min_messages = warning`);
    return await work(client);
  } finally {
    await client.end();
  }
}

/** An account in PostgreSQL: sessions as they are needed, each with the settings that the account's SQL relies on. */
import type { ConnectionOptions } from 'node:tls';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { clientTls } from '../../runtime/tls.js';
import type { SqlConnection } from './connection.js';
import { PostgresConnection } from './postgres-connection.js';
import { postgresError } from './postgres-errors.js';
import { packOf } from './postgres-packs.js';
import { migratePostgres, quoted } from './postgres-schema.js';
import type { PostgresSettings } from './postgres-settings.js';
import type { AccountStore } from './store.js';

/** One that stages, one that plans and commits, one that looks things up. */
const SESSIONS = 3;
/** A session that nobody needs is closed after so long. */
const UNUSED_MS = 60_000;
/** Nothing is heard of a statement for so long after its time limit: the server is not there any more. */
const GRACE_MS = 15_000;
/** Whom the server cannot reach for so long is taken for dead, though nothing is written meanwhile. */
const UNREACHABLE_MS = 60_000;

/** Opens the account, making its schema where there is none. Throws AccountError. */
export async function openPostgres(settings: PostgresSettings): Promise<AccountStore> {
  const pool = new Pool(poolSettings(settings));
  // A session that is cut while nobody uses it is replaced when it is needed.
  pool.on('error', () => undefined);
  const ready = new WeakSet<PoolClient>();

  const withSession = async <Result>(work: (client: PoolClient) => Promise<Result>, broken: () => boolean) => {
    const client = await pool.connect().catch((error: unknown) => {
      throw postgresError(error);
    });
    // Reported by the query that it hits, or by the next one.
    const ignore = () => undefined;
    client.on('error', ignore);
    let usable = false;
    try {
      if (!ready.has(client)) await client.query(sessionText(settings));
      ready.add(client);
      const result = await work(client);
      usable = !broken();
      return result;
    } catch (error) {
      usable = ready.has(client) && !broken();
      throw postgresError(error);
    } finally {
      client.off('error', ignore);
      client.release(!usable);
    }
  };

  try {
    let migrated = false;
    await withSession(
      async (client) => {
        await migratePostgres(client, settings.schema);
        migrated = true;
      },
      () => !migrated,
    );
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    on: async (work) => {
      let connection: PostgresConnection | undefined;
      return withSession(
        (client) => work((connection = new PostgresConnection(client, settings.schema)) satisfies SqlConnection),
        () => connection?.broken ?? true,
      );
    },
    pack: packOf,
    close: () => pool.end(),
  };
}

function poolSettings(settings: PostgresSettings): PoolConfig {
  const { host, port, database, user, password, timeouts, tls } = settings;
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: tls === null ? false : serverChecked(tls),
    application_name: settings.applicationName,
    connectionTimeoutMillis: timeouts.connect,
    query_timeout: timeouts.statement + GRACE_MS,
    keepAlive: true,
    max: SESSIONS,
    idleTimeoutMillis: UNUSED_MS,
    allowExitOnIdle: true,
  };
}

/** The package's own policy. `pg` asks for the name in `host`; a TLS configuration may name another that is to be in the certificate. */
function serverChecked(own: ConnectionOptions): ConnectionOptions {
  const options = clientTls(own, 'TLSv1.2');
  const { checkServerIdentity } = options;
  if (!own.servername || !checkServerIdentity) return options;
  const name = own.servername;
  return { ...options, checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) };
}

/**
 * What a session is set to. Every join in the order in which the text has it, as in SQLite; no compilation of plans, which
 * costs more than it brings here. A commit is on the disk before it is acknowledged.
 */
function sessionText({ schema, timeouts }: PostgresSettings): string {
  const set = {
    search_path: quoted(schema),
    statement_timeout: String(timeouts.statement),
    // Whoever waits for a lock says so, and not that a statement took too long.
    lock_timeout: String(Math.max(1, timeouts.statement - 500)),
    idle_in_transaction_session_timeout: String(timeouts.idle),
    tcp_user_timeout: String(UNREACHABLE_MS),
    join_collapse_limit: '1',
    jit: 'off',
    // Looking at a few thousand rows tells a large table from a small one, which is what decides a plan here.
    default_statistics_target: '10',
    work_mem: `'64MB'`,
    temp_buffers: `'64MB'`,
    client_min_messages: 'warning',
  };
  return [
    ...Object.entries(set).map(([name, value]) => `SET ${name} = ${value}`),
    `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
    // Indices of large tables are made at once, by as many processes as have 32 MB each.
    `SELECT set_config(name, '128MB', false) FROM pg_settings WHERE name = 'maintenance_work_mem' AND setting::bigint < 131072`,
    // Remembers rows one by one where a join of whole tables is quicker. Unknown before PostgreSQL 14.
    `SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_memoize'`,
  ].join(';\n');
}

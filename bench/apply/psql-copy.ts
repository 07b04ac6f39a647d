/** The yardstick of `bench:apply` on PostgreSQL: `\copy` of psql into the same schema, in one transaction. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { AccountSettings } from '../../engine/account/account.js';
import { openAccount } from '../../engine/account/account.js';
import { dropStore, postgresStore } from '../../test/support/account-store.js';
import type { BulkFigures, Dump } from './sqlite-import.js';

/** What makes a store rather than what a load leaves. */
const MADE = ['meta', 'schema_version'];

/** Takes all rows out of the account in that schema of the database that `url` names. */
export function dumpPostgres(url: string, schema: string, folder: string): Dump {
  mkdirSync(folder, { recursive: true });
  const names = psql(
    url,
    schema,
    `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' ORDER BY oid;`,
  );
  const filled = names
    .trim()
    .split('\n')
    .filter((name) => !MADE.includes(name) && psql(url, schema, `SELECT 1 FROM ${name} LIMIT 1;`).trim() === '1');
  for (const name of filled) psql(url, schema, `\\copy ${name} TO '${join(folder, name)}'\n`);
  return { folder, tables: filled };
}

/** What `\copy` takes for these tables, into an account that is made for it and forgotten again. */
export async function copyRows(
  url: string,
  settings: AccountSettings,
  { folder, tables }: Dump,
  wanted: readonly string[] = tables,
): Promise<BulkFigures> {
  const store = postgresStore(url);
  await (await openAccount({ ...settings, store })).close();
  try {
    const copies = wanted.map((name) => `\\copy ${name} FROM '${join(folder, name)}'`);
    const started = performance.now();
    psql(url, store.schema, `BEGIN;\n${copies.join('\n')}\nCOMMIT;\n`);
    return { ms: performance.now() - started, cpu: null };
  } finally {
    await dropStore(store);
  }
}

/** Ends what the server does at its leisure of what was written before: its log goes into its files, and is used anew. */
export function settlePostgres(adminUrl: string): void {
  psql(adminUrl, 'public', 'CHECKPOINT;');
}

function psql(url: string, schema: string, script: string): string {
  const { status, stdout, stderr, error } = spawnSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', url], {
    input: script,
    encoding: 'utf8',
    env: { ...process.env, PGOPTIONS: `-c search_path=${schema}` },
  });
  if (status !== 0) throw new Error(`psql failed: ${error?.message ?? stderr.slice(0, 500)}`);
  return stdout;
}

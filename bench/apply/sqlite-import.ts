/** The yardstick of `bench:apply` on SQLite: `.import` of sqlite3 into the same schema, durable, in one transaction. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from '../support/measure.js';

/** What the account holds of a load, without what its sources said: what the plan itself has to write at least. */
export const OWN_TABLES: readonly string[] = ['entry', 'address', 'attribute', 'member', 'journal'];

/** Rows that were taken out of an account, ready to be loaded as often as one likes. */
export interface Dump {
  readonly folder: string;
  /** Every table that has rows, in the order in which their references allow. */
  readonly tables: readonly string[];
}

/** Takes all rows out of the account in `file`. Null where there is no sqlite3. */
export function dumpSqlite(file: string, folder: string): Dump | null {
  if (spawnSync('sqlite3', ['--version']).error) return null;
  mkdirSync(folder, { recursive: true });
  const names = shell(
    file,
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid;`,
  );
  const filled = names
    .trim()
    .split('\n')
    .filter((name) => name !== 'meta' && shell(file, `SELECT 1 FROM ${name} LIMIT 1;`).trim() === '1');
  const dumps = filled.map((name) => `.once ${join(folder, `${name}.csv`)}\nSELECT * FROM ${name};`);
  shell(file, `.mode csv\n${dumps.join('\n')}\n`);
  // CSV knows no NULL: it comes back as the empty text, which must not get into indices that leave NULL out.
  const schema = shell(file, '.schema --nosys\n').replaceAll(/(WHERE \w+) IS NOT NULL/g, `$1 <> ''`);
  const pageBytes = shell(file, 'PRAGMA page_size;').trim();
  writeFileSync(join(folder, 'schema.sql'), `PRAGMA page_size=${pageBytes};\nPRAGMA journal_mode=WAL;\n${schema}`);
  return { folder, tables: filled };
}

/** What a bulk load took, in milliseconds. `cpu`: its processor time; null where that is another process's. */
export interface BulkFigures {
  readonly ms: number;
  readonly cpu: number | null;
}

/** What `.import` takes for these tables. */
export async function importRows({ folder, tables }: Dump, wanted: readonly string[] = tables): Promise<BulkFigures> {
  const target = join(folder, 'import.db');
  for (const end of ['', '-wal', '-shm']) rmSync(target + end, { force: true });
  shell(target, `.read ${join(folder, 'schema.sql')}\n`);
  const imports = wanted.map((table) => `.import ${join(folder, `${table}.csv`)} ${table}`);
  const script = join(folder, 'load.sql');
  writeFileSync(script, `.mode csv\nPRAGMA synchronous=FULL;\nBEGIN;\n${imports.join('\n')}\nCOMMIT;\n`);
  const { wall, cpu } = await measure('sqlite3', ['-bail', target, `.read ${script}`]);
  return { ms: wall * 1_000, cpu: cpu * 1_000 };
}

function shell(file: string, script: string): string {
  const { status, stdout, stderr } = spawnSync('sqlite3', ['-bail', file], {
    input: script,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  if (status !== 0 || stderr !== '') throw new Error(`sqlite3 failed: ${stderr.slice(0, 500)}`);
  return stdout;
}

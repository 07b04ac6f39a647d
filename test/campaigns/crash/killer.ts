/**
 * Loaded by `--require` into the processes that are killed, and so into their threads: sees every statement that goes to
 * SQLite or PostgreSQL, and ends the process with SIGKILL (or stops it) at the one that the file named by CRASH_ARM says. The code under test knows
 * nothing of it. Told to, it keeps transactions from SQLite: the negative control.
 */
import { readFileSync } from 'node:fs';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { Client } from 'pg';
import type { Armed } from './points.js';

const file = process.env['CRASH_ARM'] ?? '';
let armed: Armed | null = null;
let seen = 0;
let lastText = '';

/** Looked at when a transaction begins: that is often enough, and no statement has to wait for the disk. */
function look(): void {
  try {
    const text = readFileSync(file, 'utf8');
    if (text === lastText) return;
    lastText = text;
    armed = JSON.parse(text) as Armed;
    seen = 0;
  } catch {
    armed = null;
  }
}

function at(when: Armed['when'], sql: string): void {
  const statement = armed?.when === when ? armed.statement : null;
  if (armed === null || statement === null || !new RegExp(statement).test(sql.trim())) return;
  seen += 1;
  if (seen < armed.nth) return;
  const { signal = 'SIGKILL' } = armed;
  armed = null;
  process.kill(process.pid, signal);
  if (signal === 'SIGSTOP') return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function watched<Args extends unknown[], Result>(sql: string, work: (...args: Args) => Result, args: Args): Result {
  at('before', sql);
  const result = work(...args);
  at('behind', sql);
  return result;
}

type Method<On> = (this: On, ...args: unknown[]) => unknown;

/** Puts a method in the place of the usual one, which it is given. */
function replace<On extends object>(
  prototype: On,
  name: keyof On & string,
  made: (usual: Method<On>) => Method<On>,
): void {
  const value = made(Reflect.get(prototype, name) as Method<On>);
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}

replace(DatabaseSync.prototype, 'exec', (usual) => {
  return function (...args) {
    const sql = String(args[0]);
    if (sql.startsWith('BEGIN')) look();
    if (/^(?:BEGIN|COMMIT|ROLLBACK)/.test(sql) && armed?.transactions === false) return undefined;
    return watched(sql, usual.bind(this), args);
  };
});
for (const name of ['run', 'all', 'get'] as const) {
  replace(StatementSync.prototype, name, (usual) => {
    return function (...args) {
      return watched(this.sourceSQL, usual.bind(this), args);
    };
  });
}
/** Statements to PostgreSQL: as text, or as an object with it, or with the table that rows are copied into. */
replace(Client.prototype, 'query', (usual) => {
  return function (...args) {
    const [first, ...rest] = args;
    const { text, table } = (typeof first === 'string' ? { text: first } : first) as { text?: string; table?: string };
    const sql = text ?? (table === undefined ? '' : `COPY ${table} `);
    if (sql.startsWith('BEGIN')) look();
    const control = /^(?:BEGIN|COMMIT|ROLLBACK)/.test(sql) && armed?.transactions === false;
    at('before', sql);
    const result = usual.apply(this, control ? ['SELECT 1', ...rest] : args);
    // Rows that are copied tell nobody here that they have arrived: some time later, then.
    if (table !== undefined) setTimeout(() => at('behind', sql), 1);
    if (result instanceof Promise) return result.then((rows: unknown) => (at('behind', sql), rows));
    return result;
  };
});
look();

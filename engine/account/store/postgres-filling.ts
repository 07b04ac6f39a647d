/**
 * Filling tables that are empty: their indices are made when they are full, at once, which costs half of what it costs to
 * keep them row by row. All in the transaction that fills them: if it is undone, the indices are there as before.
 */
import type { ClientBase } from 'pg';
import { isLost } from './postgres-errors.js';

interface Index {
  readonly table: string;
  readonly name: string;
  /** Of a primary key or a unique constraint; else null. */
  readonly definition: string | null;
  readonly index: string;
}

/** Indices with few of the rows in them: keeping these costs less than a look at the whole table. */
const KEPT: readonly string[] = [
  ...['object_dn', 'object_other', 'object_absent', 'object_open', 'object_master'],
  'entry_group_address',
];

/** Who asks the account meanwhile is not waited for, so that nobody can wait for one another: then the indices stay. */
const WITHOUT_WAITING = 'ACCESS EXCLUSIVE MODE NOWAIT';

/** Does the work; where all of the tables are empty, and ours alone, without their indices. */
export async function filledAtOnce<Result>(
  client: ClientBase,
  tables: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  const indices = await dropIndices(client, tables);
  const result = await work();
  if (indices.length > 0) await client.query(indices.map(makingOf).join(';\n'));
  return result;
}

async function dropIndices(client: ClientBase, tables: readonly string[]): Promise<Index[]> {
  const filled = tables.map((table) => `EXISTS (SELECT 1 FROM ${table})`).join(' OR ');
  const { rows: some } = await client.query<{ filled: boolean }>(`SELECT ${filled} AS filled`);
  if (some[0]?.filled !== false) return [];
  // Outside of a transaction they stay, too.
  const inside = await client.query('SAVEPOINT filling').then(
    () => true,
    () => false,
  );
  if (!inside) return [];
  try {
    await client.query(`LOCK TABLE ${tables.join(', ')} IN ${WITHOUT_WAITING}`);
    const { rows } = await client.query<Index>(
      `SELECT i.indrelid::regclass::text AS table, quote_ident(c.relname) AS name, pg_get_constraintdef(k.oid) AS definition,
         pg_get_indexdef(i.indexrelid) AS index
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
       WHERE i.indrelid = ANY ($1::regclass[]) AND c.relname <> ALL ($2) ORDER BY i.indexrelid`,
      [tables, KEPT],
    );
    await client.query([...rows.map(droppingOf), 'RELEASE SAVEPOINT filling'].join(';\n'));
    return rows;
  } catch (error) {
    // Somebody looks something up, or the tables belong to another role.
    if (isLost(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT filling');
    return [];
  }
}

function droppingOf({ table, name, definition }: Index): string {
  return definition === null ? `DROP INDEX ${name}` : `ALTER TABLE ${table} DROP CONSTRAINT ${name}`;
}

function makingOf({ table, name, definition, index }: Index): string {
  return definition === null ? index : `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`;
}

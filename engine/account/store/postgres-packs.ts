/**
 * Batches that wait for their seal, in PostgreSQL: each in one row (`staged_pack`), its records one in each line, which costs
 * a third of a row for each. At the seal they become the rows of the temporary table `staged`, that the account's SQL reads
 * in both stores.
 */
import type { ClientBase } from 'pg';
import type { SqlValue, StagedRow } from './connection.js';
import { inPostgres } from './dialect.js';
import { copyIn } from './postgres-copy.js';

/** Large lists of members are not compressed: they are read in a moment, and gone (`new_part` is that of `source/members.ts`). */
const STAGED = inPostgres(`
  CREATE TEMP TABLE IF NOT EXISTS staged (
    key INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, part INTEGER, parts INTEGER, held INTEGER NOT NULL,
    digest TEXT NOT NULL, record TEXT NOT NULL
  );
  CREATE TEMP TABLE IF NOT EXISTS new_part (object INTEGER NOT NULL, record JSONTEXT NOT NULL);
  ALTER TABLE staged ALTER record SET STORAGE EXTERNAL;
  ALTER TABLE new_part ALTER record SET STORAGE EXTERNAL`);

const LINES = `string_to_array`;
const OPENED = `
  INSERT INTO staged
  SELECT p.first + r.nth - 1, r.kind, r.id, r.part::bigint, r.parts::bigint, r.held::bigint, r.digest, r.record
  FROM staged_pack p CROSS JOIN LATERAL unnest(
    ${LINES}(p.kinds, E'\\n'), ARRAY(SELECT json_array_elements_text(p.ids::json)), ${LINES}(p.part, E'\\n', ''),
    ${LINES}(p.parts, E'\\n', ''), ${LINES}(p.held, E'\\n'), ${LINES}(p.digests, E'\\n'), ${LINES}(p.records, E'\\n')
  ) WITH ORDINALITY AS r (kind, id, part, parts, held, digest, record, nth)
  WHERE p.first BETWEEN $1 AND $2`;

/** Keeps the rows of a batch; `first`: the key of its first. JSON has no line breaks in it, and ids may. */
export async function keepPack(client: ClientBase, first: number, rows: readonly StagedRow[]): Promise<void> {
  const lines = (of: (row: StagedRow) => SqlValue) => rows.map((row) => of(row) ?? '').join('\n');
  await copyIn(client, 'staged_pack', [
    [
      first,
      lines(({ kind }) => kind),
      JSON.stringify(rows.map(({ id }) => id)),
      lines(({ part }) => part),
      lines(({ parts }) => parts),
      lines(({ held }) => held),
      lines(({ digest }) => digest),
      lines(({ record }) => record),
    ],
  ]);
}

/** Makes the rows of the batches with these keys those of `staged`; they stay until the next run, or the session's end. */
export async function openPacks(client: ClientBase, { first, last }: { first: number; last: number }): Promise<void> {
  await client.query(`${STAGED}; TRUNCATE staged`);
  await client.query(OPENED, [first, last]);
}

/** Forgets the batches whose first keys are these. */
export async function dropPacks(client: ClientBase, { first, last }: { first: number; last: number }): Promise<void> {
  await client.query('DELETE FROM staged_pack WHERE first BETWEEN $1 AND $2', [first, last]);
}

/**
 * The fields of a record, in JSON in the column `record`, as columns of `f`: taken apart once, not once for each.
 */
export function fieldsOf(record: string, fields: readonly string[], numbers: ReadonlySet<string>): string {
  const columns = fields.map((field) => `${field} ${numbers.has(field) ? 'INTEGER' : 'TEXT'}`);
  return `CROSS JOIN json_to_record(CAST(${record} AS json)) AS f (${columns.join(', ')}) ON true`;
}

/**
 * Batches that wait for their seal, in PostgreSQL: each in one row (`staged_pack`), each column of its records as one text,
 * which costs much less than a row for each. At the seal they become the rows of the temporary table `staged`, that the account's
 * SQL reads in both stores, but without the records: only those that are new, or not as they were, are looked for in their packs.
 */
import type { ClientBase } from 'pg';
import type { KeptBatch, RecordFields, StagedRange, WholeRecord } from './connection.js';
import { inPostgres } from './dialect.js';
import { NUMBERS, RECORD_FIELDS, type RecordField } from './record-fields.js';

/** Large lists of members are not compressed: they are read in a moment, and gone (`new_part` is that of `source/members.ts`). */
const STAGED = inPostgres(`
  CREATE TEMP TABLE IF NOT EXISTS staged (
    key INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, part INTEGER, parts INTEGER, held INTEGER NOT NULL,
    digest TEXT NOT NULL, record TEXT
  );
  CREATE TEMP TABLE IF NOT EXISTS staged_range (first INTEGER NOT NULL, last INTEGER NOT NULL);
  CREATE TEMP TABLE IF NOT EXISTS new_part (object INTEGER NOT NULL, record JSONTEXT NOT NULL);
  ALTER TABLE new_part ALTER record SET STORAGE EXTERNAL;
  TRUNCATE staged, staged_range`);

/** What stands for NULL in a column. */
const NULL = '\x01';
/** The values of a column of a pack `p`: one in each line, or a JSON array where a value has a line break in it. */
const valuesOf = (column: string) => `CASE WHEN p.as_json THEN ARRAY(SELECT json_array_elements_text(p.${column}::json))
  ELSE string_to_array(p.${column}, E'\\n', E'\\x01') END`;
const OPENED = `
  INSERT INTO staged
  SELECT p.first + r.nth - 1, r.kind, r.id, r.part::bigint, r.parts::bigint, coalesce(r.held::bigint, 0), r.digest
  FROM staged_pack p JOIN LATERAL unnest(
    ${['kind', 'id', 'digest', 'part', 'parts', 'held'].map(valuesOf).join(', ')}
  ) WITH ORDINALITY AS r (kind, id, digest, part, parts, held, nth) ON true
  WHERE p.first BETWEEN $1 AND $2`;

/** Columns of all batches that are opened, with the key of each record. */
const opened = (columns: readonly string[]) =>
  `(SELECT p.first + r.nth - 1 AS key, ${columns.map((column) => `r.${column}`).join(', ')} FROM staged_range q
    JOIN staged_pack p ON p.first BETWEEN q.first AND q.last
    JOIN LATERAL unnest(${columns.map(valuesOf).join(', ')}) WITH ORDINALITY AS r (${columns.join(', ')}, nth) ON true)`;
const COLUMNS = ['kind', 'id', 'digest', 'part', 'parts', 'held', 'record', ...RECORD_FIELDS];
const KEPT = `INSERT INTO staged_pack (first, as_json, ${COLUMNS.join(', ')})
  VALUES ($1, $2, ${COLUMNS.map((_, index) => `$${String(index + 3)}`).join(', ')})`;
const HELD = `UPDATE staged SET record = l.record FROM ${opened(['record'])} l WHERE l.key = staged.key AND staged.held = 1`;

/** Keeps batches. The server writes one while the next is made ready. */
export async function keepPacks(client: ClientBase, batches: readonly KeptBatch[]): Promise<void> {
  let written: Promise<unknown> = Promise.resolve();
  for (const batch of batches) {
    const values = packOf(batch);
    await written;
    written = client.query({ name: 'keep_pack', text: KEPT, values });
  }
  await written;
}

/** A row of `staged_pack`. */
function packOf({ first, rows }: KeptBatch): (number | string | boolean | null)[] {
  const said = rows.map(({ kind, record }) => (kind === 'members' ? {} : (JSON.parse(record) as Said)));
  const columns = [
    rows.map(({ kind }) => kind),
    rows.map(({ id }) => id),
    rows.map(({ digest }) => digest),
    rows.map(({ part }) => textOf(part)),
    rows.map(({ parts }) => textOf(parts)),
    rows.map(({ held }) => (held === 1 ? '1' : null)),
    rows.map(({ kind, record }) => (kind === 'members' ? record : null)),
    ...RECORD_FIELDS.map((field) => said.map((one) => textOf(one[field]))),
  ];
  const joined = columns.map((values) => (values.every((value) => value === null) ? null : inLines(values)));
  // An empty text is no line for the server, not one without anything in it.
  const asJson = joined.some((text) => text !== null && (text === '' || linesOf(text) !== rows.length));
  return [first, asJson, ...(asJson ? columns.map((values) => JSON.stringify(values)) : joined)];
}

type Said = Readonly<Partial<Record<RecordField, unknown>>>;

/** As the column `object` has it: lists and values by name as JSON. */
function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** With a line too many where a value could be taken for NULL. */
function inLines(values: readonly (string | null)[]): string {
  const text = values.map((value) => value ?? NULL).join('\n');
  return values.includes(NULL) ? `${text}\n` : text;
}

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

/** Makes the rows of the batches with these keys those of `staged`; they stay until the next run, or the session's end. */
export async function openPacks(client: ClientBase, { first, last }: StagedRange): Promise<void> {
  await client.query(STAGED);
  await client.query('INSERT INTO staged_range VALUES ($1, $2)', [first, last]);
  await client.query(OPENED, [first, last]);
  await client.query('ANALYZE staged_range');
  const { rows: held } = await client.query('SELECT 1 FROM staged WHERE held = 1 LIMIT 1');
  if (held.length > 0) await client.query(HELD);
}

/** Forgets the batches whose first keys are these. */
export async function dropPacks(client: ClientBase, { first, last }: StagedRange): Promise<void> {
  await client.query('DELETE FROM staged_pack WHERE first BETWEEN $1 AND $2', [first, last]);
}

/** The record of members with this key. */
export function recordOf(key: string): WholeRecord {
  return { join: `JOIN ${opened(['record'])} s ON s.key = ${key}`, value: 's.record' };
}

/** The record of an object with this key. */
export function fieldsOf(key: string): RecordFields {
  return {
    join: `JOIN ${opened(['kind', 'id', 'digest', ...RECORD_FIELDS])} s ON s.key = ${key}`,
    value: (field) => (NUMBERS.has(field) ? `CAST(s.${field} AS INTEGER)` : `s.${field}`),
  };
}

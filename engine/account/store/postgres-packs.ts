/**
 * Batches that wait for their seal, in PostgreSQL: each in one row (`staged_pack`), each column of its records as one text (or all
 * records as one), which costs much less than a row for each. At the seal they become the rows of the temporary table `staged`, that the account's
 * SQL reads in both stores, but without the records: only those that are new, or not as they were, are looked for in their packs.
 */
import type { ClientBase } from 'pg';
import type {
  KeptBatch,
  Lease,
  Pack,
  PackedBatch,
  RecordFields,
  StagedList,
  StagedRange,
  StagedRow,
  StagedRun,
  WholeRecord,
} from './connection.js';
import { inPostgres } from './dialect.js';
import { NUMBERS, RECORD_FIELDS, type RecordField } from './record-fields.js';
import { saidIn, textOf } from './said.js';
import { firstKey } from './staged-keys.js';

/** Large lists of members are not compressed: they are read in a moment, and gone (`new_part` is that of `source/members.ts`). */
const STAGED = inPostgres(`
  CREATE TEMP TABLE IF NOT EXISTS staged (
    key INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, part INTEGER, parts INTEGER, held INTEGER NOT NULL,
    digest TEXT NOT NULL, record TEXT
  );
  CREATE TEMP TABLE IF NOT EXISTS staged_range (first INTEGER NOT NULL, last INTEGER NOT NULL);
  CREATE TEMP TABLE IF NOT EXISTS new_part (
    object INTEGER NOT NULL, staged INTEGER NOT NULL, ids TEXT NOT NULL, listed INTEGER NOT NULL, others INTEGER NOT NULL
  );
  ALTER TABLE new_part ALTER ids SET STORAGE EXTERNAL;
  TRUNCATE staged, staged_range`);

/** What stands for NULL in a column. */
const NULL = '\x01';
/** The values of a column of a pack `p`: one in each line, or a JSON array where a value has a line break in it. */
const valuesOf = (column: string) => `CASE WHEN p.as_json THEN ARRAY(SELECT json_array_elements_text(p.${column}::json))
  ELSE string_to_array(p.${column}, E'\\n', E'\\x01') END`;
/** Columns of all batches that are opened, with the key of each record. Taken apart in the list of what is selected, without a copy of each column. */
const opened = (columns: readonly string[]) =>
  `(SELECT a.first + generate_series(0, cardinality(a.kind) - 1) AS key, ${columns.map((column) => `unnest(a.${column}) AS ${column}`).join(', ')}
    FROM (SELECT p.first, ${[...new Set(['kind', ...columns])].map((column) => `${valuesOf(column)} AS ${column}`).join(', ')}
      FROM staged_range q JOIN staged_pack p ON p.first BETWEEN q.first AND q.last OFFSET 0) a)`;
const OPENED = `
  INSERT INTO staged
  SELECT r.key, r.kind, r.id, r.part::bigint, r.parts::bigint, coalesce(r.held::bigint, 0), r.digest
  FROM ${opened(['kind', 'id', 'digest', 'part', 'parts', 'held'])} r`;

const COLUMNS = ['kind', 'id', 'digest', 'part', 'parts', 'held', 'record', 'ids', 'listed', ...RECORD_FIELDS];
const KEPT = `INSERT INTO staged_pack (first, whole, as_json, ${COLUMNS.join(', ')})
  VALUES ($1, $2, $3, ${COLUMNS.map((_, index) => `$${String(index + 4)}`).join(', ')})`;
const HELD = `UPDATE staged SET record = l.record FROM ${opened(['record'])} l WHERE l.key = staged.key AND staged.held = 1`;

/** Keeps batches. The server writes one while the next is made ready. */
export async function keepPacks(client: ClientBase, batches: readonly KeptBatch[]): Promise<void> {
  let written: Promise<unknown> = Promise.resolve();
  for (const { first, rows, known, pack } of batches) {
    const { asJson, texts } = pack?.known === known ? pack : packOf(rows, known);
    await written;
    written = client.query({ name: 'keep_pack', text: KEPT, values: [first, known, asJson, ...texts] });
  }
  await written;
}

/** Columns of a batch that is stored at once; the first parameters are the run, the time, the name and token of a lease, and what is taken. */
const GIVEN = ['batch', 'counts', 'whole', 'as_json', ...COLUMNS];
const TYPES = ['bigint', 'text', 'boolean', 'boolean', ...COLUMNS.map(() => 'text')];
const BEFORE_GIVEN = 5;
const atOnce = (batches: number) => {
  const given = Array.from({ length: batches }, (_, nth) => {
    const values = TYPES.map((type, at) => `$${String(BEFORE_GIVEN + nth * TYPES.length + at + 1)}::${type}`);
    return `(${values.join(', ')})`;
  });
  return `WITH open AS (
      UPDATE run SET touched_at = $2 WHERE id = $1 AND state = 'open'
        AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM meta WHERE name = $3 AND value = $4::bigint FOR SHARE)) RETURNING key
    ), given (${GIVEN.join(', ')}) AS (VALUES ${given.join(', ')}), came AS (
      INSERT INTO staged_batch (run, batch, takes, counts) SELECT o.key, g.batch, $5, g.counts FROM open o, given g ON CONFLICT DO NOTHING RETURNING run, batch
    ), kept AS (
      INSERT INTO staged_pack (first, ${GIVEN.slice(2).join(', ')})
      SELECT ${firstKey('c.run', 'c.batch')}, ${GIVEN.slice(2)
        .map((column) => `g.${column}`)
        .join(', ')}
      FROM came c JOIN given g ON g.batch = c.batch RETURNING 1
    ) SELECT (SELECT count(*) FROM kept) AS kept, set_config('synchronous_commit', 'off', true)`;
};

/** Keeps batches of a run that is open, in one statement; false where not all of them were new, or it is not open for this lease. */
export async function keepPacksAtOnce(
  client: ClientBase,
  { run, batches, lease }: { run: StagedRun; batches: readonly PackedBatch[]; lease: Lease | null },
): Promise<boolean> {
  const given = batches.flatMap(({ index, counts, pack: { known, asJson, texts } }) => [
    index,
    counts,
    known,
    asJson,
    ...texts,
  ]);
  const { rows } = await client.query<{ kept: string }>({
    name: `keep_packs_${String(batches.length)}`,
    text: atOnce(batches.length),
    values: [run.id, new Date().toISOString(), lease?.name ?? null, lease?.token ?? null, run.takes, ...given],
  });
  return Number(rows[0]?.kept) === batches.length;
}

/**
 * A row of `staged_pack`. Of a source that is known most records are as they were, and nobody asks for their fields: they stay JSON
 * (`whole`), which is no work here, and is parsed by the server where it is wanted.
 */
export function packOf(rows: readonly StagedRow[], known: boolean): Pack {
  const lists = rows.map(({ kind, record }) => (known || kind !== 'members' ? null : idsOf(record)));
  const said = rows.map(({ kind, record }) => (known || kind === 'members' ? {} : saidIn(record)));
  const columns = [
    rows.map(({ kind }) => kind),
    rows.map(({ id }) => id),
    rows.map(({ digest }) => digest),
    rows.map(({ part }) => textOf(part)),
    rows.map(({ parts }) => textOf(parts)),
    rows.map(({ held }) => (held === 1 ? '1' : null)),
    rows.map(({ kind, record }, at) => (known || kind === 'members' ? (lists[at]?.rest ?? record) : null)),
    lists.map((list) => list?.ids ?? null),
    lists.map((list) => textOf(list?.listed)),
    ...RECORD_FIELDS.map((field) => (known ? [] : said.map((one) => textOf(one[field])))),
  ];
  const joined = columns.map((values) => (values.every((value) => value === null) ? null : inLines(values)));
  // An empty text is no line for the server, not one without anything in it.
  const asJson = joined.some((text) => text !== null && (text === '' || linesOf(text) !== rows.length));
  const texts = asJson ? columns.map((values) => (values.length === 0 ? null : JSON.stringify(values))) : joined;
  return { known, asJson, texts };
}

/** How `staged-record.ts` writes a list of which all are known by id. */
const IDS = '{"ids":';
const BEHIND_IDS = ',"sidsOfIds":';
const NO_OTHERS = ',"sids":[],"names":[]}';

/**
 * The ids of a list, as they stand in its record, and what else does. Null where others are known in another way, or it is written
 * in another: then the server looks into the record. In JSON, no text holds a quote that is not behind a backslash, so that what is looked for
 * stands where it is meant.
 */
function idsOf(record: string): { ids: string; listed: number; rest: string } | null {
  const end = record.indexOf(BEHIND_IDS);
  if (end < 0 || !record.startsWith(IDS) || !record.endsWith(NO_OTHERS)) return null;
  const ids = record.slice(IDS.length, end);
  let listed = ids === '[]' ? 0 : 1;
  for (let at = ids.indexOf('","'); at >= 0; at = ids.indexOf('","', at + 3)) listed += 1;
  return { ids, listed, rest: `{${record.slice(end + 1)}` };
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

/** How records lie in the batches that are opened: their fields in columns, or each as JSON, or some in this way and some in that. */
export type PackForm = 'columns' | 'whole' | 'both';

/** Makes the rows of the batches with these keys those of `staged`; they stay until the next run, or the session's end. */
export async function openPacks(client: ClientBase, { first, last }: StagedRange): Promise<PackForm> {
  await client.query(STAGED);
  await client.query('INSERT INTO staged_range VALUES ($1, $2)', [first, last]);
  await client.query(OPENED);
  await client.query('ANALYZE staged, staged_range');
  const { rows } = await client.query<{ some: boolean | null; all: boolean | null; held: boolean | null }>(
    `SELECT bool_or(whole) AS some, bool_and(whole) AS all, bool_or(held IS NOT NULL) AS held FROM staged_pack
     WHERE first BETWEEN $1 AND $2`,
    [first, last],
  );
  const { some = null, all = null, held = null } = rows[0] ?? {};
  if (held === true) await client.query(HELD);
  // Most are as they were: the few that are not are looked for one by one, in pages that were read a moment ago.
  if (all === true) await client.query('SET LOCAL random_page_cost = 1.1');
  return all === true ? 'whole' : some === true ? 'both' : 'columns';
}

/** Forgets the batches whose first keys are these. */
export async function dropPacks(client: ClientBase, { first, last }: StagedRange): Promise<void> {
  await client.query('DELETE FROM staged_pack WHERE first BETWEEN $1 AND $2', [first, last]);
}

const LIST = (list: string) => `(s.record::json -> '${list}')`;

/** The list of members with this key. */
export function listOf(key: string): StagedList {
  return {
    join: `JOIN ${opened(['record', 'ids', 'listed'])} s ON s.key = ${key}`,
    ids: `coalesce(s.ids, ${LIST('ids')}::text)`,
    listed: `coalesce(s.listed::bigint, json_array_length(${LIST('ids')}))`,
    others: `CASE WHEN s.ids IS NULL THEN json_array_length(${LIST('sids')}) + json_array_length(${LIST('names')}) ELSE 0 END`,
  };
}

/** The record of members with this key. */
export function recordOf(key: string): WholeRecord {
  return { join: `JOIN ${opened(['record'])} s ON s.key = ${key}`, value: 's.record' };
}

/** The fields of a record that is JSON. */
const PARSED = `LEFT JOIN LATERAL json_to_record(s.record::json) AS j (${RECORD_FIELDS.map((field) => `${field} text`).join(', ')}) ON true`;
const FIELDS: Readonly<
  Record<PackForm, { columns: readonly string[]; join: string; of: (field: RecordField) => string }>
> = {
  columns: { columns: RECORD_FIELDS, join: '', of: (field) => `s.${field}` },
  whole: { columns: ['record'], join: PARSED, of: (field) => `j.${field}` },
  both: {
    columns: ['record', ...RECORD_FIELDS],
    join: PARSED,
    of: (field) => `CASE WHEN s.record IS NULL THEN s.${field} ELSE j.${field} END`,
  },
};

/** The record of an object with this key. */
export function fieldsOf(key: string, form: PackForm): RecordFields {
  const { columns, join, of } = FIELDS[form];
  return {
    join: `JOIN ${opened(['kind', 'id', 'digest', ...columns])} s ON s.key = ${key} ${join}`,
    value: (field) => (NUMBERS.has(field) ? `CAST(${of(field)} AS INTEGER)` : of(field)),
  };
}

/**
 * Batches that wait for their seal, in the embedded store: the rows of the table `staged`. Of a source that is not known all is looked at,
 * at the seal: what persons say is taken out of their JSON before, while nobody waits, and their record is empty. All else is JSON.
 */
import type { KeptBatch, SqlValue } from './connection.js';
import type { RecordField } from './record-fields.js';
import { personIn, textOf } from './said.js';

type Row = readonly SqlValue[];

/** Rows for some columns of a table. */
interface Rows {
  readonly table: string;
  readonly rows: Iterable<Row>;
}

const ONE_EACH: readonly RecordField[] = ['dn', 'sid', 'name', 'address', 'enabled'];
/** What a person's record says, in columns. Nothing is wrong with such a person. */
const SAID: readonly RecordField[] = [...ONE_EACH, 'aliases', 'attributes'];
const WHOLE = 'staged (key, kind, id, part, parts, held, digest, record)';
const PERSONS = `staged (key, kind, id, held, digest, record, ${SAID.join(', ')})`;

/** The rows of a batch. */
export function stagedRows(batch: KeptBatch): readonly Rows[] {
  if (batch.known) return [{ table: WHOLE, rows: keyed(batch) }];
  const whole: Row[] = [];
  const persons: Row[] = [];
  for (const row of keyed(batch)) {
    const [key, kind, id, , , held, digest, record] = row;
    const person = kind === 'user' || kind === 'contact' ? personIn(record) : null;
    if (person === null) {
      whole.push(row);
      continue;
    }
    const one = ONE_EACH.map((field) => textOf(person.said[field]));
    persons.push([key, kind, id, held, digest, '', ...one, person.aliases, person.attributes]);
  }
  return [
    { table: WHOLE, rows: whole },
    { table: PERSONS, rows: persons },
  ];
}

/** What a row `s` says, as SQL. */
export function valueOf(field: RecordField): string {
  const takenApart = field === 'problems' ? `'{}'` : SAID.includes(field) ? `s.${field}` : 'NULL';
  return `CASE WHEN s.record = '' THEN ${takenApart} ELSE json_extract(s.record, '$.${field}') END`;
}

function* keyed({ first, rows }: KeptBatch) {
  let key = first;
  for (const { kind, id, part, parts, held, digest, record } of rows) {
    yield [key, kind, id, part, parts, held, digest, record] as const;
    key += 1;
  }
}

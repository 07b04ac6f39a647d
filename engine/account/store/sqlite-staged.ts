/**
 * Batches that wait for their seal, in the embedded store: the rows of the table `staged`. Of a source that is not known all is looked at,
 * at the seal: what persons say is taken out of their JSON before, while nobody waits, and their record is empty. All else is JSON.
 */
import type { KeptBatch, SqlValue } from './connection.js';
import type { RecordField } from './record-fields.js';
import { type SaidOfPerson, personIn, textOf } from './said.js';

type Row = readonly SqlValue[];

/** Where rows go. `row`: how each is written; a `?` is the next of its values, and what all of them say need not be one. */
export interface Into {
  readonly table: string;
  readonly row: string;
}

const ONE_EACH: readonly RecordField[] = ['dn', 'sid', 'name', 'address', 'enabled'];
/** What a person's record says, in columns. Nothing is wrong with such a person. */
const SAID: readonly RecordField[] = [...ONE_EACH, 'aliases', 'attributes'];
type Person = 'user' | 'contact';

const WHOLE: Into = {
  table: 'staged (key, kind, id, part, parts, held, digest, record)',
  row: '?, ?, ?, ?, ?, ?, ?, ?',
};
const asTheyCame = (kind: Person): Into => ({
  table: 'staged (kind, held, key, id, digest, record)',
  row: `'${kind}', 0, ?, ?, ?, ?`,
});
const takenApart = (kind: Person): Into => ({
  table: `staged (kind, held, record, key, id, digest, ${SAID.join(', ')})`,
  row: `'${kind}', 0, '', ?, ?, ?, ${SAID.map(() => '?').join(', ')}`,
});
const AS_THEY_CAME = { user: asTheyCame('user'), contact: asTheyCame('contact') };
const TAKEN_APART = { user: takenApart('user'), contact: takenApart('contact') };

/** The rows of a batch, by where they go. */
export function stagedRows({ first, rows, known }: KeptBatch): ReadonlyMap<Into, readonly Row[]> {
  const staged = new Map<Into, Row[]>();
  const add = (into: Into, row: Row) => {
    const others = staged.get(into);
    if (others) others.push(row);
    else staged.set(into, [row]);
  };
  for (const [at, { kind, id, part, parts, held, digest, record }] of rows.entries()) {
    const key = first + at;
    if (kind !== 'user' && kind !== 'contact') {
      add(WHOLE, [key, kind, id, part, parts, held, digest, record]);
      continue;
    }
    const person = known ? null : personIn(record);
    if (person === null) add(AS_THEY_CAME[kind], [key, id, digest, record]);
    else add(TAKEN_APART[kind], [key, id, digest, ...saidOf(person)]);
  }
  return staged;
}

function saidOf({ said, aliases, attributes }: SaidOfPerson): Row {
  return [...ONE_EACH.map((field) => textOf(said[field])), aliases, attributes];
}

/** What a row `s` says, as SQL. */
export function valueOf(field: RecordField): string {
  const column = field === 'problems' ? `'{}'` : SAID.includes(field) ? `s.${field}` : 'NULL';
  return `CASE WHEN s.record = '' THEN ${column} ELSE json_extract(s.record, '$.${field}') END`;
}

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

interface Rows {
  readonly into: Into;
  readonly rows: readonly Row[];
}

const ONE_EACH: readonly RecordField[] = ['dn', 'sid', 'name', 'address', 'enabled'];
/** What a person's record says, in columns. Nothing is wrong with such a person. */
const SAID: readonly RecordField[] = [...ONE_EACH, 'aliases', 'attributes'];
const PERSONS = ['user', 'contact'] as const;
type Person = (typeof PERSONS)[number];

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
const INTO = { user: asTheyCame('user'), contact: asTheyCame('contact') };
const APART = { user: takenApart('user'), contact: takenApart('contact') };

/** The rows of a batch. */
export function stagedRows({ first, rows, known }: KeptBatch): readonly Rows[] {
  const whole: Row[] = [];
  const came = { user: [] as Row[], contact: [] as Row[] };
  const apart = { user: [] as Row[], contact: [] as Row[] };
  for (const [at, { kind, id, part, parts, held, digest, record }] of rows.entries()) {
    const key = first + at;
    if (kind !== 'user' && kind !== 'contact') {
      whole.push([key, kind, id, part, parts, held, digest, record]);
      continue;
    }
    const person = known ? null : personIn(record);
    if (person === null) came[kind].push([key, id, digest, record]);
    else apart[kind].push([key, id, digest, ...saidOf(person)]);
  }
  return [
    { into: WHOLE, rows: whole },
    ...PERSONS.map((kind) => ({ into: INTO[kind], rows: came[kind] })),
    ...PERSONS.map((kind) => ({ into: APART[kind], rows: apart[kind] })),
  ];
}

function saidOf({ said, aliases, attributes }: SaidOfPerson): Row {
  return [...ONE_EACH.map((field) => textOf(said[field])), aliases, attributes];
}

/** What a row `s` says, as SQL. */
export function valueOf(field: RecordField): string {
  const takenApart = field === 'problems' ? `'{}'` : SAID.includes(field) ? `s.${field}` : 'NULL';
  return `CASE WHEN s.record = '' THEN ${takenApart} ELSE json_extract(s.record, '$.${field}') END`;
}

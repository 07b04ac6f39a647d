/** What the record of an object says, field by field, taken out of its JSON when it is staged: whoever parses it at the seal is waited for. */
import type { RecordField } from './record-fields.js';

/** The fields of a record, by name. */
type Said = Readonly<Partial<Record<RecordField, unknown>>>;

/** Where `staged-record.ts` writes what a person has several of, and how a record ends in which nothing is wrong. */
const ALIASES = ',"aliases":[';
const ATTRIBUTES = ',"attributes":{';
const NO_PROBLEMS = ',"problems":{}}';

/** Of a person: what is one value each, and what the columns have as JSON, too, as it stands in the record. */
export interface SaidOfPerson {
  readonly said: Said;
  readonly aliases: string;
  readonly attributes: string;
}

/** What a record says of a person with whom nothing is wrong. Null where it says anything else, or is written in another way. */
export function personIn(record: string): SaidOfPerson | null {
  const aliases = record.indexOf(ALIASES);
  const attributes = aliases < 0 ? -1 : record.indexOf(ATTRIBUTES, aliases);
  if (attributes < 0 || !record.endsWith(NO_PROBLEMS)) return null;
  return {
    said: JSON.parse(`${record.slice(0, aliases)}}`) as Said,
    aliases: record.slice(aliases + ALIASES.length - 1, attributes),
    attributes: record.slice(attributes + ATTRIBUTES.length - 1, -NO_PROBLEMS.length),
  };
}

/** What a record says. */
export function saidIn(record: string): Said {
  const person = personIn(record);
  if (person === null) return JSON.parse(record) as Said;
  const { said, aliases, attributes } = person;
  return { ...said, aliases, attributes, problems: '{}' };
}

/** As the column `object` has it: lists and values by name as JSON. */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

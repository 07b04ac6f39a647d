/**
 * Range retrieval ([MS-ADTS] 3.1.1.3.1.3.3): a server gives a large attribute in parts, `member;range=0-1499`, and the rest
 * is asked for until a part ends in `*`. An attribute whose values change meanwhile is read again from its beginning.
 */
import { guidToBytes } from '../model/identifiers.js';
import type { AttributeValue } from '../model/records.js';
import type { Connection } from './connection.js';
import type { Entry } from './entry.js';
import { type ParsedFilter, parseFilter } from './filter.js';
import { readObject } from './search.js';
import type { Syntaxes } from './syntax.js';

/** How often ranges were begun and how many reached their end, for the proof. */
export interface RangeCounts {
  started: number;
  ended: number;
}

const ATTEMPTS = 3;
const ANY: ParsedFilter = parseFilter('(objectClass=*)');

/** What is needed to go on reading an object. */
export interface RangedObject {
  /** Plain name, used where there is no objectGUID to find the object by. */
  readonly dn: string;
  /** The objectGUID as text, or null. By it an object is found again though it was renamed meanwhile. */
  readonly guid: string | null;
  readonly extendedDn: boolean;
  readonly syntaxes: Syntaxes;
}

/** What is left to do of an entry that came in part. */
export interface RangesLeft {
  readonly keys: Set<string>;
  /** Why, for those that could not be completed: they keep what was read. */
  readonly held: Record<string, string>;
}

/** Begins with the attributes of `entry` that came in part. */
export function beginRanges(entry: Entry, counts: RangeCounts): RangesLeft {
  const keys = new Set(entry.ranges.map(({ key }) => key));
  counts.started += keys.size;
  return { keys, held: {} };
}

/**
 * Completes every attribute of `entry` that is left. Throws `DirectoryError` only where the connection itself fails; then it may
 * be called again with another one, and goes on with what is left.
 */
export async function completeRanges(
  connection: Connection,
  object: RangedObject,
  entry: Entry,
  left: RangesLeft,
  counts: RangeCounts,
): Promise<void> {
  for (const key of left.keys) {
    const whole = entry.ranges.some((part) => part.key === key && part.range.first === 0 && part.range.last === null)
      ? (entry.attributes[key] ?? [])
      : await completeOne(connection, object, key, entry);
    left.keys.delete(key);
    if (Array.isArray(whole)) {
      entry.attributes[key] = whole;
      counts.ended += 1;
    } else {
      left.held[key] = whole;
    }
  }
}

/** All values of an attribute, or why they could not be had. */
async function completeOne(
  connection: Connection,
  object: RangedObject,
  key: string,
  entry: Entry,
): Promise<AttributeValue[] | string> {
  let values = entry.attributes[key] ?? [];
  let { mark } = entry;
  let reason = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const read = await readFrom(connection, object, key, values, mark);
    if ('values' in read) return read.values;
    reason = read.reason;
    values = [];
    mark = null;
  }
  return reason;
}

type RangeRead = { values: AttributeValue[] } | { reason: string };

/** Reads on from the value behind `values` up to `*`. */
async function readFrom(
  connection: Connection,
  object: RangedObject,
  key: string,
  values: readonly AttributeValue[],
  firstMark: string | null,
): Promise<RangeRead> {
  const all = [...values];
  let mark = firstMark;
  for (;;) {
    const part = await readPart(connection, object, key, all.length);
    if (part === null) return { reason: 'The object was not found any more while its values were read.' };
    const range = part.ranges.find((candidate) => candidate.key === key)?.range;
    // Whole at once: the values became fewer meanwhile, and the server has no need of ranges.
    const unranged = range === undefined && all.length === 0 ? part.attributes[key] : undefined;
    if (unranged !== undefined) return { values: unranged };
    const more = part.attributes[key] ?? [];
    if (range?.first !== all.length) return { reason: `The server gave no values from number ${all.length} on.` };
    if (mark !== null && part.mark !== mark)
      return { reason: 'The values changed again and again while they were read.' };
    mark = part.mark;
    for (const value of more) all.push(value);
    if (range.last === null) return { values: all };
    if (more.length === 0) return { reason: `The server stopped giving values at number ${all.length}.` };
    if (range.last !== all.length - 1)
      return { reason: `The server gave ${more.length} values for the range ${range.first}-${range.last}.` };
  }
}

function readPart(connection: Connection, object: RangedObject, key: string, from: number): Promise<Entry | null> {
  const guid = object.guid !== null && guidToBytes(object.guid) !== null ? object.guid : null;
  return readObject(connection, guid === null ? object.dn : `<GUID=${guid}>`, {
    filter: ANY,
    attributes: [`${key};range=${from}-*`],
    marks: true,
    extendedDn: object.extendedDn,
    syntaxes: object.syntaxes,
  });
}

/**
 * A batch as it travels: one record in JSON per line (NDJSON). Written without effort, read with suspicion: the reader
 * holds one record at a time, and stops at the first thing that is not as agreed.
 */
import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { setImmediate as soon } from 'node:timers/promises';
import { type FaultToError, parserOf } from '../model/check.js';
import { ContractError } from '../model/errors.js';
import { closed } from './closed.js';
import { notValid, parseJson } from './json.js';
import {
  Contact,
  DynamicGroup,
  type EnrichedRecord,
  Group,
  Members,
  Quarantined,
  RECORD_KINDS,
  type RecordCounts,
  type RecordKind,
  User,
  noRecords,
} from '../model/records.js';

/** What a batch may hold at most. */
export interface BatchLimits {
  /** Bytes of the NDJSON. */
  readonly batchBytes: number;
  readonly records: number;
  /** Bytes of one line. */
  readonly recordBytes: number;
  /** Arrays and objects inside each other. A record as we make it has four. */
  readonly depth: number;
}

/** The NDJSON of records, and its digest as `sha-256:<hex>`. */
export function writeBatch(records: readonly EnrichedRecord[]): { content: Buffer; digest: string } {
  const content = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return { content, digest: `sha-256:${hash('sha256', content, 'hex')}` };
}

/** What a batch is, once it is read: what makes it the same as another, and what is in it. */
export interface BatchSummary {
  readonly digest: string;
  readonly bytes: number;
  readonly records: number;
  readonly counts: RecordCounts;
}

const LINE_FEED = 0x0a;

/**
 * Checks a batch, record by record, and hands each to `take`, if given. Throws `ContractError` at the first thing that is not
 * as agreed. Blocks: for a worker thread.
 */
export function checkBatch(
  content: Buffer,
  limits: BatchLimits,
  take?: (record: EnrichedRecord) => void,
): BatchSummary {
  if (content.length > limits.batchBytes) throw tooLarge('batch', limits.batchBytes);
  const counts = noRecords();
  let records = 0;
  let start = 0;
  // Asked once for all lines; where it does not hold, the line in question says so itself.
  const text = isUtf8(content);
  for (let end = content.indexOf(LINE_FEED); end >= 0; end = content.indexOf(LINE_FEED, start)) {
    if (end - start > limits.recordBytes) throw tooLarge('record', limits.recordBytes);
    if (records >= limits.records) throw tooMany(limits.records);
    const record =
      (text ? asWritten(content.toString('utf8', start, end), limits.depth) : null) ??
      parseRecord(parseJson(content.subarray(start, end), limits.depth, records), records);
    records += 1;
    counts[record.kind] += 1;
    take?.(record);
    start = end + 1;
  }
  if (content.length - start > limits.recordBytes) throw tooLarge('record', limits.recordBytes);
  if (start < content.length) throw notValid('the last line has no line feed at its end', records);
  return { digest: `sha-256:${hash('sha256', content, 'hex')}`, bytes: content.length, records, counts };
}

const notAsAgreed: FaultToError = (pointer, expected) => notValid(`${expected} at ${pointer || 'its top'}`);
/** The levels that our schemas have; what is deeper is no record. */
const DEEPEST = 5;
const RESERVED_NAME = /__proto__|constructor|prototype/;

/**
 * The record of a line that is spelled as `JSON.stringify` does it, so by our own sender; null for any other, which has to be
 * looked at more closely. A text that comes out as it went in has no key twice and no name in disguise.
 */
function asWritten(line: string, depth: number): EnrichedRecord | null {
  if (depth < DEEPEST || RESERVED_NAME.test(line)) return null;
  try {
    const record = parseRecord(JSON.parse(line), 0);
    if (shortestLength(record) === line.length) return record;
    return JSON.stringify(record) === line ? record : null;
  } catch {
    return null;
  }
}

/**
 * The length of a value's JSON without blanks and escapes; not a number where there are numbers in it, which can be spelt shorter
 * than they are written. No text that says it is shorter, and one of just this length says nothing else and nothing twice: what it
 * said beside that, if only a blank, would make it longer.
 */
function shortestLength(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'boolean') return value ? 4 : 5;
  if (value === null) return 4;
  if (typeof value !== 'object') return NaN;
  let length = 1;
  if (Array.isArray(value)) {
    for (const item of value) length += shortestLength(item) + 1;
    return Math.max(2, length);
  }
  const object = value as Readonly<Record<string, unknown>>;
  for (const key in object) length += key.length + 3 + shortestLength(object[key]) + 1;
  return Math.max(2, length);
}

/** By kind, so that an error says what is wrong with a user, not that it is no member of a union. */
const parsers = {
  user: parserOf(closed(User), notAsAgreed),
  contact: parserOf(closed(Contact), notAsAgreed),
  group: parserOf(closed(Group), notAsAgreed),
  'dynamic-group': parserOf(closed(DynamicGroup), notAsAgreed),
  members: parserOf(closed(Members), notAsAgreed),
  quarantined: parserOf(closed(Quarantined), notAsAgreed),
} satisfies Record<RecordKind, (value: unknown) => EnrichedRecord>;

const SLICE_BYTES = 128 * 1024;

/**
 * The records of a batch whose content {@link checkBatch} has seen before, and that was kept since. In slices, so that
 * whatever else this thread has to do goes on between them.
 */
export async function readChecked(content: Uint8Array): Promise<EnrichedRecord[]> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const records: EnrichedRecord[] = [];
  let start = 0;
  let slice = SLICE_BYTES;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    records.push(JSON.parse(bytes.toString('utf8', start, end)) as EnrichedRecord);
    start = end + 1;
    if (start < slice) continue;
    slice = start + SLICE_BYTES;
    await soon();
  }
  return records;
}

function parseRecord(value: unknown, line: number): EnrichedRecord {
  const kind = value !== null && typeof value === 'object' && 'kind' in value ? value.kind : undefined;
  const known = RECORD_KINDS.find((one) => one === kind);
  if (known === undefined) throw notValid('a record of no known kind', line);
  return parsers[known](value);
}

function tooMany(limit: number): ContractError {
  return new ContractError('TOO_LARGE', {
    message: `The batch holds more than ${String(limit)} records. Send smaller batches: lower the batch size of directory-extract.`,
    status: 'batch too large',
    params: { what: 'records', limit },
  });
}

function tooLarge(what: 'batch' | 'record', limit: number): ContractError {
  return new ContractError('TOO_LARGE', {
    message: `A ${what} is larger than ${String(limit)} bytes. ${what === 'batch' ? 'Lower the batch size of directory-extract.' : 'Lower the members per record of directory-enrich, or drop the attribute that is so large.'}`,
    status: `${what} too large`,
    params: { what, limit },
  });
}

/**
 * A batch as it travels: one record in JSON per line (NDJSON). Written without effort, read with suspicion: the reader
 * takes bytes as they are inflated, holds one line at a time, and stops at the first thing that is not as agreed.
 */
import { createHash } from 'node:crypto';
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
  return { content, digest: `sha-256:${createHash('sha256').update(content).digest('hex')}` };
}

/** Reads a batch from pieces of its NDJSON. Give it every piece, then `end()`. Throws `ContractError` with what is wrong. */
export class BatchReader {
  readonly counts: RecordCounts = noRecords();
  records = 0;
  bytes = 0;
  readonly #hash = createHash('sha256');
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(private readonly limits: BatchLimits) {}

  /** Takes the next piece and returns the records that it completes. */
  push(piece: Buffer): EnrichedRecord[] {
    this.#hash.update(piece);
    this.bytes += piece.length;
    if (this.bytes > this.limits.batchBytes) throw tooLarge('batch', this.limits.batchBytes);
    const records: EnrichedRecord[] = [];
    let start = 0;
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, start)) {
      records.push(this.#line(this.#join(piece.subarray(start, end))));
      start = end + 1;
    }
    this.#keep(piece.subarray(start));
    return records;
  }

  /** Ends the batch and returns its digest. */
  end(): string {
    if (this.#restBytes > 0) throw notValid('the last line has no line feed at its end', this.records);
    return `sha-256:${this.#hash.digest('hex')}`;
  }

  #keep(rest: Buffer): void {
    this.#restBytes += rest.length;
    if (this.#restBytes > this.limits.recordBytes) throw tooLarge('record', this.limits.recordBytes);
    if (rest.length > 0) this.#rest.push(rest);
  }

  #join(last: Buffer): Buffer {
    this.#keep(last);
    const line = this.#rest.length === 1 ? (this.#rest[0] ?? last) : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #line(line: Buffer): EnrichedRecord {
    if (this.records >= this.limits.records) {
      throw new ContractError('TOO_LARGE', {
        message: `The batch holds more than ${String(this.limits.records)} records. Send smaller batches: lower the batch size of directory-extract.`,
        status: 'batch too large',
        params: { what: 'records', limit: this.limits.records },
      });
    }
    const record = parseRecord(parseJson(line, this.limits.depth, this.records), this.records);
    this.records += 1;
    this.counts[record.kind] += 1;
    return record;
  }
}

const notAsAgreed: FaultToError = (pointer, expected) => notValid(`${expected} at ${pointer || 'its top'}`);
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
 * The records of a batch whose content was read by a {@link BatchReader} before, and kept since. In slices, so that
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

function tooLarge(what: 'batch' | 'record', limit: number): ContractError {
  return new ContractError('TOO_LARGE', {
    message: `A ${what} is larger than ${String(limit)} bytes. ${what === 'batch' ? 'Lower the batch size of directory-extract.' : 'Lower the members per record of directory-enrich, or drop the attribute that is so large.'}`,
    status: `${what} too large`,
    params: { what, limit },
  });
}

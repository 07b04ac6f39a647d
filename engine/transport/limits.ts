/** What a receiver takes at most, from one request and altogether. `docs/protocol.md` lists the defaults. */
import type { AnnouncedLimits } from './protocol.js';

export interface ReceiverLimits {
  /** Bytes of a batch as it is sent, compressed. */
  readonly compressedBytes: number;
  /** Bytes of a batch as NDJSON. */
  readonly batchBytes: number;
  /** How many times larger than its compressed form a batch may be, once it is larger than a mebibyte. */
  readonly ratio: number;
  /** Records in a batch. */
  readonly records: number;
  /** Bytes of one record in JSON. */
  readonly recordBytes: number;
  /** Arrays and objects inside each other. */
  readonly depth: number;
  /** Batches in a run. */
  readonly batches: number;
  /** Bytes of a seal. */
  readonly sealBytes: number;
  /** Runs that are not done, of all senders. */
  readonly openRuns: number;
  /** Requests whose content is read at the same time. */
  readonly requests: number;
  /** Connections to an HTTPS port of the receiver's own. */
  readonly connections: number;
  /** How long the header fields of a request may take, in milliseconds; own port only. */
  readonly headersMs: number;
  /** How long the content of a request may take, in milliseconds. */
  readonly contentMs: number;
  /** After how long without a request a run that was never sealed, or has failed, is forgotten, in milliseconds. */
  readonly openRunMs: number;
  /** How long a report is kept, in milliseconds. */
  readonly reportMs: number;
  /** After how long a seal is answered with 202, if there is no report yet, in milliseconds. */
  readonly sealAnswerMs: number;
}

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

export const DEFAULT_LIMITS: ReceiverLimits = {
  compressedBytes: 8 * MIB,
  batchBytes: 32 * MIB,
  ratio: 100,
  records: 10_000,
  recordBytes: MIB,
  depth: 12,
  batches: 20_000,
  sealBytes: 4 * MIB,
  openRuns: 1_000,
  requests: 32,
  connections: 256,
  headersMs: 10_000,
  contentMs: 60_000,
  openRunMs: 24 * HOUR_MS,
  reportMs: 30 * 24 * HOUR_MS,
  sealAnswerMs: 20_000,
};

/** Those that a sender can keep to, as the answer to opening a run says them. */
export function announced(limits: ReceiverLimits): AnnouncedLimits {
  const { batchBytes, compressedBytes, recordBytes, records, batches } = limits;
  return { batchBytes, compressedBytes, recordBytes, records, batches };
}

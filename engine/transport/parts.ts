/**
 * A batch of the flow, made ready to travel. It goes in parts that a receiver takes, however large the groups in it are, and
 * is written in slices: records of a few megabytes would else hold up everything that this thread has to do beside.
 */
import { createHash } from 'node:crypto';
import { setImmediate as soon } from 'node:timers/promises';
import type { EnrichedRecord } from '../model/records.js';
import type { AnnouncedLimits } from './protocol.js';

/** NDJSON and its digest, `sha-256:<hex>`, with the records that it holds. `content` is good until the next part is asked for. */
export interface Part {
  readonly records: readonly EnrichedRecord[];
  readonly content: Buffer;
  readonly digest: string;
}

export type PartLimits = Pick<AnnouncedLimits, 'batchBytes' | 'recordBytes' | 'records'>;

/**
 * More in one request makes it hardly smaller (docs/decisions/0008), and takes the memory of both sides. With the slice that
 * ends it a part has less than a mebibyte, from which a receiver looks at how much larger it is than its compressed form.
 */
const PART_BYTES = 768 * 1024;
/** About a millisecond's work. */
const SLICE_BYTES = 64 * 1024;
/** UTF-8 needs at most this for a unit of UTF-16. */
const BYTES_OF_A_CHARACTER = 3;
/** A part, and the record by which it may be larger; for one that is larger still there is another sheet. */
const PAPER_BYTES = PART_BYTES + BYTES_OF_A_CHARACTER * 2 * SLICE_BYTES;

/** Buffers that parts are written into, used again and again: a run is gigabytes, and new ones are given back late. */
export class Paper {
  readonly #sheets: Buffer[] = [];

  take(): Buffer {
    return this.#sheets.pop() ?? Buffer.allocUnsafeSlow(PAPER_BYTES);
  }

  giveBack(sheet: Buffer): void {
    if (sheet.length === PAPER_BYTES) this.#sheets.push(sheet);
  }
}

/** The parts of a batch, each made when it is asked for; at least one. Only a record that is too large alone is in a part that is. */
export async function* partsOf(
  records: readonly EnrichedRecord[],
  limits: PartLimits,
  paper: Paper,
): AsyncGenerator<Part> {
  const part = new Writing(paper.take());
  try {
    for (const record of records) {
      const json = JSON.stringify(record);
      const most = json.length * BYTES_OF_A_CHARACTER + 1;
      // One that may be refused goes alone, so that no other is refused with it.
      const alone = most > limits.recordBytes;
      const full =
        part.bytes >= PART_BYTES ||
        part.bytes + most > limits.batchBytes ||
        part.records.length >= limits.records ||
        part.alone ||
        alone;
      if (full && part.records.length > 0) yield part.end();
      if (part.add(record, json, alone)) await soon();
    }
    yield part.end();
  } finally {
    paper.giveBack(part.sheet);
  }
}

const LINE_FEED = 0x0a;

class Writing {
  records: EnrichedRecord[] = [];
  alone = false;
  bytes = 0;
  #hash = createHash('sha256');
  /** Bytes of which the hash knows. */
  #hashed = 0;

  constructor(public sheet: Buffer) {}

  /**
   * Line by line, not many as one text: that would be converted slowly as soon as there is one character in it that is beyond
   * Latin. True: a slice is full, others should have their turn.
   */
  add(record: EnrichedRecord, json: string, alone: boolean): boolean {
    this.records.push(record);
    this.alone = alone;
    this.#makeRoom(json.length * BYTES_OF_A_CHARACTER + 1);
    this.bytes += this.sheet.write(json, this.bytes);
    this.sheet[this.bytes] = LINE_FEED;
    this.bytes += 1;
    if (this.bytes - this.#hashed < SLICE_BYTES) return false;
    this.#addToHash();
    return true;
  }

  /** The part, whole. What is added then is in the next one. */
  end(): Part {
    this.#addToHash();
    const part = {
      records: this.records,
      content: this.sheet.subarray(0, this.bytes),
      digest: `sha-256:${this.#hash.digest('hex')}`,
    };
    this.records = [];
    this.bytes = 0;
    this.#hashed = 0;
    this.#hash = createHash('sha256');
    return part;
  }

  #makeRoom(more: number): void {
    if (this.bytes + more <= this.sheet.length) return;
    const larger = Buffer.allocUnsafeSlow(this.bytes + more);
    this.sheet.copy(larger, 0, 0, this.bytes);
    this.sheet = larger;
  }

  #addToHash(): void {
    this.#hash.update(this.sheet.subarray(this.#hashed, this.bytes));
    this.#hashed = this.bytes;
  }
}

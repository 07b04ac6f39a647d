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
const SLICE_CHARACTERS = 64 * 1024;
/** UTF-8 needs at most this for a unit of UTF-16. */
const BYTES_OF_A_CHARACTER = 3;
/** A part, and the slice by which it may be larger. */
const PAPER_BYTES = PART_BYTES + BYTES_OF_A_CHARACTER * 2 * SLICE_CHARACTERS;

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
      const line = `${JSON.stringify(record)}\n`;
      const most = line.length * BYTES_OF_A_CHARACTER;
      // One that may be refused goes alone, so that no other is refused with it.
      const alone = most > limits.recordBytes;
      const full =
        part.bytes >= PART_BYTES ||
        part.mostBytes + most > limits.batchBytes ||
        part.records.length >= limits.records ||
        part.alone ||
        alone;
      if (full && part.records.length > 0) yield part.end();
      if (part.add(record, line, alone)) await soon();
    }
    yield part.end();
  } finally {
    paper.giveBack(part.sheet);
  }
}

class Writing {
  records: EnrichedRecord[] = [];
  alone = false;
  bytes = 0;
  #hash = createHash('sha256');
  #text = '';

  constructor(public sheet: Buffer) {}

  /** Bytes that the part has at most, as far as they are counted. */
  get mostBytes(): number {
    return this.bytes + this.#text.length * BYTES_OF_A_CHARACTER;
  }

  /** True: a slice is full, others should have their turn. */
  add(record: EnrichedRecord, line: string, alone: boolean): boolean {
    this.records.push(record);
    this.alone = alone;
    this.#text += line;
    if (this.#text.length < SLICE_CHARACTERS) return false;
    this.#slice();
    return true;
  }

  /** The part, whole. What is added then is in the next one. */
  end(): Part {
    this.#slice();
    const part = {
      records: this.records,
      content: this.sheet.subarray(0, this.bytes),
      digest: `sha-256:${this.#hash.digest('hex')}`,
    };
    this.records = [];
    this.bytes = 0;
    this.#hash = createHash('sha256');
    return part;
  }

  #slice(): void {
    if (this.mostBytes > this.sheet.length) {
      const larger = Buffer.allocUnsafeSlow(this.mostBytes);
      this.sheet.copy(larger, 0, 0, this.bytes);
      this.sheet = larger;
    }
    const written = this.sheet.write(this.#text, this.bytes);
    this.#text = '';
    this.#hash.update(this.sheet.subarray(this.bytes, this.bytes + written));
    this.bytes += written;
  }
}

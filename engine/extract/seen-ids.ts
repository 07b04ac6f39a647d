/**
 * Which objects have been sent, in 16 bytes each: what a search that is begun again leaves out. Of all that a read keeps, this
 * alone grows with the directory. Few searches are begun again, so until somebody asks, all but the last ids lie on the disk, if
 * there is room; then all are in memory, with some 12 bytes more for each.
 */
import { randomInt } from 'node:crypto';
import { Scrap } from '../runtime/scrap.js';

const BYTES = 16;
const DIGITS = 2 * BYTES;
/** Room is taken in pieces, so that it is never copied: to double one piece would hold three times as much for a while. */
const PIECE_IDS = 4096;
const FIRST_PLACES = 8192;

export class SeenIds {
  /** Those in memory: behind the ones on the disk. */
  readonly #pieces: Buffer[] = [];
  #scrap: Scrap | null;
  readonly #salt = randomInt(2 ** 32);
  #count = 0;
  /** Number of each id plus one, at a place that its first bytes give or behind it; made when somebody asks for the first time. */
  #places: Uint32Array | null = null;

  /** `scrap`: null where somebody will ask in any case, and all is to stay in memory. */
  constructor(scrap: Scrap | null = new Scrap(PIECE_IDS * BYTES)) {
    this.#scrap = scrap;
  }

  /** Remembers an id, which is a GUID or UUID as text. Anything else is not remembered, and may come twice. */
  add(id: string): void {
    const piece = this.#pieces[Math.floor(this.#count / PIECE_IDS) - (this.#scrap?.count ?? 0)] ?? this.#another();
    if (!writeId(id, piece, (this.#count % PIECE_IDS) * BYTES)) return;
    this.#count += 1;
    if (this.#places === null) return;
    if (this.#count * 2 > this.#places.length) this.#places = this.#arranged();
    else this.#place(this.#places, this.#count);
  }

  /** Throws what the file system throws. */
  has(id: string): boolean {
    if (!writeId(id, scratch, 0)) return false;
    this.#fetch();
    this.#places ??= this.#arranged();
    return this.#places[this.#find(this.#places, scratch, 0)] !== 0;
  }

  /** Gives room on the disk back. Call it when nothing is to be asked any more. */
  close(): void {
    this.#scrap?.close();
  }

  /** A place for the next ids: that of the last ones, where the disk takes these. */
  #another(): Buffer {
    const [full] = this.#pieces;
    if (full !== undefined && this.#pieces.length === 1 && this.#scrap?.keep(full) === true) return full;
    const piece = Buffer.allocUnsafeSlow(PIECE_IDS * BYTES);
    this.#pieces.push(piece);
    return piece;
  }

  /** Takes all into memory. */
  #fetch(): void {
    if (this.#scrap === null) return;
    this.#pieces.unshift(...this.#scrap.pieces());
    this.#scrap.close();
    this.#scrap = null;
  }

  #arranged(): Uint32Array {
    let room = FIRST_PLACES;
    while (room < this.#count * 2) room *= 2;
    const places = new Uint32Array(room);
    for (let number = 1; number <= this.#count; number += 1) this.#place(places, number);
    return places;
  }

  #place(places: Uint32Array, number: number): void {
    const [piece, at] = this.#lies(number);
    places[this.#find(places, piece, at)] = number;
  }

  /** The place of the id in `bytes`, or the free one where it would be. */
  #find(places: Uint32Array, bytes: Buffer, start: number): number {
    let at = this.#hash(bytes, start) & (places.length - 1);
    for (let number = places[at] ?? 0; number !== 0; number = places[at] ?? 0) {
      const [piece, from] = this.#lies(number);
      if (piece.compare(bytes, start, start + BYTES, from, from + BYTES) === 0) return at;
      at = (at + 1) & (places.length - 1);
    }
    return at;
  }

  /** With a number of its own for each read, so that no server can choose ids that all want one place. */
  #hash(bytes: Buffer, start: number): number {
    let hash = this.#salt;
    for (let at = start; at < start + BYTES; at += 4) {
      hash = Math.imul(hash ^ bytes.readUInt32LE(at), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #lies(number: number): [Buffer, number] {
    const index = number - 1;
    return [this.#pieces[Math.floor(index / PIECE_IDS)] ?? scratch, (index % PIECE_IDS) * BYTES];
  }
}

const scratch = Buffer.alloc(BYTES);
/** The value of each hexadecimal digit by its character; 255 for any other. */
const DIGIT = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value += 1) {
  DIGIT[value.toString(16).charCodeAt(0)] = value;
  DIGIT[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}
const DASH = 0x2d;

/** Digit by digit: this is done for every object of a directory. False where the text is not 32 hexadecimal digits. */
function writeId(id: string, into: Buffer, start: number): boolean {
  let digits = 0;
  let byte = 0;
  for (let index = 0; index < id.length; index += 1) {
    const code = id.charCodeAt(index);
    if (code === DASH) continue;
    const digit = DIGIT[code] ?? 255;
    if (digit === 255 || digits === DIGITS) return false;
    byte = ((byte << 4) | digit) & 0xff;
    if ((digits & 1) === 1) into[start + (digits >> 1)] = byte;
    digits += 1;
  }
  return digits === DIGITS;
}

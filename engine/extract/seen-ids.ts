/**
 * Which objects have been sent, in 16 bytes each: what a search that is begun again leaves out. Of all that a read keeps, this
 * alone grows with the directory.
 */

const BYTES = 16;
const DIGITS = 2 * BYTES;
/** Room is taken in pieces, so that it is never copied: to double one piece would hold three times as much for a while. */
const PIECE_IDS = 4096;

export class SeenIds {
  readonly #pieces: Buffer[] = [];
  #count = 0;
  /** Made when somebody asks for the first time: most reads never do. */
  #known: Set<string> | null = null;

  /** Remembers an id, which is a GUID or UUID as text. Anything else is not remembered, and may come twice. */
  add(id: string): void {
    const at = (this.#count % PIECE_IDS) * BYTES;
    const piece = this.#pieces[Math.floor(this.#count / PIECE_IDS)] ?? this.#another();
    if (!writeId(id, piece, at)) return;
    this.#count += 1;
    this.#known?.add(keyAt(piece, at));
  }

  has(id: string): boolean {
    this.#known ??= this.#all();
    return writeId(id, scratch, 0) && this.#known.has(keyAt(scratch, 0));
  }

  #another(): Buffer {
    const piece = Buffer.allocUnsafeSlow(PIECE_IDS * BYTES);
    this.#pieces.push(piece);
    return piece;
  }

  #all(): Set<string> {
    const all = new Set<string>();
    let left = this.#count;
    for (const piece of this.#pieces) {
      for (let at = 0; at < piece.length && left > 0; at += BYTES, left -= 1) all.add(keyAt(piece, at));
    }
    return all;
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

function keyAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + BYTES);
}

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

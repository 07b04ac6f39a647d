/** Which objects have been sent, in 16 bytes each: what a search that is begun again leaves out. */

const BYTES = 16;
const FIRST_ROOM = 1024 * BYTES;

export class SeenIds {
  #bytes = Buffer.alloc(FIRST_ROOM);
  #length = 0;
  /** Made when somebody asks for the first time: most reads never do. */
  #known: Set<string> | null = null;

  /** Remembers an id, which is a GUID or UUID as text. Anything else is not remembered, and may come twice. */
  add(id: string): void {
    if (this.#length + BYTES > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    }
    if (!writeId(id, this.#bytes, this.#length)) return;
    this.#known?.add(this.#keyAt(this.#length));
    this.#length += BYTES;
  }

  has(id: string): boolean {
    this.#known ??= this.#all();
    return writeId(id, scratch, 0) && this.#known.has(scratch.toString('latin1', 0, BYTES));
  }

  #all(): Set<string> {
    const all = new Set<string>();
    for (let at = 0; at < this.#length; at += BYTES) all.add(this.#keyAt(at));
    return all;
  }

  #keyAt(at: number): string {
    return this.#bytes.toString('latin1', at, at + BYTES);
  }
}

const scratch = Buffer.alloc(BYTES);
const DASH = 0x2d;

/** Digit by digit: this is done for every object of a directory. False where the text is not 32 hexadecimal digits. */
function writeId(id: string, into: Buffer, start: number): boolean {
  let at = start;
  let high = -1;
  for (let index = 0; index < id.length; index += 1) {
    const code = id.charCodeAt(index);
    if (code === DASH) continue;
    const digit = digitOf(code);
    if (digit < 0 || at === start + BYTES) return false;
    if (high < 0) high = digit;
    else {
      into[at] = high * 16 + digit;
      at += 1;
      high = -1;
    }
  }
  return at === start + BYTES && high < 0;
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

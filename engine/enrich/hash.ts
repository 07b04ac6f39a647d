/** Hashes of text, for tables that keep millions of values: 64 bits in two numbers. Not against somebody who wants them equal. */

const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x5f356495;
const FIRST_START = 0xdeadbeef;
const SECOND_START = 0x41c6ce57;

/** Multiplies with each character, on two ways at once, and mixes both in the end, so that every bit depends on all of the text. */
export function hashInto(text: string, into: Uint32Array): void {
  let first = FIRST_START;
  let second = SECOND_START;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, FIRST_FACTOR);
    second = Math.imul(second ^ code, SECOND_FACTOR);
    second = (second << 15) | (second >>> 17);
  }
  into[0] = mixed(first ^ (second >>> 13));
  into[1] = mixed(second ^ (first >>> 11));
}

/**
 * A hash of the text in lower case, another one than {@link hashInto} gives. Four bytes at once: for a name of usual length that takes a third
 * of the time. Mostly all of it is ASCII, and then no other text is made.
 */
export function hashFoldedInto(text: string, into: Uint32Array): void {
  const bytes = bytesOf(text);
  // Beyond ASCII a text has more bytes than characters.
  const { words, length } = bytes.length === text.length ? bytes : bytesOf(text.toLowerCase());
  hashed(words, length, into);
}

const HIGH_BITS = 0x80808080;
const BELOW_A = 0x41414141;
const BEHIND_Z = 0x5b5b5b5b;

/** Capitals of ASCII are taken for small letters. */
function hashed(words: Uint32Array, length: number, into: Uint32Array): void {
  let first = FIRST_START ^ length;
  let second = SECOND_START ^ length;
  const end = (length + 3) >> 2;
  for (let at = 0; at < end; at += 1) {
    const word = words[at] ?? 0;
    // The high bit of each byte: from A on, and not behind Z. Bytes beyond ASCII have it themselves, and are none of both.
    const high = word | HIGH_BITS;
    const capitals = (high - BELOW_A) & ~(high - BEHIND_Z) & ~word & HIGH_BITS;
    const folded = word | (capitals >>> 2);
    first = Math.imul(first ^ folded, FIRST_FACTOR);
    first ^= first >>> 15;
    second = Math.imul(second ^ folded, SECOND_FACTOR);
    second = (second << 15) | (second >>> 17);
  }
  into[0] = mixed(first ^ (second >>> 13));
  into[1] = mixed(second ^ (first >>> 11));
}

/** Room for names of usual length, so that each needs none of its own. */
const KEPT_BYTES = 4096;
const BYTES_OF_A_CHARACTER = 3;
const kept = Buffer.alloc(KEPT_BYTES);
const keptWords = new Uint32Array(kept.buffer, kept.byteOffset, KEPT_BYTES / 4);

/** The text in UTF-8, filled up with zeros to whole words; good until the next. */
function bytesOf(text: string): { words: Uint32Array; length: number } {
  const most = text.length * BYTES_OF_A_CHARACTER + 4;
  if (most > KEPT_BYTES) {
    const bytes = Buffer.from(text);
    const words = new Uint32Array((bytes.length + 3) >> 2);
    Buffer.from(words.buffer).set(bytes);
    return { words, length: bytes.length };
  }
  const length = kept.write(text, 0);
  kept[length] = kept[length + 1] = kept[length + 2] = 0;
  return { words: keptWords, length };
}

/** 32 bits of it. */
export function hashOf(text: string): number {
  hashInto(text, scratch);
  return scratch[0] ?? 0;
}

const scratch = new Uint32Array(2);

/** The last steps of MurmurHash3 (A. Appleby), which spread every bit. */
function mixed(bits: number): number {
  let mix = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}

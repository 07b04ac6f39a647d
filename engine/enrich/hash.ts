/** Hashes of text, for tables that keep millions of values: 64 bits in two numbers. Not against somebody who wants them equal. */

const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x5f356495;
const FIRST_START = 0xdeadbeef;
const SECOND_START = 0x41c6ce57;
const LAST_ASCII = 0x7f;
const CAPITAL_A = 0x41;
const CAPITAL_Z = 0x5a;
/** The bit by which a small letter differs from its capital. */
const SMALL = 0x20;

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

/** As {@link hashInto} of the text in lower case. Mostly all of it is ASCII, and then no such text is made. */
export function hashFoldedInto(text: string, into: Uint32Array): void {
  let first = FIRST_START;
  let second = SECOND_START;
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code > LAST_ASCII) {
      hashInto(text.toLowerCase(), into);
      return;
    }
    if (code >= CAPITAL_A && code <= CAPITAL_Z) code |= SMALL;
    first = Math.imul(first ^ code, FIRST_FACTOR);
    second = Math.imul(second ^ code, SECOND_FACTOR);
    second = (second << 15) | (second >>> 17);
  }
  into[0] = mixed(first ^ (second >>> 13));
  into[1] = mixed(second ^ (first >>> 11));
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

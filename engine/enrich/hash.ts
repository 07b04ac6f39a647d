/** Hashes of text, for tables that keep millions of values: 64 bits in two numbers. Not against somebody who wants them equal. */

const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x5f356495;

/** Multiplies with each character, on two ways at once, and mixes both in the end, so that every bit depends on all of the text. */
export function hashInto(text: string, into: Uint32Array): void {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
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

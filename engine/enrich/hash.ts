/** Hashes of text, for tables that keep millions of values: 64 bits in two numbers. Not against somebody who wants them equal. */

const FNV_PRIME = 0x01000193;

/** FNV-1a, twice with different beginnings, the second over the text backwards. */
export function hashOf(text: string): [number, number] {
  let first = 0x811c9dc5;
  let second = 0x9747b28c;
  for (let at = 0; at < text.length; at += 1) {
    first = Math.imul(first ^ text.charCodeAt(at), FNV_PRIME);
    second = Math.imul(second ^ text.charCodeAt(text.length - 1 - at), FNV_PRIME);
  }
  // The lowest bits of FNV are weak.
  return [(first ^ (first >>> 15)) >>> 0, (second ^ (second >>> 13)) >>> 0];
}

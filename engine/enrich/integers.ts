/** Integers as directories write them: decimal text of up to 64 bits (RFC 4517 section 3.3.16). */
import { type AttributeMap, textOf } from './attributes.js';

const INTEGER = /^-?\d{1,19}$/;

/** The attribute's integer; null where it is absent or is none. */
export function integerOf(attributes: AttributeMap, name: string): bigint | null {
  const text = textOf(attributes, name);
  return text !== null && INTEGER.test(text) ? BigInt(text) : null;
}

import { isSid, sidToText } from '../model/identifiers.js';
import { type AttributeMap, valuesOf } from './attributes.js';

/** Text where extract read it, bytes where another source did; null for anything else, the object has its id. */
export function sidIn(attributes: AttributeMap, name: string): string | null {
  const [value] = valuesOf(attributes, name);
  if (value === undefined) return null;
  if (typeof value !== 'string') return sidToText(Buffer.from(value.base64, 'base64'));
  const text = value.trim();
  return isSid(text) ? text : null;
}

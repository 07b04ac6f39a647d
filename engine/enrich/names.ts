/** What an object is called: its display name, else its common name, else the first value of its distinguished name. */
import { firstRdnValue } from '../model/dn.js';
import { type AttributeMap, textOf } from './attributes.js';

/** Null where the object has no name at all, because its distinguished name cannot be read either. */
export function nameOf(attributes: AttributeMap, dn: string): string | null {
  return textOf(attributes, 'displayName') ?? textOf(attributes, 'cn') ?? valueOf(dn);
}

function valueOf(dn: string): string | null {
  const value = firstRdnValue(dn)?.trim();
  return value === undefined || value === '' ? null : value;
}

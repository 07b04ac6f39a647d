/** Reads the attributes of an object by name, whatever the case of the name: directories compare names without case. */
import type { Attributes, AttributeValue } from '../model/records.js';

/** The attributes of one object, by lower-case name. */
export type AttributeMap = ReadonlyMap<string, readonly AttributeValue[]>;

/** Indexes the attributes. Where a name comes twice in different case, the values are joined. */
export function byName(attributes: Attributes): AttributeMap {
  const map = new Map<string, readonly AttributeValue[]>();
  for (const [name, values] of Object.entries(attributes)) {
    const key = name.toLowerCase();
    const before = map.get(key);
    map.set(key, before ? [...before, ...values] : values);
  }
  return map;
}

/** All values of an attribute, binary ones included; none where it is absent. */
export function valuesOf(attributes: AttributeMap, name: string): readonly AttributeValue[] {
  return attributes.get(name.toLowerCase()) ?? [];
}

/** The values that are text and not blank, trimmed. */
export function textsOf(attributes: AttributeMap, name: string): string[] {
  const texts: string[] = [];
  for (const value of valuesOf(attributes, name)) {
    const text = typeof value === 'string' ? value.trim() : '';
    if (text !== '') texts.push(text);
  }
  return texts;
}

/** The first value that is text and not blank, or null. */
export function textOf(attributes: AttributeMap, name: string): string | null {
  return textsOf(attributes, name)[0] ?? null;
}

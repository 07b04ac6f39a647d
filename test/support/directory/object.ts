/** One object of the directory, as it is kept. */
import type { LdifValue } from '../ldif.js';
import { attributeFact } from './schema.js';

/** An attribute: its name as answers spell it, and its values. */
export interface Attribute {
  readonly name: string;
  readonly values: readonly LdifValue[];
}

/** What a reader may see of one object; values that other objects decide (backlinks) are the store's to give. */
export interface DirectoryObject {
  /** As the server prints it. */
  readonly dn: string;
  /** {@link dnKey} of `dn`. */
  readonly key: string;
  /** Key of the naming context that it is in. */
  readonly context: string;
  readonly guid: Buffer;
  readonly sid: Buffer | null;
  readonly deleted: boolean;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** Collects attributes by lower-case name, spelled as the schema does. */
export class AttributeMap extends Map<string, Attribute> {
  put(name: string, values: readonly LdifValue[]): this {
    const key = name.toLowerCase();
    return this.set(key, { name: attributeFact(key)?.name ?? this.get(key)?.name ?? name, values });
  }

  /** Puts it where there is none yet. */
  putDefault(name: string, ...values: readonly LdifValue[]): this {
    return this.has(name.toLowerCase()) ? this : this.put(name, values);
  }
}

/** First value as text; undefined where there is none. */
export function firstText(object: Pick<DirectoryObject, 'attributes'>, lowerName: string): string | undefined {
  const value = object.attributes.get(lowerName)?.values[0];
  return value === undefined ? undefined : String(value);
}

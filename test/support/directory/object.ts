/** One object of the directory, as readers of it see it. */
import type { LdifValue } from '../ldif.js';

/** An attribute: its name as answers spell it, and its values. */
export interface Attribute {
  readonly name: string;
  readonly values: readonly LdifValue[];
}

/** What an object says itself; values that other objects decide (backlinks) are the store's to give. */
export interface DirectoryObject {
  /** As the server prints it. */
  readonly dn: string;
  /** The same for every spelling of `dn`. */
  readonly key: string;
  /** Key of the naming context that it is in. */
  readonly context: string;
  readonly guid: Buffer;
  readonly sid: Buffer | null;
  readonly deleted: boolean;
  /** An attribute by its name in lower case. */
  attribute(lowerName: string): Attribute | undefined;
  /** Attributes that came with it, by name in lower case. */
  readonly given: ReadonlyMap<string, Attribute>;
  /** Names, in lower case, of all that it may have. */
  names(): Iterable<string>;
}

/** Values of an attribute; undefined where the object has none. */
export function valuesIn(object: DirectoryObject, lowerName: string): readonly LdifValue[] | undefined {
  return object.attribute(lowerName)?.values;
}

/** First value as text; undefined where there is none. */
export function firstText(object: DirectoryObject, lowerName: string): string | undefined {
  const value = valuesIn(object, lowerName)?.[0];
  return value === undefined ? undefined : String(value);
}

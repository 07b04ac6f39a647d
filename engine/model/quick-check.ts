/**
 * The check of a schema, where dictionaries (an object's attributes, and so most of what a batch is) are looked at in loops: what
 * the compiler writes for them makes a list and a function for every attribute of every object.
 */
import { Kind, type TSchema, TypeRegistry } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';

type Check = (value: unknown) => boolean;

/** A dictionary, as {@link TypeCompiler} is told of it: what it does not know itself it asks the registry for. */
interface TDictionary extends TSchema {
  readonly [Kind]: typeof DICTIONARY;
  readonly isValue: Check;
}

const DICTIONARY = 'DirectorySyncDictionary';
TypeRegistry.Set<TDictionary>(DICTIONARY, ({ isValue }, value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const dictionary = value as Readonly<Record<string, unknown>>;
  // All names of its own, as the compiler looks at them; those of a prototype are none.
  for (const name of Object.getOwnPropertyNames(dictionary)) if (!isValue(dictionary[name])) return false;
  return true;
});

/** Whether a value is as the schema says: the same answer as the compiler's own check of it, for every value. */
export function quickCheck(schema: TSchema): Check {
  const compiled = TypeCompiler.Compile(withDictionaries(schema) as TSchema);
  return (value) => compiled.Check(value);
}

/** The schema, with every dictionary in it replaced by one of our kind. */
function withDictionaries(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withDictionaries);
  if (typeof part !== 'object' || part === null) return part;
  const values = valuesOf(part);
  if (values !== null) return { ...part, [Kind]: DICTIONARY, isValue: listCheck(values) ?? quickCheck(values) };
  const copy: Record<PropertyKey, unknown> = {};
  for (const key of Reflect.ownKeys(part)) copy[key] = withDictionaries((part as Record<PropertyKey, unknown>)[key]);
  return copy;
}

/** The schema of a dictionary's values; null where it is none, or one with more to be said of it. */
function valuesOf(part: object): TSchema | null {
  const { additionalProperties, properties, ...rest } = part as Partial<TSchema>;
  const isDictionary =
    typeof additionalProperties === 'object' && Object.keys((properties ?? {}) as object).length === 0;
  return isDictionary && Object.keys(rest).join() === 'type' ? (additionalProperties as TSchema) : null;
}

/** Of a list of which nothing is said but what its items are; null for another schema. */
function listCheck(schema: TSchema): Check | null {
  const { items, ...rest } = schema as TSchema & { readonly items?: TSchema };
  if (items === undefined || Object.keys(rest).join() !== 'type') return null;
  const isItem = quickCheck(items);
  const anyText = takesAnyText(items);
  return (list) => {
    if (!Array.isArray(list)) return false;
    for (const item of list as readonly unknown[]) {
      // Nearly all of them are.
      if (anyText && typeof item === 'string') continue;
      if (!isItem(item)) return false;
    }
    return true;
  };
}

function takesAnyText({
  type,
  anyOf,
  ...rest
}: TSchema & { readonly type?: string; readonly anyOf?: TSchema[] }): boolean {
  if (Object.keys(rest).length > 0) return false;
  return anyOf === undefined ? type === 'string' : anyOf.some(takesAnyText);
}

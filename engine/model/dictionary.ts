import { type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox';

/**
 * The schema of an object with any keys, each of whose values is as `schema` says. `Type.Record` would be the word for it, but
 * it tries each key against `^(.*)$`: slow for every attribute of every object, and a key with a line feed would go unchecked.
 */
export function dictionary<T extends TSchema>(schema: T): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ ...Type.Object({}, { additionalProperties: schema }) });
}

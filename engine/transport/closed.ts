/** Schemas as they hold on the wire: what they do not name is refused, so that a misspelt field is not lost without a word. */
import type { TSchema } from '@sinclair/typebox';

/** The schema, with every object in it closed to further fields. Dictionaries (any key) stay as they are. */
export function closed<Schema extends TSchema>(schema: Schema): Schema {
  const { properties, additionalProperties, items, anyOf } = schema as {
    additionalProperties?: unknown;
    properties?: Record<string, TSchema>;
    items?: TSchema | TSchema[];
    anyOf?: TSchema[];
  };
  return {
    ...schema,
    ...(properties &&
      additionalProperties === undefined && { properties: mapped(properties), additionalProperties: false }),
    ...(items && { items: Array.isArray(items) ? items.map(closed) : closed(items) }),
    ...(anyOf && { anyOf: anyOf.map(closed) }),
  };
}

function mapped(properties: Record<string, TSchema>): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, closed(schema)]));
}

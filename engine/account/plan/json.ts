/**
 * JSON as expressions in SQL, put together of `json_quote` and `||`: the two databases' own functions for objects and arrays
 * write them with other spaces, and a plan has the same digest on both.
 */

/** A column, or a text in quotes, as a JSON string; NULL as `null`. */
export const jsonOf = (column: string): string => `json_quote(${column})`;

/** {@link jsonOf} each. */
export function jsonOfAll<Name extends string>(columns: Readonly<Record<Name, string>>): Record<Name, string> {
  const quoted = Object.entries<string>(columns).map(([name, column]) => [name, jsonOf(column)]);
  return Object.fromEntries(quoted) as Record<Name, string>;
}

/** An object of these names. The values are JSON. */
export function jsonObject(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `"${name}":' || ${value}`);
  return `('{${pairs.join(" || ',")} || '}')`;
}

/** A table with its condition, and the column that its rows are ordered by. */
interface Rows {
  readonly from: string;
  readonly order: string;
}

/** An array of the texts in a column. */
export function jsonArrayOf(column: string, { from, order }: Rows): string {
  return `('[' || coalesce((SELECT group_concat(${jsonOf(column)}, ',' ORDER BY ${order}) FROM ${from}), '') || ']')`;
}

/** An object of the texts in two columns. */
export function jsonObjectOf(name: string, value: string, { from, order }: Rows): string {
  const pair = `${jsonOf(name)} || ':' || ${jsonOf(value)}`;
  return `('{' || coalesce((SELECT group_concat(${pair}, ',' ORDER BY ${order}) FROM ${from}), '') || '}')`;
}

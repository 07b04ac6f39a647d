/** The account as plain sorted data without ids, so that accounts from different directories compare equal. */
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';

export interface AccountSnapshot {
  /** Sorted by address. */
  users: {
    address: string;
    name: string;
    origin: 'directory' | 'manual' | 'mail-flow';
    enabled: boolean;
    aliases: string[];
    attributes: Record<string, string>;
  }[];
  /** Sorted by address. */
  contacts: { address: string; name: string; aliases: string[]; attributes: Record<string, string> }[];
  /** Sorted by name, then address. `members`: `user:<address>`, `contact:<address>`, `group:<name>`, sorted. */
  groups: { name: string; address: string | null; kind: 'group' | 'dynamic-group'; members: string[] }[];
}

/** Text in the order of its code units, the same on every system and in every language. */
const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Reads the whole account. For tests, comparisons and small accounts: it is held in memory at once. */
export async function snapshotOf(db: SqlConnection): Promise<AccountSnapshot> {
  const entries = await db.query('SELECT key, kind, address, name, origin, enabled FROM entry');
  const aliases = collect(await db.query('SELECT entry, address AS value FROM address WHERE is_primary = 0'), valueOf);
  const attributes = collect(await db.query('SELECT entry, shown, value FROM attribute'), (row): [string, string] => [
    text(row, 'shown'),
    text(row, 'value'),
  ]);
  const members = collect(
    await db.query(
      `SELECT m.grp AS entry, CASE WHEN e.kind IN ('user', 'contact') THEN e.kind || ':' || e.address ELSE 'group:' || e.name END
         AS value FROM member m JOIN entry e ON e.key = m.entry`,
    ),
    valueOf,
  );

  const snapshot: AccountSnapshot = { users: [], contacts: [], groups: [] };
  for (const row of entries) {
    const key = integer(row, 'key');
    const kind = text(row, 'kind');
    const name = text(row, 'name');
    const address = textOrNull(row, 'address');
    const person = {
      address: address ?? '',
      name,
      aliases: (aliases.get(key) ?? []).sort(order),
      attributes: Object.fromEntries((attributes.get(key) ?? []).sort(([left], [right]) => order(left, right))),
    };
    if (kind === 'user')
      snapshot.users.push({ ...person, origin: originOf(row), enabled: integer(row, 'enabled') === 1 });
    else if (kind === 'contact') snapshot.contacts.push(person);
    else {
      snapshot.groups.push({
        name,
        address,
        kind: kind === 'dynamic-group' ? kind : 'group',
        members: (members.get(key) ?? []).sort(order),
      });
    }
  }
  snapshot.users.sort((left, right) => order(left.address, right.address));
  snapshot.contacts.sort((left, right) => order(left.address, right.address));
  snapshot.groups.sort(
    (left, right) =>
      order(left.name, right.name) ||
      order(left.address ?? '', right.address ?? '') ||
      order(left.members.join('\n'), right.members.join('\n')),
  );
  return snapshot;
}

type Row = Parameters<typeof integer>[0];
const valueOf = (row: Row) => text(row, 'value');

/** Where a user came from. */
export function originOf(row: Row): AccountSnapshot['users'][number]['origin'] {
  const origin = text(row, 'origin');
  return origin === 'manual' || origin === 'mail-flow' ? origin : 'directory';
}

function collect<Value>(rows: readonly NonNullable<Row>[], read: (row: Row) => Value): Map<number, Value[]> {
  const all = new Map<number, Value[]>();
  for (const row of rows) {
    const key = integer(row, 'entry');
    const list = all.get(key);
    if (list) list.push(read(row));
    else all.set(key, [read(row)]);
  }
  return all;
}

/** Looking up one person or group of the account, for other flows. */
import { type SqlConnection, type SqlRow, integer, text, textOrNull } from './store/connection.js';
import { originOf } from './snapshot.js';
import { keyText, storable } from './texts.js';

/** A user or contact of the account. `id` and `source`: null where no directory brought it. */
export interface FoundPerson {
  kind: 'user' | 'contact';
  id: string | null;
  source: string | null;
  address: string;
  name: string;
  origin: 'directory' | 'manual' | 'mail-flow';
  enabled: boolean;
  aliases: string[];
  attributes: Record<string, string>;
  /** Ids of the groups that this person is directly in. */
  groups: string[];
}

/** A group of the account. */
export interface FoundGroup {
  kind: 'group' | 'dynamic-group';
  id: string | null;
  source: string | null;
  address: string | null;
  name: string;
  /** How many direct members it has. */
  members: number;
}

/** By an address (primary or alias; a user before a contact before a group), or by an object's id. */
export async function findInAccount(
  db: SqlConnection,
  what: { address: string } | { id: string },
): Promise<FoundPerson | FoundGroup | null> {
  const key =
    'address' in what
      ? await keyOfAddress(db, storable(what.address.trim().toLowerCase()))
      : await keyOfId(db, keyText(what.id.trim().toLowerCase()));
  if (key === null) return null;
  const [row] = await db.query(
    `SELECT e.kind, e.address, e.name, e.origin, e.enabled, o.id, s.name AS source
     FROM entry e LEFT JOIN object o ON o.key = e.key LEFT JOIN source s ON s.key = o.source WHERE e.key = ?1`,
    [key],
  );
  if (!row) return null;
  const kind = text(row, 'kind');
  return kind === 'user' || kind === 'contact' ? personOf(db, key, { kind, row }) : groupOf(db, key, row);
}

async function keyOfAddress(db: SqlConnection, address: string): Promise<number | null> {
  const persons = await db.query(
    'SELECT entry FROM address WHERE address = ?1 AND kind IN (?2, ?3) ORDER BY kind DESC',
    [address, 'user', 'contact'],
  );
  if (persons[0]) return integer(persons[0], 'entry');
  const [group] = await db.query(
    `SELECT key FROM entry WHERE address = ?1 AND kind NOT IN ('user', 'contact') ORDER BY key LIMIT 1`,
    [address],
  );
  return group ? integer(group, 'key') : null;
}

async function keyOfId(db: SqlConnection, id: string): Promise<number | null> {
  const [row] = await db.query(
    `SELECT e.key FROM source s CROSS JOIN object o ON o.source = s.key AND o.id = ?1 CROSS JOIN entry e ON e.key = o.key
     ORDER BY e.key LIMIT 1`,
    [id],
  );
  return row ? integer(row, 'key') : null;
}

async function personOf(
  db: SqlConnection,
  key: number,
  { kind, row }: { kind: FoundPerson['kind']; row: SqlRow },
): Promise<FoundPerson> {
  const aliases = await db.query('SELECT address FROM address WHERE entry = ?1 AND is_primary = 0 ORDER BY address', [
    key,
  ]);
  const attributes = await db.query('SELECT shown, value FROM attribute WHERE entry = ?1 ORDER BY name', [key]);
  const groups = await db.query(
    `SELECT o.id FROM member m JOIN object o ON o.key = m.grp WHERE m.entry = ?1 ORDER BY o.id`,
    [key],
  );
  return {
    kind,
    id: textOrNull(row, 'id'),
    source: textOrNull(row, 'source'),
    address: text(row, 'address'),
    name: text(row, 'name'),
    origin: originOf(row),
    enabled: integer(row, 'enabled') === 1,
    aliases: aliases.map((alias) => text(alias, 'address')),
    attributes: Object.fromEntries(attributes.map((one) => [text(one, 'shown'), text(one, 'value')])),
    groups: groups.map((group) => text(group, 'id')),
  };
}

async function groupOf(db: SqlConnection, key: number, row: SqlRow): Promise<FoundGroup> {
  const [members] = await db.query('SELECT count(*) AS count FROM member WHERE grp = ?1', [key]);
  return {
    kind: text(row, 'kind') === 'dynamic-group' ? 'dynamic-group' : 'group',
    id: textOrNull(row, 'id'),
    source: textOrNull(row, 'source'),
    address: textOrNull(row, 'address'),
    name: text(row, 'name'),
    members: integer(members, 'count'),
  };
}

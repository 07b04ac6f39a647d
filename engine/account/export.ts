/**
 * The account as text: CSV (RFC 4180, a line for each user, contact and group), NDJSON (an object in each line), LDIF
 * (RFC 2849, as `inetOrgPerson` and `groupOfNames` below `o=account`).
 */
import { type SqlConnection, type SqlRow, integer, text, textOrNull } from './store/connection.js';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'ldif'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** One user, contact or group. `members`: as in a snapshot. */
interface Exported {
  readonly kind: string;
  readonly id: string | null;
  readonly address: string | null;
  readonly name: string;
  readonly origin: string;
  readonly enabled: boolean;
  readonly aliases: string[];
  readonly attributes: Record<string, string>;
  readonly members: string[];
}

const PAGE = 500;
const FIRST: Record<ExportFormat, string> = {
  csv: 'kind,id,address,name,origin,enabled,aliases,attributes,members\r\n',
  ndjson: '',
  ldif: 'version: 1\n\ndn: o=account\nobjectClass: organization\no: account\n',
};

/** The next piece after the entry `after` (0 at first); `next` is null when there is no more. */
export async function exportPage(
  db: SqlConnection,
  format: ExportFormat,
  after: number,
): Promise<{ text: string; next: number | null }> {
  const rows = await db.query(
    `SELECT e.key, e.kind, e.address, e.name, e.origin, e.enabled, o.id FROM entry e LEFT JOIN object o ON o.key = e.key
     WHERE e.key > ?1 ORDER BY e.key LIMIT ?2`,
    // No entry has the key 0, and those known from elsewhere have one below it.
    [after === 0 ? Number.MIN_SAFE_INTEGER : after, PAGE],
  );
  const first = rows[0];
  const last = rows.at(-1);
  const more = first && last ? await valuesOf(db, integer(first, 'key'), integer(last, 'key')) : NO_VALUES;
  const written: string[] = [];
  for (const row of rows) written.push(WRITERS[format](await exported(db, row, more)));
  return {
    text: (after === 0 ? FIRST[format] : '') + written.join(''),
    next: last && rows.length === PAGE ? integer(last, 'key') : null,
  };
}

/** Aliases and attributes of the entries of a page, by their keys. */
interface Values {
  readonly aliases: ReadonlyMap<number, readonly SqlRow[]>;
  readonly attributes: ReadonlyMap<number, readonly SqlRow[]>;
}
const NO_VALUES: Values = { aliases: new Map(), attributes: new Map() };

/** Asked for once for a page: over a network, a question for each entry would take most of the time. */
async function valuesOf(db: SqlConnection, from: number, to: number): Promise<Values> {
  const aliases = await db.query(
    `SELECT entry, address FROM address WHERE is_primary = 0 AND entry BETWEEN ?1 AND ?2 ORDER BY entry, address`,
    [from, to],
  );
  const attributes = await db.query(
    'SELECT entry, shown, value FROM attribute WHERE entry BETWEEN ?1 AND ?2 ORDER BY entry, name',
    [from, to],
  );
  const byEntry = (all: readonly SqlRow[]) => Map.groupBy(all, (row) => integer(row, 'entry'));
  return { aliases: byEntry(aliases), attributes: byEntry(attributes) };
}

async function exported(db: SqlConnection, row: SqlRow, values: Values): Promise<Exported> {
  const key = integer(row, 'key');
  const person = ['user', 'contact'].includes(text(row, 'kind'));
  // One group at a time: a page of large ones would not fit into memory.
  const members = person
    ? []
    : await db.query(
        `SELECT CASE WHEN e.kind IN ('user', 'contact') THEN e.kind || ':' || e.address ELSE 'group:' || e.name END AS value
         FROM member m CROSS JOIN entry e ON e.key = m.entry WHERE m.grp = ?1 ORDER BY 1`,
        [key],
      );
  return {
    kind: text(row, 'kind'),
    id: textOrNull(row, 'id'),
    address: textOrNull(row, 'address'),
    name: text(row, 'name'),
    origin: text(row, 'origin'),
    enabled: integer(row, 'enabled') === 1,
    aliases: (values.aliases.get(key) ?? []).map((one) => text(one, 'address')),
    attributes: Object.fromEntries(
      (values.attributes.get(key) ?? []).map((one) => [text(one, 'shown'), text(one, 'value')]),
    ),
    members: members.map((one) => text(one, 'value')),
  };
}

const WRITERS: Record<ExportFormat, (one: Exported) => string> = {
  ndjson: (one) => `${JSON.stringify(one)}\n`,
  csv: ({ kind, id, address, name, origin, enabled, aliases, attributes, members }) =>
    `${[
      kind,
      id ?? '',
      address ?? '',
      name,
      origin,
      String(enabled),
      aliases.join(' '),
      Object.keys(attributes).length === 0 ? '' : JSON.stringify(attributes),
      members.join('; '),
    ]
      .map(csvField)
      .join(',')}\r\n`,
  ldif: ldifEntry,
};

/** A text that a spreadsheet would take for a formula, also in full-width characters, gets an apostrophe in front. */
function csvField(value: string): string {
  const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function ldifEntry({ kind, id, address, name, enabled, aliases, attributes, members }: Exported): string {
  const person = kind === 'user' || kind === 'contact';
  const lines: (readonly [string, string])[] = [
    ['dn', `${person ? 'mail' : 'cn'}=${escapedDn(person ? (address ?? '') : name)},o=account`],
    ['objectClass', person ? 'inetOrgPerson' : 'groupOfNames'],
    ['cn', name === '' ? (address ?? '') : name],
    ...(person ? [['sn', name === '' ? (address ?? '') : name] as const] : []),
    ...(address === null ? [] : [['mail', address] as const]),
    ...aliases.map((alias) => ['mail', alias] as const),
    ...(id === null ? [] : [['uid', id] as const]),
    ...(person && !enabled ? [['description', 'disabled'] as const] : []),
    ...Object.entries(attributes).filter(([attribute]) => /^[A-Za-z][A-Za-z0-9-]*$/.test(attribute)),
    ...members.map((member) => ['member', memberDn(member)] as const),
  ];
  return `\n${lines.map(([attribute, value]) => ldifLine(attribute, value)).join('')}`;
}

function memberDn(member: string): string {
  const colon = member.indexOf(':');
  const attribute = member.startsWith('group:') ? 'cn' : 'mail';
  return `${attribute}=${escapedDn(member.slice(colon + 1))},o=account`;
}

/** RFC 4514, section 2.4. */
function escapedDn(value: string): string {
  return value
    .replace(/[\\",+<>;=]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
}

/** RFC 2849: what is not a safe string goes as Base64; lines are folded at 76 characters. */
function ldifLine(attribute: string, value: string): string {
  const safe =
    /^[\x01-\x09\x0b\x0c\x0e-\x1f\x21-\x39\x3b\x3d-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*$/.test(value) &&
    !value.endsWith(' ');
  const line = safe ? `${attribute}: ${value}` : `${attribute}:: ${Buffer.from(value).toString('base64')}`;
  return `${line.replace(/^.{76}|.{75}/g, (part) => `${part}\n `).replace(/\n $/, '')}\n`;
}

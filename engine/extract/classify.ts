/** From an entry as read to the record that is sent: what kind of object it is, its id and its plain name. */
import type { Entry } from '../ldap/entry.js';
import type { AttributeValue, DirectoryObject, ExtractedRecord, ObjectKind, Quarantined } from '../model/records.js';

/** What a class makes of an object; a public folder is none of them. */
type ClassKind = ObjectKind | 'public-folder';

/** Weakest first: where an object is of several (a contact is a person, too), the last counts. */
const RANKED: readonly (ClassKind | null)[] = [
  null,
  'public-folder',
  'user',
  'contact',
  'group',
  'dynamic-group',
  null,
];
const NOT_PEOPLE = 6;
const PUBLIC_FOLDER = 1;
const RANKS = new Map<string, number>([
  ['publicfolder', PUBLIC_FOLDER],
  ['inetorgperson', 2],
  ['person', 2],
  ['user', 2],
  ['contact', 3],
  ['group', 4],
  ['groupofnames', 4],
  ['groupofuniquenames', 4],
  ['msexchdynamicdistributionlist', 5],
  // Machines and service accounts are users by inheritance only.
  ['computer', NOT_PEOPLE],
  ['msds-managedserviceaccount', NOT_PEOPLE],
  ['msds-groupmanagedserviceaccount', NOT_PEOPLE],
  ['msds-delegatedmanagedserviceaccount', NOT_PEOPLE],
]);
/** The ranks of classes as servers spell them, so that each is folded once. */
const rankBySpelling = new Map<string, number>();
const MOST_SPELLINGS = 1_000;
/** Copied, for the reason told in `ldap/entry.ts`: a literal here would be taken for long-lived. */
const NO_OBJECT: DirectoryObject = { kind: 'user', id: '', dn: '', attributes: {} };
const NO_CLASSES: readonly AttributeValue[] = [];
/** A name that replication made ([MS-ADTS] 3.1.1.5.1.3): a line feed, CNF and the object's GUID at the end of the old one. */
const CONFLICT = /^[A-Za-z]+=(?:[^,\\]|\\.)*(?:\\0A|\n)CNF:[0-9a-f]{8}-/i;
const EXTENDED_NAME = /^(?:<(?:GUID|SID|WKGUID)=[^>]*>;)+/i;

/** The plain name within one that has GUID and SID before it. */
export function plainDn(dn: string): string {
  return dn.startsWith('<') ? dn.replace(EXTENDED_NAME, '') : dn;
}

/** The first value of an attribute that is text; null where there is none. */
export function firstText(values: readonly AttributeValue[] | undefined): string | null {
  const value = values?.[0];
  return typeof value === 'string' ? value : null;
}

/**
 * Makes the record of an entry; what cannot be one is set aside with its reason. A mail-enabled public folder is an address
 * that nobody logs on with, so where folders are wanted it is passed on as a contact.
 */
export function toRecord(entry: Entry, held: Record<string, string> | null, publicFolders = false): ExtractedRecord {
  const { attributes } = entry;
  const id = firstText(attributes['objectGUID']) ?? firstText(attributes['entryUUID'])?.toLowerCase() ?? null;
  if (entry.dn === null) {
    return setAside(id, '', 'UNDECODABLE_DN', 'The name of the object is not valid UTF-8.', entry);
  }
  const dn = plainDn(entry.dn);
  const found = classOf(attributes['objectClass'] ?? NO_CLASSES);
  const kind = found === 'public-folder' && publicFolders ? 'contact' : found;
  if (kind === 'public-folder') {
    const detail = 'A mail-enabled public folder. Switch on "publicFolders" of the extract node to have its address.';
    return setAside(id, dn, 'PUBLIC_FOLDER', detail, entry);
  }
  if (kind === null) {
    return setAside(id, dn, 'UNSUPPORTED_CLASS', 'The object is neither a person, a contact nor a group.', entry);
  }
  if (dn.includes('CNF:') && CONFLICT.test(dn)) {
    const detail = 'Replication renamed the object because two had one name. Rename or delete it in the directory.';
    return setAside(id, dn, 'NAME_CONFLICT', detail, entry);
  }
  if (id === null) {
    return setAside(
      null,
      dn,
      'NO_ID',
      'The object has neither objectGUID nor entryUUID, or the user may not read it.',
      entry,
    );
  }
  const record: DirectoryObject = { ...NO_OBJECT, kind, id, dn, attributes };
  return held === null ? record : { ...record, held };
}

/** The kind that these classes make an object; null where an account has no place for it. */
export function kindOf(classes: readonly AttributeValue[]): ObjectKind | null {
  const found = classOf(classes);
  return found === 'public-folder' ? null : found;
}

/** Mail-enabled public folders have a class of their own. */
export function isPublicFolder(classes: readonly AttributeValue[]): boolean {
  return classes.some((value) => typeof value === 'string' && rankOf(value) === PUBLIC_FOLDER);
}

function classOf(classes: readonly AttributeValue[]): ClassKind | null {
  let highest = 0;
  for (const value of classes) {
    if (typeof value !== 'string') continue;
    const rank = rankOf(value);
    if (rank > highest) highest = rank;
  }
  return RANKED[highest] ?? null;
}

function rankOf(spelling: string): number {
  const known = rankBySpelling.get(spelling);
  if (known !== undefined) return known;
  const rank = RANKS.get(spelling.toLowerCase()) ?? 0;
  if (rankBySpelling.size < MOST_SPELLINGS) rankBySpelling.set(spelling, rank);
  return rank;
}

/** What is shown of an object that was set aside: enough to find it, and to say in which groups it remains; no more. */
const SHOWN = ['objectClass', 'objectSid', 'primaryGroupID', 'cn', 'mail'];

function setAside(id: string | null, dn: string, reason: string, detail: string, entry: Entry): Quarantined {
  const shown = Object.fromEntries(
    SHOWN.flatMap((name) => {
      const values = entry.attributes[name];
      return values === undefined ? [] : [[name, values] as const];
    }),
  );
  return { kind: 'quarantined', id, dn, reason, detail, shown };
}

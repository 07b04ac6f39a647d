/** From an entry as read to the record that is sent: what kind of object it is, its id and its plain name. */
import type { Entry } from '../ldap/entry.js';
import type { AttributeValue, DirectoryObject, ExtractedRecord, ObjectKind, Quarantined } from '../model/records.js';

const DYNAMIC_LIST = 'msexchdynamicdistributionlist';
const KINDS = new Map<string, ObjectKind>([
  [DYNAMIC_LIST, 'dynamic-group'],
  ['group', 'group'],
  ['groupofnames', 'group'],
  ['groupofuniquenames', 'group'],
  ['contact', 'contact'],
  ['user', 'user'],
  ['inetorgperson', 'user'],
  ['person', 'user'],
]);
/** Where an object is of several kinds (a contact is a person, too), the first of these. */
const PRECEDENCE: readonly ObjectKind[] = ['dynamic-group', 'group', 'contact', 'user'];
/** Machines and service accounts: users by inheritance only. */
const NOT_PEOPLE = new Set([
  'computer',
  'msds-managedserviceaccount',
  'msds-groupmanagedserviceaccount',
  'msds-delegatedmanagedserviceaccount',
]);
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

/** Makes the record of an entry; what cannot be one is set aside with its reason. */
export function toRecord(entry: Entry, held: Record<string, string> | null): ExtractedRecord {
  const { attributes } = entry;
  const id = firstText(attributes['objectGUID']) ?? firstText(attributes['entryUUID'])?.toLowerCase() ?? null;
  if (entry.dn === null) {
    return setAside(id, '', 'UNDECODABLE_DN', 'The name of the object is not valid UTF-8.', entry);
  }
  const dn = plainDn(entry.dn);
  const kind = kindOf(attributes['objectClass'] ?? []);
  if (kind === null) {
    return setAside(id, dn, 'UNSUPPORTED_CLASS', 'The object is neither a person, a contact nor a group.', entry);
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
  const record: DirectoryObject = { kind, id, dn, attributes };
  return held === null ? record : { ...record, held };
}

function kindOf(classes: readonly AttributeValue[]): ObjectKind | null {
  const kinds = new Set<ObjectKind>();
  for (const value of classes) {
    if (typeof value !== 'string') continue;
    const name = value.toLowerCase();
    if (NOT_PEOPLE.has(name)) return null;
    const kind = KINDS.get(name);
    if (kind !== undefined) kinds.add(kind);
  }
  return PRECEDENCE.find((kind) => kinds.has(kind)) ?? null;
}

/** What is shown of an object that was set aside: enough to find it, no more. */
const SHOWN = ['objectClass', 'cn', 'mail'];

function setAside(id: string | null, dn: string, reason: string, detail: string, entry: Entry): Quarantined {
  const shown = Object.fromEntries(
    SHOWN.flatMap((name) => {
      const values = entry.attributes[name];
      return values === undefined ? [] : [[name, values] as const];
    }),
  );
  return { kind: 'quarantined', id, dn, reason, detail, shown };
}

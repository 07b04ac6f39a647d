/** Turns what a directory calls its objects into the records of an account. Pure: a record in, its records out. */
import { sidToBytes, sidToText } from '../model/identifiers.js';
import type { Attributes, DirectoryObject, EnrichedRecord, ExtractedRecord, Quarantined } from '../model/records.js';
import { addressesOf } from './addresses.js';
import { type AttributeMap, byName, textOf, valuesOf } from './attributes.js';
import { scopeAndType } from './groups.js';
import { membersOf } from './members.js';
import { nameOf } from './names.js';
import { enabledOf } from './state.js';

/** How enrich works. `membersPerRecord` (at least 1): a larger group comes in several `members` records. */
export interface EnrichSettings {
  readonly membersPerRecord: number;
}

/**
 * What the fields of a record are made from. It is not repeated in `attributes`: everything else is, as it was read.
 * Lower case.
 */
const CONSUMED: ReadonlySet<string> = new Set(
  [
    'objectClass',
    'objectGUID',
    'objectSid',
    'entryUUID',
    'cn',
    'mail',
    'proxyAddresses',
    'targetAddress',
    'userAccountControl',
    'msExchRecipientTypeDetails',
    'groupType',
    'member',
    'uniqueMember',
    'primaryGroupID',
    'msExchDynamicDLFilter',
    'msExchDynamicDLBaseDN',
  ].map((name) => name.toLowerCase()),
);

/** Attributes that may be held without holding the object itself: a group keeps its members, the rest of it is whole. */
const MEMBERSHIP: ReadonlySet<string> = new Set(['member', 'uniquemember']);

/**
 * The records for one record: itself, and for a group its members behind it. An object of which nothing certain can be
 * said is set aside (`quarantined`), never dropped. Throws nothing.
 */
export function enrichRecord(record: ExtractedRecord, settings: EnrichSettings): EnrichedRecord[] {
  if (record.kind === 'quarantined') return [record];
  const attributes = byName(record.attributes);
  if (record.id.trim() === '') {
    return [setAside(record, attributes, 'NO_ID', 'The object has neither objectGUID nor entryUUID.')];
  }
  const name = nameOf(attributes, record.dn);
  if (name === null) {
    return [
      setAside(
        record,
        attributes,
        'UNDECODABLE_DN',
        'The object has no name, and its distinguished name cannot be read.',
      ),
    ];
  }
  const cut = heldAttributes(record).find(([attribute]) => !MEMBERSHIP.has(attribute.toLowerCase()));
  if (cut)
    return [setAside(record, attributes, 'NOT_READ_WHOLE', `Not every value of ${cut[0]} could be read: ${cut[1]}`)];
  const shared = { ...identityOf(record, attributes), name, ...addressesOf(attributes), attributes: furtherOf(record) };

  switch (record.kind) {
    case 'contact':
      return [{ kind: 'contact', ...shared, enabled: true }];
    case 'user': {
      const enabled = enabledOf(attributes);
      if (enabled !== null) return [{ kind: 'user', ...shared, enabled }];
      return [
        setAside(
          record,
          attributes,
          'UNDECODABLE_STATE',
          'userAccountControl is not an integer, so nobody can say whether the account is enabled.',
        ),
      ];
    }
    case 'group':
      return [
        { kind: 'group', ...shared, ...scopeAndType(attributes) },
        ...membersOf(record.id, attributes, heldMembers(record), settings.membersPerRecord),
      ];
    case 'dynamic-group':
      return [
        {
          kind: 'dynamic-group',
          ...shared,
          ...scopeAndType(attributes),
          filter: textOf(attributes, 'msExchDynamicDLFilter'),
          filterBase: textOf(attributes, 'msExchDynamicDLBaseDN'),
        },
      ];
  }
}

function heldAttributes(record: DirectoryObject): [string, string][] {
  return Object.entries(record.held ?? {});
}

function heldMembers(record: DirectoryObject): string | null {
  return heldAttributes(record).find(([attribute]) => MEMBERSHIP.has(attribute.toLowerCase()))?.[1] ?? null;
}

function identityOf(record: DirectoryObject, attributes: AttributeMap): { id: string; dn: string; sid: string | null } {
  return { id: record.id, dn: record.dn, sid: sidOf(attributes) };
}

/** Text where extract read it, bytes where another source did; null for anything else, the object has its id. */
function sidOf(attributes: AttributeMap): string | null {
  const [value] = valuesOf(attributes, 'objectSid');
  if (value === undefined) return null;
  if (typeof value !== 'string') return sidToText(Buffer.from(value.base64, 'base64'));
  return sidToBytes(value.trim()) ? value.trim() : null;
}

function furtherOf(record: DirectoryObject): Attributes {
  return Object.fromEntries(Object.entries(record.attributes).filter(([name]) => !CONSUMED.has(name.toLowerCase())));
}

function setAside(record: DirectoryObject, attributes: AttributeMap, reason: string, detail: string): Quarantined {
  const shown = ['displayName', 'cn', 'mail'].map((name) => [name, textOf(attributes, name)] as const);
  return {
    kind: 'quarantined',
    id: record.id.trim() === '' ? null : record.id,
    dn: record.dn,
    reason,
    detail,
    shown: Object.fromEntries(shown.flatMap(([name, text]) => (text === null ? [] : [[name, [text]]]))),
  };
}

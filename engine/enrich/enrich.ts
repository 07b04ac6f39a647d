/** Turns what a directory calls its objects into the records of an account. Pure: a record in, its records out. */
import type {
  Contact,
  DirectoryObject,
  DynamicGroup,
  EnrichedRecord,
  ExtractedRecord,
  Group,
  Quarantined,
  User,
} from '../model/records.js';
import { type Addresses, addressesOf, apart, domainSet, otherAddressesOf } from './addresses.js';
import { classesShown } from './aside.js';
import { type AttributeMap, byName, textOf } from './attributes.js';
import { scopeAndType } from './groups.js';
import { type IdOf, membersOf, parseMember } from './members.js';
import { nameOf } from './names.js';
import type { EnrichSettings } from './settings.js';
import { sidIn } from './sids.js';
import { enabledOf, isDisabledByNature } from './state.js';
import { type Values, valuesFor } from './values.js';

export type { EnrichSettings } from './settings.js';

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
    'msExchShadowProxyAddresses',
    'msExchMasterAccountSid',
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

const NOTHING = { id: '', dn: '', sid: null, name: '', primary: null, aliases: [], attributes: {} };
/** Copied, for the reason told in `ldap/entry.ts`: a literal for each record would be taken for long-lived. */
const NO_PERSON: User = { kind: 'user', ...NOTHING, enabled: false };
const NO_GROUP: Group = { kind: 'group', ...NOTHING, scope: null, type: 'security' };

/** NT AUTHORITY\SELF: what a shared mailbox names as its owner, and no account of anybody. */
const SELF = 'S-1-5-10';

/** Attributes that may be held without holding the object itself: a group keeps its members, the rest of it is whole. */
const MEMBERSHIP: ReadonlySet<string> = new Set(['member', 'uniquemember']);

/**
 * The records for one record: itself, and for a group its members behind it. An object of which nothing certain can be
 * said is set aside (`quarantined`), never dropped. Throws nothing. `now`: by when an account has expired, if that counts.
 */
export function enrichRecord(record: ExtractedRecord, settings: EnrichSettings, now = new Date()): EnrichedRecord[] {
  return record.kind === 'quarantined'
    ? [record]
    : enrichObject(record, byName(record.attributes), settings, { now, idOf: () => null });
}

/** As {@link enrichRecord}, where the attributes were made readable before. `idOf`: of members given by name only. */
export function enrichObject(
  record: DirectoryObject,
  attributes: AttributeMap,
  settings: EnrichSettings,
  { now, idOf }: { readonly now: Date; readonly idOf: IdOf },
): EnrichedRecord[] {
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
  const cut = record.held && heldAttributes(record).find(([attribute]) => !MEMBERSHIP.has(attribute.toLowerCase()));
  if (cut)
    return [setAside(record, attributes, 'NOT_READ_WHOLE', `Not every value of ${cut[0]} could be read: ${cut[1]}`)];
  const { id, dn } = record;
  const sid = sidIn(attributes, 'objectSid');
  // Fields by hand: to spread objects into one another takes longer than all else here.
  const { primary, aliases, outside } = addressFields(record, attributes, settings);
  const { attributes: further, aside } = furtherOf(record, attributes, settings);

  switch (record.kind) {
    case 'contact':
    case 'user': {
      const isContact = record.kind === 'contact';
      const enabled = isContact || enabledOf(attributes, settings.accountExpires === true ? now : null);
      if (enabled === null) {
        return [
          setAside(
            record,
            attributes,
            'UNDECODABLE_STATE',
            'userAccountControl is not an integer, so nobody can say whether the account is enabled.',
          ),
        ];
      }
      const person: User | Contact = {
        ...NO_PERSON,
        kind: record.kind,
        id,
        dn,
        sid,
        name,
        primary,
        aliases,
        attributes: further,
        enabled,
      };
      noteApart(person, outside, aside);
      if (person.kind === 'contact') return [person];
      const masterSid = sidIn(attributes, 'msExchMasterAccountSid');
      if (masterSid !== null && masterSid !== SELF) {
        person.masterSid = masterSid;
        if (isDisabledByNature(attributes)) person.linked = true;
      }
      return [person];
    }
    case 'group': {
      const group: Group = {
        ...NO_GROUP,
        id,
        dn,
        sid,
        name,
        primary,
        aliases,
        attributes: further,
        ...scopeAndType(attributes),
      };
      noteApart(group, outside, aside);
      return [
        group,
        ...membersOf(record.id, attributes, {
          held: heldMembers(record),
          membersPerRecord: settings.membersPerRecord,
          idOf,
        }),
      ];
    }
    case 'dynamic-group': {
      const filter = textOf(attributes, 'msExchDynamicDLFilter');
      const filterBase = plainNameOf(textOf(attributes, 'msExchDynamicDLBaseDN'));
      const shared = { id, dn, sid, name, primary, aliases, attributes: further };
      const list: DynamicGroup = { kind: 'dynamic-group', ...shared, ...scopeAndType(attributes), filter, filterBase };
      noteApart(list, outside, aside);
      return [list];
    }
  }
}

/** What most records do not have. */
function noteApart(
  record: { outside?: string[]; aside?: Record<string, string> },
  outside: string[] | undefined,
  aside: Record<string, string> | null,
): void {
  if (outside !== undefined) record.outside = outside;
  if (aside !== null) record.aside = aside;
}

function heldAttributes(record: DirectoryObject): [string, string][] {
  return Object.entries(record.held ?? {});
}

function heldMembers(record: DirectoryObject): string | null {
  return heldAttributes(record).find(([attribute]) => MEMBERSHIP.has(attribute.toLowerCase()))?.[1] ?? null;
}

/** A name as Active Directory gives it when it is asked for ids has them in front. */
function plainNameOf(name: string | null): string | null {
  return name === null ? null : (parseMember(name)?.dn ?? name);
}

/** Primary address and aliases; contacts are outside by nature, so that nothing of theirs is kept apart. */
function addressFields(
  { kind }: DirectoryObject,
  attributes: AttributeMap,
  { domains = [] }: EnrichSettings,
): Addresses & { outside?: string[] } {
  const chosen = addressesOf(attributes, kind);
  if (domains.length === 0 || kind === 'contact') return chosen;
  const { own, outside } = apart(chosen.aliases, domainsOf(domains));
  return outside.length === 0 ? chosen : { primary: chosen.primary, aliases: own, outside };
}

const domainSets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Made once for the settings, and not for every record. */
function domainsOf(domains: readonly string[]): ReadonlySet<string> {
  const known = domainSets.get(domains);
  if (known) return known;
  const set = domainSet(domains);
  domainSets.set(domains, set);
  return set;
}

function furtherOf(record: DirectoryObject, attributes: AttributeMap, settings: EnrichSettings): Values {
  const { attributes: further, aside } = valuesFor(record.attributes, CONSUMED, settings);
  if (settings.otherAddresses === true) {
    const others = otherAddressesOf(attributes);
    if (others.length > 0) further['otherAddresses'] = others;
  }
  return { attributes: further, aside };
}

function setAside(record: DirectoryObject, attributes: AttributeMap, reason: string, detail: string): Quarantined {
  const shown = ['objectSid', 'displayName', 'cn', 'mail'].map((name) => [name, textOf(attributes, name)] as const);
  return {
    kind: 'quarantined',
    id: record.id.trim() === '' ? null : record.id,
    dn: record.dn,
    reason,
    detail,
    shown: {
      objectClass: classesShown(attributes, record.kind),
      ...Object.fromEntries(shown.flatMap(([name, text]) => (text === null ? [] : [[name, [text]]]))),
    },
  };
}

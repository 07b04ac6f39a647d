/**
 * The oracle: what an account must hold after its first run, and what the report must count, computed from the LDIF by the
 * rules of the design on plain lists, without the engine. Slow and simple on purpose.
 */
import type { AccountSettings } from '../../../engine/account/account.js';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';
import type { LdifEntry } from '../ldif.js';
import { type Found, foundObjects, unique } from './objects.js';

/** An address that the account knows before its first run. */
export interface KnownBefore {
  readonly address: string;
  readonly name?: string;
  readonly origin: 'manual' | 'mail-flow';
}

/** What the report of the first run must say. */
export interface ExpectedCounts {
  /** Records that extract finds. */
  readonly records: { user: number; contact: number; group: number; 'dynamic-group': number };
  readonly usersAdded: number;
  readonly usersLinked: number;
  readonly usersDisabled: number;
  readonly contactsAdded: number;
  readonly groupsAdded: number;
  readonly membersAdded: number;
  readonly aliasesLinked: number;
  readonly groupsWithoutMail: number;
  /** How many were set aside, by reason. */
  readonly setAside: Readonly<Record<string, number>>;
}

export interface Expected {
  readonly snapshot: AccountSnapshot;
  readonly counts: ExpectedCounts;
}

/** What the first run of a new account makes of the entries, where `known` was there before. */
export function expectedAccount(
  entries: readonly LdifEntry[],
  { settings, known }: { settings: AccountSettings; known: readonly KnownBefore[] },
): Expected {
  const found = foundObjects(entries, settings.contacts);
  const aside = new Tally();
  const users = ownersOf(found, 'user', settings, aside);
  const contacts = ownersOf(found, 'contact', settings, aside);
  const groups = groupsOf(found);
  const members = membersOf(
    groups,
    [...users, ...contacts].map(({ object }) => object),
  );
  const addresses = new Set(known.map(({ address }) => address.trim().toLowerCase()));
  const linked = users.filter((owner) => ownAddresses(owner).some((address) => addresses.has(address))).length;
  const remaining = knownThatRemain(known, users);

  const snapshot: AccountSnapshot = {
    users: [...users.map((owner) => userLine(owner, settings)), ...remaining.map(knownLine)].sort(byAddress),
    contacts: contacts.map((owner) => contactLine(owner, settings)).sort(byAddress),
    groups: groups.map((group) => groupLine(group, members)).sort(byNameThenAddress),
  };
  const counts: ExpectedCounts = {
    records: {
      user: count(found, 'user'),
      contact: count(found, 'contact'),
      group: count(found, 'group'),
      'dynamic-group': count(found, 'dynamic-group'),
    },
    usersAdded: users.length - linked,
    usersLinked: linked,
    usersDisabled: users.filter(({ object }) => settings.acknowledgeDisabled && !object.enabled).length,
    contactsAdded: contacts.length,
    groupsAdded: groups.length,
    membersAdded: snapshot.groups.reduce((sum, group) => sum + group.members.length, 0),
    aliasesLinked: [...users, ...contacts].reduce((sum, { aliases }) => sum + aliases.length, 0),
    groupsWithoutMail: count(found, 'group') + count(found, 'dynamic-group') - groups.length,
    setAside: aside.counts(),
  };
  return { snapshot, counts };
}

/** A user or contact of the account, with the addresses that are this one's own. */
interface Owner {
  readonly object: Found;
  readonly address: string;
  readonly aliases: string[];
}

/**
 * Who becomes a user (or a contact: the same among themselves, but with no domains to be in). Whoever comes first in the
 * order of distinguished names keeps an address; a primary address beats an alias; somebody whose primary address is
 * another's, or outside the domains, takes no address at all.
 */
function ownersOf(found: readonly Found[], kind: 'user' | 'contact', settings: AccountSettings, aside: Tally): Owner[] {
  const inDomains = domainRule(kind === 'user' ? settings.domains : []);
  const inOrder = found.filter((one) => one.kind === kind).sort((left, right) => (left.key < right.key ? -1 : 1));

  const owners: Owner[] = [];
  const taken = new Set<string>();
  for (const object of inOrder) {
    if (object.primary === null) aside.add('NO_ADDRESS');
    else if (!inDomains(object.primary)) aside.add('OUTSIDE_DOMAINS');
    else if (taken.has(object.primary)) aside.add('ADDRESS_CLASH');
    else {
      taken.add(object.primary);
      owners.push({ object, address: object.primary, aliases: [] });
    }
  }
  if (!settings.linkAliases) return owners;
  for (const { object, aliases } of owners) {
    for (const alias of object.aliases) {
      if (!inDomains(alias)) aside.add('ALIAS_OUTSIDE_DOMAINS');
      else if (taken.has(alias)) aside.add('ALIAS_CLASH');
      else {
        taken.add(alias);
        aliases.push(alias);
      }
    }
  }
  return owners;
}

function ownAddresses({ address, aliases }: Owner): string[] {
  return [address, ...aliases];
}

function domainRule(domains: readonly string[]): (address: string) => boolean {
  const own = domains.map((domain) => domain.toLowerCase());
  return (address) => own.length === 0 || own.includes(address.slice(address.indexOf('@') + 1));
}

/** A list with mail somewhere below it, and a dynamic list with an address of its own. */
function groupsOf(found: readonly Found[]): Found[] {
  const byKey = new Map(found.map((one) => [one.key, one]));
  const bearsMail = (group: Found, seen: ReadonlySet<string>): boolean =>
    group.members.some((key) => {
      const member = byKey.get(key);
      if (member === undefined || seen.has(key)) return false;
      if (member.kind === 'user' || member.kind === 'contact') return member.primary !== null;
      return bearsMail(member, new Set([...seen, key]));
    });
  return found.filter((one) => {
    if (one.kind === 'dynamic-group') return one.primary !== null;
    return one.kind === 'group' && bearsMail(one, new Set([one.key]));
  });
}

/** Each group's members that are in the account, as the snapshot writes them. */
function membersOf(groups: readonly Found[], people: readonly Found[]): Map<string, string[]> {
  const written = new Map<string, string>([
    ...people.map((one) => [one.key, `${one.kind}:${one.primary ?? ''}`] as const),
    ...groups.map((one) => [one.key, `group:${one.name}`] as const),
  ]);
  return new Map(
    groups.map((group) => [
      group.key,
      unique(group.members)
        .flatMap((key) => written.get(key) ?? [])
        .sort(),
    ]),
  );
}

/** Known addresses that no user of the directory has, neither as primary address nor as alias. */
function knownThatRemain(known: readonly KnownBefore[], owners: readonly Owner[]): KnownBefore[] {
  const owned = new Set(owners.flatMap(ownAddresses));
  return known.filter(({ address }) => !owned.has(address.trim().toLowerCase()));
}

type UserLine = AccountSnapshot['users'][number];

function userLine({ object, address, aliases }: Owner, settings: AccountSettings): UserLine {
  return {
    address,
    name: object.name,
    origin: 'directory',
    enabled: object.enabled || !settings.acknowledgeDisabled,
    aliases: [...aliases].sort(),
    attributes: attributesOf(object, settings),
  };
}

function knownLine({ address, name, origin }: KnownBefore): UserLine {
  return {
    address: address.trim().toLowerCase(),
    name: name ?? '',
    origin,
    enabled: true,
    aliases: [],
    attributes: {},
  };
}

function contactLine(
  { object, address, aliases }: Owner,
  settings: AccountSettings,
): AccountSnapshot['contacts'][number] {
  return { address, name: object.name, aliases: [...aliases].sort(), attributes: attributesOf(object, settings) };
}

function groupLine(group: Found, members: ReadonlyMap<string, string[]>): AccountSnapshot['groups'][number] {
  return {
    name: group.name,
    address: group.primary,
    kind: group.kind === 'dynamic-group' ? 'dynamic-group' : 'group',
    members: members.get(group.key) ?? [],
  };
}

function attributesOf(one: Found, settings: AccountSettings): Record<string, string> {
  const all = settings.attributes.map((name) => [name, one.attribute(name)] as const);
  return Object.fromEntries(all.filter((pair): pair is readonly [string, string] => pair[1] !== null));
}

function count(found: readonly Found[], kind: Found['kind']): number {
  return found.filter((one) => one.kind === kind).length;
}

function byAddress(left: { address: string }, right: { address: string }): number {
  return left.address < right.address ? -1 : left.address > right.address ? 1 : 0;
}

function byNameThenAddress(left: AccountSnapshot['groups'][number], right: AccountSnapshot['groups'][number]): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return byAddress({ address: left.address ?? '' }, { address: right.address ?? '' });
}

/** Counts by reason. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

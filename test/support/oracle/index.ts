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
  const owners = ownersOf(found, settings, aside);
  const contacts = found.filter((one) => one.kind === 'contact' && one.primary !== null);
  aside.add('NO_ADDRESS', found.filter((one) => one.kind === 'contact').length - contacts.length);
  const groups = groupsOf(found);
  const members = membersOf(groups, [...owners.map(({ user }) => user), ...contacts]);
  const remaining = knownThatRemain(known, owners);
  const linked = known.length - remaining.length;

  const snapshot: AccountSnapshot = {
    users: [...owners.map((owner) => userLine(owner, settings)), ...remaining.map(knownLine)].sort(byAddress),
    contacts: contacts.map((contact) => contactLine(contact, settings)).sort(byAddress),
    groups: groups.map((group) => groupLine(group, members)).sort(byNameThenAddress),
  };
  const counts: ExpectedCounts = {
    records: {
      user: count(found, 'user'),
      contact: count(found, 'contact'),
      group: count(found, 'group'),
      'dynamic-group': count(found, 'dynamic-group'),
    },
    usersAdded: owners.length - linked,
    usersLinked: linked,
    usersDisabled: owners.filter(({ user }) => settings.acknowledgeDisabled && !user.enabled).length,
    contactsAdded: contacts.length,
    groupsAdded: groups.length,
    membersAdded: snapshot.groups.reduce((sum, group) => sum + group.members.length, 0),
    aliasesLinked: owners.reduce((sum, { aliases }) => sum + aliases.length, 0),
    groupsWithoutMail: count(found, 'group') + count(found, 'dynamic-group') - groups.length,
    setAside: aside.counts(),
  };
  return { snapshot, counts };
}

/** A user of the account, with the addresses that are this user's own. */
interface Owner {
  readonly user: Found;
  readonly address: string;
  readonly aliases: string[];
}

/**
 * Who becomes a user. Whoever comes first in the order of distinguished names keeps an address; a primary address beats an
 * alias; somebody whose primary address is another's, or outside the domains, takes no address at all.
 */
function ownersOf(found: readonly Found[], settings: AccountSettings, aside: Tally): Owner[] {
  const inDomains = domainRule(settings.domains);
  const users = found.filter((one) => one.kind === 'user').sort((left, right) => (left.key < right.key ? -1 : 1));

  const owners: Owner[] = [];
  const taken = new Set<string>();
  for (const user of users) {
    if (user.primary === null) aside.add('NO_ADDRESS');
    else if (!inDomains(user.primary)) aside.add('OUTSIDE_DOMAINS');
    else if (taken.has(user.primary)) aside.add('ADDRESS_CLASH');
    else {
      taken.add(user.primary);
      owners.push({ user, address: user.primary, aliases: [] });
    }
  }
  if (!settings.linkAliases) return owners;
  for (const { user, aliases } of owners) {
    for (const alias of user.aliases) {
      if (!inDomains(alias)) aside.add('ALIAS_OUTSIDE_DOMAINS');
      else if (taken.has(alias)) aside.add('ADDRESS_CLASH');
      else {
        taken.add(alias);
        aliases.push(alias);
      }
    }
  }
  return owners;
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
  const owned = new Set(owners.flatMap(({ address, aliases }) => [address, ...aliases]));
  return known.filter(({ address }) => !owned.has(address.toLowerCase()));
}

type UserLine = AccountSnapshot['users'][number];

function userLine({ user, address, aliases }: Owner, settings: AccountSettings): UserLine {
  return {
    address,
    name: user.name,
    origin: 'directory',
    enabled: user.enabled || !settings.acknowledgeDisabled,
    aliases: [...aliases].sort(),
    attributes: attributesOf(user, settings),
  };
}

function knownLine({ address, name, origin }: KnownBefore): UserLine {
  return { address: address.toLowerCase(), name: name ?? '', origin, enabled: true, aliases: [], attributes: {} };
}

function contactLine(contact: Found, settings: AccountSettings): AccountSnapshot['contacts'][number] {
  return {
    address: contact.primary ?? '',
    name: contact.name,
    aliases: [...contact.aliases],
    attributes: attributesOf(contact, settings),
  };
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

  add(reason: string, howMany = 1): void {
    if (howMany > 0) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + howMany);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

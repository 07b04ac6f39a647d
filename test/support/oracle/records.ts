/**
 * The oracle of enriching: who is in which group, computed from LDIF by the rules on paper: listed members, members by primary
 * group, what dynamic lists find, carried or flattened. Shares no code with the engine, and walks lists where that keeps maps.
 */
import type { LdifEntry } from '../ldif.js';
import { type Found, foundObjects, nameKey, unique } from './objects.js';
import { matches } from './filter.js';

/** The members of each group by the group's name, sorted; names in one spelling. */
export type ExpectedMembers = Record<string, string[]>;

export interface MemberRules {
  readonly primaryGroups: boolean;
  readonly dynamicLists: boolean;
  readonly flattened: boolean;
  /** The name of the group that is everybody's primary one who names none: Domain Users, which no LDIF lists. */
  readonly domainUsers: string | null;
}

/** `entries`: of all domains that are read. Members that are not read themselves count, too, unless a filter found them. */
export function expectedMembers(entries: readonly LdifEntry[], rules: MemberRules): ExpectedMembers {
  const found = foundObjects(entries, true);
  const groups = found.filter(({ kind }) => kind === 'group' || (kind === 'dynamic-group' && rules.dynamicLists));
  const direct = new Map<string, string[]>(groups.map((group) => [group.key, [...group.members]]));
  if (rules.domainUsers !== null) direct.set(nameKey(rules.domainUsers), []);
  if (rules.primaryGroups) addPrimary(found, rules, direct);
  if (rules.dynamicLists) addDynamic(entries, found, direct);
  const all: ExpectedMembers = {};
  for (const key of direct.keys()) {
    // Flattened, members are known by their ids alone, which say nothing to the LDIF where their objects are not read.
    all[key] = unique(
      rules.flattened
        ? everybodyBelow(key, direct).filter((name) => found.some((one) => one.key === name))
        : (direct.get(key) ?? []),
    );
  }
  return all;
}

function addPrimary(found: readonly Found[], { domainUsers }: MemberRules, direct: Map<string, string[]>): void {
  for (const person of found.filter(({ kind }) => kind === 'user')) {
    const token = person.attribute('primaryGroupID');
    const group =
      token === null
        ? domainUsers
        : found.find((one) => one.kind === 'group' && one.attribute('objectSid')?.endsWith(`-${token}`) === true)?.key;
    if (group !== null && group !== undefined) direct.get(nameKey(group))?.push(person.key);
  }
}

function addDynamic(entries: readonly LdifEntry[], found: readonly Found[], direct: Map<string, string[]>): void {
  for (const list of found.filter(({ kind }) => kind === 'dynamic-group')) {
    const filter = list.attribute('msExchDynamicDLFilter');
    const base = list.attribute('msExchDynamicDLBaseDN')?.toLowerCase() ?? '';
    if (filter === null) continue;
    const hits = entries.filter(({ dn }) => isBelow(nameKey(dn), base)).filter((entry) => matches(entry, filter));
    const known = new Set(found.map(({ key }) => key));
    direct.get(list.key)?.push(...hits.map(({ dn }) => nameKey(dn)).filter((key) => known.has(key)));
  }
}

function isBelow(dn: string, base: string): boolean {
  return base === '' || dn === base || dn.endsWith(`,${base}`);
}

/** Goes round until nobody new turns up: slow, and without anything that could go wrong with cycles. */
function everybodyBelow(start: string, direct: ReadonlyMap<string, readonly string[]>): string[] {
  let reached = new Set([start]);
  for (;;) {
    const next = new Set([...reached, ...[...reached].flatMap((key) => direct.get(key) ?? [])]);
    if (next.size === reached.size) return [...reached].filter((key) => !direct.has(key));
    reached = next;
  }
}

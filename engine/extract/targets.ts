/** Which domains of a forest are read, and from where in them. */
import type { Entry } from '../ldap/entry.js';
import type { ForestDomain } from '../ldap/forest.js';
import { plainDn } from './classify.js';
import { isBelow } from './scope.js';

/** One domain, and where in it to read. */
export interface Target {
  readonly domain: ForestDomain;
  readonly base: string;
}

/** Each domain that is below a base, whole, and the domain that a base is in, from there. */
export function targetsOf(domains: readonly ForestDomain[], bases: readonly string[]): Target[] {
  if (bases.length === 0) return domains.map((domain) => ({ domain, base: domain.dn }));
  const targets: Target[] = [];
  for (const base of bases) {
    const around = domains.filter(({ dn }) => isBelow(base, dn)).sort((one, other) => other.dn.length - one.dn.length);
    const [domain] = around;
    if (domain) targets.push({ domain, base });
    for (const below of domains) {
      if (below !== domain && isBelow(below.dn, base)) targets.push({ domain: below, base: below.dn });
    }
  }
  return targets;
}

/** The domains that are below no other: the empty base, above all trees, is not for every server. */
export function treesOf(domains: readonly ForestDomain[]): string[] {
  return domains
    .filter(({ dn }) => !domains.some((other) => other.dn !== dn && isBelow(dn, other.dn)))
    .map(({ dn }) => dn);
}

/** The entries by the target that they are in: that with the longest base. One whose name is not to be read is in any. */
export function byTarget(entries: readonly Entry[], targets: readonly Target[]): Map<Target, Entry[]> {
  const groups = new Map<Target, Entry[]>();
  const ordered = [...targets].sort((one, other) => other.base.length - one.base.length);
  for (const entry of entries) {
    const { dn } = entry;
    const target =
      ordered.length === 1 || dn === null ? ordered[0] : ordered.find(({ base }) => isBelow(plainDn(dn), base));
    if (!target) continue;
    const group = groups.get(target);
    if (group) group.push(entry);
    else groups.set(target, [entry]);
  }
  return groups;
}

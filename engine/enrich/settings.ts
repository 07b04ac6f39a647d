/** How enrich works: the settings of a `directory-enrich` node, as the engine takes them. What is left out is off. */
import type { Brought } from '../model/run.js';

export interface EnrichSettings {
  /** At least 1. A larger group comes in several `members` records. */
  readonly membersPerRecord: number;
  /** People are members of the group that their `primaryGroupID` names. */
  readonly primaryGroups?: boolean;
  /** `carried`: a group in a group stays one. `flattened`: each group has everybody below it, and no groups. */
  readonly nested?: 'carried' | 'flattened';
  /** Run the filters of dynamic lists, and send who they find. Needs a directory to ask. */
  readonly dynamicLists?: boolean;
  /** The account's mail domains; further addresses in others are kept apart. None: all are the account's. */
  readonly domains?: readonly string[];
  /** Keep addresses of other systems (X400, X500, SIP, EUM) as the attribute `otherAddresses`. */
  readonly otherAddresses?: boolean;
  /** An account whose `accountExpires` has passed counts as disabled. */
  readonly accountExpires?: boolean;
  /** Give `manager` as the manager's primary address. Needs a directory to ask. */
  readonly managers?: boolean;
  /** Times as ISO 8601, identifiers as text, names without ids in front. */
  readonly readable?: boolean;
  /** How photos are given, and how many bytes one may have. */
  readonly photo?: { readonly as: 'bytes' | 'hash'; readonly mostBytes: number };
  /** Look for what an administrator should correct. */
  readonly findings?: boolean;
}

/** Attributes that these settings work with, and that were not asked for: then they do nothing. `brought`: of the seal. */
export function attributesMissing(
  { accountExpires = false, managers = false }: EnrichSettings,
  brought: Brought | undefined,
): string[] {
  if (brought === undefined) return [];
  const asked = new Set(Object.keys(brought.attributes).map((name) => name.toLowerCase()));
  const wanted = [...(accountExpires ? ['accountExpires'] : []), ...(managers ? ['manager'] : [])];
  return wanted.filter((name) => !asked.has(name.toLowerCase()));
}

/**
 * What may be taken from an account, and when: the rules for who left, the limits, the holds (design section 7). Every one
 * has a default, so that settings name only what is to be otherwise.
 */
import { SettingError } from '../model/errors.js';

/** At most so many, and at most so many of a hundred; null: unlimited. The smaller of the two counts. */
export interface Limit {
  readonly count: number | null;
  readonly percent: number | null;
}

/** What is limited. `members`: in all; `membersPerGroup`: in each group; `values`: of each attribute. */
export const LIMITED = ['users', 'groups', 'members', 'membersPerGroup', 'addresses', 'values'] as const;
export type Limits = Readonly<Record<(typeof LIMITED)[number], Limit>>;

/** Lists take addresses, ids or names of groups, with `*` for any text; compared without case. */
export interface Rules {
  /** A user whom a complete run of the source no longer brought, after the grace period. */
  readonly userLeft: 'downgrade' | 'disable' | 'remove';
  /** A group that left. */
  readonly groupLeft: 'remove' | 'keep';
  /** A group whose last mail-bearing member left it. */
  readonly groupWithoutMail: 'remove' | 'keep';
  /** Groups in use: kept when they leave. */
  readonly inUse: readonly string[];
  /** Never removed, disabled or emptied. */
  readonly protect: readonly string[];
  /** Names of sources, the first beats those behind it; sources not named follow in the order of their first run. */
  readonly precedence: readonly string[];
  /** Sources that do not run any more, and pause nothing. */
  readonly retired: readonly string[];
  /** A source of which no run was applied for so many days pauses removals; 0: never. */
  readonly staleDays: number;
  /** Who left is marked; the rule is applied after so many days and complete runs without them. */
  readonly graceDays: number;
  readonly graceRuns: number;
  readonly limits: Limits;
  /** Hold a first run, one with changed settings, and one without any object, if anything would be removed. */
  readonly holdUnusual: boolean;
  /** Of a held run, add and update already. */
  readonly additionsWhileHeld: boolean;
  /** Reports, journal and what was set aside are kept for so many days; 0: for ever. */
  readonly keepDays: number;
}

const LIMIT: Limit = { count: 500, percent: 5 };
/** Below so many, a percentage does not count: of ten people one may leave. */
const LEAST = 10;

export const DEFAULT_RULES: Rules = {
  userLeft: 'downgrade',
  groupLeft: 'remove',
  groupWithoutMail: 'remove',
  inUse: [],
  protect: [],
  precedence: [],
  retired: [],
  staleDays: 7,
  graceDays: 7,
  graceRuns: 2,
  limits: { users: LIMIT, groups: LIMIT, members: LIMIT, membersPerGroup: LIMIT, addresses: LIMIT, values: LIMIT },
  holdUnusual: true,
  additionsWhileHeld: false,
  keepDays: 90,
};

/** The rules, complete. */
export function rulesOf({ rules }: { readonly rules?: Partial<Rules> }): Rules {
  return { ...DEFAULT_RULES, ...rules };
}

/** How many of `population` may go. */
export function allowed({ count, percent }: Limit, population: number): number {
  const share = percent === null ? Infinity : Math.max(LEAST, Math.floor((population * percent) / 100));
  return Math.min(count ?? Infinity, share);
}

const SHAPE = /^(?:(unlimited)|(\d{1,3}(?:,\d{3})+|\d{1,9}))?(?:\s*(?:\/|or)?\s*(\d{1,3}(?:\.\d+)?)\s*%)?$/i;

/**
 * A limit as it is written: `500 / 5 %`, a number (also `1,000`), a percentage, or `unlimited`. Throws SettingError, which
 * names `setting`.
 */
export function parseLimit(text: string, setting: string): Limit {
  const [whole, unlimited, count, percent] = SHAPE.exec(text.trim()) ?? [];
  if (!whole || (unlimited !== undefined && percent !== undefined)) {
    throw new SettingError('SETTING_INVALID', {
      message: `The setting "${setting}" of directory-account must be a number, a percentage, both (as in "500 / 5 %"), or "unlimited". Open the node, correct it, and deploy.`,
      status: `${setting} is wrong`,
      params: { setting },
    });
  }
  return {
    count: count === undefined ? null : Number(count.replaceAll(',', '')),
    percent: percent === undefined ? null : Number(percent),
  };
}

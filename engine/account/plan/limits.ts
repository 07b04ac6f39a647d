/**
 * Is a plan to be held? Counted over the whole plan before anything of it is committed: who is marked or disabled, members and
 * addresses that are taken away, each against what this source has in the account.
 */
import type { Hold } from '../../model/report.js';
import { type Limit, allowed } from '../rules.js';
import type { Doubts } from '../source/reading.js';
import { type SqlConnection, integer, text } from '../store/connection.js';
import type { PlanContext } from './context.js';
import { OF_TWINS } from './twins.js';

/** What a plan takes from the account, and of how many. `worst`: the group that loses most beyond its limit. */
export interface Destruction {
  readonly users: number;
  readonly groups: number;
  readonly members: number;
  readonly addresses: number;
  /** Of each attribute: how many lose their value. Only where that is more than the limit allows of nobody. */
  readonly values: readonly { readonly removed: number; readonly of: number }[];
  /** Who reaches the end of the grace period: counted against the limits when they were marked. */
  readonly finals: number;
  readonly of: {
    readonly users: number;
    readonly groups: number;
    readonly members: number;
    readonly addresses: number;
  };
  readonly perGroup: readonly { readonly removed: number; readonly of: number }[];
}

const MINE = 'entry e CROSS JOIN object o ON o.key = e.key WHERE o.source = ?1';
/** Who left or is replaced is counted as a person; the members that this takes from groups are not counted again. */
const STAYED = `plan_member m CROSS JOIN object o ON o.key = m.entry WHERE m.added = 0 AND o.present = 1
  AND m.entry NOT IN (SELECT object FROM plan_leaving WHERE step <> 'return') AND m.entry NOT IN (SELECT entry FROM plan_absorb)`;

/** Counts it, from the tables of the plan. */
export async function destructionOf({ db, source, rules }: PlanContext): Promise<Destruction> {
  const [planned] = await db.query(
    `SELECT
       (SELECT count(*) FROM plan_leaving l WHERE l.kind IN ('user', 'contact') AND (l.step = 'mark'
          OR (l.step = 'final' AND NOT EXISTS (SELECT 1 FROM leaving k WHERE k.object = l.object))))
       + (SELECT count(*) FROM plan_touched t CROSS JOIN plan_person p ON p.object = t.object CROSS JOIN entry e ON e.key = t.object
          WHERE p.kind = 'user' AND e.enabled = 1 AND p.enabled = 0) AS users,
       (SELECT count(*) FROM plan_state WHERE enabled = 0) AS twins,
       (SELECT count(*) FROM plan_absorb WHERE entry > 0) AS replaced,
       (SELECT count(*) FROM plan_leaving l WHERE l.kind NOT IN ('user', 'contact') AND (l.step = 'mark'
          OR (l.step = 'final' AND NOT EXISTS (SELECT 1 FROM leaving k WHERE k.object = l.object)))) AS groups,
       (SELECT count(*) FROM plan_leaving WHERE step = 'final') AS finals,
       (SELECT count(*) FROM ${STAYED}) AS members,
       (SELECT count(*) FROM (
          SELECT kind, address FROM plan_unlink
          UNION SELECT p.kind, p.held FROM plan_person p
            WHERE p.reason IS NULL AND p.is_new = 0 AND p.clash IS NULL AND p.wanted <> p.held
          EXCEPT SELECT kind, address FROM plan_alias WHERE state IS NULL
          EXCEPT SELECT kind, wanted FROM plan_person WHERE reason IS NULL AND clash IS NULL
        ) gone) AS addresses`,
  );
  const replaced = integer(planned, 'replaced');
  const twins = integer(planned, 'twins');
  const counted = {
    users: integer(planned, 'users') + replaced + twins,
    groups: integer(planned, 'groups'),
    members: integer(planned, 'members'),
    addresses: integer(planned, 'addresses'),
    finals: integer(planned, 'finals'),
  };
  const of = { users: 0, groups: 0, members: 0, addresses: 0 };
  if (counted.users + counted.groups > 0) {
    const [row] = await db.query(
      `SELECT coalesce(sum(CASE WHEN e.kind IN ('user', 'contact') THEN 1 ELSE 0 END), 0) AS users,
         coalesce(sum(CASE WHEN e.kind IN ('user', 'contact') THEN 0 ELSE 1 END), 0) AS groups FROM ${MINE}`,
      [source],
    );
    of.users = integer(row, 'users');
    of.groups = integer(row, 'groups');
  }
  if (replaced > 0) {
    // Of other sources: against what those have.
    const [row] = await db.query(
      `SELECT count(*) AS count FROM entry e CROSS JOIN object o ON o.key = e.key
       WHERE e.kind IN ('user', 'contact') AND o.source <> ?1
         AND o.source IN (SELECT x.source FROM plan_absorb b CROSS JOIN object x ON x.key = b.entry)`,
      [source],
    );
    of.users += integer(row, 'count');
  }
  if (twins > 0) {
    // Of other sources, but with a state that this one tells.
    const [row] = await db.query(
      `SELECT count(*) AS count FROM ${OF_TWINS} f CROSS JOIN entry e ON e.key = f.object
       CROSS JOIN object o ON o.key = e.key WHERE o.source <> ?1`,
      [source],
    );
    of.users += integer(row, 'count');
  }
  if (counted.members > 0) {
    const [row] = await db.query(
      `SELECT count(*) AS count FROM member m CROSS JOIN object o ON o.key = m.grp WHERE o.source = ?1`,
      [source],
    );
    of.members = integer(row, 'count');
  }
  if (counted.addresses > 0) {
    const [row] = await db.query(
      `SELECT count(*) AS count FROM address a CROSS JOIN object o ON o.key = a.entry WHERE o.source = ?1`,
      [source],
    );
    of.addresses = integer(row, 'count');
  }
  const groups =
    counted.members === 0
      ? []
      : await db.query(
          `SELECT g.removed, (SELECT count(*) FROM member k WHERE k.grp = g.grp) AS size
           FROM (SELECT m.grp, count(*) AS removed FROM ${STAYED} GROUP BY m.grp) g`,
        );
  return {
    ...counted,
    of,
    values: await clearedValues(db, source, rules.limits.values),
    perGroup: groups.map((row) => ({ removed: integer(row, 'removed'), of: integer(row, 'size') })),
  };
}

/** To count who has a value is slow, and needless where no limit can be reached. */
async function clearedValues(db: SqlConnection, source: number, limit: Limit): Promise<Destruction['values']> {
  const rows = await db.query(
    `SELECT name, count(*) AS removed FROM plan_value WHERE after IS NULL AND before IS NOT NULL GROUP BY name`,
  );
  const values: { removed: number; of: number }[] = [];
  for (const row of rows) {
    const removed = integer(row, 'removed');
    if (removed <= allowed(limit, 0)) continue;
    const [there] = await db.query(
      `SELECT count(*) AS count FROM attribute a CROSS JOIN object o ON o.key = a.entry WHERE o.source = ?1 AND a.name = ?2`,
      [source, text(row, 'name')],
    );
    values.push({ removed, of: integer(there, 'count') });
  }
  return values;
}

/** How many changes of the plan are of what the account knows, and not only something added to it. */
async function changesOfKnown({ db, run }: PlanContext): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*) AS count FROM run r CROSS JOIN journal j ON j.seq BETWEEN r.first_change AND r.last_change
     WHERE r.key = ?1 AND j.change NOT IN ('added', 'linked', 'returned', 'alias-linked', 'member-added')
       AND NOT (j.change IN ('updated', 'attribute') AND coalesce(j.before, 'null') = 'null')`,
    [run],
  );
  return integer(row, 'count');
}

/** What is unusual about a run. `changed`: what is not as it was, in words. */
export interface Unusual extends Doubts {
  readonly firstRun: boolean;
  readonly changed: string | null;
  readonly empty: boolean;
}

/** Why the plan has to wait for approval; none: it may be committed. */
export async function holdsOf(context: PlanContext, plan: Destruction, unusual: Unusual): Promise<Hold[]> {
  const { limits, holdUnusual, additionsWhileHeld } = context.rules;
  const done = additionsWhileHeld ? 'Only what takes nothing away was done' : 'Nothing was changed';
  const holds: Hold[] = [];
  const check = (code: string, what: string, limit: Limit, [planned, of]: readonly [number, number]) => {
    const most = allowed(limit, of);
    if (planned <= most) return;
    const message = `The plan ${what} ${String(planned)} of ${String(of)}; the settings of the account allow ${String(most)}. ${done}: look at the plan, then approve or reject it.`;
    holds.push({ code, message, planned, limit: most });
  };
  check('LIMIT_USERS', 'takes away or disables users and contacts:', limits.users, [plan.users, plan.of.users]);
  check('LIMIT_GROUPS', 'takes away groups:', limits.groups, [plan.groups, plan.of.groups]);
  check('LIMIT_MEMBERS', 'takes members out of groups:', limits.members, [plan.members, plan.of.members]);
  check('LIMIT_ADDRESSES', 'takes away addresses:', limits.addresses, [plan.addresses, plan.of.addresses]);
  const worst = worstOf(plan.perGroup, limits.membersPerGroup);
  if (worst) {
    check('LIMIT_MEMBERS_PER_GROUP', 'takes members out of one group:', limits.membersPerGroup, [
      worst.removed,
      worst.of,
    ]);
  }
  const cleared = worstOf(plan.values, limits.values);
  if (cleared) check('LIMIT_VALUES', 'clears one attribute:', limits.values, [cleared.removed, cleared.of]);
  if (!holdUnusual) return holds;
  if (plan.users + plan.groups + plan.members + plan.addresses + plan.finals > 0) holds.push(...unusualOf(unusual));
  if (unusual.lost.length > 0 && (await changesOfKnown(context)) > 0) holds.push(...unusual.lost);
  return holds;
}

/** The one that loses most, of those that lose more than they may. */
function worstOf(
  losses: readonly { readonly removed: number; readonly of: number }[],
  limit: Limit,
): { readonly removed: number; readonly of: number } | undefined {
  return losses
    .filter(({ removed, of }) => removed > allowed(limit, of))
    .sort((left, right) => right.removed - left.removed)[0];
}

function unusualOf({ firstRun, changed, empty, shared }: Unusual): Hold[] {
  return [
    ...(firstRun ? [FIRST_RUN] : []),
    ...(changed === null ? [] : [changedSettings(changed)]),
    ...(empty ? [SOURCE_EMPTY] : []),
    ...(shared === null ? [] : [shared]),
  ];
}

const FIRST_RUN: Hold = {
  code: 'FIRST_RUN',
  message:
    'It is the first run of this source, and would take something away. Look at the plan, then approve or reject it.',
};

const SOURCE_EMPTY: Hold = {
  code: 'SOURCE_EMPTY',
  message:
    'The source brought nothing at all, where it had something. Look at its filter, its base and the rights of its reader, then approve or reject the plan.',
};

function changedSettings(what: string): Hold {
  const message = `${what} not as in the last run, and something would be taken away. Look at the plan, then approve or reject it.`;
  return { code: 'CHANGED_SETTINGS', message };
}

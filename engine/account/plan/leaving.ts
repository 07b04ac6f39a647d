/**
 * Who leaves the account. A complete full run did not bring them, or (a group) none of its members bears mail any more: they
 * are marked, and the rule is applied when the mark is old enough. Who is there again loses the mark.
 */
import { type PlanContext, flag } from './context.js';
import { isListed } from './protect.js';

const DAY_MS = 86_400_000;
const KNOWN_BY = { address: 'e.address', id: 'o.id' };

/** Fills `plan_leaving`. Call it when `plan_group` is filled. */
export async function planLeaving(context: PlanContext): Promise<void> {
  if (context.removals) await listLeavers(context);
  await listReturned(context);
}

async function listLeavers({ db, source, rules, at }: PlanContext): Promise<void> {
  const cutoff = new Date(Date.parse(at) - rules.graceDays * DAY_MS).toISOString();
  await db.run(
    `INSERT INTO plan_leaving (object, kind, why, since, runs, step, rule)
     SELECT w.object, e.kind, w.why, coalesce(l.since, ?2), coalesce(l.runs, 0) + 1,
       CASE WHEN l.done IS NOT NULL THEN 'done'
            WHEN coalesce(l.runs, 0) + 1 >= ?3 AND coalesce(l.since, ?2) <= ?4 THEN 'final'
            WHEN l.object IS NULL THEN 'mark' ELSE 'wait' END,
       CASE WHEN e.kind = 'user' THEN ?5 ELSE 'remove' END
     FROM (
       SELECT key AS object, 'absent' AS why FROM object WHERE source = ?1 AND present = 0
       UNION ALL
       SELECT object, 'no-mail' AS why FROM plan_group
       WHERE known = 1 AND kind = 'group' AND whole = 1 AND bears_mail = 0 AND ?6 = 1
     ) w CROSS JOIN entry e ON e.key = w.object CROSS JOIN object o ON o.key = w.object
     LEFT JOIN leaving l ON l.object = w.object
     WHERE w.object NOT IN (SELECT entry FROM plan_absorb) AND NOT CASE
       WHEN e.kind IN ('user', 'contact') THEN ${isListed('protect', KNOWN_BY)}
       ELSE (w.why = 'absent' AND ?7 = 0) OR ${isListed('in-use', { ...KNOWN_BY, name: 'e.name' })}
         OR ${isListed('protect', { ...KNOWN_BY, name: 'e.name' })} END`,
    [
      source,
      at,
      rules.graceRuns,
      cutoff,
      rules.userLeft,
      flag(rules.groupWithoutMail === 'remove'),
      flag(rules.groupLeft === 'remove'),
    ],
  );
}

/**
 * Where removals are paused, only those who are there again for certain. Whom the rule disabled keeps the mark for as long as states
 * are kept: it tells the next plan to enable them.
 */
async function listReturned({ db, source, removals, cautious }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_leaving (object, kind, why, since, runs, step, rule)
     SELECT l.object, e.kind, l.why, l.since, l.runs, 'return', coalesce(l.done, 'remove')
     FROM leaving l CROSS JOIN object o ON o.key = l.object CROSS JOIN entry e ON e.key = l.object
     WHERE o.source = ?1 AND (?2 = 1 OR (o.present = 1 AND l.why = 'absent'))
       AND (?3 = 0 OR l.done IS NULL) AND NOT EXISTS (SELECT 1 FROM plan_leaving p WHERE p.object = l.object)`,
    [source, flag(removals), flag(cautious)],
  );
}

/** Entries that end with this plan. */
export const ENDED = `(SELECT object FROM plan_leaving WHERE step = 'final' AND rule <> 'disable')`;

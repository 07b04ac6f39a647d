/**
 * Which users and contacts there are to be, and under which primary address. By object id first, by address second.
 *
 * An address belongs to one user. Of several who want it as their primary address, one who has it in the account keeps it,
 * else the one whose distinguished name in lower case sorts first gets it.
 */
import { type PlanContext, flag } from './context.js';
import { isListed } from './protect.js';
import { yields } from './rank.js';
import { inScope } from './scope.js';
import { indexPlan, keyPlan } from './tables.js';

/** Fills `plan_person`; of the persons known from elsewhere, `linked` holds those found by primary address. */
export async function planPersons(context: PlanContext): Promise<void> {
  await listPersons(context);
  await settleRivals(context);
  while ((await refuseHeldAddresses(context)) > 0);
  await linkByAddress(context);
}

async function listPersons(context: PlanContext): Promise<void> {
  const { db, source, settings, additionsOnly, cautious } = context;
  const domains = [...new Set(settings.domains.map((domain) => domain.toLowerCase()))];
  await db.fill(
    'plan_domain',
    domains.map((domain) => [domain]),
  );
  const unusable = `CASE WHEN o.address IS NULL THEN 'NO_ADDRESS'
    WHEN o.kind = 'user' AND ?3 = 1
      AND substr(o.address, instr(o.address, '@') + 1) NOT IN (SELECT domain FROM plan_domain) THEN 'OUTSIDE_DOMAINS' END`;
  await db.run(
    `INSERT INTO plan_person (object, id, kind, held, wanted, is_new, enabled, troubled, reason)
     SELECT o.key, o.id, o.kind, e.address, o.address, CASE WHEN e.key IS NULL THEN 1 ELSE 0 END,
       CASE WHEN ?6 = 1 AND e.key IS NOT NULL THEN e.enabled
            WHEN o.kind <> 'user' OR (?4 = 0 AND l.done IS NULL) THEN coalesce(e.enabled, 1)
            WHEN ?4 = 0 THEN 1
            WHEN coalesce(t.enabled, o.enabled) = 0 AND e.enabled = 1 AND ?5 = 1 THEN 1
            WHEN coalesce(t.enabled, o.enabled) = 0 AND coalesce(e.enabled, 1) = 1 AND ${isListed('protect', { address: 'coalesce(e.address, o.address)', id: 'o.id' })} THEN 1
            ELSE coalesce(t.enabled, o.enabled) END,
       CASE WHEN o.problems <> '{}' THEN 1 ELSE 0 END,
       CASE WHEN e.kind <> o.kind THEN 'KIND_CHANGED' ELSE ${unusable} END
     FROM ${inScope(context)} LEFT JOIN entry e ON e.key = o.key
     LEFT JOIN leaving l ON l.object = o.key LEFT JOIN plan_twin t ON t.object = o.key
     WHERE +o.source = ?1 AND o.present = 1 AND (o.kind = 'user' OR (o.kind = 'contact' AND ?2 = 1))
       AND coalesce(t.person, o.key) = o.key`,
    [
      source,
      flag(settings.contacts),
      flag(domains.length > 0),
      flag(settings.acknowledgeDisabled),
      flag(additionsOnly),
      flag(cautious),
    ],
  );
  // Another address takes away the one that is held.
  if (cautious || additionsOnly) {
    await db.run('UPDATE plan_person SET wanted = held WHERE is_new = 0 AND reason IS NULL');
  }
  // Whom the account knows keeps the address; all else is as the source says.
  await db.run(
    `UPDATE plan_person SET aside = reason, reason = NULL, wanted = held WHERE is_new = 0 AND reason IN ('NO_ADDRESS', 'OUTSIDE_DOMAINS')`,
  );
  await keyPlan(db, 'plan_person');
  await indexPlan(db, 'plan_person_wanted');
}

/** Several want one primary address that they have not: whoever keeps it, or has it as an alias, comes first. */
async function settleRivals({ db }: PlanContext): Promise<void> {
  // The index alone tells whether there can be any.
  const [some] = await db.query(
    'SELECT 1 AS yes FROM plan_person WHERE wanted IS NOT NULL GROUP BY kind, wanted HAVING count(*) > 1 LIMIT 1',
  );
  if (!some) return;
  const several = `SELECT kind, wanted FROM plan_person WHERE reason IS NULL AND wanted IS DISTINCT FROM held
    GROUP BY kind, wanted HAVING count(*) > 1`;
  await db.run(
    `UPDATE plan_person SET clash = r.winner, reason = CASE WHEN is_new = 1 THEN 'ADDRESS_CLASH' END
     FROM (
       SELECT p.object, first_value(p.object) OVER (
         PARTITION BY p.kind, p.wanted ORDER BY CASE WHEN a.entry = p.object THEN 0 ELSE 1 END, lower(o.dn), o.id
       ) AS winner
       FROM plan_person p JOIN object o ON o.key = p.object
       LEFT JOIN address a ON a.kind = p.kind AND a.address = p.wanted
       WHERE p.reason IS NULL AND (p.kind, p.wanted) IN (${several})
     ) r WHERE r.object = plan_person.object AND r.winner <> plan_person.object`,
  );
}

/**
 * The account holds the wanted address for another directory person. It is free only if that person gives it up in this run:
 * as a primary address by getting another one, by not being there or by having none any more, as an alias because a primary
 * address beats it, or because somebody else takes that person's place. Whoever is refused keeps what is held, which may refuse the
 * next: repeated until nobody is.
 */
async function refuseHeldAddresses({ db, complete, source }: PlanContext): Promise<number> {
  return db.run(
    `UPDATE plan_person SET clash = r.holder, reason = CASE WHEN is_new = 1 THEN 'ADDRESS_CLASH' END
     FROM (
       SELECT p.object, a.entry AS holder FROM plan_person p
       CROSS JOIN address a ON a.kind = p.kind AND a.address = p.wanted
       CROSS JOIN entry e ON e.key = a.entry
       LEFT JOIN plan_person h ON h.object = a.entry AND h.reason IS NULL
       WHERE p.reason IS NULL AND p.clash IS NULL AND p.wanted IS DISTINCT FROM p.held AND a.entry <> p.object
         AND e.origin = 'directory'
         AND NOT (a.is_primary = 1 AND ?3 = 1 AND ${yields({ holder: 'a.entry', to: 'p.object', source: '?2' })})
         AND NOT (a.is_primary = 1 AND ?3 = 1 AND e.kind = p.kind AND (h.aside IS NOT NULL OR EXISTS (
           SELECT 1 FROM object x WHERE x.key = a.entry AND x.source = ?2 AND x.present = 0))
           AND NOT ${isListed('protect', { address: 'e.address', id: 'e.id' })})
         AND NOT (a.is_primary = 0 AND ?1 = 1 AND EXISTS (SELECT 1 FROM plan_person q WHERE q.kind = e.kind AND q.wanted = e.address
           AND q.object <> e.key AND q.reason IS NULL AND q.clash IS NULL))
         AND NOT (h.object IS NOT NULL AND CASE WHEN a.is_primary = 1 THEN h.clash IS NULL AND h.wanted <> a.address ELSE ?1 = 1 END)
     ) r WHERE r.object = plan_person.object`,
    [flag(complete), source, flag(complete)],
  );
}

/**
 * Somebody known from elsewhere, of a source that is beaten, or who gives the address up, has it: whoever is new to the account
 * is that person.
 */
async function linkByAddress({ db }: PlanContext): Promise<void> {
  const taken = `plan_person p CROSS JOIN address a ON a.kind = p.kind AND a.address = p.wanted
    CROSS JOIN entry e ON e.key = a.entry
    WHERE p.reason IS NULL AND p.clash IS NULL AND p.wanted IS DISTINCT FROM p.held AND a.is_primary = 1
      AND NOT EXISTS (SELECT 1 FROM plan_person h WHERE h.object = e.key AND h.reason IS NULL AND h.clash IS NULL AND h.wanted <> h.held)`;
  await db.run(
    `UPDATE plan_person SET linked = k.entry FROM (SELECT p.object, a.entry FROM ${taken} AND p.is_new = 1) k
     WHERE k.object = plan_person.object`,
  );
  await db.run(`INSERT INTO plan_absorb SELECT a.entry FROM ${taken}`);
  await db.run('UPDATE plan_person SET reason = aside WHERE object IN (SELECT entry FROM plan_absorb)');
}

/**
 * Which aliases are linked to whom. A primary address beats an alias; of several who have an alias, the one who has it in
 * the account keeps it, else the one whose distinguished name in lower case sorts first gets it.
 */
import { type PlanContext, flag } from './context.js';

/** The address that a person will have. */
const FINAL = 'CASE WHEN p.clash IS NULL THEN p.wanted ELSE p.held END';

/** Fills `plan_alias`, `plan_unlink`, `plan_absorb`. */
export async function planAliases(context: PlanContext): Promise<void> {
  if (!context.settings.linkAliases) return;
  await listAliases(context);
  await refuseAliases(context);
  await settleRivals(context);
  await takeKnown(context);
  if (context.complete) await listUnlinked(context);
}

/** Aliases that the account does not have as this person's already. */
async function listAliases({ db, settings }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_alias (object, kind, address, state)
     SELECT p.object, p.kind, w.address,
       CASE WHEN p.kind = 'user' AND ?1 = 1
         AND substr(w.address, instr(w.address, '@') + 1) NOT IN (SELECT domain FROM plan_domain) THEN 'ALIAS_OUTSIDE_DOMAINS' END
     FROM plan_person p CROSS JOIN object_alias w ON w.object = p.object
     LEFT JOIN address a ON a.kind = p.kind AND a.address = w.address
     WHERE p.reason IS NULL AND w.address IS DISTINCT FROM ${FINAL}
       AND (a.entry IS NULL OR a.entry IS DISTINCT FROM p.entry OR a.is_primary = 1 OR ?1 = 1)`,
    [flag(settings.domains.length > 0)],
  );
  // With domains every alias was listed, for those outside to be told of; what is linked already needs nothing more.
  await db.run(
    `DELETE FROM plan_alias WHERE state IS NULL AND EXISTS (
       SELECT 1 FROM plan_person p CROSS JOIN address a ON a.kind = p.kind AND a.address = plan_alias.address
       WHERE p.object = plan_alias.object AND a.entry = p.entry AND a.is_primary = 0)`,
  );
}

/** Somebody has the address as primary, or has it as an alias and does not give it up. */
async function refuseAliases({ db, complete }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_alias SET state = 'ALIAS_CLASH', clash = r.winner FROM (
       SELECT w.object, w.address, p.object AS winner FROM plan_alias w
       CROSS JOIN plan_person p ON p.kind = w.kind AND p.wanted = w.address
       WHERE w.state IS NULL AND p.reason IS NULL AND p.clash IS NULL
     ) r WHERE r.object = plan_alias.object AND r.address = plan_alias.address`,
  );
  await db.run(
    `UPDATE plan_alias SET state = 'ALIAS_CLASH', clash = r.winner FROM (
       SELECT w.object, w.address, e.object AS winner FROM plan_alias w
       CROSS JOIN address a ON a.kind = w.kind AND a.address = w.address CROSS JOIN entry e ON e.key = a.entry
       LEFT JOIN plan_person h ON h.object = e.object AND h.reason IS NULL
       WHERE w.state IS NULL AND e.origin = 'directory' AND e.object IS DISTINCT FROM w.object
         AND NOT coalesce(h.object IS NOT NULL AND CASE WHEN a.is_primary = 1 THEN h.clash IS NULL AND h.wanted <> a.address
           ELSE ?1 = 1 AND NOT EXISTS (SELECT 1 FROM object_alias k WHERE k.object = h.object AND k.address = a.address) END, 0)
     ) r WHERE r.object = plan_alias.object AND r.address = plan_alias.address`,
    [flag(complete)],
  );
}

/** Several of this source have the alias. One who has it as primary address now, and keeps it as an alias, comes first. */
async function settleRivals({ db }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_alias SET state = 'ALIAS_CLASH', clash = r.winner FROM (
       SELECT w.object, w.address, first_value(w.object) OVER (
         PARTITION BY w.kind, w.address
         ORDER BY CASE WHEN a.entry = p.entry THEN 0 ELSE 1 END, lower(o.dn), o.id
       ) AS winner
       FROM plan_alias w JOIN plan_person p ON p.object = w.object JOIN object o ON o.key = w.object
       LEFT JOIN address a ON a.kind = w.kind AND a.address = w.address
       WHERE w.state IS NULL AND (w.kind, w.address) IN (
         SELECT kind, address FROM plan_alias WHERE state IS NULL GROUP BY kind, address HAVING count(*) > 1
       )
     ) r WHERE r.object = plan_alias.object AND r.address = plan_alias.address AND r.winner <> plan_alias.object`,
  );
  await db.run(`UPDATE plan_alias SET state = 'taken' WHERE state IS NULL`);
}

/**
 * Aliases that somebody known from elsewhere has as address. One who is new to the directory is that person (the first, if
 * there are several such aliases); the others end as aliases.
 */
async function takeKnown({ db }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_alias SET known = k.entry FROM (
       SELECT w.object, w.address, a.entry FROM plan_alias w
       CROSS JOIN address a ON a.kind = w.kind AND a.address = w.address CROSS JOIN entry e ON e.key = a.entry
       WHERE w.state = 'taken' AND e.origin <> 'directory'
     ) k WHERE k.object = plan_alias.object AND k.address = plan_alias.address`,
  );
  await db.run(
    `UPDATE plan_person SET entry = k.key, held = k.address, linked = k.origin FROM (
       SELECT w.object, e.key, e.address, e.origin, row_number() OVER (PARTITION BY w.object ORDER BY w.address) AS nth
       FROM plan_alias w JOIN entry e ON e.key = w.known
     ) k WHERE k.object = plan_person.object AND k.nth = 1 AND plan_person.entry IS NULL`,
  );
  await db.run(
    `INSERT INTO plan_absorb SELECT w.known, w.object, w.address FROM plan_alias w JOIN plan_person p ON p.object = w.object
     WHERE w.known IS NOT NULL AND w.known <> p.entry ON CONFLICT DO NOTHING`,
  );
}

/** Aliases in the account that a person of this source no longer has, or that are now another's primary address. */
async function listUnlinked({ db }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_unlink
     SELECT a.kind, a.address, a.entry, p.object, CASE WHEN w.address IS NOT NULL THEN n.object END
     FROM address a CROSS JOIN entry e ON e.key = a.entry CROSS JOIN plan_person p ON p.object = e.object
     LEFT JOIN object_alias w ON w.object = p.object AND w.address = a.address
     LEFT JOIN plan_alias x ON x.object = p.object AND x.address = a.address AND x.state = 'ALIAS_OUTSIDE_DOMAINS'
     LEFT JOIN plan_person n ON n.kind = a.kind AND n.wanted = a.address AND n.reason IS NULL AND n.clash IS NULL
     WHERE a.is_primary = 0 AND p.reason IS NULL AND a.address IS DISTINCT FROM ${FINAL}
       AND (w.address IS NULL OR x.address IS NOT NULL OR n.object IS NOT NULL)`,
  );
}

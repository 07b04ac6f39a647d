/**
 * Which users and contacts there are to be, and under which primary address. By object id first, by address second.
 *
 * An address belongs to one user. Of several who want it as their primary address, the one who has it in the account
 * keeps it, else the one whose distinguished name in lower case sorts first gets it.
 */
import { type PlanContext, flag } from './context.js';

/** Fills `plan_person`, but for the entries of new persons. */
export async function planPersons(context: PlanContext): Promise<void> {
  await listPersons(context);
  await settleRivals(context);
  while ((await refuseHeldAddresses(context)) > 0);
  await linkKnown(context);
}

async function listPersons({ db, source, settings }: PlanContext): Promise<void> {
  const domains = [...new Set(settings.domains.map((domain) => domain.toLowerCase()))];
  await db.runEach(
    'INSERT INTO plan_domain VALUES (?1)',
    domains.map((domain) => [domain]),
  );
  await db.run(
    `INSERT INTO plan_person (object, id, kind, entry, held, wanted, reason)
     SELECT o.key, o.id, o.kind, e.key, e.address, o.address,
       CASE WHEN e.kind IS DISTINCT FROM o.kind AND e.key IS NOT NULL THEN 'KIND_CHANGED'
            WHEN o.address IS NULL THEN 'NO_ADDRESS'
            WHEN o.kind = 'user' AND ?3 = 1
              AND substr(o.address, instr(o.address, '@') + 1) NOT IN (SELECT domain FROM plan_domain) THEN 'OUTSIDE_DOMAINS'
       END
     FROM object o LEFT JOIN entry e ON e.object = o.key
     WHERE o.source = ?1 AND o.present = 1 AND (o.kind = 'user' OR (o.kind = 'contact' AND ?2 = 1))`,
    [source, flag(settings.contacts), flag(domains.length > 0)],
  );
}

/** Several of this source want one primary address. */
async function settleRivals({ db }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_person SET clash = r.winner, reason = CASE WHEN entry IS NULL THEN 'ADDRESS_CLASH' END
     FROM (
       SELECT p.object, first_value(p.object) OVER (
         PARTITION BY p.kind, p.wanted
         ORDER BY CASE WHEN a.entry = p.entry THEN 0 ELSE 1 END, lower(o.dn), o.id
       ) AS winner
       FROM plan_person p JOIN object o ON o.key = p.object
       LEFT JOIN address a ON a.kind = p.kind AND a.address = p.wanted
       WHERE p.reason IS NULL AND (p.kind, p.wanted) IN (
         SELECT kind, wanted FROM plan_person WHERE reason IS NULL GROUP BY kind, wanted HAVING count(*) > 1
       )
     ) r WHERE r.object = plan_person.object AND r.winner <> plan_person.object`,
  );
}

/**
 * The account holds the wanted address for another directory person. It is free only if that person gives it up in this run:
 * as a primary address by getting another one, as an alias because a primary address beats it. Whoever is refused keeps
 * what is held, which may refuse the next: repeated until nobody is.
 */
async function refuseHeldAddresses({ db, complete, settings }: PlanContext): Promise<number> {
  return db.run(
    `UPDATE plan_person SET clash = r.holder, reason = CASE WHEN entry IS NULL THEN 'ADDRESS_CLASH' END
     FROM (
       SELECT p.object, e.object AS holder FROM plan_person p
       CROSS JOIN address a ON a.kind = p.kind AND a.address = p.wanted
       CROSS JOIN entry e ON e.key = a.entry
       LEFT JOIN plan_person h ON h.object = e.object AND h.reason IS NULL
       WHERE p.reason IS NULL AND p.clash IS NULL AND p.wanted IS DISTINCT FROM p.held AND a.entry IS DISTINCT FROM p.entry
         AND e.origin = 'directory'
         AND NOT coalesce(CASE WHEN a.is_primary = 1 THEN h.clash IS NULL AND h.wanted <> a.address ELSE ?1 = 1 END
           AND h.object IS NOT NULL, 0)
     ) r WHERE r.object = plan_person.object`,
    [flag(complete && settings.linkAliases)],
  );
}

/** Somebody known from elsewhere has the address: one who is new to the directory is that person. */
async function linkKnown({ db }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_person SET entry = k.key, held = k.address, linked = k.origin
     FROM (
       SELECT p.object, e.key, e.address, e.origin FROM plan_person p
       CROSS JOIN address a ON a.kind = p.kind AND a.address = p.wanted CROSS JOIN entry e ON e.key = a.entry
       WHERE p.reason IS NULL AND p.clash IS NULL AND p.entry IS NULL AND e.origin <> 'directory'
     ) k WHERE k.object = plan_person.object`,
  );
  await db.run(
    `INSERT INTO plan_absorb SELECT e.key, p.object, a.address FROM plan_person p
     CROSS JOIN address a ON a.kind = p.kind AND a.address = p.wanted CROSS JOIN entry e ON e.key = a.entry
     WHERE p.reason IS NULL AND p.clash IS NULL AND p.linked IS NULL AND p.wanted IS DISTINCT FROM p.held
       AND a.entry IS DISTINCT FROM p.entry AND e.origin <> 'directory'`,
  );
}

/** Gives entries to the persons and groups who have none: after all links are known. */
export async function numberEntries({ db }: PlanContext): Promise<void> {
  for (const table of ['plan_person', 'plan_group']) {
    const extra = table === 'plan_person' ? 'reason IS NULL' : 'is_new = 1';
    const added = await db.run(
      `UPDATE ${table} SET is_new = 1, entry = n.entry FROM (
         SELECT object, row_number() OVER (ORDER BY id) - 1 + (SELECT value FROM meta WHERE name = 'next_entry') AS entry
         FROM ${table} WHERE entry IS NULL AND ${extra}
       ) n WHERE n.object = ${table}.object`,
    );
    await db.run(`UPDATE meta SET value = value + ?1 WHERE name = 'next_entry'`, [added]);
  }
}

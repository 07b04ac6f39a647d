/**
 * Which aliases are linked to whom. A primary address beats an alias; of several who have an alias, one who has the address
 * in the account keeps it, else the one whose distinguished name in lower case sorts first gets it.
 */
import { type PlanContext, flag } from './context.js';
import { indexPlan } from './tables.js';

/** The primary address that a person will have. */
const FINAL = 'CASE WHEN p.clash IS NULL THEN p.wanted ELSE p.held END';
const inDomains = (address: string) =>
  `substr(${address}, instr(${address}, '@') + 1) IN (SELECT domain FROM plan_domain)`;

/** What is said of aliases, in one list: to look into each person's for each address would take for ever where somebody has thousands. */
const SAID = `(SELECT p.object, p.kind, v.value AS address FROM plan_person p CROSS JOIN object o ON o.key = p.object
  CROSS JOIN json_each(o.aliases) v ON true WHERE p.reason IS NULL AND o.aliases <> '[]')`;

/** Fills `plan_alias` and `plan_unlink`, and adds to `plan_absorb`. */
export async function planAliases(context: PlanContext): Promise<void> {
  const { db, settings, complete } = context;
  // Nobody has an address before the first run: nothing is given up, and nobody's is in the way.
  const [held] = await db.query('SELECT 1 AS yes FROM address LIMIT 1');
  if (settings.linkAliases) {
    await listAliases(context);
    await refuseWanted(context);
    if (held) await refuseHeld(context);
    await settleRivals(context);
    if (held) await takeKnown(context);
  }
  // Where they are not linked, aliases linked before stay, but none keeps anybody from an own address.
  if (held && complete) await listUnlinked(context);
}

/** Aliases that the account does not have as this person's already, and those that it must not have. */
async function listAliases({ db, settings }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_alias (object, kind, address, state)
     SELECT object, kind, address, state FROM (
       SELECT p.object, p.kind, w.value AS address, a.entry AS holder, a.is_primary,
         CASE WHEN p.kind = 'user' AND ?1 = 1 AND NOT ${inDomains('w.value')} THEN 'ALIAS_OUTSIDE_DOMAINS' END AS state
       FROM plan_person p CROSS JOIN object o ON o.key = p.object CROSS JOIN json_each(o.aliases) w ON true
       LEFT JOIN address a ON a.kind = p.kind AND a.address = w.value
       WHERE p.reason IS NULL AND o.aliases <> '[]' AND w.value IS DISTINCT FROM ${FINAL}
     ) f WHERE holder IS NULL OR holder <> object OR is_primary = 1 OR state IS NOT NULL`,
    [flag(settings.domains.length > 0)],
  );
  await indexPlan(db, 'plan_alias_address');
}

/** Somebody gets the address as primary. There are more aliases than persons, of whom each is looked for once. */
async function refuseWanted({ db }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_alias SET state = 'ALIAS_CLASH', clash = r.winner FROM (
       SELECT w.object, w.address, p.object AS winner FROM plan_person p
       CROSS JOIN plan_alias w ON w.kind = p.kind AND w.address = p.wanted
       WHERE w.state IS NULL AND p.reason IS NULL AND p.clash IS NULL
     ) r WHERE r.object = plan_alias.object AND r.address = plan_alias.address`,
  );
}

/** Somebody has it, as primary address or as an alias, and does not give it up. Whoever is replaced gives up all. */
async function refuseHeld({ db, complete }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_alias SET state = 'ALIAS_CLASH', clash = r.winner FROM (
       SELECT w.object, w.address, a.entry AS winner FROM plan_alias w
       CROSS JOIN address a ON a.kind = w.kind AND a.address = w.address CROSS JOIN entry e ON e.key = a.entry
       LEFT JOIN plan_person h ON h.object = a.entry AND h.reason IS NULL
       LEFT JOIN ${SAID} s ON s.object = h.object AND s.address = a.address
       WHERE w.state IS NULL AND e.origin = 'directory' AND a.entry <> w.object
         AND a.entry NOT IN (SELECT entry FROM plan_absorb)
         AND NOT (h.object IS NOT NULL AND CASE WHEN a.is_primary = 1 THEN h.clash IS NULL AND h.wanted <> a.address
           ELSE ?1 = 1 AND s.object IS NULL END)
     ) r WHERE r.object = plan_alias.object AND r.address = plan_alias.address`,
    [flag(complete)],
  );
}

/** Several have the alias. One whose primary address it was, and who keeps it as an alias, comes first. */
async function settleRivals({ db }: PlanContext): Promise<void> {
  const several = 'SELECT kind, address FROM plan_alias GROUP BY kind, address HAVING count(*) > 1';
  const [some] = await db.query(`${several} LIMIT 1`);
  if (!some) return;
  await db.run(
    `UPDATE plan_alias SET state = 'ALIAS_CLASH', clash = r.winner FROM (
       SELECT w.object, w.address, first_value(w.object) OVER (
         PARTITION BY w.kind, w.address ORDER BY CASE WHEN a.entry = w.object THEN 0 ELSE 1 END, lower(o.dn), o.id
       ) AS winner
       FROM plan_alias w JOIN object o ON o.key = w.object
       LEFT JOIN address a ON a.kind = w.kind AND a.address = w.address
       WHERE w.state IS NULL AND (w.kind, w.address) IN (${several})
     ) r WHERE r.object = plan_alias.object AND r.address = plan_alias.address AND r.winner <> plan_alias.object`,
  );
}

/**
 * Aliases that are the address of somebody known from elsewhere. Whoever is new to the account, and was not found by
 * primary address, is that person (the first of several); the others become aliases only.
 */
async function takeKnown({ db }: PlanContext): Promise<void> {
  await db.run(
    `UPDATE plan_alias SET known = k.entry FROM (
       SELECT w.object, w.address, a.entry FROM plan_alias w
       CROSS JOIN address a ON a.kind = w.kind AND a.address = w.address CROSS JOIN entry e ON e.key = a.entry
       WHERE w.state IS NULL AND e.origin <> 'directory'
     ) k WHERE k.object = plan_alias.object AND k.address = plan_alias.address`,
  );
  await db.run(
    `UPDATE plan_person SET linked = k.known FROM (
       SELECT object, known, row_number() OVER (PARTITION BY object ORDER BY address) AS nth FROM plan_alias
       WHERE known IS NOT NULL
     ) k WHERE k.object = plan_person.object AND k.nth = 1 AND plan_person.is_new = 1 AND plan_person.linked IS NULL`,
  );
  await db.run('INSERT INTO plan_absorb SELECT known FROM plan_alias WHERE known IS NOT NULL');
}

/** Aliases in the account that a person no longer has, or must not have, or that are now another's primary address. */
async function listUnlinked({ db, settings }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_unlink
     SELECT object, kind, address, CASE WHEN max(lost) = 0 THEN max(winner) END FROM (
       SELECT object, kind, address, 1 AS lost, CAST(NULL AS INTEGER) AS winner FROM (
         SELECT p.object, a.kind, a.address FROM plan_person p CROSS JOIN address a ON a.entry = p.object AND a.is_primary = 0
         WHERE p.reason IS NULL AND a.address IS DISTINCT FROM ${FINAL}
         EXCEPT SELECT s.object, s.kind, s.address FROM ${SAID} s
       ) g
       UNION ALL
       SELECT x.object, x.kind, x.address, 1, CAST(NULL AS INTEGER) FROM plan_alias x
       CROSS JOIN address a ON a.kind = x.kind AND a.address = x.address AND a.entry = x.object AND a.is_primary = 0
       WHERE x.state = 'ALIAS_OUTSIDE_DOMAINS'
       UNION ALL
       SELECT p.object, a.kind, a.address, 0, n.object FROM plan_person n
       CROSS JOIN address a ON a.kind = n.kind AND a.address = n.wanted AND a.is_primary = 0
       CROSS JOIN plan_person p ON p.object = a.entry AND p.reason IS NULL
       WHERE n.reason IS NULL AND n.clash IS NULL AND a.address IS DISTINCT FROM ${FINAL}
     ) f GROUP BY object, kind, address HAVING (?1 = 1 AND max(lost) = 1) OR max(winner) IS NOT NULL`,
    [flag(settings.linkAliases)],
  );
}

/** What was not applied, with its reason. Details name objects by their ids only. */
import type { PlanContext } from './context.js';
import { isListed } from './protect.js';

const owner = (column: string) => `coalesce((SELECT id FROM object WHERE key = ${column}), 'of another source')`;

const QUERIES: readonly string[] = [
  // An id that begins with ? is a distinguished name in place of one.
  `SELECT CASE WHEN substr(id, 1, 1) <> '?' THEN id END AS id, reason, coalesce(detail, '') AS detail, coalesce(id, '') AS place, '' AS what
   FROM object WHERE source = ?1 AND present = 1 AND kind <> 'user' AND kind = 'quarantined'`,
  `SELECT p.id, coalesce(p.reason, p.aside) AS reason,
     CASE coalesce(p.reason, p.aside)
       WHEN 'NO_ADDRESS' THEN 'It has no valid address of its own.'
       WHEN 'OUTSIDE_DOMAINS' THEN 'Its primary address is in none of the domains of the setting "domains".'
       WHEN 'KIND_CHANGED' THEN 'The account knows this object as another kind.'
       ELSE 'The primary address of object ' || p.id || ' is that of object ' || ${owner('p.clash')} || '.' END AS detail,
     p.id AS place, '' AS what
   FROM plan_person p WHERE p.reason IS NOT NULL OR p.aside IS NOT NULL`,
  `SELECT p.id, 'ADDRESS_CLASH' AS reason,
     'The primary address of object ' || p.id || ' is that of object ' || ${owner('p.clash')}
       || '; it keeps the address that it has.' AS detail,
     p.id AS place, '' AS what
   FROM plan_person p WHERE p.reason IS NULL AND p.clash IS NOT NULL`,
  `SELECT p.id, w.state AS reason,
     CASE w.state WHEN 'ALIAS_CLASH' THEN 'An alias of object ' || p.id || ' is an address of object ' || ${owner('w.clash')} || '.'
       ELSE 'One of its aliases is in none of the domains of the setting "domains".' END AS detail,
     p.id AS place, w.address AS what
   FROM plan_alias w JOIN plan_person p ON p.object = w.object WHERE w.state IS NOT NULL`,
  `SELECT p.id, 'ALIAS_CLASH' AS reason,
     'An alias of object ' || p.id || ' is an address of object ' || ${owner('u.clash')} || '.' AS detail,
     p.id AS place, u.address AS what
   FROM plan_unlink u JOIN plan_person p ON p.object = u.object WHERE u.clash IS NOT NULL`,
  `SELECT p.id, v.value AS reason,
     'The attribute ' || n.shown || CASE v.value WHEN 'SEVERAL_VALUES' THEN ' has several values' ELSE ' is not text' END
       || '; the account keeps the value that it has.' AS detail,
     p.id AS place, v.key AS what
   FROM plan_person p CROSS JOIN object o ON o.key = p.object CROSS JOIN json_each(o.problems, '$') v ON true
   CROSS JOIN plan_attribute_name n ON n.name = v.key WHERE p.reason IS NULL AND p.troubled = 1`,
  // Groups that were not read whole, with what enrich or the parts say of it.
  `SELECT n.id, 'GROUP_HELD' AS reason,
     'The members of group ' || n.id || ' stay as they are. ' || CASE
       WHEN NOT EXISTS (SELECT 1 FROM seen_part p WHERE p.object = n.object) THEN 'They were not whole when they were last read.'
       ELSE substr(coalesce((
         SELECT min(json_extract(s.record, '$.held')) FROM seen_part p CROSS JOIN staged s ON s.key = p.staged
         WHERE p.object = n.object AND s.held = 1), 'Not all of them arrived.'), 1, 500) END AS detail,
     n.id AS place, '' AS what
   FROM plan_group n WHERE n.kind = 'group' AND n.whole = 0`,
  // Groups of the account with members of another forest.
  `SELECT g.id, 'EXTERNAL_MEMBER' AS reason,
     'A member of group ' || g.id || ' is somebody of another forest whom no source of the account brings: ' || r.ref || '.' AS detail,
     g.id AS place, r.ref AS what
   FROM object_ref r CROSS JOIN object g ON g.key = r.object AND g.source = ?1 AND g.present = 1
   WHERE r.member IS NULL AND r.how = 'sid' AND r.ref LIKE 'S-1-5-21-%'
     AND (EXISTS (SELECT 1 FROM entry e WHERE e.key = g.key) OR EXISTS (SELECT 1 FROM plan_group n WHERE n.object = g.key AND n.is_new = 1))
     AND NOT EXISTS (SELECT 1 FROM source s CROSS JOIN object o ON o.source = s.key AND o.sid = r.ref
       WHERE s.key <> ?1 AND o.kind <> 'members')`,
  // Persons and groups that would leave, but for the list.
  `SELECT o.id, 'PROTECTED' AS reason, 'It left the directory, and is protected by the settings of the account.' AS detail,
     o.id AS place, '' AS what
   FROM object o CROSS JOIN entry e ON e.key = o.key
   WHERE o.source = ?1 AND o.present = 0 AND ${isListed('protect', { address: 'e.address', id: 'o.id', name: `CASE WHEN e.kind NOT IN ('user', 'contact') THEN e.name END` })}`,
];

/** Writes what is set aside for this run. */
export async function writeSetAside({ db, source, run }: PlanContext): Promise<void> {
  // Those of the source's earlier runs are in their reports.
  await db.run('DELETE FROM set_aside WHERE run IN (SELECT key FROM run WHERE source = ?1)', [source]);
  let written = 0;
  for (const query of QUERIES) {
    written += await db.run(
      `INSERT INTO set_aside (run, seq, id, reason, detail)
       SELECT ?2, ?3 + row_number() OVER (ORDER BY place, reason, what), id, reason, detail FROM (${query}) q
       WHERE CAST(?1 AS INTEGER) = ?1`,
      [source, run, written],
    );
  }
}

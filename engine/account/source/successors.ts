/**
 * The same person under another object: deleted in the directory and created anew, or the successor in an office. Whoever a
 * complete run did not bring hands the entry in the account to somebody of the same source who is new and has the address:
 * members of groups stay, and the plan updates what is otherwise.
 */
import { type PlanContext, flag } from '../plan/context.js';
import type { SqlConnection } from '../store/connection.js';

/**
 * Hands entries over. Call it between taking in and planning; the change is told as an update of `id`. `heir` holds who got
 * whose entry until the plan is committed, or held: then {@link handBack} undoes it.
 */
export async function handOver({ db, source, complete, settled, settings }: PlanContext): Promise<void> {
  await db.exec(
    `CREATE TEMP TABLE IF NOT EXISTS heir (holder INTEGER PRIMARY KEY, heir INTEGER NOT NULL); DELETE FROM heir`,
  );
  const [absent] = await db.query(
    `SELECT 1 AS yes FROM object h CROSS JOIN entry e ON e.key = h.key WHERE h.source = ?1 AND h.present = 0
       AND e.kind IN ('user', 'contact') LIMIT 1`,
    [source],
  );
  if (!complete || !absent) return;
  const domains = settings.domains.map((domain) => domain.toLowerCase());
  const heirs = await db.run(
    `INSERT INTO heir SELECT holder, heir FROM (
       SELECT h.key AS holder, n.key AS heir, row_number() OVER (PARTITION BY h.key ORDER BY lower(n.dn), n.id) AS nth
       FROM object n CROSS JOIN address a ON a.kind = n.kind AND a.address = n.address AND a.is_primary = 1
       CROSS JOIN object h ON h.key = a.entry AND h.source = n.source AND h.present = 0
       WHERE +n.source = ?1 AND n.present = 1 AND (n.kind = 'user' OR (n.kind = 'contact' AND ?2 = 1))
         AND (?3 = 0 OR n.open = 1 OR n.key IN (SELECT object FROM dirty))
         AND (n.kind <> 'user' OR ?4 = '[]' OR substr(n.address, instr(n.address, '@') + 1) IN (SELECT value FROM json_each(?4)))
     ) f WHERE nth = 1 AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.key = f.heir)`,
    [source, flag(settings.contacts), flag(settled), JSON.stringify(domains)],
  );
  if (heirs === 0) return;
  await moveEntries(db, { from: 'holder', to: 'heir' });
  // Those that the entry is in, and those that the heir is in, though they say the same as ever.
  await db.exec(`
    INSERT INTO moved_group SELECT grp FROM member WHERE entry IN (SELECT heir FROM heir) ON CONFLICT DO NOTHING;
    INSERT INTO moved_group SELECT r.object FROM object_member r WHERE r.member IN (SELECT heir FROM heir) ON CONFLICT DO NOTHING;`);
}

/** Gives the entries back: a plan that is held leaves the account untouched. */
export async function handBack(db: SqlConnection): Promise<void> {
  const [some] = await db.query('SELECT 1 AS yes FROM heir LIMIT 1');
  if (some) await moveEntries(db, { from: 'heir', to: 'holder' });
  await db.exec('DELETE FROM heir');
}

/** An entry has the key of its object: with another object it has another key. */
async function moveEntries(db: SqlConnection, { from, to }: Record<'from' | 'to', 'holder' | 'heir'>): Promise<void> {
  await db.exec(
    `INSERT INTO entry (key, kind, address, name, origin, enabled, dn, sid, scope, type, id)
       SELECT r.${to}, kind, address, name, origin, enabled, dn, sid, scope, type, id FROM heir r CROSS JOIN entry e ON e.key = r.${from};
     UPDATE address SET entry = r.${to} FROM heir r WHERE r.${from} = entry;
     UPDATE attribute SET entry = r.${to} FROM heir r WHERE r.${from} = entry;
     UPDATE member SET entry = r.${to} FROM heir r WHERE r.${from} = entry;
     UPDATE leaving SET object = r.${to} FROM heir r WHERE r.${from} = object;
     DELETE FROM entry WHERE key IN (SELECT ${from} FROM heir)`,
  );
}

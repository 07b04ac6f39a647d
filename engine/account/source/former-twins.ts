/**
 * Mailboxes and accounts of which one says something else now, or is gone: the other says the same as ever, and may be somebody by
 * itself, or in another state. Nothing else would have it looked at again: whoever lost the mailbox would be nobody for good.
 */
import type { SqlConnection } from '../store/connection.js';

/** These objects (`x`) with the accounts that they are linked to, and the mailboxes that are linked to them, in whatever source. */
const pairsOf = (objects: string) =>
  `(SELECT x.key AS one, a.key AS other FROM ${objects} CROSS JOIN source s ON x.master_sid IS NOT NULL
     CROSS JOIN object a ON a.source = s.key AND a.sid = x.master_sid
   UNION SELECT x.key AS one, m.key AS other FROM ${objects}
     CROSS JOIN object m ON m.master_sid IS NOT NULL AND m.master_sid = x.sid) p`;

/** Of objects that say something else. Call it while what they said before is still known. */
export async function openChangedTwins(db: SqlConnection): Promise<void> {
  await openOthers(db, 'dirty d CROSS JOIN object x ON x.key = d.object AND d.differs = 1');
}

/** Of objects that are not there any more. Call it before they are marked. */
export async function openLeftTwins(db: SqlConnection, source: number): Promise<void> {
  await openOthers(
    db,
    `(SELECT o.key, o.sid, o.master_sid FROM object o WHERE o.source = ?1 AND o.present = 1 AND o.key NOT IN (SELECT object FROM seen)) x`,
    [source],
  );
}

async function openOthers(db: SqlConnection, objects: string, params: readonly number[] = []): Promise<void> {
  const [some] = await db.query('SELECT 1 AS yes FROM object WHERE master_sid IS NOT NULL LIMIT 1');
  if (!some) return;
  const pairs = pairsOf(objects);
  const opened = await db.run(
    `UPDATE object SET open = 1 WHERE present = 1 AND key IN (SELECT p.other FROM ${pairs})`,
    params,
  );
  if (opened === 0) return;
  // Where one of them is a member, the other was one in its place: now, and in the next runs of other sources.
  const groups = `SELECT r.object FROM object_member r
    WHERE r.member IN (SELECT p.one FROM ${pairs} UNION SELECT p.other FROM ${pairs})`;
  await db.run(`INSERT INTO moved_group ${groups} ON CONFLICT DO NOTHING`, params);
  await db.run(`UPDATE object SET member_digest = NULL WHERE key IN (${groups})`, params);
}

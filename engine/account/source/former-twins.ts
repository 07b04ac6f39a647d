/**
 * Accounts that were one person with a mailbox, and may be somebody by themselves now. They say the same as ever, so nothing else
 * would have them looked at again: whoever lost the mailbox would be nobody for good.
 */
import type { SqlConnection } from '../store/connection.js';

/** The accounts that these mailboxes (`m`) are linked to, in whatever source. */
const accountsOf = (mailboxes: string) =>
  `SELECT a.key FROM ${mailboxes} CROSS JOIN source s ON true CROSS JOIN object a ON a.source = s.key AND a.sid = m.master_sid`;

/** Of mailboxes that say something else now. Call it while what they said before is still known. */
export async function openChangedTwins(db: SqlConnection): Promise<void> {
  await openAccounts(
    db,
    'dirty d CROSS JOIN object m ON m.key = d.object AND d.differs = 1 AND m.master_sid IS NOT NULL',
  );
}

/** Of mailboxes that are not there any more, for as long as the account has them. */
export async function openLeftTwins(db: SqlConnection, source: number): Promise<void> {
  await openAccounts(
    db,
    `object m CROSS JOIN entry e ON e.key = m.key AND m.master_sid IS NOT NULL AND m.present = 0 AND m.source = ?1`,
    [source],
  );
}

async function openAccounts(db: SqlConnection, mailboxes: string, params: readonly number[] = []): Promise<void> {
  await db.run(
    `UPDATE object SET open = 1 WHERE open = 0 AND present = 1 AND key IN (${accountsOf(mailboxes)})`,
    params,
  );
}

/**
 * Two accounts of one person: a mailbox in one forest, whose own account there nobody logs on with, and the account of another
 * forest (or domain) that it is linked to by SID. Without knowing it, the two take the address from one another, and the person is
 * disabled and enabled in turn. So the pair is one person: the mailbox, which has the addresses, unless it has none; the other is
 * no entry of its own, and in whatever groups it is, the person is. Two who have addresses that are not one another's stay two.
 *
 * An enabled account wins over its disabled twin. A mailbox that is disabled by nature says nothing: its account decides.
 */
import { type PlanContext, flag } from './context.js';
import { isListed } from './protect.js';
import { indexPlan } from './tables.js';

/** Those set aside are whom they were. */
const PERSON = `('user', 'quarantined')`;

/** Fills `plan_twin`. Call it before the scope is chosen. */
export async function planTwins({ db }: PlanContext): Promise<void> {
  await db.run(
    `INSERT INTO plan_pair SELECT f.mailbox, f.account FROM (
       SELECT m.key AS mailbox, (
         SELECT a.key FROM source s CROSS JOIN object a ON a.source = s.key AND a.sid = m.master_sid
         WHERE a.kind IN ${PERSON} AND a.key <> m.key ORDER BY a.present DESC, a.key LIMIT 1) AS account
       FROM object m WHERE m.master_sid IS NOT NULL AND m.present = 1 AND m.kind IN ${PERSON}
     ) f WHERE f.account IS NOT NULL`,
  );
  const [some] = await db.query('SELECT 1 AS yes FROM plan_pair LIMIT 1');
  if (!some) return;
  const pairs = `plan_pair t CROSS JOIN object m ON m.key = t.mailbox CROSS JOIN object a ON a.key = t.account
    LEFT JOIN entry x ON x.key = m.key LEFT JOIN entry y ON y.key = a.key`;
  // An account that is gone says what it said last, but cannot enable a mailbox that is disabled itself.
  const enabled = `CASE WHEN m.linked = 1 THEN coalesce(a.enabled, 1) WHEN coalesce(m.enabled, 1) = 1 THEN 1
    WHEN a.present = 1 THEN coalesce(a.enabled, 1) ELSE 0 END`;
  const isOne = `a.present = 1 AND CASE
    WHEN m.address IS NULL OR a.address IS NULL OR a.address = m.address THEN 1
    WHEN a.address IN (SELECT k.value FROM object o CROSS JOIN json_each(o.aliases) k ON true WHERE o.key = m.key) THEN 1
    ELSE 0 END = 1
    AND (x.key IS NULL OR y.key IS NULL) AND (y.key IS NULL OR m.address IS NULL OR y.address = m.address)`;
  const person = (own: string) =>
    `CASE WHEN ${isOne} THEN CASE WHEN m.address IS NULL THEN a.key ELSE m.key END ELSE ${own} END`;
  await db.run(`INSERT INTO plan_twin SELECT m.key, ${person('m.key')}, ${enabled} FROM ${pairs}`);
  // Of several mailboxes of one account, it is one person with the first.
  await db.run(
    `INSERT INTO plan_twin SELECT a.key, ${person('a.key')}, CASE WHEN a.present = 1 THEN ${enabled} ELSE coalesce(a.enabled, 1) END
     FROM ${pairs} WHERE true ORDER BY m.key ON CONFLICT DO NOTHING`,
  );
  await indexPlan(db, 'plan_twin_person');
  await db.analyze('plan_pair', 'plan_twin');
}

/** The halves of pairs whose other half this source brings. */
export const OF_TWINS = `(SELECT k.mailbox AS object FROM plan_pair k CROSS JOIN object a ON a.key = k.account WHERE a.source = ?1
  UNION SELECT k.account FROM plan_pair k CROSS JOIN object m ON m.key = k.mailbox WHERE m.source = ?1)`;

/**
 * Fills `plan_state`: a logon account that is disabled disables the person at once, in whatever source the mailbox is. All else
 * that follows from it (who of the two is the person) waits for the run of the user's own source. Call it when it is known
 * which entries end.
 */
export async function planTwinStates({ db, source, settings, additionsOnly, cautious }: PlanContext): Promise<void> {
  if (!settings.acknowledgeDisabled || cautious) return;
  const [some] = await db.query('SELECT 1 AS yes FROM plan_pair LIMIT 1');
  if (!some) return;
  await db.run(
    `INSERT INTO plan_state SELECT o.key, o.id, t.enabled
     FROM ${OF_TWINS} f CROSS JOIN object o ON o.key = f.object CROSS JOIN plan_twin t ON t.object = o.key
     CROSS JOIN entry e ON e.key = o.key
     WHERE o.source <> ?1 AND o.present = 1 AND o.kind = 'user' AND t.person = o.key AND e.enabled <> t.enabled
       AND (t.enabled = 1 OR (?2 = 0 AND NOT ${isListed('protect', { address: 'e.address', id: 'o.id' })}))
       AND o.key NOT IN (SELECT entry FROM plan_absorb) AND o.key NOT IN (SELECT object FROM leaving WHERE done IS NOT NULL)`,
    [source, flag(additionsOnly)],
  );
}

/**
 * Whoever is new or changed has a twin to be looked at, too: in this run where it is of the same source, else in the next of its
 * own, but for the state. Call it when the scope is chosen.
 */
export async function scopeTwins({ db, source, settled }: PlanContext): Promise<void> {
  const [some] = await db.query('SELECT 1 AS yes FROM plan_pair LIMIT 1');
  if (!some) return;
  const twins = `(SELECT t.account AS object FROM plan_pair t WHERE t.mailbox IN (SELECT object FROM dirty)
    UNION SELECT t.mailbox FROM plan_pair t WHERE t.account IN (SELECT object FROM dirty)) f
    CROSS JOIN object o ON o.key = f.object`;
  if (settled) {
    await db.run(
      `INSERT INTO plan_scope SELECT f.object FROM ${twins} WHERE o.source = ?1 AND o.present = 1 ON CONFLICT DO NOTHING`,
      [source],
    );
  }
  await db.run(
    `UPDATE object SET open = 1 WHERE open = 0 AND key IN (SELECT f.object FROM ${twins} WHERE o.source <> ?1)`,
    [source],
  );
}

/**
 * How much there is in the account. To count it takes a look at every row, and a run that changes nothing leaves it as it was: it is kept
 * beside the number of the commit (`fence`) that it was counted behind.
 */
import type { Report } from '../model/report.js';
import { type SqlConnection, integer, text } from './store/connection.js';

/** Names in `meta`. */
const COUNTED_AT = 'totals: fence';
const KEPT = ['users', 'contacts', 'groups', 'members', 'aliases'] as const;
const keptAs = (name: (typeof KEPT)[number]) => `totals: ${name}`;

/** What was counted behind the last commit, or a new count. */
export async function totalsOf(db: SqlConnection): Promise<Report['totals']> {
  const rows = await db.query(`SELECT name, value FROM meta WHERE name = 'fence' OR name LIKE 'totals: %'`);
  const values = new Map(rows.map((row) => [text(row, 'name'), integer(row, 'value')]));
  if (values.get(COUNTED_AT) !== values.get('fence')) return countTotals(db);
  const kept = (name: (typeof KEPT)[number]) => values.get(keptAs(name)) ?? 0;
  return {
    users: kept('users'),
    contacts: kept('contacts'),
    groups: kept('groups'),
    members: kept('members'),
    aliases: kept('aliases'),
  };
}

/** Keeps them until the next commit. Call it in the transaction in which they were counted, behind all that it changes. */
export async function keepTotals(db: SqlConnection, totals: Report['totals']): Promise<void> {
  const counted = KEPT.map((_, at) => `(?${String(2 * at + 2)}, ?${String(2 * at + 3)})`);
  await db.run(
    `INSERT INTO meta VALUES (?1, (SELECT value FROM meta WHERE name = 'fence')), ${counted.join(', ')}
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value`,
    [COUNTED_AT, ...KEPT.flatMap((name) => [keptAs(name), totals[name]])],
  );
}

async function countTotals(db: SqlConnection): Promise<Report['totals']> {
  // Most are users: whoever is none of the others, so that nobody has to be sorted by kind.
  const [entries] = await db.query(
    `SELECT count(*) AS entries, count(*) FILTER (WHERE kind = 'contact') AS contacts,
       count(*) FILTER (WHERE kind NOT IN ('user', 'contact')) AS groups FROM entry`,
  );
  const contacts = integer(entries, 'contacts');
  const groups = integer(entries, 'groups');
  const users = integer(entries, 'entries') - contacts - groups;
  const [members] = await db.query('SELECT count(*) AS count FROM member');
  const [aliases] = await db.query('SELECT count(*) AS count FROM address WHERE is_primary = 0');
  return { users, contacts, groups, members: integer(members, 'count'), aliases: integer(aliases, 'count') };
}

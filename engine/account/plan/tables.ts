/** The temporary tables of a plan. Nothing in them outlives it. */
import type { SqlConnection } from '../store/connection.js';

const TABLES = {
  plan_domain: 'domain TEXT PRIMARY KEY',
  // Patterns for LIKE, in lower case. list: protect, in-use.
  plan_pattern: 'list TEXT NOT NULL, pattern TEXT NOT NULL',
  plan_rank: 'source INTEGER PRIMARY KEY, nth INTEGER NOT NULL',
  plan_precedence: 'source INTEGER PRIMARY KEY, nth INTEGER NOT NULL',
  // Who leaves or returns. step: mark, wait, final, done (the rule was applied before), return. rule: what becomes of it.
  plan_leaving: `object INTEGER PRIMARY KEY, kind TEXT NOT NULL, why TEXT NOT NULL, since TEXT NOT NULL,
    runs INTEGER NOT NULL, step TEXT NOT NULL, rule TEXT NOT NULL`,
  // Objects to look at.
  plan_scope: 'object INTEGER PRIMARY KEY',
  // Users and contacts of the source, with the address that the account holds for them and the one they want.
  // reason: set aside whole. clash: the entry whose address the wanted one is; whom the account knows keeps then what is
  // held. linked: the entry known from elsewhere (or from a source that this one beats) that this person is.
  // enabled: as the account is to have it. troubled: 1 where the account does not take some of the attributes. aside: why
  // somebody whom the account knows keeps the address that is held, and gives it up to whoever wants it.
  plan_person: `object INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, held TEXT, wanted TEXT,
    is_new INTEGER NOT NULL, enabled INTEGER, troubled INTEGER NOT NULL, reason TEXT, aside TEXT,
    clash INTEGER, linked INTEGER`,
  // Aliases of these persons that the account has not as theirs. state: null where taken, else the reason why not. known: the entry
  // known from elsewhere whose address it is.
  plan_alias: `object INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL, state TEXT, clash INTEGER, known INTEGER,
    PRIMARY KEY (object, address)`,
  // Aliases that the account has as theirs and that are not. clash: the entry whose primary address it becomes.
  plan_unlink:
    'object INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL, clash INTEGER, PRIMARY KEY (kind, address)',
  // Entries that end, because their address becomes another person's: of those known from elsewhere, and of sources that
  // this one beats.
  plan_absorb: 'entry INTEGER PRIMARY KEY',
  plan_value: `object INTEGER NOT NULL, name TEXT NOT NULL, shown TEXT, before TEXT, after TEXT,
    PRIMARY KEY (object, name)`,
  plan_attribute_name: 'name TEXT PRIMARY KEY, shown TEXT NOT NULL',
  // Attributes of which the account keeps values, because the reader was not asked for them.
  plan_unread: 'name TEXT PRIMARY KEY, shown TEXT NOT NULL',
  // Persons and groups of the account that are not as the source says.
  plan_touched: 'object INTEGER PRIMARY KEY',
  plan_group: `object INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, known INTEGER NOT NULL,
    is_new INTEGER NOT NULL DEFAULT 0, whole INTEGER NOT NULL, bears_mail INTEGER NOT NULL DEFAULT 0,
    compare INTEGER NOT NULL DEFAULT 0`,
  // Who may be in groups that say the same as before: new to the account, or the twin of somebody who is looked at.
  plan_newcomer: 'object INTEGER PRIMARY KEY',
  // Groups in groups, as far as they can be reached from groups that the account does not have.
  plan_nesting: 'parent INTEGER NOT NULL, child INTEGER NOT NULL',
  // Mailboxes, and the accounts that they are linked to.
  plan_pair: 'mailbox INTEGER PRIMARY KEY, account INTEGER NOT NULL',
  // Both of each pair. person: the object that both are; enabled: whether the person is.
  plan_twin: 'object INTEGER PRIMARY KEY, person INTEGER NOT NULL, enabled INTEGER NOT NULL',
  // Users of other sources whose state follows their twin's, which is of this source.
  plan_state: 'object INTEGER PRIMARY KEY, id TEXT NOT NULL, enabled INTEGER NOT NULL',
  // id: of a person of this plan; null: of anybody else.
  plan_member:
    'grp INTEGER NOT NULL, entry INTEGER NOT NULL, added INTEGER NOT NULL, id TEXT, PRIMARY KEY (grp, entry)',
} as const;

/** Made when their tables are filled: that is quicker for large ones. Texts that differ stand first, so that few are compared in whole. */
const INDICES = {
  plan_person_wanted: 'plan_person(wanted, kind)',
  plan_alias_address: 'plan_alias(address, kind)',
  plan_nesting_child: 'plan_nesting(child)',
  plan_twin_person: 'plan_twin(person)',
} as const;

/** Keys that are made when their table is full, where a key has to be kept beside the table. */
const LATE_KEYS = { plan_person: 'object' } as const;

/** Tables of which no row is looked for by its key, so that a key that has to be kept beside them only costs. */
const READ_AS_A_WHOLE: ReadonlySet<string> = new Set<keyof typeof TABLES>([
  'plan_member',
  'plan_unlink',
  'plan_value',
  'plan_alias',
]);

/** Indices of tables that are joined as a whole, where no key is kept for nothing. */
const JOINED_AS_A_WHOLE: ReadonlySet<string> = new Set<keyof typeof INDICES>([
  'plan_person_wanted',
  'plan_alias_address',
]);

/** Makes the tables where they are missing, and empties them. */
export async function clearPlan(db: SqlConnection): Promise<void> {
  const tables = Object.entries<string>(TABLES).map(([name, columns]): [string, string] => [
    name,
    db.ordersByKey ? columns : withoutKey(name, columns),
  ]);
  const option = (columns: string) => (columns.includes('PRIMARY KEY (') ? ' WITHOUT ROWID' : '');
  await db.exec(
    [
      ...tables.map(([name, columns]) => `CREATE TEMP TABLE IF NOT EXISTS ${name} (${columns})${option(columns)}`),
      ...[...Object.keys(INDICES), ...Object.keys(LATE_KEYS).map(keyOf)].map((name) => `DROP INDEX IF EXISTS ${name}`),
      ...tables.map(([name]) => `DELETE FROM ${name}`),
    ].join(';\n'),
  );
}

const keyOf = (table: string) => `${table}_key`;

function withoutKey(table: string, columns: string): string {
  if (table in LATE_KEYS) return columns.replace('PRIMARY KEY', 'NOT NULL');
  return READ_AS_A_WHOLE.has(table) ? columns.replace(/,\s*PRIMARY KEY \(.*\)/, '') : columns;
}

/** Call it when the table has been filled. */
export async function keyPlan(db: SqlConnection, table: keyof typeof LATE_KEYS): Promise<void> {
  if (!db.ordersByKey) await db.exec(`CREATE UNIQUE INDEX ${keyOf(table)} ON ${table}(${LATE_KEYS[table]})`);
}

/** Call it when its table has been filled. */
export async function indexPlan(db: SqlConnection, name: keyof typeof INDICES): Promise<void> {
  const index = INDICES[name];
  if (db.ordersByKey || !JOINED_AS_A_WHOLE.has(name)) await db.exec(`CREATE INDEX ${name} ON ${index}`);
  await db.analyze(index.slice(0, index.indexOf('(')));
}

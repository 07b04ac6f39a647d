/** The temporary tables of a plan. Nothing in them outlives it. */
import type { SqlConnection } from '../store/connection.js';

const TABLES = {
  plan_domain: 'domain TEXT PRIMARY KEY',
  plan_attribute_name: 'name TEXT PRIMARY KEY, shown TEXT NOT NULL',
  // Users and contacts of the source. reason: set aside whole. clash: the object whose address the wanted one is; a person
  // whom the account knows keeps then the address held. entry: of the account; new ones get theirs last.
  plan_person: `object INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, entry INTEGER, held TEXT, wanted TEXT,
    reason TEXT, clash INTEGER, is_new INTEGER NOT NULL DEFAULT 0, linked TEXT`,
  // Aliases that a person of the source has, and that the account has not as this person's. state: taken, absorbed (from
  // somebody known from elsewhere), or the reason why not.
  plan_alias: `object INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL, state TEXT, clash INTEGER, known INTEGER,
    PRIMARY KEY (object, address)`,
  plan_unlink:
    'kind TEXT NOT NULL, address TEXT NOT NULL, entry INTEGER NOT NULL, object INTEGER NOT NULL, clash INTEGER',
  // Entries known from elsewhere that end, because the address is now a directory user's.
  plan_absorb: 'entry INTEGER PRIMARY KEY, object INTEGER NOT NULL, address TEXT NOT NULL',
  plan_value: 'object INTEGER NOT NULL, name TEXT NOT NULL, shown TEXT NOT NULL, before TEXT, after TEXT',
  // Persons and groups of the account that are not as the source says.
  plan_touched: 'object INTEGER PRIMARY KEY, kind TEXT NOT NULL',
  plan_group: `object INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, entry INTEGER, is_new INTEGER NOT NULL DEFAULT 0,
    whole INTEGER NOT NULL, bears_mail INTEGER NOT NULL DEFAULT 0, compare INTEGER NOT NULL DEFAULT 0`,
  // Groups in groups, as far as they can be reached from groups that the account does not have.
  plan_nesting: 'parent INTEGER NOT NULL, child INTEGER NOT NULL',
  // Members as entries, with the objects that they are and that the groups are.
  plan_wanted_member: `grp INTEGER NOT NULL, entry INTEGER NOT NULL, grp_object INTEGER NOT NULL, object INTEGER NOT NULL,
    PRIMARY KEY (grp, entry)`,
  plan_member: `grp INTEGER NOT NULL, entry INTEGER NOT NULL, grp_object INTEGER NOT NULL, object INTEGER NOT NULL,
    added INTEGER NOT NULL`,
  plan_aside: 'id TEXT, reason TEXT NOT NULL, detail TEXT NOT NULL',
} as const;

const INDICES = [
  'CREATE INDEX IF NOT EXISTS temp.plan_person_wanted ON plan_person(kind, wanted)',
  'CREATE INDEX IF NOT EXISTS temp.plan_alias_address ON plan_alias(kind, address)',
  'CREATE INDEX IF NOT EXISTS temp.plan_nesting_child ON plan_nesting(child)',
];

/** Makes the tables where they are missing, and empties them. */
export async function clearPlan(db: SqlConnection): Promise<void> {
  const tables = Object.entries(TABLES);
  await db.exec(
    [
      ...tables.map(
        ([name, columns]) =>
          `CREATE TEMP TABLE IF NOT EXISTS ${name} (${columns})${columns.includes('PRIMARY KEY (') ? ' WITHOUT ROWID' : ''}`,
      ),
      ...INDICES,
      ...tables.map(([name]) => `DELETE FROM ${name}`),
    ].join(';\n'),
  );
}

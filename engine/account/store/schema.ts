/**
 * The schema of the embedded store, as an ordered list of scripts that only ever grows.
 *
 * Two halves. What each source said last (`object` and its members): every plan is computed from that, so that a run is
 * compared by digest and only what it says anew is looked at. And the account itself: `entry`, `address`, `attribute`,
 * `member`. An entry that a directory brought has the key of its object; one known from elsewhere has a key below zero.
 */
const FIRST = `
-- fence: counts the commits. last_known: the last key given to an entry known from elsewhere.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('fence', 0), ('last_known', 0);

CREATE TABLE source (
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  started_at TEXT,          -- of the last run that was committed
  last_run INTEGER,
  token TEXT,               -- JSON: from where the next delta may start
  settled TEXT              -- the settings with which that run, a complete one, was applied; null: it was not complete
);

CREATE TABLE run (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  source INTEGER NOT NULL REFERENCES source,
  mode TEXT NOT NULL,
  started_at TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  touched_at TEXT NOT NULL,
  ended_at TEXT,
  state TEXT NOT NULL,      -- open, ended, abandoned
  first_change INTEGER, last_change INTEGER,
  report TEXT               -- JSON
);
CREATE INDEX run_open ON run(touched_at) WHERE state = 'open';

-- What has arrived of runs that have not ended. key = run << 40 | batch << 16 | position: a run is one range of keys.
CREATE TABLE staged_batch (run INTEGER NOT NULL, batch INTEGER NOT NULL, PRIMARY KEY (run, batch)) WITHOUT ROWID;
CREATE TABLE staged (
  key INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,         -- of the object; of a members record: of its group
  part INTEGER, parts INTEGER, held INTEGER NOT NULL,
  digest TEXT NOT NULL,
  record TEXT NOT NULL      -- JSON: what the account takes of it
);

-- What the sources said last.
CREATE TABLE object (
  key INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES source,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,       -- also: quarantined, and members: nothing but its members was heard of
  digest TEXT NOT NULL,
  present INTEGER NOT NULL, -- 0: the last complete run did not bring it
  open INTEGER NOT NULL DEFAULT 0, -- 1: the account could not take all of it, and every run tries again
  dn TEXT, dn_key TEXT, sid TEXT, name TEXT, address TEXT, enabled INTEGER, scope TEXT, type TEXT,
  aliases TEXT, attributes TEXT, problems TEXT, -- JSON: addresses; values by name; reasons by name
  reason TEXT, detail TEXT, -- of a quarantined one
  member_digest TEXT,
  members TEXT,             -- whole, held, or null: none heard of
  UNIQUE (source, id)
);
CREATE INDEX object_sid ON object(source, sid) WHERE sid IS NOT NULL;
CREATE INDEX object_dn ON object(source, dn_key) WHERE dn_key IS NOT NULL;
CREATE INDEX object_other ON object(source, kind) WHERE kind <> 'user';
CREATE INDEX object_present ON object(source, present);
CREATE INDEX object_open ON object(source) WHERE open = 1;
-- Members as objects. via: 0 found by id, 1 by SID or name (which may be another's one day), 2 in another source.
CREATE TABLE object_member (
  object INTEGER NOT NULL, member INTEGER NOT NULL, via INTEGER NOT NULL, PRIMARY KEY (object, member, via)
) WITHOUT ROWID;
-- Members that are not to be found by id, or not yet. how: id, sid or dn; ref: that id or sid, or the canonical key of that name; member: the object, once known.
CREATE TABLE object_ref (
  object INTEGER NOT NULL, how TEXT NOT NULL, ref TEXT NOT NULL, member INTEGER, PRIMARY KEY (object, how, ref)
) WITHOUT ROWID;
CREATE INDEX object_ref_waiting ON object_ref(ref) WHERE member IS NULL;
CREATE INDEX object_ref_named ON object_ref(object) WHERE how = 'dn';
CREATE INDEX object_ref_member ON object_ref(member) WHERE member IS NOT NULL;

-- The account.
CREATE TABLE entry (
  key INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,       -- user, contact, group, dynamic-group
  address TEXT,
  name TEXT NOT NULL,
  origin TEXT NOT NULL,     -- directory, manual, mail-flow
  enabled INTEGER NOT NULL,
  dn TEXT, sid TEXT, scope TEXT, type TEXT
);
CREATE INDEX entry_group_address ON entry(address) WHERE kind NOT IN ('user', 'contact');
-- An address belongs to one user (and, apart from that, to one contact).
CREATE TABLE address (
  kind TEXT NOT NULL, address TEXT NOT NULL, entry INTEGER NOT NULL, is_primary INTEGER NOT NULL,
  PRIMARY KEY (kind, address)
) WITHOUT ROWID;
CREATE INDEX address_alias ON address(entry) WHERE is_primary = 0;
CREATE TABLE attribute (
  entry INTEGER NOT NULL REFERENCES entry, name TEXT NOT NULL, -- in lower case
  shown TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (entry, name)
) WITHOUT ROWID;
CREATE TABLE member (
  grp INTEGER NOT NULL REFERENCES entry, entry INTEGER NOT NULL, PRIMARY KEY (grp, entry)
) WITHOUT ROWID;

-- The changes of a run are those from run.first_change to run.last_change.
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY, run INTEGER NOT NULL,
  kind TEXT NOT NULL, id TEXT NOT NULL, change TEXT NOT NULL, what TEXT, before TEXT, after TEXT -- JSON
);
CREATE TABLE set_aside (
  run INTEGER NOT NULL REFERENCES run, seq INTEGER NOT NULL,
  id TEXT, reason TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) WITHOUT ROWID;
`;

/** Who left, what is held, who may write. */
const LEAVING = `
-- The newest who opened the account for itself; a writer with an older token is refused.
INSERT INTO meta VALUES ('lease', 0);

-- failing: its last run was incomplete. heard_at: when that was applied. config: the settings, and what was read, of the
-- last complete run that was committed.
ALTER TABLE source ADD COLUMN failing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN heard_at TEXT;
ALTER TABLE source ADD COLUMN config TEXT;
UPDATE source SET heard_at = started_at, failing = CASE WHEN settled IS NULL THEN 1 ELSE 0 END WHERE last_run IS NOT NULL;

-- The mark of who is to leave the account: since when, in how many complete runs. done: the rule was applied, and the
-- entry is still there (disabled).
CREATE TABLE leaving (
  object INTEGER PRIMARY KEY, why TEXT NOT NULL, since TEXT NOT NULL, runs INTEGER NOT NULL, done TEXT
);
-- Who left it: the entry as it was, until it is purged.
CREATE TABLE removed (
  object INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL, at TEXT NOT NULL, run INTEGER NOT NULL,
  entry TEXT NOT NULL -- JSON
);

-- Plans that were held. state: held, approved, rejected, superseded.
CREATE TABLE held_plan (
  run INTEGER PRIMARY KEY REFERENCES run, source INTEGER NOT NULL REFERENCES source, digest TEXT NOT NULL,
  state TEXT NOT NULL, at TEXT NOT NULL, complete INTEGER NOT NULL, whole INTEGER NOT NULL, config TEXT NOT NULL,
  holds TEXT NOT NULL, -- JSON
  decided_by TEXT, decided_at TEXT
);
CREATE INDEX held_plan_open ON held_plan(source) WHERE state = 'held';
CREATE TABLE held_change (
  run INTEGER NOT NULL, seq INTEGER NOT NULL,
  kind TEXT NOT NULL, id TEXT NOT NULL, change TEXT NOT NULL, what TEXT, before TEXT, after TEXT, -- JSON
  PRIMARY KEY (run, seq)
) WITHOUT ROWID;
`;

/** The id of the object that an entry is of, as the account was last told: a person created anew has another. */
const SUCCESSORS = `
ALTER TABLE entry ADD COLUMN id TEXT;
UPDATE entry SET id = (SELECT o.id FROM object o WHERE o.key = entry.key);
-- When it was planned by a dry run, which does not end it.
ALTER TABLE run ADD COLUMN tried_at TEXT;
`;

/** What the readers of sources said, to be compared with what they say next. */
const READINGS = `
-- reading: JSON, scope and counts of the last complete run that was committed. scopes: JSON, the scopes of the last runs.
ALTER TABLE source ADD COLUMN reading TEXT;
ALTER TABLE source ADD COLUMN scopes TEXT;
-- JSON: those of the run whose plan is held.
ALTER TABLE held_plan ADD COLUMN reading TEXT;
`;

/** An index with a long key for every member known by name, only to learn whether there are such members. */
const NAMED = `
DROP INDEX object_ref_named;
`;

/** With a row of its own each, the index by member has no long names in it. */
const REFS = `
ALTER TABLE object_ref RENAME TO object_ref_before;
CREATE TABLE object_ref (
  object INTEGER NOT NULL, how TEXT NOT NULL, ref TEXT NOT NULL, member INTEGER, PRIMARY KEY (object, how, ref)
);
INSERT INTO object_ref SELECT object, how, ref, member FROM object_ref_before;
DROP TABLE object_ref_before;
CREATE INDEX object_ref_waiting ON object_ref(ref) WHERE member IS NULL;
CREATE INDEX object_ref_member ON object_ref(member) WHERE member IS NOT NULL;
`;

/** Mailboxes that are linked to an account of the same person. */
const TWINS = `
-- master_sid: the SID of that account. linked: 1 where the mailbox's own account is disabled by nature.
ALTER TABLE object ADD COLUMN master_sid TEXT;
ALTER TABLE object ADD COLUMN linked INTEGER;
CREATE INDEX object_master ON object(master_sid) WHERE master_sid IS NOT NULL;
`;

/** Nearly all are present: an index of all of them costs each run that adds somebody, and only the absent are looked for by it. */
const ABSENT = `
DROP INDEX object_present;
CREATE INDEX object_absent ON object(source) WHERE present = 0;
`;

/** Only PostgreSQL keeps something in another way than before (`postgres-schema.ts`). */
const COLUMNS = '';
const WHOLE = '';
const LISTS = '';

/** Names that are too long for an index of PostgreSQL are looked for by their digest (`texts.ts`): they are made anew. */
const LONG_NAMES = `
UPDATE object SET dn_key = NULL WHERE length(dn_key) > 256;
`;

/** takes: a digest of the names of attributes that the account took when the batch came; counts: JSON, its records by kind. Null: not known. */
const TAKES = `
ALTER TABLE staged_batch ADD COLUMN takes TEXT;
ALTER TABLE staged_batch ADD COLUMN counts TEXT;
`;

/** Only the embedded store keeps something in another way than before. */
const TAKEN_APART = '';

/** By the number of the migration that they follow: what only the embedded store needs. */
const EMBEDDED: Readonly<Record<number, string>> = {
  // What persons say of a source that was not known when they came; their record is empty then.
  14: `
    ALTER TABLE staged ADD COLUMN dn TEXT; ALTER TABLE staged ADD COLUMN sid TEXT; ALTER TABLE staged ADD COLUMN name TEXT;
    ALTER TABLE staged ADD COLUMN address TEXT; ALTER TABLE staged ADD COLUMN enabled INTEGER;
    ALTER TABLE staged ADD COLUMN aliases TEXT; ALTER TABLE staged ADD COLUMN attributes TEXT;
    CREATE INDEX staged_other ON staged(kind) WHERE kind <> 'user';`,
};

/** Oldest first. Never change one that was released; add another. */
export const MIGRATIONS: readonly string[] = [
  FIRST,
  LEAVING,
  SUCCESSORS,
  READINGS,
  NAMED,
  REFS,
  TWINS,
  ABSENT,
  COLUMNS,
  WHOLE,
  LISTS,
  LONG_NAMES,
  TAKES,
  TAKEN_APART,
];

/** The same for the embedded store, with what only that needs. */
export const EMBEDDED_MIGRATIONS: readonly string[] = MIGRATIONS.map(
  (script, index) => script + (EMBEDDED[index + 1] ?? ''),
);

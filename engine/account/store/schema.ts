/**
 * The schema of the embedded store, as an ordered list of scripts that only ever grows.
 *
 * Two halves: what each source last said (`object` and its details; what is planned is always computed from that, so that
 * a run needs to bring only what changed), and the account itself (`entry`, `address`, `attribute`, `member`).
 */
const FIRST = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
-- fence: counts the commits. next_entry: keys of entries are never used twice.
INSERT INTO meta VALUES ('fence', 0), ('next_entry', 1);

CREATE TABLE source (
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  started_at TEXT,          -- of the last run that was committed
  token TEXT,               -- JSON: from where the next delta may start
  attributes TEXT,          -- JSON: which ones object_attribute holds
  last_run INTEGER,         -- the last one that was committed
  -- Settings with which the last run, a complete one, left nothing to do, and the fence then; null where it was not complete.
  settled TEXT, settled_fence INTEGER
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
  record TEXT NOT NULL      -- JSON
);

-- What the sources said last.
CREATE TABLE object (
  key INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES source,
  id TEXT NOT NULL,
  kind TEXT,                -- null: only its members were heard of
  digest TEXT,
  present INTEGER NOT NULL, -- 0: the last complete run did not bring it
  dn TEXT, dn_key TEXT, sid TEXT, name TEXT, address TEXT, enabled INTEGER, scope TEXT, type TEXT,
  reason TEXT, detail TEXT, -- of a quarantined one
  member_digest TEXT,
  members TEXT,             -- whole, held, or null: none heard of
  UNIQUE (source, id)
);
CREATE INDEX object_dn ON object(source, dn_key) WHERE dn_key IS NOT NULL;
CREATE TABLE object_alias (object INTEGER NOT NULL, address TEXT NOT NULL, PRIMARY KEY (object, address)) WITHOUT ROWID;
CREATE TABLE object_attribute (
  object INTEGER NOT NULL, name TEXT NOT NULL, -- in lower case
  value TEXT, problem TEXT,
  PRIMARY KEY (object, name)
) WITHOUT ROWID;
-- how: id, sid or dn; ref: that id or sid, or the canonical key of that name; member: the object that it is, once known.
CREATE TABLE object_member (
  object INTEGER NOT NULL, how TEXT NOT NULL, ref TEXT NOT NULL, member INTEGER, PRIMARY KEY (object, how, ref)
) WITHOUT ROWID;
CREATE INDEX object_member_unknown ON object_member(ref) WHERE member IS NULL;
CREATE INDEX object_member_named ON object_member(member) WHERE how <> 'id';

-- The account.
CREATE TABLE entry (
  key INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,       -- user, contact, group, dynamic-group
  object INTEGER UNIQUE REFERENCES object,
  address TEXT,
  name TEXT NOT NULL,
  origin TEXT NOT NULL,     -- directory, manual, mail-flow
  enabled INTEGER NOT NULL,
  dn TEXT, sid TEXT, scope TEXT, type TEXT
);
CREATE INDEX entry_group_address ON entry(address) WHERE kind NOT IN ('user', 'contact');
-- An address belongs to one user (and, apart from that, to one contact).
CREATE TABLE address (
  kind TEXT NOT NULL, address TEXT NOT NULL, entry INTEGER NOT NULL REFERENCES entry, is_primary INTEGER NOT NULL,
  PRIMARY KEY (kind, address)
) WITHOUT ROWID;
CREATE INDEX address_alias ON address(entry) WHERE is_primary = 0;
CREATE TABLE attribute (
  entry INTEGER NOT NULL REFERENCES entry, name TEXT NOT NULL, shown TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (entry, name)
) WITHOUT ROWID;
CREATE TABLE member (
  grp INTEGER NOT NULL REFERENCES entry, entry INTEGER NOT NULL REFERENCES entry, PRIMARY KEY (grp, entry)
) WITHOUT ROWID;

-- The changes of a run are the seq from run.first_change to run.last_change.
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

/** Oldest first. Never change one that was released; add another. */
export const MIGRATIONS: readonly string[] = [FIRST];

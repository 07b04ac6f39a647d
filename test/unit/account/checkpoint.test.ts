/** The log of the embedded store, brought into the file behind whoever wrote it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpoint } from '../../../engine/account/store/checkpoint.js';
import { openDatabase } from '../../../engine/runtime/sqlite.js';

const LIMIT = 100_000;

describe('the log of the embedded store', () => {
  let folder: string;
  let database: DatabaseSync;
  let other: DatabaseSync;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
    database = openDatabase(join(folder, 'account.db'));
    other = openDatabase(join(folder, 'account.db'));
    database.exec(`PRAGMA journal_size_limit=${String(LIMIT)}; CREATE TABLE t (x)`);
  });
  afterEach(() => {
    other.close();
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const logBytes = () => statSync(join(folder, 'account.db-wal')).size;
  const rows = () => other.prepare('SELECT count(*) AS count FROM t').get()?.['count'];
  const waits = () => database.prepare('PRAGMA busy_timeout').get()?.['timeout'];

  /** A log of several megabytes. */
  function write(): void {
    database.exec('BEGIN');
    const insert = database.prepare('INSERT INTO t VALUES (zeroblob(10000))');
    for (let row = 0; row < 300; row += 1) insert.run();
    database.exec('COMMIT');
  }

  it('is brought into the file and cut to its limit, and nothing is changed by it', () => {
    write();
    assert.ok(logBytes() > LIMIT);
    checkpoint(database);
    assert.ok(logBytes() <= LIMIT, String(logBytes()));
    assert.equal(rows(), 300);
    write();
    assert.equal(rows(), 600);
  });

  it('negative control: SQLite by itself leaves that to whoever writes next', () => {
    write();
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    assert.ok(logBytes() > LIMIT);
  });

  for (const [what, sql] of [
    ['reads', 'BEGIN; SELECT count(*) FROM t'],
    ['writes', 'BEGIN IMMEDIATE'],
  ] as const) {
    it(`stays as it is while somebody ${what}, and nobody waits for that`, () => {
      const before = waits();
      write();
      other.exec(sql);
      checkpoint(database);
      assert.ok(logBytes() > LIMIT);
      assert.equal(waits(), before, 'whoever comes next waits as before');
      other.exec('ROLLBACK');
      checkpoint(database);
      assert.ok(logBytes() <= LIMIT);
      assert.equal(rows(), 300);
    });
  }
});

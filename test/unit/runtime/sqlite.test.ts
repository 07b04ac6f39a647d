import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AccountError } from '../../../engine/model/errors.js';
import { inTransaction, migrate, openDatabase, storeError } from '../../../engine/runtime/sqlite.js';

describe('SQLite databases', () => {
  let folder = '';
  let file = '';
  let database: DatabaseSync;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    file = join(folder, 'new', 'store.db');
    database = openDatabase(file);
  });
  afterEach(() => {
    if (database.isOpen) database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  const count = () => database.prepare('SELECT count(*) AS count FROM t').get()?.['count'];

  it('commit durably', () => {
    assert.deepEqual(['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'].map(pragma), [
      'wal',
      2,
      1,
      10_000,
    ]);
    const plain = new DatabaseSync(join(folder, 'plain.db'));
    assert.equal(plain.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'delete', 'negative control');
    plain.close();
  });

  it('have larger pages than usual, but for a file that has its own', () => {
    assert.equal(pragma('page_size'), 8_192);
    const before = join(folder, 'before.db');
    const made = new DatabaseSync(before);
    made.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (a)');
    made.close();
    database.close();
    database = openDatabase(before);
    assert.equal(pragma('page_size'), 4_096);
  });

  it('take all of a transaction, or nothing', () => {
    database.exec('CREATE TABLE t (a)');
    assert.equal(
      inTransaction(database, () => database.prepare('INSERT INTO t VALUES (1)').run().changes),
      1,
    );
    assert.throws(
      () =>
        inTransaction(database, () => {
          database.exec('INSERT INTO t VALUES (2)');
          throw new Error('no');
        }),
      /^Error: no$/,
    );
    assert.equal(count(), 1);
    assert.throws(() => database.exec(`INSERT INTO t VALUES (2); SELECT wrong`));
    assert.equal(count(), 2, 'negative control: without a transaction the first half stays');
  });

  it('migrate from any version forward, each script once', () => {
    const scripts = ['CREATE TABLE t (a)', 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (2)'];
    migrate(database, scripts.slice(0, 1));
    migrate(database, scripts.slice(0, 2));
    migrate(database, scripts);
    migrate(database, scripts);
    assert.deepEqual([count(), pragma('user_version')], [2, 3]);
  });

  it('stay at the version before where a script fails', () => {
    migrate(database, ['CREATE TABLE t (a)']);
    assert.throws(() => migrate(database, ['CREATE TABLE t (a)', 'INSERT INTO t VALUES (1)', 'wrong']), AccountError);
    assert.deepEqual([count(), pragma('user_version')], [0, 1]);
  });

  it('of a newer version are refused', () => {
    migrate(database, ['CREATE TABLE t (a)', 'CREATE TABLE u (a)']);
    assert.throws(() => migrate(database, ['CREATE TABLE t (a)']), { name: 'AccountError', code: 'STORE_TOO_NEW' });
  });

  it('that are locked are reported as busy, which may pass', () => {
    const other = openDatabase(file);
    other.exec('BEGIN IMMEDIATE');
    database.exec('PRAGMA busy_timeout=20');
    assert.throws(
      () => inTransaction(database, () => 1),
      (error) => {
        const told = storeError(error);
        assert.ok(told instanceof AccountError);
        assert.deepEqual([told.code, told.transient], ['STORE_BUSY', true]);
        return true;
      },
    );
    other.close();
    assert.equal(
      inTransaction(database, () => 1),
      1,
    );
  });
});

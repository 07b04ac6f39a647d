/** Disks, files and folders that fail under the embedded store: a clear error, the account as it was, and a run that succeeds later. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountSettings } from '../../../engine/account/account.js';
import type { SqliteSettings } from '../../../engine/account/store/store.js';
import { AccountError } from '../../../engine/model/errors.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { UNLIMITED, Workshop, group, members, seal, sync, user } from './support.js';

const APPLIER = join(__dirname, 'programs', 'applier.js');
const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;
/** It has no such limits and rights, and keeps a file that is open. */
const WINDOWS = process.platform === 'win32';
type Settings = AccountSettings<SqliteSettings>;

/** More than the disk of these tests takes. */
const people = (count: number, name: string): EnrichedRecord[] =>
  Array.from({ length: count }, (_, index) => user(`p${String(index)}`, { name: `${name} ${'x'.repeat(200)}` }));
const BEFORE = [...people(50, 'N'), group('team'), members('team', ['p1', 'p2'])];
const AFTER = people(3_000, 'M');

describe('the embedded store, where the system fails', function () {
  this.timeout(60_000);
  let workshop: Workshop;
  let settings: Settings;
  beforeEach(async () => {
    workshop = new Workshop();
    const folder = join(workshop.folder, 'own');
    settings = {
      ...workshop.settings(),
      store: { kind: 'sqlite', file: join(folder, 'account.db') },
      rules: { holdUnusual: false, limits: UNLIMITED, graceDays: 0, graceRuns: 1, userLeft: 'remove' },
    };
    const account = await workshop.open(settings);
    await sync(account, workshop.run(), BEFORE, { batchSize: 500 });
    await account.close();
  });
  afterEach(() => workshop.close());

  const snapshot = async (of = settings) => {
    const account = await workshop.open(of);
    const found = await account.snapshot();
    await account.close();
    return found;
  };
  const work = () => {
    const batches = Array.from({ length: 6 }, (_, index) => AFTER.slice(index * 500, index * 500 + 500));
    return { settings, run: workshop.run(), seal: seal(batches.length), batches };
  };
  /** Applies in a process of its own, by way of `command`, as somebody without rights where we have all. */
  const applied = (what: object, command: readonly string[] = [], asNobody = false) => {
    const whole = [...command, process.execPath, APPLIER];
    const who = asNobody && IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
    return spawnSync(whole[0] ?? '', whole.slice(1), { input: JSON.stringify(what), encoding: 'utf8', ...who }).stdout;
  };
  const failsThenSucceeds = async (fails: (what: object) => string, expected: RegExp, mend: () => void) => {
    const before = await snapshot();
    const what = work();
    assert.match(fails(what), expected);
    mend();
    assert.deepEqual(await snapshot(), before, 'the account is as it was');
    assert.match(applied(what), /applied committed/);
    assert.equal((await snapshot()).users.length, 3_000);
  };

  it('a file that may not grow: says so, and nothing is written', async function () {
    if (WINDOWS) return;
    // POSIX: a write beyond the limit fails (EFBIG). SQLite reports what it does for any failed write.
    const most = Math.ceil(statSync(settings.store.file).size / 512) + 400;
    const limited = ['/bin/sh', '-c', `ulimit -f ${String(most)}; exec "$0" "$@"`];
    await failsThenSucceeds(
      (what) => applied(what, limited),
      /failed STORE_UNUSABLE .*(?:The disk reports an error|The disk is full).* Nothing of this step was written/,
      () => undefined,
    );
  });

  it('a disk that is full', async function () {
    const disk = join(workshop.folder, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0;
    if (!mounted) {
      console.warn('        NOT SHOWN: no disk can be mounted here; the limit above stands for it.');
      return;
    }
    try {
      cpSync(dirname(settings.store.file), disk, { recursive: true });
      settings = { ...settings, store: { kind: 'sqlite', file: join(disk, 'account.db') } };
      await failsThenSucceeds(
        (what) => applied(what),
        /failed STORE_UNUSABLE .*full.* Nothing of this step was written/,
        () => spawnSync('mount', ['-o', 'remount,size=64m', disk]),
      );
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  for (const what of ['file', 'folder'] as const) {
    it(`a ${what} that is read-only`, async function () {
      if (WINDOWS) return;
      const folder = dirname(settings.store.file);
      const open = () => {
        chmodSync(folder, 0o777);
        chmodSync(workshop.folder, 0o777);
        for (const name of readdirSync(folder)) {
          chmodSync(join(folder, name), 0o666);
          if (IS_ROOT) chownSync(join(folder, name), process.getuid?.() ?? 0, process.getgid?.() ?? 0);
        }
      };
      await failsThenSucceeds(
        (todo) => {
          open();
          chmodSync(what === 'file' ? settings.store.file : folder, what === 'file' ? 0o444 : 0o555);
          return applied(todo, [], true);
        },
        /failed STORE_UNUSABLE .*(?:permissions|must name a file that can be made and opened)/,
        open,
      );
    });
  }

  it('a database that another program has locked', async () => {
    const other = new DatabaseSync(settings.store.file);
    await failsThenSucceeds(
      (what) => {
        other.exec('PRAGMA busy_timeout=10000; BEGIN EXCLUSIVE');
        return applied(what);
      },
      /failed STORE_BUSY .*Another process is writing to it; try again/,
      () => other.close(),
    );
  });

  const isReplaced = (error: unknown) =>
    error instanceof AccountError && error.code === 'STORE_REPLACED' && error.message.includes('start the run again');
  for (const replaced of [false, true]) {
    it(`a file that is ${replaced ? 'replaced' : 'removed'} while it is open: nothing goes to nowhere`, async function () {
      if (WINDOWS) return;
      const { file } = settings.store;
      const backup = `${file}.backup`;
      cpSync(file, backup);
      const before = await snapshot();
      const account = await workshop.open(settings);
      const run = workshop.run();
      await account.stage(run, 0, people(5, 'M'));
      for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true });
      if (replaced) cpSync(backup, file);
      await assert.rejects(account.apply(run, seal(1), { dryRun: false }), isReplaced);
      await assert.rejects(account.stage(run, 1, people(5, 'M')), isReplaced);
      await account.close();
      assert.equal(existsSync(file), replaced, 'what is there now is not touched');
      if (!replaced) cpSync(backup, file);
      assert.deepEqual(await snapshot(), before);
      const again = await workshop.open(settings);
      assert.equal((await sync(again, workshop.run(), people(5, 'M'))).outcome, 'committed');
      assert.equal((await again.snapshot()).users.length, 5);
    });
  }

  it('negative control: SQLite itself writes on into a file that is gone', function () {
    if (WINDOWS) return;
    const file = join(workshop.folder, 'plain.db');
    const database = new DatabaseSync(file);
    database.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (x)');
    rmSync(file);
    database.exec('INSERT INTO t VALUES (1)');
    database.close();
    assert.ok(!existsSync(file), 'and nobody was told');
  });

  it('a damaged file: says so; restored from a backup it goes on', async () => {
    const { file } = settings.store;
    const backup = `${file}.backup`;
    cpSync(file, backup);
    await failsThenSucceeds(
      (what) => {
        const size = statSync(file).size;
        const descriptor = openSync(file, 'r+');
        for (let at = 4_096; at < size; at += 4_096) writeSync(descriptor, Buffer.alloc(4_096, 0xa5), 0, 4_096, at);
        return applied(what);
      },
      /failed STORE_UNUSABLE .*(?:damaged: restore it from a backup|not a SQLite database)/,
      () => {
        for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true });
        cpSync(backup, file);
      },
    );
    writeFileSync(file, 'not a database at all, and long enough to be looked at');
    assert.match(applied(work()), /failed STORE_UNUSABLE .*not a SQLite database/);
  });
});

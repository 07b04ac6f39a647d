/** What is staged waits for no disk. A power cut may take some of it, which is a batch that is missing: nobody is removed for it. */
import assert from 'node:assert/strict';
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountSettings } from '../../../engine/account/account.js';
import type { SqliteSettings } from '../../../engine/account/store/store.js';
import { UNLIMITED, Workshop, seal, sync, user } from './support.js';

const BATCHES = 6;
const people = (of: number) => Array.from({ length: 20 }, (_, index) => user(`p${String(20 * of + index)}`));

describe('an account after a power cut, while a run was staged', () => {
  let workshop: Workshop;
  let reader: DatabaseSync;
  let settings: AccountSettings<SqliteSettings>;
  const run = () => workshop.run({ id: 'cut', startedAt: '2026-02-01T00:00:00.000Z' });

  beforeEach(async () => {
    workshop = new Workshop();
    settings = {
      ...workshop.settings(),
      store: { kind: 'sqlite', file: join(workshop.folder, 'whole.db') },
      rules: { holdUnusual: false, limits: UNLIMITED, graceDays: 0, graceRuns: 1, userLeft: 'remove' },
    };
    const before = await workshop.open(settings);
    await sync(before, workshop.run(), [
      ...Array.from({ length: BATCHES }, (_, of) => people(of)).flat(),
      user('leaver'),
    ]);
    await before.close();
    const account = await workshop.open(settings);
    // What comes behind the moment that somebody reads of stays in the log: the file is as it is now.
    reader = new DatabaseSync(settings.store.file);
    reader.exec('BEGIN; SELECT count(*) FROM run');
    for (let of = 0; of < BATCHES; of += 1) await account.stage(run(), of, people(of));
  });
  afterEach(() => {
    reader.close();
    return workshop.close();
  });

  /** The files as they would be found, with so much of the log. */
  async function found(share: number) {
    const { file } = settings.store;
    const copy = join(workshop.folder, `cut-${String(share)}.db`);
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    truncateSync(`${copy}-wal`, Math.floor(statSync(`${file}-wal`).size * share));
    return workshop.open({ ...settings, store: { kind: 'sqlite', file: copy } });
  }

  it('misses what is lost, removes nobody, and is right after the next run', async () => {
    for (const share of [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      const account = await found(share);
      const report = await account.apply(run(), seal(BATCHES), { dryRun: false });
      assert.equal(report.complete, false, String(share));
      assert.equal((await account.snapshot()).users.length, 20 * BATCHES + 1, String(share));
      await sync(account, workshop.run({ startedAt: '2026-02-02T00:00:00.000Z' }), people(0));
      assert.equal((await account.snapshot()).users.length, 20, String(share));
      await account.close();
    }
  });

  it('negative control: where nothing was lost, whoever left is removed', async () => {
    const account = await found(1);
    const report = await account.apply(run(), seal(BATCHES), { dryRun: false });
    assert.equal(report.complete, true);
    assert.equal((await account.snapshot()).users.length, 20 * BATCHES);
  });
});

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccountSettings, SqliteSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { AccountError, SettingError } from '../../../engine/model/errors.js';
import { Workshop, group, members, seal, sync, user } from './support.js';

const APPLIER = join(__dirname, 'programs', 'applier.js');

describe('the embedded store of an account', () => {
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  type Embedded = AccountSettings<SqliteSettings>;
  const embedded = (): Embedded => atFile(join(workshop.folder, `embedded-${String((files += 1))}.db`));
  let files = 0;
  const atFile = (file: string): Embedded => ({ ...workshop.settings(), store: { kind: 'sqlite', file } });
  const refused = (file: string, code: string, message: RegExp) =>
    assert.rejects(workshop.open(atFile(file)), (error) => {
      assert.ok(error instanceof AccountError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });

  it('makes its folder', async () => {
    const file = join(workshop.folder, 'a', 'b', 'account.db');
    await workshop.open(atFile(file));
    assert.ok(existsSync(file));
  });

  it('wants a file', () => assert.rejects(workshop.open(atFile(' ')), SettingError));

  it('refuses a file that is not a database, and leaves it as it is', async () => {
    const file = join(workshop.folder, 'letter.txt');
    const letter = 'Dear reader, '.repeat(1_000);
    writeFileSync(file, letter);
    await refused(file, 'STORE_UNUSABLE', /not a SQLite database: choose another in the setting "file"/);
    assert.equal(readFileSync(file, 'utf8'), letter);
  });

  it('refuses a path that cannot be a file', async () => {
    mkdirSync(join(workshop.folder, 'folder.db'));
    await refused(join(workshop.folder, 'folder.db'), 'STORE_UNUSABLE', /setting "file"/);
    writeFileSync(join(workshop.folder, 'plain'), '');
    await refused(join(workshop.folder, 'plain', 'account.db'), 'STORE_UNUSABLE', /setting "file"/);
  });

  it('refuses a store that a newer version has written', async () => {
    const settings = embedded();
    await (await workshop.open(settings)).close();
    const database = new DatabaseSync(settings.store.file);
    database.exec('PRAGMA user_version = 999');
    database.close();
    await refused(settings.store.file, 'STORE_TOO_NEW', /Update the package/);
  });

  it('reports a damaged file', async () => {
    const settings = embedded();
    const account = await workshop.open(settings);
    const people = Array.from({ length: 2_000 }, (_, index) => user(`p${String(index)}`));
    await sync(account, workshop.run(), people, { batchSize: 500 });
    await account.close();
    const bytes = readFileSync(settings.store.file);
    bytes.fill(0xa5, 4096 * 2);
    writeFileSync(settings.store.file, bytes);
    const work = async () => (await workshop.open(settings)).snapshot();
    await assert.rejects(work, (error) => error instanceof AccountError && error.code === 'STORE_UNUSABLE');
  });

  it('keeps what others commit meanwhile: two openings of one file take turns', async () => {
    const settings = embedded();
    const [one, other] = [await workshop.open(settings), await workshop.open(settings)];
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => [
        sync(one, workshop.run({ source: `one${String(index)}` }), [user(`a${String(index)}`)]),
        sync(other, workshop.run({ source: `other${String(index)}` }), [user(`b${String(index)}`)]),
      ]).flat(),
    );
    assert.equal((await one.snapshot()).users.length, 20);
    assert.deepEqual(await one.snapshot(), await other.snapshot());
  });

  it('waits for a commit that is under way when it is closed', async () => {
    const settings = embedded();
    const account = await workshop.open(settings);
    const run = workshop.run();
    await account.stage(run, 0, [user('ann')]);
    const applying = account.apply(run, seal(1), { dryRun: false });
    await sleep(1);
    await account.close();
    const outcome = await applying.catch(() => null);
    const { users } = await (await workshop.open(settings)).snapshot();
    assert.equal(users.length, outcome ? 1 : 0);
  });

  it('says clearly that Node.js is too old for it', function () {
    const old = oldNode();
    if (!old) {
      console.warn('        NOT SHOWN: no Node.js older than 22.13 is installed here (`node` on the path is newer).');
      return;
    }
    const work = JSON.stringify({ settings: embedded(), run: workshop.run(), seal: seal(0), batches: [] });
    const { stdout } = spawnSync(old, [APPLIER], { input: work, encoding: 'utf8' });
    assert.match(stdout, /^failed SQLITE_MISSING .*node:sqlite needs Node\.js 22\.13 or later; this is v/);
  });

  describe('killed at any moment', function () {
    this.timeout(120_000);
    const people = Array.from({ length: 400 }, (_, index) =>
      user(`p${String(index)}`, { aliases: [`x${String(index)}@example.com`] }),
    );
    const ids = people.map(({ id }) => id);
    const beforehand: EnrichedRecord[] = [...people.slice(0, 200), group('team'), members('team', ids.slice(0, 150))];
    const afterwards: EnrichedRecord[] = [
      ...people.map((one, index) => ({ ...one, name: 'New', aliases: [`x${String((index + 1) % 400)}@example.com`] })),
      group('team'),
      members('team', ids.slice(100)),
    ];

    it('holds what was before or what is after, and finishes the run when it is started again', async () => {
      const start = embedded();
      const first = await workshop.open(start);
      await sync(first, workshop.run(), beforehand, { batchSize: 100 });
      const before = digest(await first.snapshot());
      await first.close();
      const run = workshop.run();
      const batches = Array.from({ length: Math.ceil(afterwards.length / 100) }, (_, index) =>
        afterwards.slice(index * 100, index * 100 + 100),
      );
      const work = (settings: AccountSettings) => ({ settings, run, seal: seal(batches.length), batches });

      const copy = () => {
        const settings = embedded();
        cpSync(start.store.file, settings.store.file);
        return settings;
      };
      const untouched = copy();
      const whole = await apply(work(untouched), null);
      assert.match(whole.lines, /applied committed/);
      const after = await digestAt(untouched);
      assert.notEqual(after, before);

      const seen = new Set<string>();
      const times = Number(process.env['CRASHES'] ?? 12);
      for (let crash = 0; crash < times; crash += 1) {
        const settings = copy();
        // Spread over the time between the opening and the end, where the work is.
        const { lines } = await apply(work(settings), (crash / times) * whole.milliseconds * 1.1);
        const found = await digestAt(settings);
        assert.ok(found === before || found === after, `after: ${lines}`);
        if (lines.includes('applied')) assert.equal(found, after, 'what was acknowledged is there');
        seen.add(found === before ? 'before' : 'after');
        await apply(work(settings), null);
        assert.equal(await digestAt(settings), after);
      }
      assert.ok(seen.has('before'), 'some were killed in time');
    });

    it('negative control: half of it would be seen', async () => {
      const settings = embedded();
      const account = await workshop.open(settings);
      await sync(account, workshop.run(), beforehand, { batchSize: 100 });
      await account.close();
      const [before, whole] = [await digestAt(settings), embedded()];
      const other = await workshop.open(whole);
      await sync(other, workshop.run(), beforehand, { batchSize: 100 });
      await sync(other, workshop.run(), afterwards, { batchSize: 100 });
      await other.close();
      const database = new DatabaseSync(settings.store.file);
      database.exec(`UPDATE entry SET name = 'New' WHERE key % 2 = 0`);
      database.close();
      assert.ok(![before, await digestAt(whole)].includes(await digestAt(settings)));
    });

    async function digestAt(settings: AccountSettings): Promise<string> {
      const account = await workshop.open(settings);
      const found = digest(await account.snapshot());
      await account.close();
      return found;
    }
  });
});

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Runs the applier; kills it that many milliseconds after it has opened the account. */
async function apply(work: object, killAfter: number | null): Promise<{ lines: string; milliseconds: number }> {
  const child = spawn(process.execPath, [APPLIER], { stdio: ['pipe', 'pipe', 'inherit'] });
  let lines = '';
  let opened = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    lines += text;
    if (opened > 0 || !lines.includes('open')) return;
    opened = performance.now();
    if (killAfter !== null) setTimeout(() => child.kill('SIGKILL'), killAfter);
  });
  child.stdin.end(JSON.stringify(work));
  await new Promise((resolve) => child.on('close', resolve));
  return { lines, milliseconds: performance.now() - opened };
}

/** A Node.js without node:sqlite, where the system has one. */
function oldNode(): string | null {
  const candidates = [process.env['OLD_NODE'], 'node', '/usr/bin/node', '/usr/local/bin/node', '/bin/node'];
  const ask = 'process.getBuiltinModule ? !process.getBuiltinModule("node:sqlite") : true';
  for (const candidate of candidates) {
    if (!candidate) continue;
    const asked = spawnSync(candidate, ['-p', ask], { encoding: 'utf8' });
    if (asked.error === undefined && asked.stdout.trim() === 'true') return candidate;
  }
  return null;
}

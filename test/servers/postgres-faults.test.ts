/** Connections that are cut, processes that are stopped, and several who write to one account in PostgreSQL. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import {
  type Account,
  type AccountSettings,
  type PostgresSettings,
  openAccount,
} from '../../engine/account/account.js';
import { applyRun } from '../../engine/account/apply.js';
import type { SqlConnection } from '../../engine/account/store/connection.js';
import { openStore } from '../../engine/account/store/store.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import { AccountError } from '../../engine/model/errors.js';
import type { Report } from '../../engine/model/report.js';
import type { Run } from '../../engine/model/run.js';
import { askStore, dropStore, postgresStore } from '../support/account-store.js';
import { type PostgresProxy, type Watch, startPostgresProxy } from '../support/postgres-proxy.js';
import { type TestPostgres, startPostgres } from '../support/postgres.js';
import { UNLIMITED, Workshop, group, members, seal, sync, user } from '../unit/account/support.js';

const APPLIER = join(__dirname, '..', 'unit', 'account', 'programs', 'applier.js');

/** Two states of one directory, far enough from each other that a step from one to the other does every kind of work. */
const STATES: readonly (readonly EnrichedRecord[])[] = [
  [
    user('ann', { aliases: ['x@example.com'], attributes: { title: ['A'] } }),
    user('bob', { name: 'Bob' }),
    user('cas', { primary: 'c1@example.com' }),
    group('team'),
    members('team', ['ann', 'bob', { dn: 'CN=cas,DC=example,DC=com' }]),
  ],
  [
    user('ann', { attributes: { title: ['B'] } }),
    user('cas', { primary: 'c2@example.com', aliases: ['x@example.com'], enabled: false }),
    user('dan'),
    group('team', { name: 'Team' }),
    members('team', ['cas', 'dan', { dn: 'CN=ann,DC=example,DC=com' }]),
    group('outer'),
    members('outer', ['team']),
  ],
];

/** Without transactions, and with an end after so many statements. */
function untilStatement(db: SqlConnection, last: number): SqlConnection {
  let count = 0;
  const counted = <Result>(work: () => Promise<Result>): Promise<Result> => {
    count += 1;
    return count > last ? Promise.reject(new Error('cut')) : work();
  };
  return {
    query: (sql, params) => counted(() => db.query(sql, params)),
    digestOfEach: (pages, sql) => counted(() => db.digestOfEach(pages, sql)),
    run: (sql, params) => counted(() => db.run(sql, params)),
    exec: (sql) => counted(() => db.exec(sql)),
    fill: (table, rows) => db.fill(table, rows),
    keepStaged: (batches) => db.keepStaged(batches),
    keepAtOnce: (run, batches) => counted(() => db.keepAtOnce(run, batches)),
    dropStaged: (range) => db.dropStaged(range),
    openStaged: (range) => db.openStaged(range),
    fieldsOf: (key) => db.fieldsOf(key),
    listOf: (key) => db.listOf(key),
    recordOf: (key) => db.recordOf(key),
    filling: (_tables, work) => work(),
    nextKey: (...of) => db.nextKey(...of),
    analyze: (...tables) => db.analyze(...tables),
    keepingRows: db.keepingRows,
    shared: db.shared,
    ordersByKey: db.ordersByKey,
    close: () => db.close(),
    reading: (work) => work(),
    transaction: (work) => work(),
    lightTransaction: (work) => work(),
    alone: (work) => work(),
  };
}

describe('PostgreSQL on a bad day', function () {
  this.timeout(900_000);
  let postgres: TestPostgres;
  let proxy: PostgresProxy;
  let workshop: Workshop;
  const open: Account[] = [];
  const children: ChildProcess[] = [];
  before(async () => {
    postgres = await startPostgres();
    proxy = await startPostgresProxy(postgres);
  });
  after(async () => {
    await proxy.close();
    await postgres.stop();
  });
  beforeEach(() => (workshop = new Workshop()));
  afterEach(async () => {
    proxy.watch(null);
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const account of open.splice(0)) await account.close();
    await workshop.close();
  });

  const settingsWith = (rest: Partial<PostgresSettings> = {}, more: Partial<AccountSettings> = {}) => ({
    ...workshop.settings({ attributes: ['title'], ...more }),
    store: postgresStore(postgres.url, rest),
  });
  const throughProxy = <Settings extends { store: PostgresSettings }>(settings: Settings): Settings => ({
    ...settings,
    store: { ...settings.store, port: proxy.port },
  });
  const opened = async (settings: AccountSettings) => {
    const account = await openAccount(settings);
    open.push(account);
    return account;
  };
  const step = async (account: Account, run: Run, state: number) => {
    const records = STATES[state % 2] ?? [];
    await account.stage(run, 0, records.slice(0, 3));
    await account.stage(run, 1, records.slice(3));
    return account.apply(run, seal(2), { dryRun: false });
  };
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (error instanceof AccountError ? error.code : String(error)),
    );

  // The answer is lost at every fifth statement; CUT_EVERY=1: at each.
  for (const [act, every] of [
    ['before', 1],
    ['after', Number(process.env['CUT_EVERY'] ?? 5)],
  ] as const) {
    it(`cut ${act} the server has statement n, for every n of a run: an error, the account as it was, and the run applies`, async () => {
      const rules = { ...workshop.settings().rules, userLeft: 'remove', graceDays: 0, graceRuns: 1 } as const;
      const settings = settingsWith({}, { rules });
      const account = await opened(throughProxy(settings));
      const observer = await opened(settings);
      await step(account, workshop.run(), 0);
      const wanted = [await observer.snapshot(), null];
      await step(account, workshop.run(), 1);
      wanted[1] = await observer.snapshot();
      assert.notDeepEqual(wanted[0], wanted[1]);

      let cut = 0;
      let state = 1;
      for (let at = 1; ; at += every) {
        const [before, after, target] = [wanted[state], wanted[1 - state], 1 - state];
        assert.deepEqual(await observer.snapshot(), before);
        const run = workshop.run();
        proxy.watch({ at, act } satisfies Watch);
        const code = await codeOf(step(account, run, target));
        const statement = proxy.last;
        proxy.watch(null);
        if (code === null) break;
        cut += 1;
        const what = `statement ${String(at)}: ${statement}`;
        assert.equal(code, 'STORE_CONNECTION_LOST', what);
        // Where only the answer to the last COMMIT was lost, the run is applied, and says so when it is asked again.
        const known = act === 'before' || !statement.startsWith('COMMIT');
        if (known) assert.deepEqual(await observer.snapshot(), before, what);
        assert.equal((await step(account, run, target)).outcome, 'committed', what);
        assert.deepEqual(await observer.snapshot(), after, what);
        state = target;
      }
      assert.ok(cut * every > 60, 'a run has many statements');
      console.log(`        ${String(cut)} statements`);
    });
  }

  it('negative control: without the transaction half of a run is seen', async () => {
    const settings = settingsWith();
    const account = await opened(settings);
    await step(account, workshop.run(), 0);
    const before = JSON.stringify(await account.snapshot());
    const other = await opened(settingsWith());
    await step(other, workshop.run(), 0);
    await step(other, workshop.run(), 1);
    const after = JSON.stringify(await other.snapshot());
    const store = await openStore(settings.store);
    let halves = 0;
    for (let last = 100; last < 200 && halves === 0; last += 1) {
      const run = workshop.run();
      const records = STATES[1] ?? [];
      await account.stage(run, 0, records);
      const options = { run, seal: seal(1), dryRun: false, stageMs: 0, at: new Date().toISOString() };
      await store.on((db) => applyRun(untilStatement(db, last), settings, options)).catch(() => undefined);
      const found = JSON.stringify(await account.snapshot());
      if (found !== before && found !== after) halves += 1;
    }
    await store.close();
    assert.ok(halves > 0);
  });

  it('a session that is ended while nobody uses it is replaced without a word', async () => {
    const settings = settingsWith();
    const account = await opened(settings);
    await step(account, workshop.run(), 0);
    const admin = new Client({ connectionString: postgres.adminUrl });
    await admin.connect();
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests'`);
    await admin.end();
    await sleep(200);
    assert.equal((await step(account, workshop.run(), 1)).outcome, 'committed');
  });

  describe('a server that ends at once while a run is staged', () => {
    const rules = { holdUnusual: false, limits: UNLIMITED, userLeft: 'remove', graceDays: 0, graceRuns: 1 } as const;
    const everybody = Array.from({ length: 9 }, (_, number) => user(`p${String(number)}`));

    /** Kills a session, which the server takes for its own end: it starts again, and empties what has no log. */
    async function killed(): Promise<void> {
      const admin = new Client({ connectionString: postgres.adminUrl });
      admin.on('error', () => undefined);
      await admin.connect();
      const { rows } = await admin.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      // What was committed is on the disk: it is not for want of that if something is missing.
      await admin.query('CHECKPOINT');
      process.kill(Number(rows[0]?.pid), 'SIGKILL');
      await admin.end().catch(() => undefined);
    }

    /** The report of a run whose nine people were staged before the server ended. */
    async function afterwards(prepare: string): Promise<{ report: Report; account: Account }> {
      const settings = settingsWith({}, { rules });
      const account = await opened(settings);
      await sync(account, workshop.run(), [...everybody, user('leaver')]);
      const admin = new Client({ connectionString: postgres.adminUrl });
      await admin.connect();
      await admin.query(`SET search_path = ${settings.store.schema}; ${prepare}`);
      await admin.end();
      const run = workshop.run();
      for (let index = 0; index < 3; index += 1)
        await account.stage(run, index, everybody.slice(3 * index, 3 * index + 3));
      await killed();
      for (let left = 50; ; left -= 1) {
        try {
          return { report: await account.apply(run, seal(3), { dryRun: false }), account };
        } catch (error) {
          if (left === 0) throw error;
          await sleep(200);
        }
      }
    }

    it('all of it is missing at the seal, nobody is removed, and the next run is right', async () => {
      const { report, account } = await afterwards('');
      assert.equal(report.complete, false);
      assert.equal((await account.snapshot()).users.length, 10);
      await sync(account, workshop.run(), everybody);
      assert.equal((await account.snapshot()).users.length, 9);
    });

    it('negative control: were the numbers of the batches kept without the batches, all were removed', async () => {
      const { report, account } = await afterwards('ALTER TABLE staged_batch SET LOGGED');
      assert.equal(report.complete, true);
      assert.equal((await account.snapshot()).users.length, 0);
    });
  });

  it('a disk that is full: says so, nothing is written, and with more room the run applies', async () => {
    const disk = join(workshop.folder, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).status !== 0) {
      console.warn('        NOT SHOWN: no disk can be mounted here.');
      return;
    }
    const admin = new Client({ connectionString: postgres.adminUrl });
    await admin.connect();
    try {
      if (process.getuid?.() === 0) {
        spawnSync('chmod', ['755', workshop.folder]);
        spawnSync('chown', ['postgres', disk]);
      }
      await admin.query(`CREATE TABLESPACE small LOCATION '${disk}'`);
      await admin.query('GRANT CREATE ON TABLESPACE small TO owner; ALTER ROLE owner SET default_tablespace = small');
      const settings = settingsWith();
      const account = await opened(settings);
      await sync(account, workshop.run(), [user('ann')]);
      const before = await account.snapshot();
      const people = Array.from({ length: 10_000 }, (_, index) => user(`p${String(index)}`));
      const run = workshop.run();
      const whole = async () => {
        await account.stage(run, 0, [user('ann'), ...people]);
        return account.apply(run, seal(1), { dryRun: false });
      };
      assert.equal(await codeOf(whole()), 'STORE_FULL');
      assert.deepEqual(await account.snapshot(), before);
      spawnSync('mount', ['-o', 'remount,size=128m', disk]);
      assert.equal((await whole()).changes.usersAdded, 10_000);
      await account.close();
      await dropStore(settings.store);
      await admin.query('ALTER ROLE owner RESET default_tablespace');
      await admin.query('DROP TABLESPACE small');
    } finally {
      await admin.end();
      spawnSync('umount', [disk]);
    }
  });

  describe('several who write', () => {
    it('two processes: runs of different sources at once, each is applied whole', async () => {
      const settings = settingsWith();
      await opened(settings);
      const runs = Array.from({ length: 8 }, (_, index) => ({
        run: workshop.run({ source: `source-${String(index)}` }),
        batches: [
          [user(`p${String(index)}`)],
          [group(`g${String(index)}`), members(`g${String(index)}`, [`p${String(index)}`])],
        ],
      }));
      const outputs = await Promise.all(runs.map((work) => applied({ settings, seal: seal(2), ...work })));
      assert.ok(
        outputs.every((lines) => lines.includes('applied committed')),
        outputs.join('\n'),
      );
      const { users, groups } = await (await opened(settings)).snapshot();
      assert.deepEqual([users.length, groups.length], [8, 8]);
      assert.ok(groups.every(({ members: list }) => list.length === 1));
    });

    it('batches of one run come to any instance, and any of them applies it: once', async () => {
      const settings = settingsWith();
      const accounts = await Promise.all([opened(settings), opened(settings), opened(settings)]);
      const people = Array.from({ length: 30 }, (_, index) => user(`p${String(index)}`));
      for (let round = 0; round < 5; round += 1) {
        const run = workshop.run();
        const named = people.map((one) => ({ ...one, name: `round ${String(round)}` }));
        await Promise.all(named.map((one, index) => (accounts[index % 3] ?? accounts[0]).stage(run, index, [one])));
        const reports = await Promise.all(accounts.map((account) => account.apply(run, seal(30), { dryRun: false })));
        for (const report of reports) assert.deepEqual(report, reports[0]);
        assert.equal(reports[0]?.changes[round === 0 ? 'usersAdded' : 'usersUpdated'], 30);
        const all = await accounts[0].history(10);
        assert.equal(all.length, round + 1);
      }
    });

    it('a batch that comes while its run is applied is in it, or is not wanted any more', async () => {
      const settings = settingsWith();
      const [one, other] = await Promise.all([opened(settings), opened(settings)]);
      for (let round = 0; round < 10; round += 1) {
        const run = workshop.run();
        const records = [user('ann', { name: `round ${String(round)}` })];
        await one.stage(run, 0, records);
        const [report] = await Promise.all([one.apply(run, seal(1), { dryRun: false }), other.stage(run, 0, records)]);
        assert.equal(report.outcome, 'committed');
      }
      assert.deepEqual(await askStore(settings.store, 'SELECT 1 FROM staged_pack'), [], 'nothing of it is left over');
    });

    it('two runs of one source at once: one after the other, and the later wins', async () => {
      const settings = settingsWith();
      const accounts = await Promise.all([opened(settings), opened(settings)]);
      for (let round = 0; round < 8; round += 1) {
        const runs = [workshop.run(), workshop.run()] as const;
        const outcomes = await Promise.all(
          runs.map((run, index) => {
            const account = accounts[(index + round) % 2] ?? accounts[0];
            return codeOf(step(account, run, index));
          }),
        );
        assert.ok(outcomes[0] === null || outcomes[0] === 'RUN_SUPERSEDED', String(outcomes[0]));
        assert.equal(outcomes[1], null);
        const { users } = await accounts[0].snapshot();
        assert.ok(users.some(({ name }) => name === 'dan'));
      }
    });

    it('whoever asks meanwhile sees the account as before or as after', async () => {
      const settings = settingsWith();
      const [writer, reader] = await Promise.all([opened(settings), opened(settings)]);
      const people = (round: number) =>
        Array.from({ length: 60 }, (_, index) =>
          user(`p${String(index)}`, {
            name: `round ${String(round)}`,
            aliases: [`${String(round)}-${String(index)}@example.com`],
            attributes: { title: [String(round)] },
          }),
        );
      let over = false;
      const asking = async () => {
        let seen = 0;
        for (; !over; seen += 1) {
          const { users } = await reader.snapshot();
          const rounds = new Set(
            users.flatMap(({ name, aliases, attributes }) => [
              name.replace('round ', ''),
              ...aliases.map((alias) => alias.split('-')[0]),
              ...Object.values(attributes),
            ]),
          );
          assert.ok(rounds.size <= 1, [...rounds].join(', '));
        }
        return seen;
      };
      const asked = asking();
      for (let round = 0; round < 12; round += 1) await sync(writer, workshop.run(), people(round), { batchSize: 60 });
      over = true;
      assert.ok((await asked) > 12);
    });

    it('negative control: queries one by one see some of it before and some after', async () => {
      const settings = settingsWith();
      const account = await opened(settings);
      const store = await openStore(settings.store);
      const people = (round: number) =>
        Array.from({ length: 60 }, (_, index) => user(`p${String(index)}`, { attributes: { title: [String(round)] } }));
      await sync(account, workshop.run(), people(0), { batchSize: 60 });
      // A commit between the two queries of a look-up.
      const seen = await store.on(async (db) => {
        const first = await db.query('SELECT value FROM attribute WHERE entry = (SELECT min(key) FROM entry)');
        await sync(account, workshop.run(), people(1), { batchSize: 60 });
        const second = await db.query('SELECT value FROM attribute WHERE entry = (SELECT max(key) FROM entry)');
        return [first[0]?.['value'], second[0]?.['value']];
      });
      assert.deepEqual(seen, ['0', '1']);
      const whole = await store.on((db) =>
        db.reading(async () => {
          const first = await db.query('SELECT value FROM attribute WHERE entry = (SELECT min(key) FROM entry)');
          await sync(account, workshop.run(), people(2), { batchSize: 60 });
          const second = await db.query('SELECT value FROM attribute WHERE entry = (SELECT max(key) FROM entry)');
          return [first[0]?.['value'], second[0]?.['value']];
        }),
      );
      assert.deepEqual(whole, ['1', '1']);
      await store.close();
    });

    it('an old instance of a redeployed node is refused, others go on', async () => {
      const settings = settingsWith();
      const named = (writer: string) => ({ ...settings, exclusive: true, store: { ...settings.store, writer } });
      const old = await opened(named('node-1'));
      const other = await opened(named('node-2'));
      await sync(old, workshop.run(), [user('ann')]);
      const redeployed = await opened(named('node-1'));
      const run = workshop.run();
      assert.equal(await codeOf(old.stage(run, 0, [user('bob')])), 'FENCED');
      assert.equal(await codeOf(old.apply(run, seal(0), { dryRun: false })), 'FENCED');
      await sync(redeployed, workshop.run(), [user('ann'), user('cas')]);
      await sync(other, workshop.run({ source: 'branch' }), [user('dan')]);
      const { users } = await other.snapshot();
      assert.deepEqual(
        users.map(({ name }) => name),
        ['ann', 'cas', 'dan'],
      );
    });

    it('whoever is redeployed while it commits ends its commit first', async () => {
      const settings = settingsWith();
      const named = { ...settings, exclusive: true };
      const old = await opened(throughProxy(named));
      const run = workshop.run();
      await old.stage(run, 0, [user('ann')]);
      let redeployed: Promise<Account> | undefined;
      const order: string[] = [];
      proxy.watch({
        at: 30,
        act: async () => {
          redeployed = opened(named).then((account) => (order.push('opened'), account));
          await sleep(300);
        },
      });
      const report = await old.apply(run, seal(1), { dryRun: false });
      order.push('applied');
      assert.equal(report.outcome, 'committed');
      const now = await redeployed;
      assert.deepEqual(order, ['applied', 'opened']);
      assert.equal((await now?.snapshot())?.users.length, 1);
      assert.equal(await codeOf(old.stage(workshop.run(), 0, [])), 'FENCED');
    });
  });

  describe('a process that is paused in the middle of its transaction', () => {
    const pausedAt = async (idle: number, at: number) => {
      const settings = settingsWith({ timeouts: { connect: 5_000, statement: 2_000, idle } });
      const observer = await opened(settings);
      await sync(observer, workshop.run(), [user('ann', { name: 'first' })]);
      const work = {
        settings: throughProxy(settings),
        run: workshop.run(),
        seal: seal(1),
        batches: [[user('ann', { name: 'of the paused' }), user('bob')]],
      };
      const child = start(work);
      const paused = new Promise<void>((resolve) =>
        proxy.watch({
          at,
          act: () => {
            child.process.kill('SIGSTOP');
            resolve();
            return Promise.resolve();
          },
        }),
      );
      await paused;
      return { settings, observer, child, work };
    };
    /** Behind opening and staging, in the middle of planning. */
    const MIDDLE = 90;

    it('is cut off by the server, writes nothing afterwards, says so, and can be started again', async () => {
      const { settings, observer, child, work } = await pausedAt(1_000, MIDDLE);
      const before = await observer.snapshot();
      await sleep(1_800);
      const meanwhile = workshop.run({ source: 'branch' });
      await observer.stage(meanwhile, 0, [user('cas')]);
      assert.equal((await observer.apply(meanwhile, seal(1), { dryRun: false })).outcome, 'committed');
      const now = await observer.snapshot();
      assert.equal(now.users.length, before.users.length + 1);
      child.process.kill('SIGCONT');
      const lines = await child.ended;
      assert.match(lines, /failed STORE_(?:TIME_LIMIT|CONNECTION_LOST) .*(?:"idleTimeout"|start the run again)/);
      assert.deepEqual(await observer.snapshot(), now, 'no zombie write');
      assert.match(await applied({ ...work, settings }), /applied committed/);
      assert.deepEqual(
        (await observer.snapshot()).users.map(({ name }) => name),
        ['of the paused', 'bob', 'cas'],
      );
    });

    it('negative control: without that limit others wait for it, and it writes when it goes on', async () => {
      const { observer, child } = await pausedAt(0, MIDDLE);
      await sleep(1_800);
      const meanwhile = workshop.run({ source: 'branch' });
      await observer.stage(meanwhile, 0, [user('cas')]);
      assert.equal(await codeOf(observer.apply(meanwhile, seal(1), { dryRun: false })), 'STORE_BUSY');
      child.process.kill('SIGCONT');
      assert.match(await child.ended, /applied committed/);
    });
  });

  function start(work: object): { process: ChildProcess; ended: Promise<string> } {
    const child = spawn(process.execPath, [APPLIER], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    let lines = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (lines += text));
    child.stdin.end(JSON.stringify(work));
    return { process: child, ended: new Promise((resolve) => child.on('close', () => resolve(lines))) };
  }
  const applied = (work: object) => start(work).ended;
});

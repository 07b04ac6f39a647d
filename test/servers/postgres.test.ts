/** What PostgreSQL brings beside the account's own tests: the way there, its refusals, several writers, and the same plans. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  type Account,
  type AccountSettings,
  type PostgresSettings,
  openAccount,
} from '../../engine/account/account.js';
import { MIGRATIONS } from '../../engine/account/store/schema.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import { AccountError } from '../../engine/model/errors.js';
import type { Report } from '../../engine/model/report.js';
import { askStore, postgresStore } from '../support/account-store.js';
import { companyEntries, companySettings } from '../support/company.js';
import { seeded } from '../support/fault-proxy.js';
import { type SampleFlow, startSampleFlow } from '../support/sample-flow.js';
import { type TestPostgres, startPostgres } from '../support/postgres.js';
import { run } from '../support/programs.js';
import { expectedAccount } from '../support/oracle/index.js';
import { settingsFor, syncInto } from '../support/whole-sync.js';
import { knownAddresses } from '../../sample/known.js';
import { drawRun, inParts, oneOf, recordsOf, shuffled } from '../campaigns/histories/drawing.js';
import { openTeller } from '../campaigns/histories/teller.js';
import { Workshop, changesOf, group, members, seal, sync, user } from '../unit/account/support.js';

const HISTORIES = Number(process.env['HISTORIES'] ?? 50);

describe('PostgreSQL as the store of an account', function () {
  this.timeout(180_000);
  let postgres: TestPostgres;
  let admin: Client;
  let workshop: Workshop;
  const open: Account[] = [];
  before(async () => {
    postgres = await startPostgres();
    admin = new Client({ connectionString: postgres.adminUrl });
    await admin.connect();
  });
  after(async () => {
    await admin.end();
    await postgres.stop();
  });
  beforeEach(() => (workshop = new Workshop()));
  afterEach(async () => {
    for (const account of open.splice(0)) await account.close();
    await workshop.close();
  });

  const store = (rest: Partial<PostgresSettings> = {}) => postgresStore(postgres.url, rest);
  const settingsWith = (rest: Partial<PostgresSettings> = {}, more: Partial<AccountSettings> = {}) => ({
    ...workshop.settings(more),
    store: store(rest),
  });
  const opened = async (settings: AccountSettings) => {
    const account = await openAccount(settings);
    open.push(account);
    return account;
  };
  const refused = async (work: Promise<unknown>, code: string, message: RegExp, transient?: boolean) => {
    const error = await work.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof AccountError, `refused with ${code}, not ${String(error)}`);
    assert.deepEqual([error.code, error.message.match(message) !== null], [code, true], error.message);
    assert.ok(!/owner-secret|admin-secret|wrong/.test(error.message), 'no password');
    assert.ok(error.status.length <= 20, error.status);
    if (transient !== undefined) assert.equal(error.transient, transient);
  };

  describe('says what is wrong, and what to do', () => {
    const opening = (rest: Partial<PostgresSettings>) => openAccount(settingsWith(rest));

    it('unreachable', async () => {
      await refused(opening({ port: 1 }), 'STORE_UNREACHABLE', /"host" and "port"/, true);
      await refused(opening({ host: 'nowhere.invalid' }), 'STORE_UNREACHABLE', /"host" and "port"/, true);
    });

    it('a server that does not answer', async () => {
      const { createServer } = await import('node:net');
      const silent = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => silent.once('listening', resolve));
      const { port } = silent.address() as { port: number };
      const timeouts = { connect: 300, statement: 10_000, idle: 10_000 };
      const refusal = refused(opening({ port, timeouts }), 'STORE_UNREACHABLE', /"host" and "port"/, true);
      await refusal.finally(() => silent.close());
    });

    it('a wrong password, a user who is not there', async () => {
      await refused(opening({ password: 'wrong' }), 'STORE_LOGIN_REFUSED', /"user" and "password"/, false);
      await refused(opening({ user: 'nobody-here' }), 'STORE_LOGIN_REFUSED', /"user" and "password"/, false);
    });

    it('no such database', () =>
      refused(opening({ database: 'elsewhere' }), 'STORE_DATABASE_MISSING', /setting "database"/, false));

    it('no right to make the schema; one that was made for the user will do', async () => {
      await admin.query(`CREATE ROLE guest LOGIN PASSWORD 'guest'; CREATE SCHEMA guests AUTHORIZATION guest`);
      const guest = { user: 'guest', password: 'guest' };
      await refused(opening(guest), 'STORE_RIGHTS_MISSING', /GRANT CREATE ON DATABASE.*"schema"/, false);
      const account = await opened(settingsWith({ ...guest, schema: 'guests' }));
      assert.equal((await sync(account, workshop.run(), [user('ann')])).totals.users, 1);
    });

    it('TLS: verified, and refused where the authority is not known, the name is another, or the server has none', async () => {
      const account = await opened(settingsWith({ tls: { ca: postgres.ca } }));
      const { rows } = await admin.query<{ ssl: boolean; version: string }>(
        `SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tests'`,
      );
      assert.ok(rows.length > 0 && rows.every(({ ssl, version }) => ssl && /TLSv1\.[23]/.test(version)));
      await account.close();
      await refused(opening({ tls: {} }), 'STORE_TLS_REFUSED', /setting "tls"/, false);
      const other = { ca: postgres.ca, servername: 'elsewhere.example.com' };
      await refused(opening({ tls: other }), 'STORE_TLS_REFUSED', /name in "host"/, false);
      await admin.query('ALTER SYSTEM SET ssl = off');
      await admin.query('SELECT pg_reload_conf()');
      await until(async () => (await admin.query<{ ssl: string }>('SHOW ssl')).rows[0]?.ssl === 'off');
      await refused(opening({ tls: { ca: postgres.ca } }), 'STORE_TLS_REFUSED', /ssl = on/, false);
      await admin.query('ALTER SYSTEM RESET ssl');
      await admin.query('SELECT pg_reload_conf()');
    });

    it('a schema that holds something else is left as it is', async () => {
      const schema = 'somebody_elses';
      await admin.query(`CREATE SCHEMA ${schema} AUTHORIZATION owner; CREATE TABLE ${schema}.letters (text TEXT)`);
      await refused(opening({ schema }), 'STORE_FOREIGN', /setting "schema"/, false);
      const { rows } = await admin.query(`SELECT 1 FROM pg_class WHERE relnamespace = $1::regnamespace`, [schema]);
      assert.equal(rows.length, 1);
    });

    it('a schema of a newer version', async () => {
      const settings = settingsWith();
      await (await opened(settings)).close();
      await askStore(settings.store, 'INSERT INTO schema_version (version) VALUES (999)');
      await refused(openAccount(settings), 'STORE_TOO_NEW', /Update the package/, false);
    });

    it('a read-only server', async () => {
      await admin.query('ALTER ROLE owner SET default_transaction_read_only = on');
      await refused(opening({}), 'STORE_READ_ONLY', /primary server/, true);
      await admin.query('ALTER ROLE owner RESET default_transaction_read_only');
    });

    it('a statement that takes too long: nothing is changed, and the run can be applied later', async () => {
      const settings = settingsWith({ timeouts: { connect: 5_000, statement: 1_000, idle: 10_000 } });
      const account = await opened(settings);
      await slowJournal(settings.store, 2);
      const run = workshop.run();
      await account.stage(run, 0, [user('ann')]);
      const apply = () => account.apply(run, seal(1), { dryRun: false });
      await refused(apply(), 'STORE_TIME_LIMIT', /"statementTimeout"/, true);
      assert.equal((await account.snapshot()).users.length, 0);
      await askStore(settings.store, 'DROP TRIGGER slow ON journal');
      assert.equal((await apply()).outcome, 'committed');
    });

    it('a table that somebody locks', async () => {
      const settings = settingsWith({ timeouts: { connect: 5_000, statement: 1_500, idle: 10_000 } });
      const account = await opened(settings);
      await admin.query(`BEGIN; LOCK TABLE "${settings.store.schema}".entry`);
      const run = workshop.run();
      await account.stage(run, 0, [user('ann')]);
      await refused(account.apply(run, seal(1), { dryRun: false }), 'STORE_BUSY', /try again/, true);
      await admin.query('ROLLBACK');
      assert.equal((await account.apply(run, seal(1), { dryRun: false })).outcome, 'committed');
    });
  });

  describe('plans the same as the embedded store', () => {
    it("the sample company, read over LDAP: the oracle's account, digest by digest", async () => {
      const sample: SampleFlow = await startSampleFlow();
      const folder = await mkdtemp(join(tmpdir(), 'stores-'));
      try {
        const embedded = companySettings(join(folder, 'account.sqlite'));
        const server = { ...embedded, store: store() };
        const { url } = sample.directory;
        const directory = settingsFor({
          host: new URL(url).hostname,
          port: Number(new URL(url).port),
          ca: sample.certificates.ca,
          ...{
            user: 'CN=Sync Reader,CN=Users,DC=example,DC=test',
            password: 'reader-secret',
            base: 'DC=example,DC=test',
          },
        });
        const known = knownAddresses();
        const seen: unknown[] = [];
        for (const settings of [embedded, server]) {
          const account = await opened(settings);
          await account.addKnown(known);
          const first = await syncInto(account, directory, settings.attributes);
          const second = await syncInto(account, directory, settings.attributes);
          assert.equal(second.report.outcome, 'unchanged');
          const expected = expectedAccount(companyEntries(), { settings, known });
          assert.deepEqual(await account.snapshot(), expected.snapshot);
          seen.push([first, second].map(({ report }) => [report.plan, report.changes, report.setAside, report.totals]));
          let exported = '';
          for await (const piece of account.export('ldif')) exported += piece;
          seen.push(exported);
        }
        assert.deepEqual(seen.slice(0, 2), seen.slice(2));
      } finally {
        await sample.stop();
        await rm(folder, { recursive: true, force: true });
      }
    });

    it(`${String(HISTORIES)} random histories`, async function () {
      this.timeout(900_000);
      let plans = 0;
      for (let seed = 1; seed <= HISTORIES; seed += 1) {
        const any = seeded(seed);
        const rules = {
          userLeft: oneOf(any, ['downgrade', 'disable', 'remove'] as const),
          graceDays: any(2),
          graceRuns: 1 + any(2),
          precedence: shuffled(any, ['hq', 'branch']),
        };
        const tellers = [await openTeller(rules), await openTeller(rules, { store: store() })] as const;
        try {
          for (let day = 0; day < 4; day += 1) {
            const run = drawRun(any, { day, others: true });
            // One source and then another bring the same people, under other names of attributes and in other batches.
            const records = inParts(any, recordsOf(run));
            const cut = any(records.length + 1);
            const told = {
              source: oneOf(any, ['hq', 'branch']),
              batches: [records.slice(0, cut), records.slice(cut)],
              complete: run.complete,
              day,
            };
            const [one, other] = [await tellers[0].apply(told), await tellers[1].apply(told)].map(comparable);
            assert.deepEqual(other, one, `seed ${String(seed)}, day ${String(day)}`);
            plans += 1;
          }
          assert.deepEqual(
            await tellers[1].account.snapshot(),
            await tellers[0].account.snapshot(),
            `seed ${String(seed)}`,
          );
        } finally {
          for (const { account } of tellers) await account.close();
        }
      }
      assert.equal(plans, HISTORIES * 4);
    });

    it('a plan of many pages, which several processes of the server share', async () => {
      const people = Array.from({ length: 21_001 }, (_, index) =>
        user(`p${String(index)}`, { name: `Zoë ${String(index)}` }),
      );
      const plans = [];
      for (const settings of [workshop.settings(), settingsWith()]) {
        const account = await opened(settings);
        const { plan, changes } = await sync(account, workshop.run(), people, { batchSize: 1_000 });
        plans.push({ plan, changes });
      }
      assert.deepEqual(plans[1], plans[0]);
    });

    it('text of every kind, in a database that sorts by the rules of a language', async () => {
      const odd = [
        '',
        ' ',
        "O'Hara",
        'a"b\\c',
        'tab\there\nand\rthere',
        'Ä',
        'ß',
        'ı',
        'İ',
        '\u0001\u001f\u007f',
        '😀',
        '\u2028',
      ];
      const bad = ['nul \0 here', 'half \ud800 here', '\\u0000', '\\ud800'];
      const texts = [...odd, ...bad, ...['b', 'B', 'a', 'A', 'z', 'Z', '_', '-']];
      const records: EnrichedRecord[] = texts.flatMap((text, index) => {
        const id = `p${String(index)}`;
        return [
          user(id, { name: text, dn: `CN=${text},DC=x`, attributes: { title: [text], note: [text, text] } }),
          group(`g${String(index)}`, { name: text, dn: `OU=${text}` }),
          members(`g${String(index)}`, [id, { dn: `cn=${text},dc=x` }]),
        ];
      });
      const rivals = ['B', 'a', '_', 'Z', 'é'].map((text) =>
        user(`r${text}`, { primary: 'same@example.com', dn: `CN=${text}`, aliases: ['one@example.com'] }),
      );
      const settings = workshop.settings({ attributes: ['title', 'note'] });
      const seen = [];
      for (const where of [settings, { ...settings, store: store() }]) {
        const account = await opened(where);
        const run = workshop.run({ id: 'same', startedAt: '2026-01-01T00:00:00.000Z' });
        const first = await sync(account, run, [...records, ...rivals]);
        const second = await sync(account, { ...run, id: 'again' }, [...records.slice(3), ...rivals]);
        seen.push([comparable(first), comparable(second), await changesOf(account, 'same'), await account.snapshot()]);
      }
      assert.deepEqual(seen[1], seen[0]);
    });
  });

  describe('several accounts in one database', () => {
    it('know nothing of each other, and may be planned at once', async () => {
      const accounts = await Promise.all(
        ['Account-1', 'account-1', 'select', "o'clock"].map((schema) => opened(settingsWith({ schema }))),
      );
      await Promise.all(accounts.map((account, index) => sync(account, workshop.run(), [user(`p${String(index)}`)])));
      for (const [index, account] of accounts.entries()) {
        const { users } = await account.snapshot();
        assert.deepEqual(
          users.map(({ name }) => name),
          [`p${String(index)}`],
        );
      }
      for (const schema of ['Account-1', 'account-1', 'select', "o'clock"]) {
        await admin.query(`DROP SCHEMA "${schema}" CASCADE`);
      }
    });

    it('are made by several who open them at once', async () => {
      const settings = settingsWith();
      await Promise.all(Array.from({ length: 5 }, () => opened(settings)));
      const rows = await askStore(settings.store, 'SELECT version FROM schema_version ORDER BY version');
      assert.deepEqual(
        rows.map(({ version }) => Number(version)),
        MIGRATIONS.map((_, index) => index + 1),
      );
    });
  });

  it('is backed up and restored as docs/account.md says', async () => {
    const settings = settingsWith();
    const account = await opened(settings);
    const people = [user('ann', { aliases: ['a@example.com'] }), user('bob'), group('team'), members('team', ['ann'])];
    await sync(account, workshop.run(), people);
    const before = await account.snapshot();
    const file = join(workshop.folder, 'account.dump');
    await run(join(postgres.bin, 'pg_dump'), [
      ...['--format=custom', `--schema=${settings.store.schema}`, `--file=${file}`, postgres.url],
    ]);
    await sync(account, workshop.run(), [user('cas')]);
    await account.close();
    await admin.query(`DROP SCHEMA "${settings.store.schema}" CASCADE`);
    await run(join(postgres.bin, 'pg_restore'), [`--dbname=${postgres.url}`, file]);
    const restored = await opened(settings);
    assert.deepEqual(await restored.snapshot(), before);
    assert.equal((await sync(restored, workshop.run(), people)).outcome, 'unchanged');
    const added = await sync(restored, workshop.run(), [...people, user('dan')]);
    assert.equal(added.changes.usersAdded, 1);
  });

  describe('batches are staged while a run is planned', () => {
    it('and questions answered', async () => {
      const settings = settingsWith();
      const account = await opened(settings);
      await sync(account, workshop.run(), [user('ann')]);
      await slowJournal(settings.store, 0.1);
      const [run, next] = [workshop.run(), workshop.run({ source: 'branch' })];
      await account.stage(run, 0, [user('ann'), user('bob')]);
      const done: string[] = [];
      const applying = account.apply(run, seal(1), { dryRun: false }).then(() => done.push('applied'));
      await account.stage(next, 0, [user('cas')]);
      done.push('staged');
      assert.notEqual(await account.find({ address: 'ann@example.com' }), null);
      done.push('found');
      await applying;
      assert.deepEqual(done, ['staged', 'found', 'applied']);
    });
  });
});

/** Each of the statements that write the journal takes so long. */
async function slowJournal(where: AccountSettings['store'], seconds: number): Promise<void> {
  const body = `BEGIN PERFORM pg_sleep(${String(seconds)}); RETURN NULL; END`;
  await askStore(where, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS '${body}'`);
  await askStore(where, 'CREATE TRIGGER slow BEFORE INSERT ON journal EXECUTE FUNCTION slow()');
}

/** A report without times and names of runs. */
function comparable({ plan, outcome, changes, totals, setAside, absent, groupsHeld, groupsWithoutMail }: Report) {
  return { plan, outcome, changes, totals, setAside, absent, groupsHeld, groupsWithoutMail };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let left = 100; !(await condition()); left -= 1) {
    assert.ok(left > 0, 'it became so in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

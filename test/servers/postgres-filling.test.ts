/** A first load into PostgreSQL: tables that are empty get their indices when they are full, whatever happens meanwhile. */
import assert from 'node:assert/strict';
import { Client } from 'pg';
import { type Account, type AccountSettings, openAccount } from '../../engine/account/account.js';
import { MIGRATIONS } from '../../engine/account/store/schema.js';
import { askStore, makeOlder, postgresStore } from '../support/account-store.js';
import { type TestPostgres, startPostgres } from '../support/postgres.js';
import { Workshop, group, members, seal, sync, user } from '../unit/account/support.js';

const COMPANY = [
  user('ann', { aliases: ['a@example.com'] }),
  user('bob'),
  group('team'),
  members('team', ['ann', 'bob']),
];

describe('a first load into PostgreSQL', function () {
  this.timeout(60_000);
  let postgres: TestPostgres;
  let admin: Client;
  let workshop: Workshop;
  let settings: AccountSettings;
  let account: Account;
  before(async () => {
    postgres = await startPostgres();
    admin = new Client({ connectionString: postgres.adminUrl });
    await admin.connect();
  });
  after(async () => {
    await admin.end();
    await postgres.stop();
  });
  beforeEach(async () => {
    workshop = new Workshop();
    settings = { ...workshop.settings(), store: postgresStore(postgres.url) };
    account = await openAccount(settings);
  });
  afterEach(async () => {
    await account.close();
    await workshop.close();
  });

  const schema = () => (settings.store.kind === 'postgres' ? settings.store.schema : '');
  /** Of each index: what it is called, what it is, and when it was made, beside those of others. */
  const indices = async () => {
    const { rows } = await admin.query<{ name: string; definition: string; number: string }>(
      `SELECT i.indexname AS name, i.indexdef AS definition, c.oid AS number FROM pg_indexes i
       JOIN pg_class c ON c.relname = i.indexname AND c.relnamespace = i.schemaname::regnamespace
       WHERE i.schemaname = $1 ORDER BY i.indexname`,
      [schema()],
    );
    return rows;
  };
  const definitions = async () => (await indices()).map(({ definition }) => definition);
  const numberOf = async (index: string) => (await indices()).find(({ name }) => name === index)?.number;

  it('leaves every index as it was; what comes next does not touch them', async () => {
    const before = await definitions();
    const first = await numberOf('member_pkey');
    assert.equal((await sync(account, workshop.run(), COMPANY)).totals.members, 2);
    assert.deepEqual(await definitions(), before);
    const second = await numberOf('member_pkey');
    assert.notEqual(second, first, 'it was made anew');
    await sync(account, workshop.run(), [...COMPANY, user('cas')]);
    assert.equal(await numberOf('member_pkey'), second);
    await assert.rejects(askStore(settings.store, 'INSERT INTO member SELECT * FROM member'), /member_pkey/);
  });

  it('that is undone leaves every index as it was, and can be done again', async () => {
    const before = await indices();
    await askStore(
      settings.store,
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE disk_full; END'`,
    );
    await askStore(settings.store, 'CREATE TRIGGER refused BEFORE INSERT ON member EXECUTE FUNCTION refuse()');
    const run = workshop.run();
    await account.stage(run, 0, COMPANY);
    await assert.rejects(account.apply(run, seal(1), { dryRun: false }), { code: 'STORE_FULL' });
    assert.deepEqual(await indices(), before);
    await askStore(settings.store, 'DROP TRIGGER refused ON member');
    assert.equal((await account.apply(run, seal(1), { dryRun: false })).outcome, 'committed');
  });

  it('waits for nobody who looks something up, and keeps the indices then', async () => {
    const before = await indices();
    await admin.query(`BEGIN; SELECT * FROM "${schema()}".member`);
    try {
      assert.equal((await sync(account, workshop.run(), COMPANY)).totals.members, 2);
      const numbers = new Map((await indices()).map(({ name, number }) => [name, number]));
      assert.equal(numbers.get('member_pkey'), before.find(({ name }) => name === 'member_pkey')?.number);
    } finally {
      await admin.query('ROLLBACK');
    }
  });

  it('of a run that waited for its seal in an older version has to be sent anew', async () => {
    const older = postgresStore(postgres.url);
    const waiting = `INSERT INTO source (key, name) VALUES (1, 'hq');
      INSERT INTO run (id, source, mode, started_at, opened_at, touched_at, state)
        VALUES ('run-of-then', 1, 'full', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2999-01-01', 'open');
      SELECT setval(pg_get_serial_sequence('source', 'key'), 1)`;
    await makeOlder(older, MIGRATIONS.slice(0, 7), waiting);
    const opened = await openAccount({ ...settings, store: older });
    try {
      const run = { ...workshop.run(), id: 'run-of-then', source: 'hq' };
      await assert.rejects(opened.stage(run, 1, COMPANY), { code: 'RUN_ABANDONED' });
      assert.equal((await sync(opened, workshop.run({ source: 'hq' }), COMPANY)).outcome, 'committed');
    } finally {
      await opened.close();
    }
  });
});

/** The example flow in real Node-RED 4.1 and 5.0, with its account in PostgreSQL over TLS; and two Node-REDs that share it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AccountSettings, openAccount } from '../../engine/account/account.js';
import { injectNodeId } from '../../sample/flow.js';
import { knownAddresses } from '../../sample/known.js';
import type { Armed } from '../campaigns/crash/points.js';
import { postgresStore } from '../support/account-store.js';
import { companyEntries, companySettings } from '../support/company.js';
import { flowFor, runOnce } from '../support/example-flow.js';
import { type FlowNode, NODE_RED_VERSIONS, startNodeRed } from '../support/node-red.js';
import { expectedAccount } from '../support/oracle/index.js';
import { type TestPostgres, startPostgres } from '../support/postgres.js';
import { type SampleFlow, startSampleFlow } from '../support/sample-flow.js';

const KILLER = join(__dirname, '..', 'campaigns', 'crash', 'killer.js');
const READER = { user: 'CN=Sync Reader,CN=Users,DC=example,DC=test', password: 'reader-secret' };

describe('the example flow with PostgreSQL', function () {
  this.timeout(180_000);
  const known = knownAddresses();
  let folder: string;
  let postgres: TestPostgres;
  let sample: SampleFlow;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flow-'));
    postgres = await startPostgres();
    sample = await startSampleFlow();
    await writeFile(join(folder, 'postgres.pem'), postgres.ca);
  });
  after(async () => {
    await sample.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** The example, with the account's settings as somebody types them; `typed` in place of them. */
  const flowWith = async (schema: string, typed: Record<string, unknown> = {}): Promise<FlowNode[]> => {
    const url = new URL(sample.directory.url);
    const directory = { host: url.hostname, port: Number(url.port), ca: sample.certificates.ca, ...READER };
    const flow = await flowFor(directory, '', folder);
    const account = flow.find(({ type }) => type === 'directory-account');
    assert.ok(account);
    const { host, port, database, user, password } = postgresStore(postgres.url);
    Object.assign(account, {
      ...{ store: 'postgresql', host, port: String(port), database, schema },
      ...{ encryption: 'tls', tls: 'postgres-tls', credentials: { user, password } },
      ...typed,
    });
    const ca = join(folder, 'postgres.pem');
    const z = flow.find(({ type }) => type === 'directory-apply')?.['z'];
    const func = `node.log('CAUGHT ' + msg.error.code + ' ' + msg.error.message);`;
    return [
      ...flow,
      { id: 'postgres-tls', type: 'tls-config', cert: '', key: '', ca, verifyservercert: true },
      { id: 'catching', type: 'catch', z, scope: null, uncaught: false, wires: [['caught']] },
      { id: 'caught', type: 'function', z, func, outputs: 0, wires: [] },
    ];
  };

  for (const version of NODE_RED_VERSIONS) {
    it(`makes the oracle's account in Node-RED ${version}; redeployed, and from a second Node-RED, nothing is to do`, async () => {
      const schema = `flow_${version.replaceAll('.', '_')}`;
      const settings: AccountSettings = { ...companySettings(''), store: postgresStore(postgres.url, { schema }) };
      const account = await openAccount(settings);
      try {
        await account.addKnown(known);
        const flow = await flowWith(schema);
        const one = await startNodeRed({ version });
        const other = await startNodeRed({ version });
        try {
          await one.deploy(flow);
          assert.equal((await runOnce(one, injectNodeId(flow))).outcome, 'committed');
          await one.deploy(flow);
          assert.equal((await runOnce(one, injectNodeId(flow))).outcome, 'unchanged');
          const second = await flowWith(schema);
          await other.deploy(second);
          assert.equal((await runOnce(other, injectNodeId(second))).outcome, 'unchanged');
          // Neither has put the other out.
          assert.equal((await runOnce(one, injectNodeId(flow))).outcome, 'unchanged');
          assert.ok(![...one.log, ...other.log].some((line) => line.includes(postgresStore(postgres.url).password)));
        } finally {
          await one.stop();
          await other.stop();
        }
        const expected = expectedAccount(companyEntries(), { settings, known }).snapshot;
        assert.deepEqual(await account.snapshot(), expected);
      } finally {
        await account.close();
      }
    });
  }

  it('takes host, port, database, user and password from the environment; negative control: a wrong password there is refused', async () => {
    const { host, port, database, user, password } = postgresStore(postgres.url);
    const given = { HOST: host, PORT: String(port), DATABASE: database, USER: user, PASSWORD: password };
    const names = Object.keys(given).map((name) => `DIRECTORY_SYNC_TEST_${name}`);
    const typed = {
      ...{ host: '${DIRECTORY_SYNC_TEST_HOST}', port: '${DIRECTORY_SYNC_TEST_PORT}' },
      database: '${DIRECTORY_SYNC_TEST_DATABASE}',
      credentials: { user: '${DIRECTORY_SYNC_TEST_USER}', password: '${DIRECTORY_SYNC_TEST_PASSWORD}' },
    };
    try {
      for (const right of [true, false]) {
        for (const [name, value] of Object.entries(given)) process.env[`DIRECTORY_SYNC_TEST_${name}`] = value;
        if (!right) process.env['DIRECTORY_SYNC_TEST_PASSWORD'] = 'canary-wrong';
        const nodeRed = await startNodeRed({ version: '5' });
        try {
          const flow = await flowWith('from_environment', typed);
          await nodeRed.deploy(flow);
          if (right) {
            assert.equal((await runOnce(nodeRed, injectNodeId(flow))).outcome, 'committed');
          } else {
            await nodeRed.inject(injectNodeId(flow));
            await nodeRed.line(/CAUGHT STORE_LOGIN_REFUSED /, { within: 30_000 });
          }
          assert.ok(!nodeRed.log.some((line) => line.includes(password) || line.includes('canary-wrong')));
        } finally {
          await nodeRed.stop();
        }
      }
    } finally {
      for (const name of names) Reflect.deleteProperty(process.env, name);
    }
  });

  it('one of two Node-REDs stops in its commit, past the limit: the other goes on, and it writes nothing when it wakes', async () => {
    const arm = join(folder, 'arm.json');
    const armed: Armed = {
      statement: '^INSERT INTO entry ',
      when: 'behind',
      nth: 1,
      transactions: true,
      signal: 'SIGSTOP',
    };
    await writeFile(arm, JSON.stringify(armed));
    process.env['CRASH_ARM'] = arm;
    const settings = { ...companySettings(''), store: postgresStore(postgres.url, { schema: 'paused' }) };
    const account = await openAccount(settings);
    const stopped = await startNodeRed({ version: '5', nodeArguments: ['--require', KILLER] });
    const other = await startNodeRed({ version: '5' });
    try {
      await account.addKnown(known);
      const limits = { idleTimeout: '2', statementTimeout: '20' };
      const [first, second] = [await flowWith('paused', limits), await flowWith('paused', limits)];
      await stopped.deploy(first);
      await stopped.inject(injectNodeId(first));
      await untilStopped(stopped.process.pid);
      const expected = expectedAccount(companyEntries(), { settings, known }).snapshot;
      assert.notDeepEqual(await account.snapshot(), expected, 'nothing of it can be seen');
      await sleep(2_500);
      await other.deploy(second);
      assert.equal((await runOnce(other, injectNodeId(second))).outcome, 'committed');
      assert.deepEqual(await account.snapshot(), expected);
      const before = await account.history(10);
      stopped.process.kill('SIGCONT');
      await stopped.line(/CAUGHT STORE_(?:TIME_LIMIT|CONNECTION_LOST) /, { within: 30_000 });
      assert.deepEqual([await account.snapshot(), await account.history(10)], [expected, before], 'no zombie write');
      // And then it goes on like any other.
      assert.equal((await runOnce(stopped, injectNodeId(first))).outcome, 'unchanged');
    } finally {
      Reflect.deleteProperty(process.env, 'CRASH_ARM');
      stopped.process.kill('SIGCONT');
      await stopped.stop();
      await other.stop();
      await account.close();
    }
  });
});

/** Until the kernel says that the process is stopped. */
async function untilStopped(pid: number | undefined): Promise<void> {
  const end = Date.now() + 60_000;
  const state = async () => /^State:\s+(\w)/m.exec(await readFile(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  while ((await state()) !== 'T') {
    assert.ok(Date.now() < end, 'it never stopped');
    await sleep(50);
  }
}

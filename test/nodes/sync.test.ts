/** All nodes together, as in the documented flow: extract → enrich → transmit ⇒ receive → apply. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import { Type } from '@sinclair/typebox';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { Change, Report } from '../../engine/model/report.js';
import { accounts } from '../../nodes/shared/offers.js';
import { companyEntries, companySettings } from '../support/company.js';
import { DEFAULT_QUIRKS } from '../support/directory/quirks.js';
import { type Flow, type FlowNode, startFlow } from '../support/flow.js';
import { freePort } from '../support/node-red.js';
import { expectedAccount } from '../support/oracle/index.js';
import { type SampleFlow, startSampleFlow } from '../support/sample-flow.js';

const KEY = 'sync-test-key-of-32-characters-and-more';
const parseReport = parserOf(Report, contractFault('the report'));
const parseChanges = parserOf(Type.Array(Change), contractFault('the changes'));
const known = [
  { address: 'ada@example.com', origin: 'manual' as const },
  { address: 'somebody@elsewhere.example', name: 'Somebody', origin: 'mail-flow' as const },
];

describe('the whole flow', () => {
  let sample: SampleFlow;
  let folder: string;
  let port: number;
  let flow: Flow;
  before(async () => {
    sample = await startSampleFlow();
    port = await freePort();
  });
  after(() => sample.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sync-'));
  });
  afterEach(async () => {
    sample.directory.setQuirks(DEFAULT_QUIRKS);
    sample.directory.reload(companyEntries());
    await flow.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const helper = (id: string): FlowNode => ({ id, type: 'helper', wires: [] });
  const accountNode = (): FlowNode => {
    const { name, store, domains, attributes } = companySettings(join(folder, 'data', 'account.sqlite'));
    return {
      id: 'account',
      type: 'directory-account',
      name,
      file: store.file,
      domains: domains.join(', '),
      attributes: attributes.join(', '),
    };
  };
  const reading = (next: string): FlowNode[] => [
    ...sample.nodes,
    {
      id: 'extract',
      type: 'directory-extract',
      server: 'server',
      attributes: 'title, department, telephoneNumber',
      batchSize: 40,
      wires: [['enrich']],
    },
    { id: 'enrich', type: 'directory-enrich', membersPerRecord: 20, wires: [[next]] },
  ];
  const applying = (settings: Record<string, unknown> = {}): FlowNode[] => [
    accountNode(),
    { id: 'apply', type: 'directory-apply', account: 'account', ...settings, wires: [['report'], ['changes']] },
    helper('report'),
    helper('changes'),
  ];
  const overHttps = (): FlowNode[] => {
    const { certFile, keyFile, caFile } = sample.certificates;
    return [
      {
        id: 'endpoint',
        type: 'directory-endpoint',
        url: `https://127.0.0.1:${port}/directory-sync`,
        keyId: 'k',
        tls: 'trust',
        deadline: 20,
      },
      { id: 'transmit', type: 'directory-transmit', endpoint: 'endpoint', wires: [['answer']] },
      { id: 'own', type: 'tls-config', cert: certFile, key: keyFile, ca: caFile, verifyservercert: true },
      { id: 'receive', type: 'directory-receive', keyId: 'k', host: '127.0.0.1', port, tls: 'own', wires: [['apply']] },
      helper('answer'),
    ];
  };
  const start = async (nodes: FlowNode[]) => {
    flow = await startFlow(nodes, {
      credentials: { ...sample.credentials, endpoint: { key: KEY }, receive: { key: KEY } },
    });
  };
  const listening = () =>
    flow.until('listening', () => flow.statuses('receive').includes('directory-receive.status.listening'));
  const snapshot = () => accounts.take(flow.RED, flow.node('apply'), 'account')((account) => account.snapshot());
  const reports = (id = 'report') =>
    flow
      .received(id)
      .filter(({ topic }) => topic === 'report')
      .map(({ payload }) => parseReport(payload));
  const runOnce = async (id = 'report') => {
    const before = reports(id).length;
    flow.send('extract', { payload: 'go', site: 'kept' });
    await flow.until('report', () => reports(id).length > before || flow.caught().length > 0, 18_000);
    assert.deepEqual(flow.caught(), []);
    return parseReport(reports(id).at(-1));
  };
  const changesEnded = () =>
    flow.until('the last changes', () => flow.received('changes').at(-1)?.parts?.count !== undefined);
  const expected = (before: Parameters<typeof expectedAccount>[1]['known'] = []) =>
    expectedAccount(companyEntries(), { settings: companySettings(''), known: before });

  it('brings the account to what the directory holds, and the report comes back to the sender', async () => {
    await start([...reading('transmit'), ...overHttps(), ...applying()]);
    await listening();
    const answer = await runOnce('answer');
    const { snapshot: wanted, counts } = expected();
    assert.deepEqual(await snapshot(), wanted);
    assert.deepEqual([answer.outcome, answer.complete], ['committed', true]);
    assert.deepEqual(
      [answer.changes.usersAdded, answer.changes.groupsAdded, answer.changes.membersAdded],
      [counts.usersAdded, counts.groupsAdded, counts.membersAdded],
    );
    assert.deepEqual(
      answer.stages.map(({ stage }) => stage),
      ['extract', 'enrich', 'transmit', 'receive', 'apply'],
    );
    assert.deepEqual(reports(), [answer], 'the same report on both sides');
    assert.equal(flow.received('answer')[0]?.['site'], 'kept');

    await changesEnded();
    const batches = flow.received('changes');
    const changes = batches.flatMap(({ payload }) => parseChanges(payload));
    assert.equal(changes.filter(({ kind, change }) => kind === 'user' && change === 'added').length, counts.usersAdded);
    assert.deepEqual([batches.at(-1)?.parts?.count, batches[0]?.topic], [batches.length, 'changes']);
    assert.ok(batches.slice(0, -1).every(({ parts }) => parts?.count === undefined));
  });

  it('a second run changes nothing; after one person changed, exactly that', async () => {
    await start([...reading('apply'), ...applying()]);
    await runOnce();
    await changesEnded();
    const before = flow.received('changes').length;
    assert.equal((await runOnce()).outcome, 'unchanged');
    assert.equal(flow.received('changes').length, before, 'no change, no message');

    const entries = companyEntries();
    const ada = entries.find(({ attributes }) => attributes['title'] !== undefined);
    assert.ok(ada);
    sample.directory.reload(
      entries.map((entry) =>
        entry === ada ? { ...entry, attributes: { ...entry.attributes, title: ['Countess'] } } : entry,
      ),
    );
    assert.equal((await runOnce()).changes.attributesUpdated, 1);
    await flow.until('changes', () => flow.received('changes').length > before);
    const changes = flow
      .received('changes')
      .slice(before)
      .flatMap(({ payload }) => parseChanges(payload));
    assert.deepEqual(
      changes.map(({ change, what, after }) => [change, what, after]),
      [['attribute', 'title', 'Countess']],
    );
  });

  it('addresses known from elsewhere are linked', async () => {
    await start([...reading('apply'), ...applying()]);
    flow.send('apply', { topic: 'known', payload: known });
    await flow.until('answer', () => flow.received('report').length === 1);
    assert.deepEqual(flow.received('report')[0]?.payload, { added: 2, known: 0 });
    await runOnce();
    assert.deepEqual(await snapshot(), expected(known).snapshot);

    flow.send('apply', { topic: 'known', payload: [{ address: 'x@y.example', origin: 'guessed' }] });
    await flow.until('error', () => flow.caught().length === 1);
    assert.equal(flow.caught()[0]?.code, 'NOT_AS_AGREED');
  });

  it('a dry run reports and changes nothing', async () => {
    await start([...reading('apply'), ...applying({ dryRun: true })]);
    const report = await runOnce();
    assert.deepEqual([report.outcome, report.changes.usersAdded], ['dry-run', expected().counts.usersAdded]);
    assert.deepEqual((await snapshot()).users, []);
    assert.ok(flow.statuses('apply').includes('directory-apply.status.dry-run'));
  });

  it('a read that was cut adds what was read, says so, and removes nothing', async () => {
    await start([...reading('apply'), ...applying()]);
    await runOnce();
    const before = await snapshot();
    sample.directory.setQuirks({ disconnectAfter: 100 });
    flow.send('extract', {});
    await flow.until('report', () => reports().length === 2);
    assert.equal(reports()[1]?.complete, false);
    assert.deepEqual(await snapshot(), before);
    await flow.until('yellow', () => flow.statuses('apply').includes('directory-apply.status.incomplete'));
  });

  it('an account that cannot be opened is one error here and at the sender, and a later run goes through', async () => {
    await start([...reading('transmit'), ...overHttps(), ...applying()]);
    await listening();
    await flow.redeploy(
      [...reading('transmit'), ...overHttps(), ...applying(), { ...accountNode(), file: folder }].filter(
        ({ id }, at, all) => all.findLastIndex((node) => node.id === id) === at,
      ),
    );
    flow.send('extract', {});
    await flow.until('errors', () => new Set(flow.caught().map(({ source }) => source)).size === 2, 18_000);
    assert.deepEqual(
      flow
        .caught()
        .map(({ source }) => source)
        .sort(),
      ['apply', 'transmit'],
    );
    assert.deepEqual(reports(), []);
  });

  it('when only apply is redeployed, a receiver hands the run over again, whole', async () => {
    const nodes = [...reading('transmit'), ...overHttps(), ...applying()];
    await start(nodes);
    await listening();
    flow.send('extract', {});
    await flow.until('something was staged', () => flow.statuses('apply').includes('directory-apply.status.staging'));
    await flow.redeploy(
      nodes.map((node) => (node.id === 'apply' ? { ...node, name: 'again' } : node)),
      'nodes',
    );
    await flow.until('report', () => reports('answer').length === 1, 18_000);
    assert.deepEqual([reports('answer')[0]?.complete, flow.caught()], [true, []]);
    assert.deepEqual(await snapshot(), expected().snapshot);
  });

  it('an account is not opened before somebody needs it, though its thread is there; a deploy ends that', async () => {
    const started = watchWorkers();
    try {
      await start([...reading('apply'), ...applying()]);
      assert.equal(started.workers.length, 1);
      assert.equal(existsSync(join(folder, 'data')), false);
      await runOnce();
      assert.deepEqual([started.workers.length, existsSync(join(folder, 'data'))], [1, true]);
      await flow.stop();
      await start([...reading('apply'), ...applying()]);
      assert.equal(started.workers.length, 2);
      await flow.stop();
      assert.deepEqual(
        started.workers.map(({ threadId }) => threadId),
        [-1, -1],
        'none of them runs any more',
      );
    } finally {
      started.restore();
    }
  });

  it('an account whose thread was lost is opened anew by the next run', async () => {
    const started = watchWorkers();
    try {
      await start([...reading('apply'), ...applying()]);
      await runOnce();
      assert.equal(started.workers.length, 1, 'one thread for the account, and it stays');
      await started.workers[0]?.terminate();
      flow.send('extract', {});
      await flow.until('error', () => flow.caught().length === 1);
      assert.equal(flow.caught()[0]?.code, 'WORKER_LOST');
      await flow.until('the failed run is over', () => flow.completed('extract') === 2);
      flow.send('extract', {});
      await flow.until('report', () => reports().length === 2);
      assert.deepEqual([reports()[1]?.outcome, flow.caught().length], ['unchanged', 1]);
    } finally {
      started.restore();
    }
  });

  it('redeploys at any moment do no harm: nothing is thrown, no old node works on, the next run completes', async () => {
    const nodes = (name: string) => [...reading('apply'), ...applying()].map((node) => ({ ...node, name }));
    await start(nodes('first'));
    sample.directory.setQuirks({ delayPerPageMs: 3 });
    for (let round = 0; round < 15; round += 1) {
      flow.send('extract', {});
      await sleep(round * 13);
      const before = Date.now();
      await flow.redeploy(nodes(`round ${round}`));
      assert.ok(Date.now() - before < 2_000, `${Date.now() - before} ms`);
    }
    assert.deepEqual(flow.caught(), []);
    const heard = flow.received('report').length;
    await sleep(200);
    assert.equal(flow.received('report').length, heard);
    await runOnce();
    assert.deepEqual(await snapshot(), expected().snapshot);
  });

  it('a redeploy in the middle of applying does no harm: the next run completes the account', async () => {
    const nodes = () => [...reading('apply'), ...applying()];
    await start(nodes());
    sample.directory.setQuirks({ delayPerPageMs: 30 });
    flow.send('extract', {});
    await flow.until('something was staged', () => flow.statuses('apply').includes('directory-apply.status.staging'));
    const before = Date.now();
    await flow.redeploy([...nodes().map((node) => ({ ...node, name: 'again' }))]);
    assert.ok(Date.now() - before < 2_000, `${Date.now() - before} ms`);
    await runOnce();
    assert.deepEqual((await snapshot()).users, expected().snapshot.users);
  });
});

/** Keeps hold of every thread that is started from now on, until `restore`. */
function watchWorkers(): { workers: workerThreads.Worker[]; restore: () => void } {
  const workers: workerThreads.Worker[] = [];
  const usual = workerThreads.Worker;
  workerThreads.Worker = class extends usual {
    constructor(file: string | URL, options?: WorkerOptions) {
      super(file, options);
      workers.push(this);
    }
  };
  return { workers, restore: () => (workerThreads.Worker = usual) };
}

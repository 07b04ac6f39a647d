import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { RunLedger } from '../../engine/model/ledger.js';
import { batchMessage, sealMessage } from '../../engine/model/message.js';
import { type Quarantined, noRecords } from '../../engine/model/records.js';
import { Report } from '../../engine/model/report.js';
import type { Run } from '../../engine/model/run.js';
import { stoppedSeal } from '../../engine/runtime/stopped-seal.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { type Flow, type FlowNode, startFlow } from '../support/flow.js';
import { freePort } from '../support/node-red.js';

const KEY = 'transfer-test-key-of-32-characters-and-more';
const credentials = { endpoint: { key: KEY }, receive: { key: KEY } };
const runOf = (id: string): Run => ({ id, source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 });
const record = (id: string): Quarantined => ({ kind: 'quarantined', id, dn: 'CN=x', reason: 'R', detail: 'd' });
const sealFor = (run: Run, batches: number) =>
  sealMessage(run, {
    ...stoppedSeal(new RunLedger(run)),
    batches,
    records: { ...noRecords(), quarantined: batches },
    complete: true,
    incomplete: [],
  });
const parseReport = parserOf(Report, contractFault('the report'));

describe('directory-transmit and directory-receive', () => {
  let folder: string;
  let certificates: Certificates;
  let flow: Flow;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'directory-sync-tls-'));
    certificates = await makeCertificates(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => flow.stop());

  const tlsFiles = () => ({ cert: certificates.certFile, key: certificates.keyFile, ca: certificates.caFile });
  const transmitting = (port: number, endpoint: Record<string, unknown> = {}): FlowNode[] => [
    { id: 'trust', type: 'tls-config', cert: '', key: '', ca: certificates.caFile, verifyservercert: true },
    {
      id: 'endpoint',
      type: 'directory-endpoint',
      url: `https://127.0.0.1:${port}/directory-sync`,
      keyId: 'site-1',
      tls: 'trust',
      deadline: 10,
      ...endpoint,
    },
    { id: 'transmit', type: 'directory-transmit', endpoint: 'endpoint', wires: [['report']] },
    { id: 'report', type: 'helper', wires: [] },
  ];
  const receiving = (port: number): FlowNode[] => [
    { id: 'own', type: 'tls-config', ...tlsFiles(), verifyservercert: true },
    {
      id: 'receive',
      type: 'directory-receive',
      keyId: 'site-1',
      host: '127.0.0.1',
      port: String(port),
      tls: 'own',
      wires: [['out']],
    },
    { id: 'out', type: 'helper', wires: [] },
  ];
  const listening = (times = 1) => {
    const shown = () => flow.statuses('receive').filter((text) => text === 'directory-receive.status.listening');
    return flow.until('listening', () => shown().length >= times);
  };
  const sendRun = (run: Run, batches: number) => {
    for (let index = 0; index < batches; index += 1)
      flow.send('transmit', batchMessage(run, index, [record(`r${index}`)]));
    flow.send('transmit', { ...sealFor(run, batches), site: 'kept' });
  };

  it('a run arrives whole and in order on the other side, and its report comes back', async () => {
    const port = await freePort();
    flow = await startFlow([...transmitting(port), ...receiving(port)], { credentials });
    await listening();
    sendRun(runOf('run-whole-01'), 12);
    await flow.until('report', () => flow.received('report').length === 1);

    const [message] = flow.received('report');
    const report = parseReport(message?.payload);
    assert.deepEqual(
      [report.outcome, report.run, message?.topic, message?.['site'], message?.parts],
      ['received', 'run-whole-01', 'report', 'kept', undefined],
    );
    assert.match(
      String(report.stages.find(({ stage }) => stage === 'transmit')?.figures['tls'] ?? JSON.stringify(report.stages)),
      /TLSv1\.[23]/,
    );
    const out = flow.received('out');
    assert.deepEqual(
      out.map(({ parts }) => parts?.index),
      Array.from({ length: 13 }, (_, index) => index),
    );
    assert.deepEqual([out[12]?.topic, out[12]?.parts?.count], ['seal', 13]);
    await flow.until('done', () => flow.completed('transmit') === 13);
    assert.deepEqual(flow.caught(), []);
  });

  it('an unreachable receiver is one error with a code, not one for each batch', async () => {
    flow = await startFlow(transmitting(await freePort(), { deadline: 2 }), { credentials });
    sendRun(runOf('run-nobody-1'), 8);
    await flow.until('error', () => flow.caught().length > 0, 15_000);
    await flow.until('the rest is done', () => flow.completed('transmit') === 8, 15_000);
    await sleep(100);
    assert.equal(flow.caught().length, 1);
    assert.ok(typeof flow.caught()[0]?.code === 'string');
    assert.deepEqual(flow.received('report'), []);
  });

  it('a wrong key is refused, and no message of the run gets through', async () => {
    const port = await freePort();
    const wrong = { ...credentials, endpoint: { key: `${KEY}-wrong` } };
    flow = await startFlow([...transmitting(port), ...receiving(port)], { credentials: wrong });
    await listening();
    sendRun(runOf('run-refused1'), 1);
    await flow.until('error', () => flow.caught().length === 1, 15_000);
    assert.deepEqual(flow.received('out'), []);
    assert.ok(!JSON.stringify(flow.caught()).includes(KEY));
  });

  it('a certificate of an authority that is not trusted is refused', async () => {
    const port = await freePort();
    flow = await startFlow([...transmitting(port, { tls: '' }), ...receiving(port)], { credentials });
    await listening();
    sendRun(runOf('run-untrust1'), 1);
    await flow.until('error', () => flow.caught().length === 1, 15_000);
    assert.match(flow.caught()[0]?.message ?? '', /certificate/i);
    assert.deepEqual(flow.received('out'), []);
  });

  it('a TLS configuration that was deleted is an error, not a connection without it', async () => {
    flow = await startFlow(transmitting(await freePort(), { tls: 'gone' }), { credentials });
    sendRun(runOf('run-notls-01'), 1);
    await flow.until('error', () => flow.caught().length === 1);
    assert.equal(flow.caught()[0]?.code, 'CONFIG_NODE_MISSING');
  });

  it('a redeploy in the middle of a run stops it within a second, without an error', async () => {
    const port = await freePort();
    flow = await startFlow([...transmitting(port, { deadline: 60 })], { credentials });
    sendRun(runOf('run-midway-1'), 4);
    await sleep(50);
    const before = Date.now();
    await flow.redeploy(transmitting(port, { name: 'again' }));
    assert.ok(Date.now() - before < 1_000, `${Date.now() - before} ms`);
    assert.deepEqual(flow.caught(), []);
  });

  describe('behind Node-RED’s own server', () => {
    let server: Server;
    afterEach(() => new Promise((closed) => server.close(closed)));

    it('answers at the path, under the root that the administrator gave it, and no longer when it is closed', async () => {
      const shared = { id: 'receive', type: 'directory-receive', keyId: 'site-1', wires: [['out']] };
      const out = { id: 'out', type: 'helper', wires: [] };
      flow = await startFlow([shared, out], { credentials, settings: { httpNodeRoot: '/nodes' } });
      await listening();
      server = createServer({ cert: certificates.cert, key: certificates.key }, (request, response) => {
        request.url = request.url?.replace(/^\/nodes/, '');
        flow.RED.httpNode(Object.assign(request, { originalUrl: `/nodes${request.url}` }), response);
      });
      await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
      const { port } = server.address() as AddressInfo;

      const url = `https://127.0.0.1:${port}/nodes/directory-sync`;
      await flow.redeploy([shared, out, ...transmitting(port, { url })]);
      await listening(2);
      sendRun(runOf('run-shared-1'), 3);
      await flow.until('report', () => flow.received('report').length === 1);
      assert.equal(flow.received('out').length, 4);

      await flow.redeploy(transmitting(port, { url, name: 'alone' }));
      sendRun(runOf('run-shared-2'), 1);
      await flow.until('error', () => flow.caught().length === 1, 15_000);
      assert.equal(flow.received('out').length, 4);
    });
  });

  describe('what somebody should look at is shown over what a run has brought', () => {
    const shownAtEnd = async (own: Certificates, settings: Record<string, unknown>, warning: string) => {
      const port = await freePort();
      const certificate = { cert: own.certFile, key: own.keyFile, ca: own.caFile };
      const nodes = [...transmitting(port, settings), ...receiving(port)].map((node) => {
        if (node.id === 'trust') return { ...node, ca: own.caFile };
        if (node.id === 'own') return { ...node, ...certificate };
        return node.id === 'receive' ? { ...node, ...settings } : node;
      });
      flow = await startFlow(nodes, { credentials });
      const last = (id: string) => flow.statuses(id).at(-1);
      await flow.until('listening', () => last('receive') === `directory-receive.status.${warning}`);
      sendRun(runOf('run-warned-1'), 2);
      await flow.until('report', () => flow.received('report').length === 1);
      await flow.until('again', () => last('receive') === `directory-receive.status.${warning}`);
      assert.equal(last('transmit'), `directory-transmit.status.${warning}`);
      const report = parseReport(flow.received('report')[0]?.payload);
      return String(report.stages.find(({ stage }) => stage === 'transmit')?.figures['warnings']);
    };

    it('a certificate that ends within 30 days', async () => {
      const soon = await makeCertificates(join(folder, 'soon'), { days: 10 });
      assert.equal(await shownAtEnd(soon, {}, 'ends'), 'CERTIFICATE_ENDS');
    });

    it('TLS below 1.2, where a SecurityProtocol number asks for it', async () => {
      assert.equal(await shownAtEnd(certificates, { securityProtocol: '4032' }, 'lowered'), 'TLS_LOWERED');
    });
  });

  it('keys may stand in environment variables, which the settings name', async () => {
    const port = await freePort();
    process.env['DIRSYNC_TEST_SITE_KEY'] = KEY;
    const named = { endpoint: { key: '${DIRSYNC_TEST_SITE_KEY}' }, receive: { key: '${DIRSYNC_TEST_SITE_KEY}' } };
    try {
      flow = await startFlow([...transmitting(port), ...receiving(port)], { credentials: named });
      await listening();
      sendRun(runOf('run-from-env'), 1);
      await flow.until('report', () => flow.received('report').length === 1);
    } finally {
      delete process.env['DIRSYNC_TEST_SITE_KEY'];
    }
  });

  it('a second receiver at the same path is refused', async () => {
    const two = ['receive', 'receive2'].map((id) => ({ id, type: 'directory-receive', keyId: 'k', wires: [[]] }));
    flow = await startFlow(two, { credentials: { ...credentials, receive2: { key: KEY } } });
    await flow.until('refusal', () => two.some(({ id }) => flow.statuses(id).includes('path in use')));
  });
});

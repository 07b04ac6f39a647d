import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import helper from 'node-red-node-test-helper';
import { RunLedger } from '../../engine/model/ledger.js';
import { batchMessage, sealMessage } from '../../engine/model/message.js';
import { type Quarantined, noRecords } from '../../engine/model/records.js';
import type { Run } from '../../engine/model/run.js';
import { stoppedSeal } from '../../engine/runtime/stopped-seal.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { type Flow, type FlowNode, startFlow } from '../support/flow.js';
import { freePort } from '../support/node-red.js';

const KEY = 'canary-key-of-thirty-two-characters-and-more';
const WRONG = 'canary-key-that-is-another-one-but-long-enough';
const NEXT = 'canary-key-for-the-day-after-tomorrow-and-on';
const PERSON = 'canary-person@example.test';
const CANARY = /canary/i;

const runOf = (id: string): Run => ({ id, source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 });
const person = (id: string): Quarantined => ({
  kind: 'quarantined',
  id,
  dn: `CN=${PERSON}`,
  reason: 'R',
  detail: PERSON,
});
const sealFor = (run: Run, batches: number) =>
  sealMessage(run, {
    ...stoppedSeal(new RunLedger(run)),
    batches,
    records: { ...noRecords(), quarantined: batches },
    complete: true,
    incomplete: [],
  });

describe('secrets, personal data, and batches that are refused', () => {
  let folder: string;
  let certificates: Certificates;
  let flow: Flow;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'directory-sync-secrets-'));
    certificates = await makeCertificates(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => flow.stop());

  const nodes = (port: number): FlowNode[] => {
    const url = `https://127.0.0.1:${port}/directory-sync`;
    const { certFile: cert, keyFile: key, caFile: ca } = certificates;
    return [
      { id: 'trust', type: 'tls-config', cert: '', key: '', ca, verifyservercert: true },
      { id: 'blind', type: 'tls-config', cert: '', key: '', ca: '', verifyservercert: false },
      { id: 'own', type: 'tls-config', cert, key, ca, verifyservercert: true },
      { id: 'right', type: 'directory-endpoint', url, keyId: 'site-1', tls: 'trust', deadline: 10 },
      { id: 'wrong', type: 'directory-endpoint', url, keyId: 'site-1', tls: 'trust', deadline: 10 },
      { id: 'unseeing', type: 'directory-endpoint', url, keyId: 'site-1', tls: 'blind', deadline: 10 },
      { id: 'transmit', type: 'directory-transmit', endpoint: 'right', wires: [['report'], ['refused']] },
      { id: 'transmit-wrong', type: 'directory-transmit', endpoint: 'wrong', wires: [['report'], ['refused']] },
      { id: 'transmit-blind', type: 'directory-transmit', endpoint: 'unseeing', wires: [['report'], ['refused']] },
      { id: 'report', type: 'helper', wires: [] },
      { id: 'refused', type: 'helper', wires: [] },
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
  };
  const credentials = {
    right: { key: KEY },
    wrong: { key: WRONG },
    unseeing: { key: NEXT },
    receive: { key: KEY, nextKey: NEXT },
  };

  it('a refused batch comes out at the second output, and neither keys nor people get into logs, errors, status or report', async () => {
    flow = await startFlow(nodes(await freePort()), { credentials });
    await flow.until('listening', () => flow.statuses('receive').length > 0);

    // A field that nobody knows: a function node put it there, and the receiver refuses it.
    const run = runOf('secrets-01');
    flow.send('transmit', batchMessage(run, 0, [person('a')]));
    flow.send('transmit', batchMessage(run, 1, [{ ...person('b'), nickname: PERSON }]));
    flow.send('transmit', { ...sealFor(run, 2), site: 'kept' });
    await flow.until('report', () => flow.received('report').length === 1);
    const [refused] = flow.received('refused');
    assert.deepEqual([refused?.topic, (refused?.payload as unknown[]).length], ['refused', 1]);
    assert.equal((refused?.['problem'] as { problem?: string }).problem, 'not-valid');
    const report = flow.received('report')[0]?.payload as { complete: boolean; incomplete: { code: string }[] };
    assert.deepEqual([report.complete, report.incomplete[0]?.code], [false, 'BATCH_REFUSED']);
    assert.deepEqual(flow.caught(), []);
    assert.equal(flow.received('out').length, 2, 'what was taken, and the seal');

    flow.send('transmit-wrong', batchMessage(runOf('secrets-02'), 0, [person('c')]));
    await flow.until('an error', () => flow.caught().length === 1);
    assert.equal(flow.caught()[0]?.code, 'KEY_REFUSED');

    const shown = [
      ...['transmit', 'transmit-wrong', 'receive'].flatMap((id) => flow.statuses(id)),
      JSON.stringify(flow.caught()),
      JSON.stringify(report),
      JSON.stringify(refused?.['problem']),
      JSON.stringify(nodes(1)),
      JSON.stringify(helper.log().args),
    ];
    for (const text of shown) assert.doesNotMatch(text, CANARY);
    // The control: what passes between the nodes has them, so that they would be found where they must not be.
    assert.match(JSON.stringify(flow.received('out')), CANARY);
    assert.ok(helper.log().args.length > 0);
  });

  it('a receiver whose certificate nobody checks is talked to, and the status says so; the next key is as good as the key', async () => {
    flow = await startFlow(nodes(await freePort()), { credentials });
    await flow.until('listening', () => flow.statuses('receive').length > 0);
    const run = runOf('secrets-03');
    flow.send('transmit-blind', batchMessage(run, 0, [person('a')]));
    flow.send('transmit-blind', sealFor(run, 1));
    await flow.until('report', () => flow.received('report').length === 1);
    assert.equal(flow.statuses('transmit-blind').at(-1), 'directory-transmit.status.unchecked');
    const other = runOf('secrets-04');
    flow.send('transmit', batchMessage(other, 0, [person('a')]));
    flow.send('transmit', sealFor(other, 1));
    await flow.until('report', () => flow.received('report').length === 2);
    assert.notEqual(flow.statuses('transmit').at(-1), 'directory-transmit.status.unchecked', 'control');
  });
});

describe('settings of the transfer, of older versions', () => {
  it('are brought up to date: signatures, one sender, every source', async () => {
    const { migrate } = await import('../../nodes/shared/migrations.js');
    assert.deepEqual(migrate('directory-endpoint', { url: 'u', keyId: 'k', version: 1 }), {
      proof: 'signature',
      underWay: 4,
      url: 'u',
      keyId: 'k',
      version: 2,
    });
    assert.deepEqual(migrate('directory-receive', { keyId: 'k' }), {
      senders: [],
      sources: '',
      keyId: 'k',
      version: 2,
    });
    assert.deepEqual(migrate('directory-transmit', { endpoint: 'e' }), { endpoint: 'e', version: 2 });
    const { receiveSettings } = await import('../../nodes/directory-receive/settings.js');
    const further = [
      { id: 'two', proof: 'bearer', certificate: '', sources: 'a, b', perMinute: '', place: 3 },
      { id: 'three', proof: 'certificate', certificate: '', sources: '', perMinute: 60, place: 4 },
    ];
    const read = receiveSettings(
      { keyId: 'k', senders: further, version: 2 },
      { key: KEY, nextKey: NEXT, key_3: WRONG },
    );
    assert.deepEqual(
      read.senders.map(({ id, keys, tokens, certificates, sources }) => [
        id,
        keys.length,
        tokens,
        certificates,
        sources,
      ]),
      [
        ['k', 2, undefined, undefined, []],
        ['two', 0, [WRONG], undefined, ['a', 'b']],
        ['three', 0, undefined, ['CN=three'], []],
      ],
    );
  });
});

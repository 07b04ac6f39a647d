/** A right lost on one attribute, through the whole flow over HTTPS: the account asks before it takes anything away. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { Report } from '../../engine/model/report.js';
import { Seal } from '../../engine/model/run.js';
import { accounts } from '../../nodes/shared/offers.js';
import { companySettings } from '../support/company.js';
import { DEFAULT_QUIRKS } from '../support/directory/quirks.js';
import { type Flow, type FlowNode, startFlow } from '../support/flow.js';
import { freePort } from '../support/node-red.js';
import { type SampleFlow, startSampleFlow } from '../support/sample-flow.js';

const KEY = 'sync-test-key-of-32-characters-and-more';
const parseReport = parserOf(Report, contractFault('the report'));
const parseSeal = parserOf(Seal, contractFault('the seal'));

describe('a right lost on one attribute, through the whole flow', () => {
  let sample: SampleFlow;
  let folder: string;
  let flow: Flow;
  before(async () => (sample = await startSampleFlow()));
  after(() => sample.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rights-'));
    await start();
  });
  afterEach(async () => {
    sample.directory.setQuirks(DEFAULT_QUIRKS);
    await flow.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const helper = (id: string): FlowNode => ({ id, type: 'helper', wires: [] });
  async function start(): Promise<void> {
    const port = await freePort();
    const { certFile, keyFile, caFile } = sample.certificates;
    const { name, domains, attributes } = companySettings('');
    const nodes: FlowNode[] = [
      ...sample.nodes,
      {
        id: 'account',
        type: 'directory-account',
        name,
        file: join(folder, 'account.sqlite'),
        domains: domains.join(', '),
        attributes: attributes.join(', '),
      },
      {
        id: 'endpoint',
        type: 'directory-endpoint',
        url: `https://127.0.0.1:${port}/directory-sync`,
        keyId: 'k',
        tls: 'trust',
        deadline: 20,
      },
      {
        id: 'extract',
        type: 'directory-extract',
        server: 'server',
        attributes: attributes.join(', '),
        wires: [['enrich', 'read']],
      },
      { id: 'enrich', type: 'directory-enrich', wires: [['transmit']] },
      { id: 'transmit', type: 'directory-transmit', endpoint: 'endpoint', wires: [['answer']] },
      { id: 'own', type: 'tls-config', cert: certFile, key: keyFile, ca: caFile, verifyservercert: true },
      { id: 'receive', type: 'directory-receive', keyId: 'k', host: '127.0.0.1', port, tls: 'own', wires: [['apply']] },
      { id: 'apply', type: 'directory-apply', account: 'account', wires: [['report'], [], ['plan']] },
      ...['read', 'answer', 'report', 'plan'].map(helper),
    ];
    const credentials = { ...sample.credentials, endpoint: { key: KEY }, receive: { key: KEY } };
    flow = await startFlow(nodes, { credentials });
    const listening = 'directory-receive.status.listening';
    await flow.until('listening', () => flow.statuses('receive').includes(listening));
  }

  const run = async (): Promise<Report> => {
    const before = flow.received('answer').length;
    flow.send('extract', {});
    await flow.until('report', () => flow.received('answer').length > before || flow.caught().length > 0, 18_000);
    assert.deepEqual(flow.caught(), []);
    return parseReport(flow.received('answer').at(-1)?.payload);
  };
  const snapshot = () => accounts.take(flow.RED, flow.node('apply'), 'account')((account) => account.snapshot());
  const lastSeal = () => parseSeal(flow.received('read').findLast(({ topic }) => topic === 'seal')?.payload);

  it('is held at the receiver, told at the sender, and approved or put right', async () => {
    assert.equal((await run()).outcome, 'committed');
    const before = await snapshot();
    const { proof, scope } = lastSeal();
    assert.deepEqual(scope?.bases, ['dc=example,dc=test']);
    const hidden = { [proof?.identityAtStart.toLowerCase() ?? '']: { hideAttributes: ['proxyAddresses'] } };
    sample.directory.setQuirks({ permissions: hidden });
    const held = await run();
    assert.equal(lastSeal().brought?.attributes['proxyAddresses'], 0);
    assert.equal(held.outcome, 'held');
    assert.ok(held.holds?.some(({ code }) => code === 'ATTRIBUTE_LOST'));
    assert.match(held.warnings?.[0]?.message ?? '', /The attribute proxyAddresses came with a value for 0 of/);
    assert.deepEqual(await snapshot(), before);
    await flow.until('the plan', () => flow.received('plan').at(-1)?.parts?.count !== undefined);
    assert.equal(flow.statuses('transmit').at(-1), 'directory-transmit.status.held');

    sample.directory.setQuirks(DEFAULT_QUIRKS);
    assert.equal((await run()).outcome, 'unchanged');
    sample.directory.setQuirks({ permissions: hidden });
    const again = await run();
    flow.send('apply', { topic: 'approve', plan: again.plan, by: 'ada' });
    await flow.until('decided', () => parseReport(flow.received('report').at(-1)?.payload).decidedBy === 'ada');
    const decided = parseReport(flow.received('report').at(-1)?.payload);
    assert.deepEqual([decided.outcome, decided.plan, decided.changes], ['committed', again.plan, again.changes]);
    assert.ok(decided.changes.aliasesUnlinked > 100);
  });
});

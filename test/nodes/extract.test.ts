import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeMessageInFlow } from 'node-red';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { Run, Seal } from '../../engine/model/run.js';
import { Turnstile } from '../../engine/runtime/turnstile.js';
import { DEFAULT_QUIRKS } from '../support/directory/quirks.js';
import { type Flow, type FlowNode, startFlow } from '../support/flow.js';
import { BASE, type SampleFlow, startSampleFlow } from '../support/sample-flow.js';

const parseSeal = parserOf(Seal, contractFault('the seal'));
const parseRun = parserOf(Run, contractFault('msg.run'));
const LONG = 100;

describe('directory-extract', () => {
  let sample: SampleFlow;
  let flow: Flow;
  before(async () => {
    sample = await startSampleFlow();
  });
  after(() => sample.stop());
  afterEach(async () => {
    sample.directory.setQuirks(DEFAULT_QUIRKS);
    await flow.stop();
  });

  const nodes = (extract: Record<string, unknown> = {}): FlowNode[] => [
    ...sample.nodes,
    { id: 'extract', type: 'directory-extract', server: 'server', window: LONG, ...extract, wires: [['out']] },
    { id: 'out', type: 'helper', wires: [] },
  ];
  const start = async (extract?: Record<string, unknown>, credentials = sample.credentials) => {
    flow = await startFlow(nodes(extract), { credentials });
  };
  const seals = () => flow.received('out').filter(({ topic }) => topic === 'seal');
  const sealed = (count = 1) => flow.until('seal', () => seals().length === count);
  const sealOf = (message: NodeMessageInFlow | undefined) => parseSeal(message?.payload);

  it('sends batches and a seal, under one run, with the source named after what is read', async () => {
    await start({ batchSize: 50 });
    flow.send('extract', { payload: 'go', topic: 'whatever', site: 'kept', parts: { id: 'other', index: 3 } });
    await sealed();
    const messages = flow.received('out');
    const seal = sealOf(messages.at(-1));
    assert.deepEqual([seal.complete, seal.batches], [true, messages.length - 1]);
    assert.ok(seal.batches > 5 && seal.records.user > 250);
    const runs = messages.map(({ run }) => parseRun(run));
    assert.equal(new Set(runs.map(({ id }) => id)).size, 1);
    assert.deepEqual(
      runs.map(({ batch }) => batch),
      messages.map((_, index) => index),
    );
    assert.deepEqual([runs[0]?.source, runs[0]?.mode], [BASE.toLowerCase(), 'full']);
    assert.ok(messages.every((message) => message['site'] === 'kept' && message.parts?.id === runs[0]?.id));
    await flow.until('done', () => flow.completed('extract') === 1);
    assert.deepEqual(flow.caught(), []);
    assert.deepEqual(flow.statuses('extract').slice(-1), ['directory-extract.status.done']);
  });

  it('a message while a run is under way becomes one follow-up, however many they are', async () => {
    await start({ source: 'site' });
    sample.directory.setQuirks({ delayPerPageMs: 20 });
    for (let count = 0; count < 20; count += 1) flow.send('extract', { payload: count });
    await flow.until('all are done', () => flow.completed('extract') === 20);
    await sleep(50);
    assert.equal(seals().length, 2);
    flow.send('extract', {});
    await sealed(3);
  });

  /** 200 messages that come while runs are under way: the runs they become, how often one breaks into another, and how many fail. */
  const overlapping = async () => {
    await start({ source: 'site', batchSize: 50 });
    sample.directory.setQuirks({ delayPerPageMs: 5 });
    for (let count = 0; count < 200; count += 1) {
      flow.send('extract', { payload: count });
      if (count % 10 === 9) await sleep(2);
    }
    await flow.until('all are over', () => flow.completed('extract') + flow.caught().length === 200, 60_000);
    const order = flow.received('out').map(({ run }) => parseRun(run).id);
    const begun = order.filter((id, at) => id !== order[at - 1]);
    const runs = new Set(order).size;
    return { runs, broken: begun.length - runs, failed: flow.caught().length };
  };

  it('200 overlapping triggers are a few runs, one after the other', async () => {
    const { runs, broken, failed } = await overlapping();
    assert.ok(runs >= 2 && runs < 20, String(runs));
    assert.deepEqual([broken, failed, seals().length], [0, 0, runs]);
  });

  it('200 overlapping triggers, negative control: without the turnstile each is a run, and they break into one another', async () => {
    const usual: Turnstile['pass'] = Reflect.get(Turnstile.prototype, 'pass');
    Turnstile.prototype.pass = async (work) => work().then(() => 'done');
    try {
      const { runs, broken } = await overlapping();
      assert.equal(runs, 200);
      assert.ok(broken > 100, String(broken));
    } finally {
      Turnstile.prototype.pass = usual;
    }
  }).timeout(90_000);

  it('a flow in which nobody acknowledges does not stall', async () => {
    await start({ batchSize: 10, window: 2 });
    flow.send('extract', {});
    await sealed();
    assert.equal(sealOf(seals()[0]).complete, true);
  });

  it('progress is shown at most once a second', async () => {
    await start({ batchSize: 1 });
    flow.send('extract', {});
    await sealed();
    const reading = flow.statuses('extract').filter((text) => text === 'directory-extract.status.reading');
    assert.ok(reading.length >= 1 && reading.length <= 5, String(reading.length));
  });

  it('the topic "stop" ends the run with a seal that is incomplete, and is no error', async () => {
    await start({ batchSize: 10 });
    sample.directory.setQuirks({ delayPerPageMs: 100 });
    flow.send('extract', {});
    flow.send('extract', {});
    await flow.until('a batch', () => flow.received('out').length > 0);
    flow.send('extract', { topic: 'stop' });
    await flow.until('all are done', () => flow.completed('extract') === 3);
    const seal = sealOf(seals()[0]);
    assert.deepEqual(
      [seal.complete, seal.incomplete[0]?.code, seal.batches],
      [false, 'STOPPED', flow.received('out').length - 1],
    );
    assert.deepEqual([seals().length, flow.caught()], [1, []]);
  });

  it('a redeploy stops the run within a second, and the old node sends nothing more', async () => {
    await start({ batchSize: 10 });
    sample.directory.setQuirks({ delayPerPageMs: 100 });
    flow.send('extract', {});
    await flow.until('a batch', () => flow.received('out').length > 0);
    const before = Date.now();
    await flow.redeploy(nodes({ name: 'again' }));
    assert.ok(Date.now() - before < 1_000, `${Date.now() - before} ms`);
    const sent = flow.received('out').length;
    await sleep(300);
    assert.deepEqual([flow.received('out').length, seals().length, flow.caught()], [sent, 0, []]);
  });

  it('a connection that ends in the middle: an incomplete seal, then the error', async () => {
    await start({ batchSize: 10 });
    sample.directory.setQuirks({ disconnectAfter: 30 });
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 1);
    const seal = sealOf(seals()[0]);
    assert.deepEqual([seal.complete, seal.proof, seal.incomplete[0]?.code], [false, null, flow.caught()[0]?.code]);
    assert.equal(flow.completed('extract'), 0);
  });

  it('a canary that may not be seen any more: everything else is sent, the seal is incomplete, and an error says so', async () => {
    const people = `OU=People,${BASE}`;
    await start({ version: 2, canaries: `${people}\n`, include: '', emailDomains: '' });
    flow.send('extract', {});
    await sealed();
    assert.equal(sealOf(seals()[0]).complete, true);
    sample.directory.setQuirks({ hideBelow: [people] });
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 1);
    const seal = sealOf(seals()[1]);
    assert.deepEqual([seal.complete, seal.proof, flow.caught()[0]?.code], [false, null, 'CANARY_MISSING']);
    assert.ok(seal.batches > 0);
  });

  it('branches, mail domains and presets are settings of version 2; a flow of version 1 reads as before', async () => {
    await start();
    flow.send('extract', {});
    await sealed();
    const all = sealOf(seals()[0]).records;
    const people = `OU=People,${BASE}`;
    await flow.redeploy(
      nodes({
        version: 2,
        preset: 'people',
        include: people,
        exclude: `CN=Nobody,${people}`,
        emailDomains: 'example.org',
      }),
    );
    flow.send('extract', {});
    await sealed(2);
    const seal = sealOf(seals()[1]);
    assert.equal(seal.complete, true);
    assert.ok(seal.records.user > 0 && seal.records.user < all.user);
    assert.equal(seal.records.group, 0);
    assert.equal(seal.proof?.searches[0]?.base, people);
  });

  it('a wrong password: one error with a code, and nothing is read', async () => {
    await start({ source: 'site' }, { server: { ...sample.credentials['server'], password: 'wrong-secret' } });
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 1);
    assert.ok(typeof flow.caught()[0]?.code === 'string');
    assert.doesNotMatch(JSON.stringify(flow.caught()), /wrong-secret/);
    assert.deepEqual(
      seals().map((message) => sealOf(message).batches),
      [0],
    );
  });

  it('where the source has no name and the directory cannot be asked for one, no run begins', async () => {
    await start({}, { server: { ...sample.credentials['server'], password: 'wrong-secret' } });
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 1);
    assert.deepEqual(flow.received('out'), []);
  });

  it('without a server, or with one that was deleted, the error names the setting', async () => {
    await start({ server: '' });
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 1);
    assert.equal(flow.caught()[0]?.code, 'SETTING_MISSING');
    await flow.redeploy(nodes({ server: 'gone' }));
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 2);
    assert.deepEqual(
      [flow.caught()[1]?.code, flow.statuses('extract').at(-1)],
      ['CONFIG_NODE_MISSING', 'server missing'],
    );
  });

  it('a filter that is none is an error before anything is asked', async () => {
    await start({ filter: '(mail=*', source: 'site' });
    flow.send('extract', {});
    await flow.until('error', () => flow.caught().length === 1);
    assert.deepEqual(flow.received('out'), []);
  });
});

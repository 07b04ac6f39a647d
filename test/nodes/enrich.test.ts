import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchMessage, sealMessage } from '../../engine/model/message.js';
import { RunLedger } from '../../engine/model/ledger.js';
import { type DirectoryObject, noRecords } from '../../engine/model/records.js';
import { type Run, Seal } from '../../engine/model/run.js';
import { parserOf, contractFault } from '../../engine/model/check.js';
import { stoppedSeal } from '../../engine/runtime/stopped-seal.js';
import { type Flow, type FlowNode, startFlow } from '../support/flow.js';

const run: Run = { id: 'run-00000001', source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00Z', batch: 0 };
const group: DirectoryObject = { kind: 'group', id: 'g1', dn: 'CN=g,DC=x', attributes: { member: ['CN=a,DC=x'] } };
const user: DirectoryObject = { kind: 'user', id: 'u1', dn: 'CN=a,DC=x', attributes: { mail: ['A@x.example'] } };
const sealOf = (batches: number): Seal => ({
  ...stoppedSeal(new RunLedger(run)),
  batches,
  records: { ...noRecords(), user: 1, group: 1 },
  complete: true,
  incomplete: [],
});
const parseSeal = parserOf(Seal, contractFault('the seal'));
const flowOf = (settings: Record<string, unknown> = {}): FlowNode[] => [
  { id: 'enrich', type: 'directory-enrich', ...settings, wires: [['out']] },
  { id: 'out', type: 'helper', wires: [] },
];

describe('directory-enrich', () => {
  let flow: Flow;
  afterEach(() => flow.stop());

  it('passes on each batch with its number, and counts anew in the seal', async () => {
    flow = await startFlow(flowOf());
    flow.send('enrich', { ...batchMessage(run, 0, [user, group]), site: 'kept' });
    flow.send('enrich', { ...sealMessage(run, sealOf(1)), site: 'kept' });
    await flow.until('seal', () => flow.received('out').length === 2);

    const [batch, seal] = flow.received('out');
    assert.deepEqual(
      [batch?.topic, batch?.['site'], batch?.parts],
      ['batch', 'kept', { id: run.id, index: 0, type: 'array', len: 3 }],
    );
    assert.ok(Array.isArray(batch?.payload));
    const { records, complete, batches, stages } = parseSeal(seal?.payload);
    assert.deepEqual([records, complete, batches], [{ ...noRecords(), user: 1, group: 1, members: 1 }, true, 1]);
    assert.deepEqual(
      stages.map(({ stage }) => stage),
      ['extract', 'enrich'],
    );
    assert.equal(seal?.['site'], 'kept');
    await flow.until('done', () => flow.completed('enrich') === 2);
    assert.deepEqual(flow.caught(), []);
    assert.ok(flow.statuses('enrich').includes('directory-enrich.status.enriched'));
  });

  it('a message that belongs to no run is an error that says what to wire', async () => {
    flow = await startFlow(flowOf());
    flow.send('enrich', { payload: 'hello' });
    await flow.until('error', () => flow.caught().length > 0);
    const [error] = flow.caught();
    assert.equal(error?.code, 'NOT_A_RUN');
    assert.match(error.message, /Wire this node behind directory-extract/);
    assert.equal(flow.completed('enrich'), 0);
    await flow.until('status', () => flow.statuses('enrich').includes('not a run'));
  });

  it('a record that a function node broke is an error that names the place, not the data', async () => {
    flow = await startFlow(flowOf());
    flow.send('enrich', { ...batchMessage(run, 0, [{ ...user, attributes: { mail: 'secret@x.example' } }]) });
    await flow.until('error', () => flow.caught().length > 0);
    const [error] = flow.caught();
    assert.equal(error?.code, 'NOT_AS_AGREED');
    assert.doesNotMatch(error.message, /secret/);
  });

  it('a wrong setting is shown at once, and every message is refused with it', async () => {
    flow = await startFlow(flowOf({ membersPerRecord: 'many' }));
    flow.send('enrich', { ...batchMessage(run, 0, [user]) });
    await flow.until('error', () => flow.caught().some(({ code }) => code === 'SETTING_INVALID'));
    assert.match(
      flow.caught()[0]?.message ?? '',
      /"membersPerRecord" of directory-enrich must be a whole number from 1 to 100000/,
    );
    assert.deepEqual(flow.received('out'), []);
  });

  it('in the place of a batch that is missing goes an empty one, and the seal says incomplete', async () => {
    flow = await startFlow(flowOf());
    flow.send('enrich', batchMessage(run, 1, [user]));
    flow.send('enrich', sealMessage(run, sealOf(2)));
    await flow.until('seal', () => flow.received('out').length === 3, 15_000);
    assert.deepEqual(
      flow.received('out').map(({ parts }) => parts?.index),
      [1, 0, 2],
    );
    const seal = parseSeal(flow.received('out')[2]?.payload);
    assert.deepEqual([seal.complete, seal.incomplete[0]?.code], [false, 'BATCH_MISSING']);
  }).timeout(20_000);

  it('members by primary group follow as batches of their own, and what should be corrected goes to the second output', async () => {
    const sids = 'S-1-5-21-1-2-3';
    const member = { ...user, id: '00000000-0000-0000-0000-000000000001' };
    const read = [
      { ...member, attributes: { mail: ['no address'], objectSid: [`${sids}-1001`], primaryGroupID: ['513'] } },
      { ...group, attributes: { ...group.attributes, objectSid: [`${sids}-513`], groupType: ['-2147483646'] } },
    ];
    flow = await startFlow([
      { id: 'enrich', type: 'directory-enrich', version: 2, findings: true, wires: [['out'], ['findings']] },
      { id: 'out', type: 'helper', wires: [] },
      { id: 'findings', type: 'helper', wires: [] },
    ]);
    flow.send('enrich', { ...batchMessage(run, 0, read), site: 'kept' });
    flow.send('enrich', { ...sealMessage(run, sealOf(1)), site: 'kept' });
    await flow.until('seal', () => flow.received('out').length === 3 && flow.received('findings').length === 1);
    const [, late, last] = flow.received('out');
    assert.deepEqual([late?.topic, late?.['site'], late?.parts?.index], ['batch', 'kept', 1]);
    assert.deepEqual(late?.payload, [{ kind: 'members', group: 'g1', add: [{ id: member.id }], part: 2, parts: 2 }]);
    const seal = parseSeal(last?.payload);
    assert.deepEqual([seal.batches, seal.records.members, seal.complete], [2, 2, true]);
    assert.deepEqual(seal.findings?.codes, { INVALID_ADDRESS: 1 });
    assert.equal(seal.stages[1]?.figures['primaryMembers'], 1);
    const [findings] = flow.received('findings');
    assert.deepEqual([findings?.topic, findings?.['site'], findings?.parts], ['findings', 'kept', undefined]);
  });

  it('a setting that works with an attribute that was not read is warned of, with its name', async () => {
    flow = await startFlow(flowOf({ version: 2, accountExpires: true }));
    const warned: unknown[] = [];
    const node = flow.node('enrich');
    node.warn = (warning: unknown) => warned.push(warning);
    const send = (id: string, names: readonly string[]) => {
      const attributes = Object.fromEntries(names.map((name) => [name, 1]));
      flow.send('enrich', batchMessage({ ...run, id }, 0, [user]));
      flow.send('enrich', sealMessage({ ...run, id }, { ...sealOf(1), brought: { objects: 1, attributes } }));
    };
    send('run-read', ['mail', 'accountExpires']);
    await flow.until('seal', () => flow.received('out').length === 2);
    assert.deepEqual(warned, []);
    send('run-not-read', ['mail']);
    await flow.until('seal', () => flow.received('out').length === 4);
    assert.equal(warned.length, 1);
  });

  it('a server that is not there is an error, once', async () => {
    flow = await startFlow(flowOf({ version: 2, server: 'gone' }));
    flow.send('enrich', batchMessage(run, 0, [user]));
    flow.send('enrich', batchMessage(run, 1, [user]));
    await flow.until('error', () => flow.caught().length > 0);
    await sleep(50);
    assert.deepEqual(
      flow.caught().map(({ code }) => code),
      ['CONFIG_NODE_MISSING'],
    );
  });

  it('a redeploy while a seal waits takes no second', async () => {
    flow = await startFlow(flowOf());
    flow.send('enrich', sealMessage(run, sealOf(2)));
    await sleep(50);
    const before = Date.now();
    await flow.redeploy(flowOf({ name: 'again' }));
    assert.ok(Date.now() - before < 1_000);
    assert.deepEqual(flow.caught(), []);
  });
});

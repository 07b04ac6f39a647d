import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { Outbox } from '../../../engine/transport/outbox.js';
import { createSender } from '../../../engine/transport/sender.js';
import { type Fault, startFaultProxy } from '../../support/fault-proxy.js';
import { batchesOf, people, runOf, sealOf, startReceiver, withFolder, withReceiver } from './support.js';

const never = new AbortController().signal;
const batches = batchesOf(people(60), 10);

describe('what was sent is kept until the run is done', () => {
  it('in memory as far as it goes, then in a file that goes with the run', async () => {
    await withFolder(async (folder) => {
      const outbox = new Outbox(folder);
      const piece = (index: number) => Buffer.alloc(1_000_000, index);
      for (let index = 0; index < 8; index += 1) await outbox.keep(index, piece(index));
      assert.equal((await readdir(folder)).length, 1, 'more than memory may hold');
      for (let index = 7; index >= 0; index -= 1) assert.deepEqual(await outbox.take(index), piece(index));
      assert.equal(await outbox.take(8), null);
      await outbox.close();
      assert.deepEqual(await readdir(folder), []);

      const small = new Outbox(folder);
      await small.keep(0, Buffer.from('small'));
      assert.deepEqual(await readdir(folder), [], 'a small run needs no file');
      await small.close();
    });
  });

  it('so a receiver that lost its spool gets everything again, and the run arrives whole', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const first = await startReceiver(spool);
      const sender = createSender({ ...first.endpoint, deadlineMs: 20_000 }, never);
      await sender.open(runOf('lost-spool'));
      for (const index of [0, 1, 2]) await sender.send(index, batches[index] ?? []);
      await first.receiver.close();
      for (const end of ['', '-wal', '-shm']) await rm(`${spool}${end}`, { force: true });
      await mkdir(folder, { recursive: true });

      const second = await startReceiver(spool, { port: Number(new URL(first.endpoint.url).port) });
      for (const index of [3, 4, 5]) await sender.send(index, batches[index] ?? []);
      const report = await sender.seal(sealOf(batches));
      sender.close();
      await second.receiver.close();
      assert.equal(report.outcome, 'committed');
      assert.equal(report.complete, true);
      assert.deepEqual(second.received[0]?.records, batches.flat());
    });
  });
});

describe('a cut connection', () => {
  /** Sends a run through a proxy that does `faults` to its first connections. */
  async function through(faults: readonly Fault[]) {
    const result = { received: 0, sentBytes: 0, requests: 0 };
    await withReceiver({}, async ({ endpoint, received }) => {
      const port = Number(new URL(endpoint.url).port);
      const proxy = await startFaultProxy({
        to: { host: '127.0.0.1', port },
        faults: (connection) => faults.slice(connection, connection + 1),
      });
      const url = endpoint.url.replace(String(port), String(proxy.port));
      const sender = createSender({ ...endpoint, url, underWay: 1 }, never);
      await sender.open(runOf('cut-run-01'));
      for (const [index, records] of batches.entries()) await sender.send(index, records);
      const report = await sender.seal(sealOf(batches));
      sender.close();
      await proxy.close();
      assert.deepEqual(received[0]?.records, batches.flat());
      const figures = report.stages[0]?.figures ?? {};
      Object.assign(result, {
        received: received.length,
        sentBytes: Number(figures['sentBytes']),
        requests: Number(figures['requests']),
      });
    });
    return result;
  }

  it('before the answer: the sender asks what is there, and does not send the batch twice', async () => {
    const whole = await through([]);
    // The answers come in records of TLS: some for the handshake, one or two for each answer.
    const cut = await through([{ kind: 'cut', direction: 'down', at: { message: 9 } }]);
    assert.equal(cut.received, 1);
    assert.equal(cut.sentBytes, whole.sentBytes, 'the content went over the wire once');
    assert.ok(cut.requests > whole.requests, 'control: there was a cut');
  });
});

describe('a batch that is refused', () => {
  it('is told apart, and the run goes on without it as an incomplete one', async () => {
    await withReceiver({ limits: { recordBytes: 2_000 } }, async ({ endpoint, received }) => {
      const large = people(1, 20).map((person) => ({ ...person, name: 'x'.repeat(3_000) }));
      const second = [...people(10, 10), ...large, ...people(5, 40)];
      const sender = createSender(endpoint, never);
      await sender.open(runOf('refused-01'));
      assert.deepEqual(await sender.send(0, people(10)), []);
      const [refused, ...others] = await sender.send(1, second);
      assert.deepEqual(others, []);
      assert.deepEqual(refused?.records, large, 'nobody else is refused with it');
      assert.equal(refused.error.code, 'BATCH_REFUSED');
      const { problem, batch, correlation } = refused.error.params;
      assert.deepEqual([problem, batch], ['too-large', 1]);
      assert.ok(typeof correlation === 'string' && correlation.length === 36);
      await sender.send(2, people(5, 30));
      const report = await sender.seal(sealOf([people(10), second, people(5, 30)]));
      sender.close();
      assert.equal(report.complete, false);
      assert.deepEqual(
        report.incomplete.map(({ code }) => code),
        ['BATCH_REFUSED'],
      );
      assert.equal(received[0]?.records.length, 30);
    });
  });
});

describe('a batch that is larger than the receiver takes', () => {
  it('compresses as well as it likes: its parts are too small to be taken for a bomb', async () => {
    await withReceiver({ limits: { ratio: 20 } }, async ({ endpoint, received }) => {
      const alike = people(4_000).map((person) => ({ ...person, name: 'x'.repeat(1_000) }));
      const sender = createSender(endpoint, never);
      await sender.open(runOf('alike-01'));
      assert.deepEqual(await sender.send(0, alike), []);
      const report = await sender.seal(sealOf([alike]));
      sender.close();
      assert.equal(received[0]?.records.length, 4_000);
      const { jsonBytes, sentBytes } = report.stages[0]?.figures ?? {};
      assert.ok(Number(jsonBytes) > 40 * Number(sentBytes), 'control: it compresses better than the ratio');
    });
  });

  for (const limits of [{ records: 12 }, { batchBytes: 3_000 }]) {
    it(`goes in parts, and arrives whole (${Object.keys(limits).join()})`, async () => {
      await withReceiver({ limits }, async ({ endpoint, received }) => {
        const sender = createSender(endpoint, never);
        const large = [people(50), people(10, 50), people(70, 60)];
        await sender.open(runOf('in-parts-01'));
        const sent = await Promise.all(large.map((records, index) => sender.send(index, records)));
        assert.deepEqual(sent, [[], [], []]);
        const report = await sender.seal(sealOf(large));
        sender.close();
        assert.equal(report.complete, true);
        const ids = (records: readonly EnrichedRecord[]) => records.map((record) => JSON.stringify(record)).sort();
        assert.deepEqual(ids(received[0]?.records ?? []), ids(large.flat()));
        assert.ok(Number(report.stages[0]?.batches) > 10, 'control: in more batches than the flow has');
      });
    });
  }
});

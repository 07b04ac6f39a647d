import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { AccountError, StoppedError } from '../../../engine/model/errors.js';
import type { RunOutcome } from '../../../engine/runtime/outcome.js';
import { createSender } from '../../../engine/transport/sender.js';
import { ask, open, outcomeOf, put, seal, state } from './asking.js';
import {
  type Around,
  batchesOf,
  people,
  reportOf,
  runOf,
  sealOf,
  startReceiver,
  withFolder,
  withReceiver,
} from './support.js';

const never = new AbortController().signal;
const batches = batchesOf(people(50), 10);

function portOf({ endpoint }: Around): number {
  return Number(new URL(endpoint.url).port);
}

describe('a receiver that is started again', () => {
  it('has every batch that it acknowledged, and the sender goes on as if nothing had been', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const first = await startReceiver(spool);
      const sender = createSender({ ...first.endpoint, deadlineMs: 30_000 }, never);
      await sender.open(runOf('restarted-1'));
      for (const index of [0, 1, 2]) await sender.send(index, batches[index] ?? []);
      await first.receiver.close();

      // While nobody listens: the sender keeps trying.
      const later = [3, 4].map((index) => sender.send(index, batches[index] ?? []));
      await delay(500);
      const second = await startReceiver(spool, { port: portOf(first) });
      await Promise.all(later);
      const report = await sender.seal(sealOf(batches));
      sender.close();
      await second.receiver.close();

      assert.equal(report.outcome, 'committed');
      assert.ok(Number(report.stages[0]?.figures['retries']) > 0, 'control: there were requests that failed');
      assert.equal(first.received.length, 0);
      assert.deepEqual(second.received[0]?.records, batches.flat());
      assert.equal(report.stages.at(-1)?.records.user, 50);
    });
  });

  it('lets those wait who come before its spool is open', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const lock = new DatabaseSync(spool);
      lock.exec('BEGIN EXCLUSIVE');
      const { endpoint, receiver } = await startReceiver(spool);
      const sender = createSender({ ...endpoint, deadlineMs: 30_000 }, never);
      let opened = false;
      try {
        const opening = sender.open(runOf('waits-for-it')).then(() => (opened = true));
        await delay(300);
        assert.equal(opened, false, 'control: the spool cannot be opened yet');
        lock.exec('ROLLBACK');
        await opening;
        const report = await sender.seal(sealOf([]));
        assert.equal(report.stages[0]?.figures['retries'], 0);
      } finally {
        lock.close();
        sender.close();
        await receiver.close();
      }
    });
  });

  it('hands a run over again that was sealed and not finished, and has its report for who asks', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const stop = new AbortController();
      // The flow is closed while it works on the run.
      const stopped = new Promise<RunOutcome>((resolve) => {
        stop.signal.addEventListener('abort', () => resolve({ error: new StoppedError() }));
      });
      const first = await startReceiver(spool, { outcome: () => stopped, limits: { sealAnswerMs: 200 } });
      await ask(first, open('unfinished-1'));
      for (const [index, records] of batches.entries()) await ask(first, put('unfinished-1', index, records));
      const answer = await ask(first, seal('unfinished-1', batches, sealOf(batches)));
      assert.equal(answer.status, 202);
      assert.equal(answer.headers['retry-after'], '2');
      assert.equal(answer.body['state'], 'sealed');
      stop.abort();
      await first.receiver.close();

      const second = await startReceiver(spool);
      try {
        for (let tries = 0; tries < 50 && second.received.length === 0; tries += 1) await delay(20);
        await delay(100);
        const now = await ask(second, state('unfinished-1'));
        assert.equal(now.body['state'], 'done');
        assert.equal((now.body['report'] as { outcome: string }).outcome, 'committed');
        assert.deepEqual(second.received[0]?.records, batches.flat());
        // Sealing once more gives the report and hands nothing over.
        assert.equal((await ask(second, seal('unfinished-1', batches, sealOf(batches)))).status, 200);
        assert.equal(second.received.length, 1);
      } finally {
        await second.receiver.close();
      }
      const third = await startReceiver(spool);
      await delay(100);
      assert.equal(third.received.length, 0, 'control: a finished run is not handed over again');
      await third.receiver.close();
    });
  });

  it('answers late, and the sender gets the report all the same', async () => {
    const outcome = async (received: Parameters<typeof reportOf>[0]) => {
      await delay(1500);
      return { report: reportOf(received) };
    };
    await withReceiver({ outcome, limits: { sealAnswerMs: 100 } }, async ({ endpoint, received }) => {
      const sender = createSender(endpoint, never);
      await sender.open(runOf('late-report'));
      await Promise.all(batches.map((records, index) => sender.send(index, records)));
      assert.equal((await sender.seal(sealOf(batches))).outcome, 'committed');
      assert.equal(received.length, 1);
      sender.close();

      const hurried = createSender({ ...endpoint, deadlineMs: 1000 }, never);
      await hurried.open(runOf('late-report-2'));
      await hurried.send(0, batches[0] ?? []);
      await assert.rejects(hurried.seal(sealOf(batches.slice(0, 1))), { code: 'REPORT_LATE', transient: true });
      hurried.close();
    });
  });
});

describe('what becomes of a run', () => {
  it('an error reaches the sender with its code, and the run may be sealed again', async () => {
    let attempts = 0;
    const outcome = (received: Parameters<typeof reportOf>[0]): RunOutcome => {
      attempts += 1;
      if (attempts > 1) return { report: reportOf(received) };
      return {
        error: new AccountError('STORE_BUSY', { message: 'The store is busy.', status: 'busy', transient: true }),
      };
    };
    await withReceiver({ outcome }, async (around) => {
      const sender = createSender(around.endpoint, never);
      await sender.open(runOf('failed-run'));
      await sender.send(0, batches[0] ?? []);
      const what = sealOf(batches.slice(0, 1));
      await assert.rejects(
        sender.seal(what),
        (error: Error & { code?: string; params?: unknown; transient?: boolean }) => {
          assert.equal(error.code, 'RUN_FAILED');
          assert.match(error.message, /STORE_BUSY: The store is busy\./);
          return error.transient === true;
        },
      );
      assert.equal((await ask(around, state('failed-run'))).body['state'], 'failed');
      assert.equal((await sender.seal(what)).outcome, 'committed');
      assert.deepEqual(
        around.received.map(({ records }) => records.length),
        [10, 10],
      );
      sender.close();
    });
  });

  it('the text of an unforeseen error stays at the receiver', async () => {
    const outcome = () => Promise.reject(new Error('canary: somebody@example.test'));
    await withReceiver({ outcome }, async (around) => {
      await ask(around, open('unforeseen-1'));
      const answer = await ask(around, seal('unforeseen-1', [], sealOf([])));
      assert.equal(outcomeOf(answer), '422 run-failed');
      assert.equal(answer.body['code'], 'UNEXPECTED');
      assert.ok(!JSON.stringify(answer.body).includes('canary'));
      // The control: the receiver's own side has it.
      assert.ok(around.problems.some(({ cause }) => cause instanceof Error && cause.message.includes('canary')));
    });
  });

  it('a run that nobody took is reported as received', async () => {
    await withReceiver({ outcome: () => ({ untaken: true }) }, async ({ endpoint }) => {
      const sender = createSender(endpoint, never);
      await sender.open(runOf('nobody-took'));
      await sender.send(0, batches[0] ?? []);
      const report = await sender.seal(sealOf(batches.slice(0, 1)));
      assert.deepEqual([report.outcome, report.changes.usersAdded], ['received', 0]);
      assert.deepEqual(
        report.stages.map(({ stage }) => stage),
        ['transmit', 'receive'],
      );
      sender.close();
    });
  });

  it('a run that was stopped by a redeployed flow is handed over again by itself', async () => {
    let attempts = 0;
    const outcome = (received: Parameters<typeof reportOf>[0]): RunOutcome => {
      attempts += 1;
      return attempts > 1 ? { report: reportOf(received) } : { error: new StoppedError() };
    };
    await withReceiver({ outcome }, async ({ endpoint, received }) => {
      const sender = createSender({ ...endpoint, deadlineMs: 15_000 }, never);
      await sender.open(runOf('redeployed'));
      await sender.send(0, batches[0] ?? []);
      assert.equal((await sender.seal(sealOf(batches.slice(0, 1)))).outcome, 'committed');
      assert.equal(received.length, 2);
      sender.close();
    });
  });

  it('a run that is given up is forgotten, even after the sender was told to stop', async () => {
    await withReceiver({}, async (around) => {
      const stop = new AbortController();
      const sender = createSender(around.endpoint, stop.signal);
      await sender.open(runOf('abandoned'));
      await sender.send(0, batches[0] ?? []);
      stop.abort();
      await assert.rejects(sender.send(1, batches[1] ?? []), StoppedError);
      await sender.abandon();
      sender.close();
      assert.equal(outcomeOf(await ask(around, state('abandoned'))), '404 run-unknown');
    });
  });

  it('runs never sealed, and old reports, are forgotten when their time is over', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const first = await startReceiver(spool);
      await ask(first, open('never-sealed'));
      await ask(first, open('long-done-1'));
      await ask(first, seal('long-done-1', [], sealOf([])));
      await first.receiver.close();
      const kept = await startReceiver(spool);
      assert.equal((await ask(kept, state('never-sealed'))).status, 200, 'control: within its time');
      await kept.receiver.close();
      await delay(20);
      const late = await startReceiver(spool, { limits: { openRunMs: 10, reportMs: 10 } });
      for (const id of ['never-sealed', 'long-done-1']) {
        assert.equal(outcomeOf(await ask(late, state(id))), '404 run-unknown');
      }
      await late.receiver.close();
    });
  });
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountError, DirectorySyncError, StoppedError } from '../../../engine/model/errors.js';
import { startWorker } from '../../../engine/runtime/worker.js';
import type { Calculator } from './threads/calculator.js';

const start = (log: string | null = null) =>
  startWorker<Calculator>(join(__dirname, 'threads', 'calculator.js'), { log });

describe('calls to a worker thread', () => {
  it('answer with the value of the method, synchronous or not', async () => {
    const calculator = start();
    assert.deepEqual(await Promise.all([calculator.call('addSlowly', 1, 2), calculator.call('add', 3, 4)]), [3, 7]);
    await calculator.close();
  });

  it('bring errors of the taxonomy across with class, code, status and params', async () => {
    const calculator = start();
    await assert.rejects(calculator.call('refuse'), (error) => {
      assert.ok(error instanceof AccountError);
      const { code, message, status, params, transient } = error;
      assert.deepEqual(
        { code, message, status, params, transient },
        { code: 'NO_SUM', message: 'No sum today.', status: 'no sum', params: { day: 1 }, transient: true },
      );
      return true;
    });
    await assert.rejects(calculator.call('stumble'), { code: 'UNEXPECTED' });
    assert.equal(await calculator.call('add', 1, 1), 2, 'the thread goes on after an error');
    await calculator.close();
  });

  it('hand over bytes, and copy those that share their memory with others', async () => {
    const calculator = start();
    const large = 'x'.repeat(100_000);
    for (let count = 0; count < 3; count += 1) {
      assert.equal(Buffer.from(await calculator.call('bytes', large)).toString(), large);
      assert.equal(await calculator.call('lastBytes'), 0, 'the thread has them no more');
    }
    const small = await Promise.all(['a', 'bc', ''].map((text) => calculator.call('bytes', text)));
    assert.deepEqual(
      small.map((bytes) => Buffer.from(bytes).toString()),
      ['a', 'bc', ''],
    );
    await calculator.call('bytes', 'a piece of the memory of many');
    assert.equal(await calculator.call('lastBytes'), 29);
    await calculator.close();
  });

  it('refuse an argument that cannot be copied, and go on', async () => {
    const calculator = start();
    const uncopyable = (() => 1) as unknown;
    await assert.rejects(calculator.call('add', uncopyable as number, 1), { code: 'UNEXPECTED' });
    assert.equal(await calculator.call('add', 1, 1), 2);
    await calculator.close();
  });

  it('reject, all of them, when the thread dies under them', async () => {
    const calculator = start();
    const calls = [calculator.call('addSlowly', 1, 1), calculator.call('die'), calculator.call('add', 1, 1)];
    const outcomes = await Promise.allSettled(calls);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    await assert.rejects(calculator.call('add', 1, 1), { code: 'WORKER_LOST' });
    await calculator.close();
  });

  it('report a thread whose file cannot be loaded', async () => {
    const worker = startWorker<Calculator>(join(__dirname, 'threads', 'no-such-file.js'), {});
    await assert.rejects(
      worker.call('add', 1, 1),
      (error) => error instanceof DirectorySyncError && error.code === 'WORKER_LOST',
    );
    await worker.close();
  });
});

describe('closing a worker thread', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'worker-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('waits for the call at hand, refuses those behind it, tidies up, and may be done twice', async () => {
    const log = join(folder, 'log');
    const calculator = start(log);
    await calculator.call('add', 0, 0);
    const atHand = calculator.call('addSlowly', 1, 2);
    const behind = assert.rejects(calculator.call('addSlowly', 3, 4), StoppedError);
    while (!existsSync(log)) await sleep(5);
    await Promise.all([calculator.close(), calculator.close()]);
    assert.equal(await atHand, 3);
    await behind;
    assert.equal(readFileSync(log, 'utf8'), 'started\nfinished\ntidied\n');
    await assert.rejects(calculator.call('add', 1, 1), StoppedError);
  });

  it('negative control: without closing, the calls behind are done', async () => {
    const log = join(folder, 'log');
    const calculator = start(log);
    assert.deepEqual(
      await Promise.all([calculator.call('addSlowly', 1, 2), calculator.call('addSlowly', 3, 4)]),
      [3, 7],
    );
    await calculator.close();
  });
});

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoppedError } from '../../../engine/model/errors.js';
import { RunWindow, acknowledgeBatch, announceClaim, claimRun } from '../../../engine/runtime/window.js';
import { awaitOutcome, settleRun, takeRun } from '../../../engine/runtime/outcome.js';
import { AccountError } from '../../../engine/model/errors.js';

/** Sends `count` batches through the window and says how many got through before `within` ms had passed. */
async function sentWithin(window: RunWindow, count: number, within: number): Promise<number> {
  const abort = new AbortController();
  let sent = 0;
  const sending = (async () => {
    for (; sent < count; sent += 1) await window.sent(abort.signal);
  })().catch((error: unknown) => assert.ok(error instanceof StoppedError));
  await Promise.race([sending, sleep(within)]);
  const reached = sent;
  abort.abort();
  await sending;
  return reached;
}

describe('window of unacknowledged batches', () => {
  it('stops a run whose batches are not acknowledged, once somebody has claimed it', async () => {
    const window = new RunWindow('run-claimed', 4, 20);
    claimRun('run-claimed');
    assert.equal(await sentWithin(window, 100, 200), 3);
    window.close();
  });

  it('goes on as batches are acknowledged', async () => {
    const window = new RunWindow('run-acked', 4, 20);
    claimRun('run-acked');
    const timer = setInterval(() => acknowledgeBatch('run-acked'), 1);
    assert.equal(await sentWithin(window, 30, 5_000), 30);
    clearInterval(timer);
    window.close();
  });

  it('does not stall a flow that never acknowledges', async () => {
    const window = new RunWindow('run-debug', 4, 20);
    assert.equal(await sentWithin(window, 100, 5_000), 100);
    window.close();
  });

  it('is throttled by a claim that comes late', async () => {
    const window = new RunWindow('run-late-claim', 4, 20);
    assert.equal(await sentWithin(window, 10, 5_000), 10, 'nobody claims it: it goes on');
    claimRun('run-late-claim');
    assert.equal(await sentWithin(window, 10, 200), 0, 'ten are unacknowledged: it waits');
    window.close();
  });

  it('waits longer where a node that takes its time has the run', async () => {
    const window = new RunWindow('run-behind', 4, 20, 60_000, 60_000);
    setTimeout(() => announceClaim('run-behind'), 1);
    assert.equal(await sentWithin(window, 10, 200), 3, 'it waits for a claim from behind');
    claimRun('run-behind');
    setTimeout(() => acknowledgeBatch('run-behind'), 1);
    assert.equal(await sentWithin(window, 10, 200), 0, 'and is throttled by it');
    window.close();
  });

  it('does not stall for ever when a node between drops batches', async () => {
    const window = new RunWindow('run-dropped', 4, 20, 20);
    claimRun('run-dropped');
    assert.equal(await sentWithin(window, 12, 5_000), 12);
    window.close();
  });

  it('waits as long as somebody says that they are still at it', async () => {
    const window = new RunWindow('run-slow', 4, 20, 40);
    claimRun('run-slow');
    const timer = setInterval(() => claimRun('run-slow'), 5);
    assert.equal(await sentWithin(window, 12, 400), 3);
    clearInterval(timer);
    assert.ok((await sentWithin(window, 12, 5_000)) > 0, 'control: then nobody is there any more');
    window.close();
  });

  it('ends at once when the run is stopped', async () => {
    const window = new RunWindow('run-stopped', 1, 60_000);
    claimRun('run-stopped');
    const abort = new AbortController();
    const waiting = window.sent(abort.signal);
    abort.abort();
    await assert.rejects(waiting, StoppedError);
    window.close();
  });
});

describe('outcome of a run', () => {
  it('reaches whoever handed the run to the flow', async () => {
    const { outcome, handedOver } = awaitOutcome('run-outcome', 10);
    takeRun('run-outcome');
    handedOver();
    const error = new AccountError('SOME_CODE', { message: 'It failed.', status: 'failed' });
    setTimeout(() => settleRun('run-outcome', { error }), 50);
    assert.deepEqual(await outcome, { error });
  });

  it('does not wait for a flow without an apply node', async () => {
    const { outcome, handedOver } = awaitOutcome('run-untaken', 10);
    handedOver();
    assert.deepEqual(await outcome, { untaken: true });
  });
});

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountError, StoppedError, type DirectorySyncError } from '../../../engine/model/errors.js';
import { RunLedger } from '../../../engine/model/ledger.js';
import { batchMessage, sealMessage } from '../../../engine/model/message.js';
import { type Quarantined, noRecords } from '../../../engine/model/records.js';
import type { Run, Seal } from '../../../engine/model/run.js';
import { RunStage, type StageOptions } from '../../../engine/runtime/stage.js';
import { stoppedSeal } from '../../../engine/runtime/stopped-seal.js';

const run: Run = { id: 'run-00000001', source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00Z', batch: 0 };
const record: Quarantined = { kind: 'quarantined', id: null, dn: '', reason: 'r', detail: 'd' };
const batch = (index: number) => batchMessage(run, index, [record]);
const seal = (batches: number) =>
  sealMessage(run, {
    ...stoppedSeal(new RunLedger(run)),
    batches,
    records: noRecords(),
    complete: true,
    incomplete: [],
  });

/** A stage that notes what it is told. `work` is called for each batch. */
function stageOf(work: (index: number) => Promise<void>, options: Partial<StageOptions> = {}) {
  const seen = {
    batches: [] as number[],
    ends: [] as (string | null)[],
    again: [] as (string | null)[],
    released: 0,
    begun: 0,
  };
  const stage = new RunStage<Quarantined, null, null, Seal>(
    {
      begin: () => ((seen.begun += 1), null),
      async batch(_at, index) {
        await work(index);
        seen.batches.push(index);
      },
      seal: (_at, sealed) => Promise.resolve(sealed),
      end: (_at, error: DirectorySyncError | null) => void seen.ends.push(error?.code ?? null),
      again: (_run, _seal, error) => Promise.resolve(void seen.again.push(error?.code ?? null)),
      release: () => (seen.released += 1),
    },
    options,
  );
  return { stage, seen };
}
const atOnce = () => Promise.resolve();
const broken = () => new AccountError('BROKEN', { message: 'broken', status: 'broken' });

describe('a stage that runs pass', () => {
  it('gives the result with the seal, and ends the run once', async () => {
    const { stage, seen } = stageOf(atOnce);
    assert.equal(await stage.take(batch(0), null), null);
    assert.equal(await stage.take(batch(1), null), null);
    assert.equal((await stage.take(seal(2), null))?.complete, true);
    assert.deepEqual(seen, { batches: [0, 1], ends: [null], again: [], released: 2, begun: 1 });
  });

  it('makes room for a repeat, too: its sender waits for nothing else', async () => {
    const { stage, seen } = stageOf(atOnce);
    await stage.take(batch(0), null);
    await stage.take(batch(0), null);
    assert.equal(seen.released, 2);
  });

  it('answers a run that is handed over again with what became of it, done or failed', async () => {
    const done = stageOf(atOnce);
    await done.stage.take(seal(0), null);
    assert.equal(await done.stage.take(seal(0), null), null);
    assert.deepEqual(done.seen.again, [null]);

    const failing = stageOf(() => Promise.reject(broken()));
    await assert.rejects(failing.stage.take(batch(0), null), { code: 'BROKEN' });
    assert.equal(await failing.stage.take(seal(1), null), null);
    assert.deepEqual(failing.seen.again, ['BROKEN']);
  });

  it('says when it gives a run up', async () => {
    const told: string[] = [];
    const { stage } = stageOf(atOnce, { forget: 20, onGivenUp: ({ code }) => told.push(code) });
    await stage.take(batch(0), null);
    await sleep(100);
    assert.deepEqual(told, ['NO_SEAL']);
  });

  it('takes each number once, and ignores what comes after the end', async () => {
    const { stage, seen } = stageOf(atOnce);
    await stage.take(batch(0), null);
    await stage.take(batch(0), null);
    await stage.take(seal(1), null);
    assert.equal(await stage.take(seal(1), null), null);
    await stage.take(batch(1), null);
    assert.deepEqual([seen.batches, seen.ends, seen.begun], [[0], [null], 1]);
  });

  it('waits for a batch that is late', async () => {
    const { stage } = stageOf(atOnce, { late: 5_000 });
    await stage.take(batch(0), null);
    const sealed = stage.take(seal(2), null);
    await sleep(20);
    await stage.take(batch(1), null);
    assert.equal((await sealed)?.complete, true);
  });

  it('without the late batch the seal is incomplete, and says so', async () => {
    const { stage } = stageOf(atOnce, { late: 30 });
    await stage.take(batch(0), null);
    const sealed = await stage.take(seal(2), null);
    assert.deepEqual([sealed?.complete, sealed?.incomplete.map(({ code }) => code)], [false, ['BATCH_MISSING']]);
  });

  it('waits for batches that are being worked on', async () => {
    const { stage, seen } = stageOf(() => sleep(30));
    void stage.take(batch(0), null);
    await stage.take(seal(1), null);
    assert.deepEqual(seen.batches, [0]);
  });

  it('works on a few at a time', async () => {
    let now = 0;
    let most = 0;
    const { stage } = stageOf(
      async () => {
        most = Math.max(most, (now += 1));
        await sleep(1);
        now -= 1;
      },
      { atATime: 3 },
    );
    await Promise.all(Array.from({ length: 20 }, (_, index) => stage.take(batch(index), null)));
    assert.equal(most, 3);
  });

  it('fails a run once, gives its room back, and passes over the rest of it', async () => {
    const { stage, seen } = stageOf(() => Promise.reject(broken()));
    await assert.rejects(stage.take(batch(0), null), { code: 'BROKEN' });
    await stage.take(batch(1), null);
    assert.equal(await stage.take(seal(2), null), null);
    assert.deepEqual(seen, {
      batches: [],
      ends: ['BROKEN'],
      again: ['BROKEN'],
      released: 2,
      begun: 1,
    });
  });

  it('a run that failed may come again: its seal has ended it', async () => {
    let failing = true;
    const { stage } = stageOf(() => (failing ? Promise.reject(broken()) : Promise.resolve()));
    await assert.rejects(stage.take(batch(0), null));
    await stage.take(seal(1), null);
    failing = false;
    await stage.take(batch(0), null);
    assert.equal((await stage.take(seal(1), null))?.complete, true);
  });

  it('a batch that fails while the seal waits fails the run, not the seal', async () => {
    const { stage, seen } = stageOf(() => sleep(20).then(() => Promise.reject(broken())));
    const first = stage.take(batch(0), null);
    const sealed = stage.take(seal(1), null);
    await assert.rejects(first, { code: 'BROKEN' });
    assert.equal(await sealed, null);
    assert.deepEqual(seen.ends, ['BROKEN']);
  });

  it('forgets a run whose seal never comes', async () => {
    const { stage, seen } = stageOf(atOnce, { forget: 20 });
    await stage.take(batch(0), null);
    await sleep(60);
    assert.deepEqual(seen.ends, ['NO_SEAL']);
    const { stage: patient, seen: kept } = stageOf(atOnce, { forget: 60_000 });
    await patient.take(batch(0), null);
    await sleep(60);
    assert.deepEqual(kept.ends, [], 'a run that is not given up is still there');
    await patient.close();
  });

  it('closing stops what is under way, also a seal that waits', async () => {
    const { stage, seen } = stageOf(atOnce, { late: 60_000 });
    await stage.take(batch(0), null);
    const sealed = stage.take(seal(2), null);
    await sleep(5);
    await stage.close();
    assert.equal(await sealed, null);
    assert.deepEqual(seen.ends, [new StoppedError().code]);
  });

  it('runs do not mix', async () => {
    const { stage, seen } = stageOf(atOnce, { late: 20 });
    const other: Run = { ...run, id: 'run-00000002' };
    await stage.take(batch(0), null);
    await stage.take(batchMessage(other, 1, [record]), null);
    assert.equal((await stage.take(seal(1), null))?.complete, true);
    assert.equal((await stage.take({ ...seal(2), run: other }, null))?.complete, false);
    assert.deepEqual(seen.ends, [null, null]);
  });
});

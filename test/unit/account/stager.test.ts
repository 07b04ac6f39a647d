/** Batches on their way into the account: what goes together, what does not, and what one that is refused does to the others. */
import assert from 'node:assert/strict';
import type { StagedRecord } from '../../../engine/account/staged-record.js';
import { type PreparedBatch, Stager } from '../../../engine/account/stager.js';
import type { Run } from '../../../engine/model/run.js';
import { Workshop, seal, user } from './support.js';

const runOf = (id: string): Run => ({
  id,
  source: 'hq',
  mode: 'full',
  startedAt: '2026-01-01T00:00:00.000Z',
  batch: 0,
});
const batch = (index: number, size = 10): PreparedBatch => {
  const record: StagedRecord = { kind: 'user', id: 'a', part: null, parts: null, held: false, json: 'x'.repeat(size) };
  return { index, records: [record] };
};

describe('batches on their way into the account', () => {
  /** Writes down what is staged together; every one of `refused` is. Nothing takes the place of what is under way. */
  const stagerOf = (groups: string[], refused: readonly number[] = []) => {
    const underWay = new Set<number>();
    return new Stager(async (run, batches) => {
      groups.push(`${run.id} ${batches.map(({ index }) => index).join(' ')}`);
      for (const { index } of batches) {
        assert.ok(!underWay.has(index), `${String(index)} is under way`);
        underWay.add(index);
      }
      await new Promise((resolve) => setImmediate(resolve));
      for (const { index } of batches) underWay.delete(index);
      if (batches.some(({ index }) => refused.includes(index))) throw new Error('refused');
    });
  };

  it('go together where they come while two others are under way: of one run, each number once, not too many', async () => {
    const groups: string[] = [];
    const stager = stagerOf(groups);
    const [one, other] = [runOf('one'), runOf('other')];
    const added = [
      stager.add(one, batch(0)),
      stager.add(one, batch(1)),
      stager.add(one, batch(2)),
      stager.add(one, batch(3)),
      stager.add(one, batch(3)),
      stager.add(other, batch(4)),
      stager.add(other, batch(5, 500_000)),
      stager.add(other, batch(6, 500_000)),
    ];
    await Promise.all(added.map(({ stored }) => stored));
    assert.deepEqual(groups, ['one 0', 'one 1', 'one 2 3', 'one 3', 'other 4 5', 'other 6']);
  });

  it('no more go together than a statement has room for, however small they are', async () => {
    const groups: string[] = [];
    const stager = stagerOf(groups);
    const added = Array.from({ length: 100 }, (_, index) => stager.add(runOf('one'), batch(index)));
    await Promise.all(added.map(({ stored }) => stored));
    assert.deepEqual(
      groups.map((group) => group.split(' ').length - 1),
      [1, 1, 32, 32, 32, 2],
    );
  });

  it('one that is refused keeps no other from being staged', async () => {
    const groups: string[] = [];
    const stager = stagerOf(groups, [2]);
    const added = [0, 1, 2, 3].map((index) => stager.add(runOf('one'), batch(index)));
    const results = await Promise.allSettled(added.map(({ stored }) => stored));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(groups, ['one 0', 'one 1', 'one 2 3', 'one 2', 'one 3']);
  });

  it('come before the seal of their run, though nobody waits for them', async () => {
    const workshop = new Workshop();
    try {
      const account = await workshop.open(workshop.settings());
      const run = workshop.run();
      const staged = ['ann', 'bob', 'cas'].map((id, index) => account.stage(run, index, [user(id)]));
      const report = await account.apply(run, seal(3), { dryRun: false });
      await Promise.all(staged);
      assert.deepEqual([report.complete, report.totals.users], [true, 3]);
    } finally {
      await workshop.close();
    }
  });
});

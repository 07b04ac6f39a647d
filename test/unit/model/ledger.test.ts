/** What a ledger says of batches that did not come, or came otherwise. */
import assert from 'node:assert/strict';
import { RunLedger, sealWithArrived } from '../../../engine/model/ledger.js';
import type { Run } from '../../../engine/model/run.js';
import { seal } from '../account/support.js';

const RUN: Run = { id: 'run-00000001', source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 };

describe('the ledger of a run', () => {
  it('lists missing batches, so many at most; a thousand unless told otherwise', () => {
    const ledger = new RunLedger(RUN);
    ledger.note(1, []);
    assert.deepEqual(ledger.missing(5), [0, 2, 3, 4]);
    assert.deepEqual(ledger.missing(5, 2), [0, 2]);
    assert.equal(ledger.missing(5_000).length, 1_000);
    assert.equal(ledger.run, RUN);
  });

  it('names the first that is missing, and how many there are', () => {
    const sealed = sealWithArrived(seal(9), [0, 1, 2, 4, 6, 7, 8, 9, 12]);
    assert.equal(sealed.complete, false);
    assert.match(sealed.incomplete[0]?.message ?? '', /^Of 9 batches 2 did not arrive \(the first: 3\)/);
    assert.deepEqual(sealWithArrived(seal(3), [2, 0, 1, 0]), seal(3));
    const most = new RunLedger(RUN);
    for (const index of [0, 1, 3]) most.note(index, []);
    assert.match(most.checked(seal(5_000)).incomplete[0]?.message ?? '', /^Of 5000 batches 4997 .*the first: 2\)/);
  });
});

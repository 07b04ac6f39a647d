import assert from 'node:assert/strict';
import { createSender } from '../../../engine/transport/sender.js';
import { batchesOf, people, runOf, sealOf, withReceiver } from './support.js';

describe('a whole run over HTTPS', () => {
  it('arrives whole through a port of the receiver, and the report comes back', async () => {
    await withReceiver({}, async ({ endpoint, received }) => {
      const sender = createSender(endpoint, new AbortController().signal);
      const batches = batchesOf(people(1000), 100);
      await sender.open(runOf('whole-run-1'));
      await Promise.all(batches.map((records, index) => sender.send(index, records)));
      const report = await sender.seal(sealOf(batches));
      sender.close();

      assert.equal(report.outcome, 'committed');
      assert.equal(report.run, 'whole-run-1');
      assert.deepEqual(
        received.map(({ records }) => records),
        [batches.flat()],
      );
      const [transmit, receive] = report.stages;
      assert.equal(transmit?.stage, 'transmit');
      assert.equal(transmit.batches, 10);
      assert.equal(transmit.records.user, 1000);
      assert.equal(transmit.figures['tls'], 'TLSv1.3');
      assert.match(String(transmit.figures['cipher']), /^TLS_/);
      assert.ok(Number(transmit.figures['sentBytes']) * 4 < Number(transmit.figures['jsonBytes']), 'compressed');
      assert.equal(receive?.stage, 'receive');
      assert.equal(receive.records.user, 1000);
      assert.equal(receive.figures['tls'], 'TLSv1.3');
      assert.equal(receive.figures['sender'], 'site-1');
      assert.equal(receive.figures['jsonBytes'], transmit.figures['jsonBytes']);
    });
  });
});

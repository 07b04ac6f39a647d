import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createSender } from '../../../engine/transport/sender.js';
import {
  batchesOf,
  endpointOf,
  people,
  runOf,
  sealOf,
  sharedCertificates,
  startReceiver,
  withFolder,
} from './support.js';

const batches = batchesOf(people(2000), 20);

/** A receiver in a process of its own, so that it can be killed. */
async function inProcess(spoolFile: string): Promise<{ child: ChildProcess; port: number }> {
  const { cert, key } = await sharedCertificates();
  const child = fork(join(__dirname, 'receiver-process.js'));
  child.send({ spoolFile, cert, key });
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

describe('a receiver that is killed', () => {
  it('has every batch that it acknowledged, each once, and the run arrives whole', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const { child, port } = await inProcess(spool);
      const certificates = await sharedCertificates();
      const sender = createSender(endpointOf(port, certificates, { deadlineMs: 15_000 }), new AbortController().signal);
      await sender.open(runOf('killed-run'));
      let acknowledged = 0;
      const sending = batches.map(async (records, index) => {
        await sender.send(index, records);
        acknowledged += 1;
        // In the middle of whatever it is doing for the batches beside this one.
        if (acknowledged === 30) child.kill('SIGKILL');
      });
      await once(child, 'exit');
      const before = acknowledged;
      assert.ok(before < batches.length, 'control: it was killed on the way');

      const again = await startReceiver(spool, { port });
      await Promise.all(sending);
      const report = await sender.seal(sealOf(batches));
      sender.close();
      await again.receiver.close();
      assert.equal(report.outcome, 'committed');
      assert.deepEqual(again.received[0]?.records, batches.flat());
      // Nothing was sent twice but what was under way: what was acknowledged before is there without it. After the cut it
      // asked where the run stands, once for all that were cut.
      const { requests, retries } = report.stages[0]?.figures ?? {};
      const asked = Number(requests) - Number(retries) - (batches.length + 1);
      assert.ok(asked >= 0 && asked <= 8, String(asked));
    });
  });
});

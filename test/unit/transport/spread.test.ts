import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createSender } from '../../../engine/transport/sender.js';
import { seeded } from '../../support/fault-proxy.js';
import { ask, open, put, seal, withServer } from './asking.js';
import { type Around, batchesOf, endpointOf, people, runOf, sealOf, startReceiver, withFolder } from './support.js';

const never = new AbortController().signal;
const batches = batchesOf(people(60), 10);
const all = batches.flat().map((record) => JSON.stringify(record));

/** Which of two receivers a request goes to: 0 or 1. */
type Choose = (request: IncomingMessage, count: number) => number;

/** Two receivers, each with a spool of its own, behind one address. */
async function withTwo(choose: Choose, test: (port: number, receivers: readonly [Around, Around]) => Promise<void>) {
  await withFolder(async (folder) => {
    const first = await startReceiver(join(folder, 'first.sqlite'));
    const second = await startReceiver(join(folder, 'second.sqlite'));
    let count = 0;
    await withServer(
      {},
      (request, response) => {
        const { receiver } = choose(request, count++) === 0 ? first : second;
        receiver.handle(request, response);
      },
      (port) => test(port, [first, second]),
    );
    await Promise.all([first.receiver.close(), second.receiver.close()]);
  });
}

/** Sends the run: `done`, or the code of the error that it ended with. */
async function send(port: number, { certificates }: Around): Promise<string> {
  const sender = createSender(endpointOf(port, certificates), never);
  try {
    await sender.open(runOf('spread-run-1'));
    await Promise.all(batches.map((records, index) => sender.send(index, records)));
    await sender.seal(sealOf(batches));
    return 'done';
  } catch (error) {
    return String((error as { code?: unknown }).code);
  } finally {
    sender.close();
  }
}

describe('a run that is spread over two receivers', () => {
  it('is never a false success: what is handed over is whole, and only what was handed over is called done', async () => {
    const outcomes: string[] = [];
    for (let number = 0; number < 10; number += 1) {
      const any = seeded(number);
      await withTwo(
        () => any(2),
        async (port, receivers) => {
          const outcome = await send(port, receivers[0]);
          const handed = receivers.flatMap(({ received }) => received);
          for (const { records, seal: sealed } of handed) {
            assert.deepEqual(records.map((record) => JSON.stringify(record)).sort(), [...all].sort());
            assert.equal(sealed.complete, true);
          }
          if (outcome === 'done') assert.ok(handed.length > 0, `seed ${String(number)}`);
          outcomes.push(outcome);
        },
      );
    }
    assert.ok(new Set(outcomes).size > 1, `control: some get through, some do not: ${outcomes.join(' ')}`);
    assert.ok(
      outcomes.every((outcome) => ['done', 'BATCHES_MISSING', 'REQUEST_REFUSED', 'NOT_A_RECEIVER'].includes(outcome)),
      outcomes.join(' '),
    );
  });

  it('is sent again from its beginning to the one that takes over', async () => {
    const until = 5;
    await withTwo(
      (_request, count) => (count < until ? 0 : 1),
      async (port, receivers) => {
        assert.equal(await send(port, receivers[0]), 'done');
        const [first, second] = receivers;
        assert.equal(first.received.length, 0);
        assert.equal(second.received[0]?.records.length, 60);
      },
    );
  });

  it('would be taken for whole, did its seal not name every batch', async () => {
    await withTwo(
      () => 0,
      async (_port, [first, second]) => {
        for (const one of [first, second]) await ask(one, open('spread-run-2'));
        for (const [index, records] of batches.entries()) {
          await ask(index < 3 ? first : second, put('spread-run-2', index, records));
        }
        const own = batches.slice(0, 3);
        const { status } = await ask(first, seal('spread-run-2', own, sealOf(own)));
        assert.equal(status, 200);
        assert.equal(first.received[0]?.records.length, 30, 'half of the run, as if it were all');
      },
    );
  });
});

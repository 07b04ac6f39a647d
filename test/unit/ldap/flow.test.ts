import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { extract } from '../../../engine/extract/extract.js';
import { StoppedError } from '../../../engine/model/errors.js';
import { entry, pageEnd } from './ber-text.js';
import { readAll, settingsFor, withServer } from './reading.js';
import { type Answer, behaved, pages, person } from './scripted-server.js';

const MANY = { filter: '(mail=*)', attributes: ['description'], batchSize: 50, contacts: true };
const VALUE = 'x'.repeat(100_000);

/** One page of so many large entries, written as fast as the connection takes them; `sent` tells how many bytes went. */
function largePage(entries: number, sent: (bytes: number) => void): Answer {
  return behaved(({ id }, socket) => {
    let number = 0;
    const pump = () => {
      while (number < entries) {
        number += 1;
        const guid = Buffer.alloc(16);
        guid.writeUInt32BE(number, 12);
        const bytes = entry(id, `CN=${number}`, [
          ['objectClass', ['user']],
          ['objectGUID', [guid]],
          ['description', [VALUE]],
        ]);
        sent(bytes.length);
        if (!socket.write(bytes)) {
          socket.once('drain', pump);
          return;
        }
      }
      socket.write(pageEnd(id, ''));
    };
    pump();
    return undefined;
  });
}

/** One page, an entry now and then: a reader is done with each before the next is there. `after` sends what comes last. */
function entryByEntry(entries: number, after: (socket: Socket, id: number) => void): Answer {
  return behaved(({ id }, socket) => {
    let number = 0;
    const send = () => {
      for (let few = 0; few < 3 && number < entries; few += 1) socket.write(person(id, (number += 1)));
      if (number < entries) setImmediate(send);
      else after(socket, id);
    };
    send();
    return undefined;
  });
}

describe('flow', () => {
  it('what comes entry by entry is read whole, though it is let come for a moment', async () => {
    const answer = entryByEntry(1_000, (socket, id) => socket.write(pageEnd(id, '')));
    await withServer(answer, async ({ port }) => {
      const { seal, records } = await readAll(settingsFor(port, { pageSize: 1_000 }));
      assert.equal(seal.complete, true);
      assert.equal(new Set(records.map(({ id }) => id)).size, 1_000);
    });
  });

  it('a connection that ends in such a moment is a cut, and no proof', async () => {
    for (const end of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
      await withServer(entryByEntry(500, end), async ({ port }) => {
        const { seal, failure } = await readAll(settingsFor(port, { pageSize: 1_000 }));
        assert.equal(seal.complete, false);
        assert.equal(failure?.code, 'CONNECTION_LOST');
      });
    }
  });

  it('a read that is stopped in such a moment ends at once, and leaves no timer', async () => {
    await withServer(
      entryByEntry(500, () => undefined),
      async ({ port, sockets }) => {
        const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
        const stop = new AbortController();
        const batches = extract(settingsFor(port, { pageSize: 1_000 }), MANY, stop.signal);
        for (let read = 0; read < 4; read += 1) await batches.next();
        stop.abort();
        await assert.rejects(async () => {
          for (;;) if ((await batches.next()).done === true) return;
        }, StoppedError);
        await sleep(20);
        assert.ok(sockets.every((socket) => socket.destroyed));
        assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before);
      },
    );
  });

  it('reading stops while the flow is slow, and goes on; the idle limit does not run meanwhile', async () => {
    let sent = 0;
    await withServer(
      largePage(1_000, (bytes) => (sent += bytes)),
      async ({ port }) => {
        const settings = settingsFor(port, { pageSize: 1_000, timeouts: { connect: 2_000, idle: 400, run: 60_000 } });
        const batches = extract(settings, MANY, new AbortController().signal);
        const first = await batches.next();
        assert.ok(first.done !== true);
        await sleep(1_000);
        assert.ok(sent < 60_000_000, `${sent} bytes were taken while the flow stood still`);
        let records = first.value.length;
        for (;;) {
          const next = await batches.next();
          if (next.done === true) {
            assert.equal(next.value.failure, null);
            assert.equal(next.value.seal.complete, true);
            break;
          }
          records += next.value.length;
        }
        assert.equal(records, 1_000);
      },
    );
  }).timeout(20_000);

  it('whoever stood still himself does not take the server for silent: what came meanwhile is read first', async () => {
    const answer = behaved(({ id }, socket) => {
      socket.write(Buffer.concat([entry(id, 'CN=1', [['objectClass', ['user']]]), pageEnd(id, '')]));
      const until = Date.now() + 700;
      while (Date.now() < until);
      return undefined;
    });
    await withServer(answer, async ({ port }) => {
      const timeouts = { connect: 5_000, idle: 300, run: 60_000 };
      const { seal, failure } = await readAll(settingsFor(port, { timeouts }));
      assert.equal(failure, null);
      assert.equal(seal.complete, true);
    });
  });

  it('leaving a read early ends the connection', async () => {
    await withServer(pages([2, 2, 2, 2, 2, 2]), async ({ port, sockets }) => {
      const settings = { ...MANY, batchSize: 1 };
      for await (const batch of extract(settingsFor(port), settings, new AbortController().signal)) {
        assert.equal(batch.length, 1);
        break;
      }
      await sleep(50);
      assert.ok(sockets.every((socket) => socket.destroyed));
    });
  });

  it('nothing keeps the process alive after a read', async () => {
    await withServer(pages([2]), async ({ port }) => {
      const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      await readAll(settingsFor(port));
      const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      assert.equal(after, before);
    });
  });

  it('two reads at the same time do not disturb each other', async () => {
    await withServer(pages([2, 2, 1]), async ({ port }) => {
      const reads = await Promise.all([1, 2, 3].map(() => readAll(settingsFor(port))));
      for (const { seal } of reads) assert.deepEqual([seal.complete, seal.records.user], [true, 5]);
    });
  });
});

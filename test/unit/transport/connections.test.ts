import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type TLSSocket, connect } from 'node:tls';
import { ask, open, outcomeOf, ready, sendReady, state } from './asking.js';
import { startReceiver, withFolder, withReceiver } from './support.js';

/** A TLS connection that sends `text` and nothing more; `closed` says after how long it was closed. */
async function connection(
  url: string,
  ca: string,
  text: string,
): Promise<{ socket: TLSSocket; closed: Promise<number> }> {
  const { port } = new URL(url);
  const began = Date.now();
  const socket = connect({ host: '127.0.0.1', port: Number(port), ca });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', () => resolve(Date.now() - began));
    socket.on('error', () => undefined);
    socket.resume();
  });
  await new Promise<void>((resolve) => {
    socket.on('secureConnect', resolve);
    socket.on('close', () => resolve());
  });
  socket.write(text);
  return { socket, closed };
}

describe('a port of the receiver’s own', () => {
  it('closes connections whose header fields do not come', async () => {
    await withReceiver({ limits: { headersMs: 300 } }, async ({ endpoint, certificates: { ca } }) => {
      const { closed } = await connection(endpoint.url, ca, 'POST /directory-sync/v1/runs HTTP/1.1\r\nHost: x\r\n');
      const after = await Promise.race([closed, delay(6000, -1)]);
      assert.ok(after > 0 && after < 5000, `${String(after)} ms`);
    });
  });

  it('takes so many connections and no more', async () => {
    await withReceiver({ limits: { connections: 2 } }, async (around) => {
      const { ca } = around.certificates;
      const held = await Promise.all([0, 1].map(() => connection(around.endpoint.url, ca, '')));
      await assert.rejects(ask(around, state('no-such-run')));
      for (const { socket } of held) socket.destroy();
      await delay(100);
      assert.equal(
        outcomeOf(await ask(around, state('no-such-run'))),
        '404 run-unknown',
        'control: there is room again',
      );
    });
  });

  it('takes no more header fields than 8 KiB', async () => {
    await withReceiver({}, async (around) => {
      const asked = ready(around, state('no-such-run'));
      const wide = (size: number) => ({ ...asked, headers: { ...asked.headers, 'X-Wide': 'x'.repeat(size) } });
      assert.equal((await sendReady(around, wide(9000))).status, 431);
      assert.equal((await sendReady(around, wide(6000))).status, 404, 'control');
    });
  });
});

describe('the spool', () => {
  it('says which file it is that cannot be used', async () => {
    await withFolder(async (folder) => {
      const file = join(folder, 'spool.sqlite');
      await writeFile(file, 'this is no database, and long enough to be seen as one that is damaged'.repeat(20));
      const unusable = await startReceiver(file);
      await assert.rejects(unusable.receiver.ready, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'SPOOL_UNUSABLE');
        assert.match(error.message, /spool file of the directory-receive/);
        return true;
      });
      assert.equal((await ask(unusable, open('spool-bad'))).status, 500);
      await unusable.receiver.close();
      // The control: with a file that is none of those, it starts.
      const { receiver, ...around } = await startReceiver(join(folder, 'other.sqlite'));
      assert.equal((await ask(around, open('spool-good'))).status, 201);
      await receiver.close();
    });
  });
});

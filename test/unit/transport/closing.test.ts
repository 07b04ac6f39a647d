/** Whoever is closed leaves no connection behind, not even one that was only coming up. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createSender } from '../../../engine/transport/sender.js';
import { endpointOf, sharedCertificates, withReceiver } from './support.js';

const LONG_MS = 200;
const RUN = { id: 'r', source: 's', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 } as const;

/** Takes connections and says nothing. */
async function silentServer(): Promise<{ server: Server; port: number; taken: Promise<Socket> }> {
  const server = createServer();
  const taken = once(server, 'connection').then(([socket]) => {
    const one = socket as Socket;
    one.on('error', () => undefined).resume();
    return one;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, taken };
}

/** Is the connection gone within a second, or a moment that is short? */
function endOf(socket: Socket): Promise<'ended' | 'open'> {
  if (socket.closed) return Promise.resolve('ended');
  const gone = once(socket, 'close').then(() => 'ended' as const);
  return Promise.race([gone, delay(1_000, 'open' as const)]);
}

describe('who is closed', () => {
  it('a receiver ends connections whose handshake has not been made; control: it is the close that does', async () => {
    await withReceiver({}, async ({ endpoint, receiver }) => {
      const socket = connect(Number(new URL(endpoint.url).port), '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      await delay(LONG_MS);
      assert.equal(socket.closed, false);
      await receiver.close();
      assert.equal(await endOf(socket), 'ended');
    });
  });

  for (const way of ['straight', 'through a proxy'] as const) {
    it(`a sender ends a connection that is coming up, ${way}; control: it is the close that does`, async () => {
      const { server, port, taken } = await silentServer();
      try {
        const proxy = { url: new URL(`http://127.0.0.1:${String(port)}`), user: '', password: '' };
        const endpoint = endpointOf(port, await sharedCertificates(), way === 'straight' ? {} : { proxy });
        const stop = new AbortController();
        const sender = createSender(endpoint, stop.signal);
        const opened = sender.open(RUN);
        const socket = await taken;
        await delay(LONG_MS);
        assert.equal(socket.closed, false);
        stop.abort();
        await assert.rejects(opened, { code: 'STOPPED' });
        sender.close();
        assert.equal(await endOf(socket), 'ended');
      } finally {
        server.close();
      }
    });
  }
});

/** The receiving side of a transfer, in a process of its own. */
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { DEFAULT_LIMITS, createReceiver } from '../../engine/transport/receiver.js';
import { BENCH_KEY, type SideJob, measuring } from './job.js';

async function ours({ folder, cert, key, handOver }: SideJob): Promise<number> {
  const receiver = createReceiver(
    {
      path: '/directory-sync',
      senders: [{ id: 'bench', keys: [BENCH_KEY] }],
      spoolFile: join(folder, 'spool.sqlite'),
      limits: DEFAULT_LIMITS,
    },
    async ({ batches }) => {
      if (handOver) for await (const { records } of batches()) if (records.length === 0) break;
      return { untaken: true };
    },
  );
  await receiver.ready;
  const { port } = await receiver.listen({ host: '127.0.0.1', port: 0, tls: { cert, key } });
  return port;
}

async function plainServer({ cert, key }: SideJob): Promise<number> {
  const server = https.createServer({ cert, key }, (request, response) => {
    request.resume().on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function raw({ cert, key }: SideJob): Promise<number> {
  const server = createServer({ cert, key }, (socket) => socket.resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

process.once('message', (job: SideJob) => {
  const done = measuring();
  void { ours, axios: plainServer, 'axios-fast': plainServer, raw }[job.kind](job).then((port) => process.send?.(port));
  process.once('message', () => process.send?.(done({ json: 0, wire: 0 })));
});

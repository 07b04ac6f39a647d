import assert from 'node:assert/strict';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_LIMITS, type Receiver, createReceiver } from '../../../engine/transport/receiver.js';
import { createSender } from '../../../engine/transport/sender.js';
import { withServer } from './asking.js';
import { KEY, PATH, batchesOf, endpointOf, people, runOf, sealOf, sharedCertificates, withFolder } from './support.js';

const never = new AbortController().signal;

type Wrap = (handle: Receiver['handle']) => (request: IncomingMessage, response: ServerResponse) => void;

/** A receiver under a plain HTTP server, as Node-RED's is, behind a proxy that ends TLS; `host`: what the proxy passes on. */
async function withProxy(
  path: string,
  wrap: Wrap,
  host: (original: string) => string,
  test: (port: number) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const settings = {
      path,
      senders: [{ id: KEY.id, keys: [KEY] }],
      spoolFile: join(folder, 'spool.sqlite'),
      limits: DEFAULT_LIMITS,
    };
    const receiver = createReceiver(settings, () => Promise.resolve({ untaken: true }));
    const inner = http.createServer(wrap(receiver.handle));
    await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve));
    const { port } = inner.address() as AddressInfo;
    const forward = (request: IncomingMessage, response: ServerResponse) => {
      const headers = { ...request.headers, host: host(request.headers.host ?? ''), 'x-forwarded-proto': 'https' };
      const where = { host: '127.0.0.1', port, method: request.method, path: request.url, headers };
      const onward = http.request(where, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    };
    await withServer({}, forward, test);
    inner.closeAllConnections();
    inner.close();
    await receiver.close();
  });
}

async function sendRun(port: number, path = PATH): Promise<string> {
  const { ca } = await sharedCertificates();
  const url = `https://127.0.0.1:${String(port)}${path}`;
  const sender = createSender(endpointOf(port, { ca }, { url }), never);
  const batches = batchesOf(people(20), 10);
  try {
    await sender.open(runOf('behind-proxy'));
    await Promise.all(batches.map((records, index) => sender.send(index, records)));
    const report = await sender.seal(sealOf(batches));
    return `${report.outcome} ${String(report.stages.at(-1)?.records.user)}`;
  } finally {
    sender.close();
  }
}

/** What Express does to a request that it hands to something mounted at `base`. */
const mountedAt =
  (base: string): Wrap =>
  (handle) =>
  (request, response) => {
    const { url = '' } = request;
    handle(Object.assign(request, { originalUrl: url, baseUrl: base, url: url.slice(base.length) || '/' }), response);
  };
const plain: Wrap = (handle) => handle;
const same = (host: string) => host;

describe('a receiver behind a proxy that ends TLS', () => {
  it('takes a run under a plain HTTP server', async () => {
    await withProxy(PATH, plain, same, async (port) => assert.equal(await sendRun(port), 'received 20'));
  });

  it('takes a run where Express has mounted it, at its path or above', async () => {
    for (const [settings, base] of [
      [PATH, PATH],
      [`/red${PATH}`, `/red${PATH}`],
      [`/red${PATH}`, '/red'],
      [PATH, `/red${PATH}`],
      [PATH, '/red'],
    ] as const) {
      const path = base.startsWith('/red') ? `/red${PATH}` : PATH;
      await withProxy(settings, mountedAt(base), same, async (port) => {
        assert.equal(await sendRun(port, path), 'received 20', `${settings} at ${base}`);
      });
    }
  });

  it('refuses what the proxy has rewritten, and the sender says where to look', async () => {
    await withProxy(
      PATH,
      plain,
      () => 'inner.example',
      async (port) => {
        await assert.rejects(sendRun(port), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'KEY_REFUSED');
          assert.match(error.message, /proxy/);
          return true;
        });
      },
    );
  });

  it('does not answer at another path', async () => {
    await withProxy(PATH, plain, same, async (port) => {
      await assert.rejects(sendRun(port, '/elsewhere'), { code: 'REQUEST_REFUSED' });
    });
  });
});

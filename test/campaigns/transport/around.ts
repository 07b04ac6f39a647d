/** A receiver for campaigns, outside of any test runner: what it is handed is kept in memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBatch } from '../../../engine/transport/batch.js';
import { DEFAULT_LIMITS, type ReceiverLimits, createReceiver } from '../../../engine/transport/receiver.js';
import { makeCertificates } from '../../support/certificates.js';
import { KEY, OTHER_KEY, PATH } from '../../unit/transport/keys.js';

export interface HandedOver {
  /** How often. */
  times: number;
  /** The NDJSON of all its records, in order. */
  content: string;
}

export async function startAround(limits: Partial<ReceiverLimits> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'campaign-'));
  const certificates = await makeCertificates(folder);
  const handed = new Map<string, HandedOver>();
  const problems: string[] = [];
  const receiver = createReceiver(
    {
      path: PATH,
      senders: [KEY, OTHER_KEY].map((key) => ({ id: key.id, keys: [key], requestsPerMinute: 10_000_000 })),
      spoolFile: join(folder, 'spool.sqlite'),
      limits: { ...DEFAULT_LIMITS, openRuns: 1_000_000, ...limits },
      onProblem: ({ problem }) => problems.push(problem),
    },
    async ({ run, batches }) => {
      let content = '';
      for await (const { records } of batches()) content += writeBatch(records).content.toString();
      const before = handed.get(run.id);
      handed.set(run.id, { times: (before?.times ?? 0) + 1, content });
      return { untaken: true };
    },
  );
  const { port } = await receiver.listen({
    host: '127.0.0.1',
    port: 0,
    tls: { cert: certificates.cert, key: certificates.key },
  });
  // The same receiver without TLS, for cases that have nothing to do with it.
  const plain = http.createServer({ keepAliveTimeout: 60_000 }, receiver.handle);
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  return {
    port,
    plainPort: (plain.address() as AddressInfo).port,
    ca: certificates.ca,
    folder,
    handed,
    problems,
    async close() {
      plain.closeAllConnections();
      plain.close();
      await receiver.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export type CampaignAround = Awaited<ReturnType<typeof startAround>>;

export interface PlainAnswer {
  /** 0: the connection ended without one. */
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** A request as it is sent. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly content?: Buffer | undefined;
}

/**
 * Sends requests without TLS, as they are, over kept connections. The server may end such a connection at the moment in which
 * it is used again, which says nothing: `send` then sends the same bytes once more, `sendOnce` answers with status 0.
 */
export function plainSender(port: number) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const attempt = ({ method, path, headers, content }: PlainRequest) =>
    new Promise<{ answer: PlainAnswer; ended: boolean }>((resolve) => {
      const failed = (ended: boolean) => resolve({ answer: { status: 0, type: '', body: '' }, ended });
      try {
        const request = http.request({ host: '127.0.0.1', port, agent, method, path, headers }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
          response.on('error', () => failed(false));
          response.on('end', () => {
            const type = response.headers['content-type'] ?? '';
            resolve({ answer: { status: response.statusCode ?? 0, type, body }, ended: false });
          });
        });
        request.on('error', () => failed(request.reusedSocket));
        request.end(content);
      } catch {
        failed(false);
      }
    });
  const send = async (what: PlainRequest): Promise<PlainAnswer> => {
    const { answer, ended } = await attempt(what);
    return ended ? send(what) : answer;
  };
  const sendOnce = async (what: PlainRequest): Promise<PlainAnswer> => (await attempt(what)).answer;
  return { send, sendOnce, close: () => agent.destroy() };
}

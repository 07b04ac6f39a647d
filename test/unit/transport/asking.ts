/** Requests made by hand, so that they can be wrong in every way; and servers that are no receivers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createGzip, gzipSync } from 'node:zlib';
import { writeBatch } from '../../../engine/transport/batch.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import type { Seal } from '../../../engine/model/run.js';
import { BATCH_TYPE, JSON_TYPE } from '../../../engine/transport/protocol.js';
import { type SharedKey, contentDigest, sign } from '../../../engine/transport/signature.js';
import { checkExchange } from '../../support/openapi.js';
import { type Around, KEY, PATH, runOf, sharedCertificates } from './support.js';

export interface Asked {
  readonly method: string;
  /** Below the base path. */
  readonly path: string;
  readonly content?: Buffer;
  /** Set, or (undefined) left out; over those that belong to the content. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly key?: SharedKey;
  /** When it says that it was signed. */
  readonly at?: number;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly type: string | undefined;
  /** Parsed JSON, or the text. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** A request, signed and ready to be sent, or changed before it is. */
export interface Ready {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Buffer | undefined;
}

export function ready(around: Pick<Around, 'endpoint'>, asked: Asked): Ready {
  const { host } = new URL(around.endpoint.url);
  const { method, content } = asked;
  const path = PATH + asked.path;
  const own = content && { 'Content-Type': JSON_TYPE, 'Content-Digest': contentDigest(content) };
  const fields = present({ ...own, ...asked.fields });
  const lower = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
  const signature = sign({ method, authority: host, path, fields: lower }, asked.key ?? KEY, asked.at);
  return { method, path, content, headers: { Host: host, ...fields, ...signature } };
}

function present(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export async function sendReady(
  around: Pick<Around, 'endpoint'>,
  { method, path, headers, content }: Ready,
): Promise<Answered> {
  const { ca } = await sharedCertificates();
  const { port } = new URL(around.endpoint.url);
  return new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', servername: 'localhost', port, ca, method, path, headers, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          const answer = answered(response, Buffer.concat(pieces));
          try {
            // Whatever a test is about: no answer may be one that the protocol does not describe.
            checkExchange({ method, path: path.slice(PATH.length) }, answer);
            resolve(answer);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(content);
  });
}

/** Announces `length` bytes and sends one. `answer`: the status, once there is one; `end` cuts the connection. */
export async function dribble(around: Pick<Around, 'endpoint'>, { method, path, headers }: Ready, length: number) {
  const { ca } = await sharedCertificates();
  const { port } = new URL(around.endpoint.url);
  const where = { host: '127.0.0.1', servername: 'localhost', port, ca, method, path, agent: false };
  const request = https.request({ ...where, headers: { ...headers, 'Content-Length': length } });
  const answer = new Promise<number | null>((resolve) => {
    request.on('response', ({ statusCode }) => resolve(statusCode ?? 0));
    request.on('error', () => resolve(null));
  });
  request.write('a');
  return { answer, end: () => request.destroy() };
}

function answered(response: IncomingMessage, content: Buffer): Answered {
  const type = response.headers['content-type'];
  const text = content.toString();
  const body = (type?.includes('json') ? JSON.parse(text) : { text }) as Readonly<Record<string, unknown>>;
  return { status: response.statusCode ?? 0, headers: response.headers, type, body };
}

export function ask(around: Pick<Around, 'endpoint'>, asked: Asked): Promise<Answered> {
  return sendReady(around, ready(around, asked));
}

/** The name of a problem, or the status of an answer that is none. */
export function outcomeOf({ status, type, body }: Answered): string {
  const name = typeof body['type'] === 'string' ? body['type'].replace('urn:dirflow:problem:', '') : '';
  return type === 'application/problem+json' ? `${String(status)} ${name}` : String(status);
}

export function open(id: string, key = KEY): Asked {
  const { source, mode, startedAt } = runOf(id);
  return { method: 'POST', path: '/v1/runs', content: json({ run: { id, source, mode, startedAt } }), key };
}

export function put(id: string, batch: number, records: readonly EnrichedRecord[], key = KEY): Asked {
  return putContent(id, batch, gzipSync(writeBatch(records).content), key);
}

export function putContent(id: string, batch: number, content: Buffer, key = KEY): Asked {
  const fields = {
    'Content-Type': BATCH_TYPE,
    'Content-Encoding': 'gzip',
    'Content-Digest': contentDigest(content),
  };
  return { method: 'PUT', path: `/v1/runs/${id}/batches/${String(batch)}`, content, fields, key };
}

export function seal(id: string, batches: readonly EnrichedRecord[][], what: Seal, key = KEY): Asked {
  const named = batches.map((records, batch) => ({
    batch,
    digest: writeBatch(records).digest,
    records: records.length,
  }));
  return { method: 'POST', path: `/v1/runs/${id}/seal`, content: json({ batches: named, seal: what }), key };
}

export function state(id: string, key = KEY): Asked {
  return { method: 'GET', path: `/v1/runs/${id}`, key };
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Gzip of `size` equal bytes, made without holding them. */
export async function bomb(size: number): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const piece = Buffer.alloc(1024 * 1024, ' ');
  const pieces: Buffer[] = [];
  gzip.on('data', (made: Buffer) => pieces.push(made));
  for (let left = size; left > 0; left -= piece.length) {
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once('drain', resolve));
  }
  await new Promise<void>((resolve) => {
    gzip.on('end', resolve);
    gzip.end();
  });
  return Buffer.concat(pieces);
}

/** An HTTPS server that is not a receiver, at a port of its own. */
export async function withServer(
  options: https.ServerOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  test: (port: number) => Promise<void>,
): Promise<void> {
  const { cert, key } = await sharedCertificates();
  const server = https.createServer({ cert, key, ...options }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await test((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

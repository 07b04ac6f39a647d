/** A server that answers with exactly the bytes that a test gives it, and writes down what it was asked. */
import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { entry, pageEnd, result } from './ber-text.js';

export interface Request {
  readonly id: number;
  readonly operation: number;
  readonly bytes: Buffer;
  /** How many requests of this kind came before it on this connection. */
  readonly earlier: number;
  /** Of a search: its base. */
  readonly base: string;
  /** Of a search: the cookie of its paging control; null where it has none. */
  readonly cookie: string | null;
}

export type Answer = (request: Request, socket: net.Socket) => Buffer | readonly Buffer[] | undefined;

export interface ScriptedServer {
  readonly port: number;
  readonly requests: Request[];
  /** Sockets that were accepted, in order. */
  readonly sockets: net.Socket[];
  close(): Promise<void>;
}

export const BIND = 0x60;
export const SEARCH = 0x63;
export const EXTENDED = 0x77;

/** Starts a server on an ephemeral port of 127.0.0.1. What `answer` gives is sent; undefined leaves the request unanswered. */
export async function startScripted(answer: Answer, options?: tls.TlsOptions): Promise<ScriptedServer> {
  const requests: Request[] = [];
  const sockets: net.Socket[] = [];
  const serve = (socket: net.Socket) => {
    sockets.push(socket);
    listen(socket, (request) => {
      requests.push(request);
      const replies = answer(request, socket);
      if (replies === undefined) return;
      socket.write(Buffer.isBuffer(replies) ? replies : Buffer.concat(replies));
    });
  };
  const server = options === undefined ? net.createServer(serve) : tls.createServer(options, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    requests,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Reads requests from a socket that may also be the encrypted one above another. */
export function listen(socket: net.Socket, onRequest: (request: Request) => void): void {
  const counts = new Map<number, number>();
  let held = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    // Not LDAP (a TLS handshake, say): a script that cares looks at the socket itself.
    while (held[0] === 0x30) {
      const length = lengthOfMessage(held);
      if (length === 0 || length > held.length) return;
      const bytes = held.subarray(0, length);
      held = held.subarray(length);
      const request = parse(bytes, counts);
      if (request.operation !== 0x42) onRequest(request);
    }
  });
}

/** The start of contents and their end, of the element at `at`. */
function open(bytes: Buffer, at: number): { start: number; end: number } {
  const first = bytes[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  const start = at + 2 + octets;
  return { start, end: start + bytes.readUIntBE(at + 2, octets) };
}

function lengthOfMessage(bytes: Buffer): number {
  return bytes.length < 6 ? 0 : open(bytes, 0).end;
}

function parse(bytes: Buffer, counts: Map<number, number>): Request {
  const id = open(bytes, open(bytes, 0).start);
  const operation = bytes[id.end] ?? 0;
  const earlier = counts.get(operation) ?? 0;
  counts.set(operation, earlier + 1);
  const base = operation === SEARCH ? open(bytes, open(bytes, id.end).start) : null;
  return {
    id: bytes.readUIntBE(id.start, id.end - id.start),
    operation,
    bytes: Buffer.from(bytes),
    earlier,
    base: base === null ? '' : bytes.toString('utf8', base.start, base.end),
    cookie: cookieOf(bytes),
  };
}

function cookieOf(bytes: Buffer): string | null {
  const oid = '1.2.840.113556.1.4.319';
  const at = bytes.indexOf(oid);
  if (at < 0) return null;
  const critical = open(bytes, at + oid.length);
  const value = open(bytes, critical.end);
  const size = open(bytes, open(bytes, value.start).start);
  const cookie = open(bytes, size.end);
  return bytes.toString('latin1', cookie.start, cookie.end);
}

/** The RootDSE of a small Active Directory. */
export function rootDse(id: number): Buffer[] {
  const attributes: [string, string[]][] = [
    ['defaultNamingContext', ['DC=example,DC=test']],
    ['namingContexts', ['DC=example,DC=test', 'CN=Configuration,DC=example,DC=test']],
    ['supportedControl', ['1.2.840.113556.1.4.319']],
    ['highestCommittedUSN', ['4711']],
  ];
  return [entry(id, '', attributes), result(id, 0x65, 0)];
}

/** Answers bind and RootDSE as a server should, and leaves the rest to `answer`. */
export function behaved(answer: Answer): Answer {
  return (request, socket) => {
    if (request.operation === BIND) return result(request.id, 0x61, 0);
    if (request.operation === SEARCH && request.base === '') return rootDse(request.id);
    return answer(request, socket);
  };
}

/** A person with an objectGUID that ends in `number`. */
export function person(id: number, number: number): Buffer {
  const guid = Buffer.alloc(16);
  guid.writeUInt32BE(number, 12);
  return entry(id, `CN=Person ${number},DC=example,DC=test`, [
    ['objectClass', ['top', 'person', 'user']],
    ['objectGUID', [guid]],
    ['mail', [`person${number}@example.test`]],
  ]);
}

/** Answers paged searches with so many persons on each page; a cookie is the number of its page. */
export function pages(counts: readonly number[]): Answer {
  return behaved(({ id, cookie }) => {
    const page = cookie === '' || cookie === null ? 0 : Number(cookie);
    const before = counts.slice(0, page).reduce((sum, count) => sum + count, 0);
    const people = Array.from({ length: counts[page] ?? 0 }, (_, index) => person(id, before + index));
    return [...people, pageEnd(id, page + 1 < counts.length ? String(page + 1) : '')];
  });
}

/**
 * Connections to a receiver: straight, or through a proxy (CONNECT, RFC 9110 section 9.3.6), and given out only when TLS is
 * up and the certificate is one that we want to talk to. Nothing is written before that.
 */
import http from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls';
import { lookup } from './addresses.js';

/** An HTTP proxy. `password` is sent to it only; blank user: none. */
export interface ProxySettings {
  readonly url: URL;
  readonly user: string;
  readonly password: string;
}

export interface AgentSettings {
  readonly tls: ConnectionOptions;
  readonly connections: number;
  readonly proxy: ProxySettings | null;
  /** What is wrong with the certificate of the other side, if anything: asked after Node.js has found it trusted. */
  readonly check: (socket: TLSSocket) => Error | null;
}

/** The `code` of errors by which a proxy refuses. */
export const PROXY_REFUSED = 'DIRSYNC_PROXY_REFUSED';
export const PROXY_AUTHENTICATION = 'DIRSYNC_PROXY_AUTHENTICATION';

const CONNECT_WITHIN_MS = 30_000;

/** As Node.js has it: there is a socket in any case, after an error one that is of no use. */
type Connected = (error: Error | null, socket: Duplex) => void;
/** What can be ended. */
interface Ending {
  destroy(error: Error): unknown;
}

export class ReceiverAgent extends https.Agent {
  readonly #settings: AgentSettings;
  /** Connections that are not up yet: Node.js does not know them, and would keep those that come up behind the end. */
  readonly #comingUp = new Set<Ending>();
  #ended = false;

  constructor(settings: AgentSettings) {
    super({ keepAlive: true, maxSockets: settings.connections, scheduling: 'fifo' });
    this.#settings = settings;
  }

  /** Called by Node.js for every new connection. The socket is given to `callback`, later. */
  override createConnection(target: http.ClientRequestArgs, callback?: Connected): undefined {
    const { proxy } = this.#settings;
    const host = target.host ?? '';
    const port = Number(target.port ?? 443);
    const done = once(callback);
    if (this.#ended) {
      done(ended(), new Socket());
      return;
    }
    if (!proxy) {
      this.#secure({ host, port, lookup }, host, done);
      return;
    }
    const request = tunnel(proxy, host, port, (error, socket) => {
      this.#comingUp.delete(request);
      if (error) done(error, socket);
      else this.#secure({ socket }, host, done);
    });
    this.#comingUp.add(request);
  }

  /** Ends all connections, also those that are coming up. */
  override destroy(): void {
    this.#ended = true;
    for (const connection of this.#comingUp) connection.destroy(ended());
    super.destroy();
  }

  #secure(over: ConnectionOptions, host: string, done: Connected): void {
    const { tls, check } = this.#settings;
    const socket = connect({ servername: isName(host) ? host : '', ...tls, ...over, host });
    this.#comingUp.add(socket);
    const late = setTimeout(() => socket.destroy(timedOut()), CONNECT_WITHIN_MS);
    const failed = (error: Error) => {
      clearTimeout(late);
      this.#comingUp.delete(socket);
      done(error, socket);
    };
    const closed = () => failed(Object.assign(new Error('closed during the handshake'), { code: 'ECONNRESET' }));
    socket.once('error', failed).once('close', closed);
    socket.once('secureConnect', () => {
      clearTimeout(late);
      this.#comingUp.delete(socket);
      socket.off('close', closed);
      const wrong = check(socket);
      if (wrong) socket.destroy(wrong);
      else {
        socket.off('error', failed);
        done(null, socket);
      }
    });
  }
}

function tunnel(
  proxy: ProxySettings,
  host: string,
  port: number,
  done: (error: Error | null, socket: Socket) => void,
): http.ClientRequest {
  const { url, user, password } = proxy;
  const target = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  const request = (url.protocol === 'https:' ? https : http).request({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (url.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: target,
    lookup,
    agent: false,
    headers: { Host: target, ...(user !== '' && { 'Proxy-Authorization': `Basic ${basic}` }) },
  });
  const late = setTimeout(() => request.destroy(timedOut()), CONNECT_WITHIN_MS);
  request.once('connect', ({ statusCode }, socket, head) => {
    clearTimeout(late);
    if (statusCode === 200 && head.length === 0 && socket instanceof Socket) done(null, socket);
    else {
      socket.destroy();
      done(refusedBy(statusCode ?? 0), new Socket());
    }
  });
  request.once('response', ({ statusCode }) => request.destroy(refusedBy(statusCode ?? 0)));
  request.once('error', (error) => {
    clearTimeout(late);
    done(error, new Socket());
  });
  request.end();
  return request;
}

function ended(): Error {
  return Object.assign(new Error('there are no connections any more'), { code: 'ECONNRESET' });
}

function refusedBy(status: number): Error {
  const code = status === 407 ? PROXY_AUTHENTICATION : PROXY_REFUSED;
  return Object.assign(new Error(`the proxy answered ${String(status)}`), { code });
}

function timedOut(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
}

function isName(host: string): boolean {
  return !/^[0-9.]+$/.test(host) && !host.includes(':');
}

/** The callback, which may be called by whatever comes first and then no more. */
function once(callback: Connected | undefined): Connected {
  let called = false;
  return (error, socket) => {
    if (called) return;
    called = true;
    callback?.(error, socket);
  };
}

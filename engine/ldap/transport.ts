/** The connection below LDAP: TCP, and TLS on top of it, each step under the time limit for connecting. */
import * as net from 'node:net';
import * as tls from 'node:tls';
import { StoppedError } from '../model/errors.js';
import { connectTimeout, tcpError, tlsError } from './connect-errors.js';

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** What ends a step of connecting early: the time limit and the run's signal. */
export interface Deadline {
  /** When, as of `Date.now()`. */
  readonly at: number;
  /** The whole limit in milliseconds, for the message. */
  readonly milliseconds: number;
  readonly signal: AbortSignal;
}

/** What protects a connection; null where nothing does. */
export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
}

const KEEP_ALIVE_MS = 30_000;

/** Opens a TCP connection. Throws `DirectoryError` `CONNECTION_REFUSED`, `HOST_NOT_FOUND`, `HOST_UNREACHABLE`, `CONNECT_TIMEOUT`. */
export function connectTcp(server: Server, deadline: Deadline): Promise<net.Socket> {
  const { host, port } = server;
  const socket = net.connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
  return settled(socket, 'connect', server, deadline, 'TCP connection', (cause) => tcpError(server, cause));
}

/** Encrypts a connection and verifies the certificate. Throws `DirectoryError` `CERTIFICATE_…`, `SERVER_NOT_TLS`, `TLS_FAILED`, `CONNECT_TIMEOUT`. */
export async function encrypt(
  plain: net.Socket,
  server: Server,
  options: tls.ConnectionOptions,
  deadline: Deadline,
): Promise<tls.TLSSocket> {
  const name = options.servername ?? server.host;
  // An address is no server name (RFC 6066, 3); it is still compared with the certificate, as `host`.
  const servername = net.isIP(name) === 0 ? { servername: name } : {};
  const socket = tls.connect({ ...options, ...servername, host: name, socket: plain });
  return settled(socket, 'secureConnect', server, deadline, 'TLS handshake', (cause) => tlsError(server, cause));
}

/** The protocol version and cipher of a connection. */
export function tlsFacts(socket: tls.TLSSocket): TlsFacts {
  return { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name };
}

/** Waits for `event` of `socket`, for an error, the deadline or the signal; destroys the socket in all but the first. */
function settled<S extends net.Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  server: Server,
  deadline: Deadline,
  step: string,
  explain: (cause: unknown) => Error,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const release = () => {
      clearTimeout(timer);
      deadline.signal.removeEventListener('abort', onAbort);
      socket.off(event, onReady).off('error', onError).off('close', onClose);
    };
    const giveUp = (error: Error) => {
      release();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onReady = () => {
      release();
      resolve(socket);
    };
    const onError = (cause: unknown) => giveUp(explain(cause));
    const onClose = () => giveUp(explain({ code: 'ECONNRESET' }));
    const onAbort = () => giveUp(new StoppedError(deadline.signal.reason));
    const left = Math.max(0, deadline.at - Date.now());
    const timer = setTimeout(() => giveUp(connectTimeout(server, step, deadline.milliseconds)), left);
    deadline.signal.addEventListener('abort', onAbort);
    socket.once(event, onReady).once('error', onError).once('close', onClose);
    if (deadline.signal.aborted) onAbort();
  });
}

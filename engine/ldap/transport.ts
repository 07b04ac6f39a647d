/** The connection below LDAP: TCP, and TLS on top of it, under the time limit for connecting. */
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

/** A connected socket and the way its bytes are had. */
export interface Link {
  readonly socket: net.Socket;
  /** Gives every chunk to its argument. The bytes are only valid during the call. */
  readonly receive: (take: (chunk: Buffer) => void) => void;
}

const KEEP_ALIVE_MS = 30_000;
/** What is decoded without a look at the clock: under a millisecond. */
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * Connects without encryption. Throws `DirectoryError` `CONNECTION_REFUSED`, `HOST_NOT_FOUND`, `HOST_UNREACHABLE`,
 * `CONNECT_TIMEOUT`. `toEncrypt`: the socket will be given to {@link encrypt}.
 */
export async function connectPlain(server: Server, deadline: Deadline, toEncrypt: boolean): Promise<Link> {
  if (toEncrypt) {
    const socket = net.connect(addressOf(server));
    return eventLink(await settled(socket, 'connect', server, deadline, 'TCP connection'));
  }
  const inlet = new Inlet();
  const socket = net.connect({ ...addressOf(server), onread: inlet.onread });
  return inlet.link(await settled(socket, 'connect', server, deadline, 'TCP connection'));
}

/** Connects with TLS from the first byte. Throws as {@link connectPlain}, and `CERTIFICATE_…`, `SERVER_NOT_TLS`, `TLS_FAILED`. */
export async function connectTls(server: Server, options: tls.ConnectionOptions, deadline: Deadline): Promise<Link> {
  const inlet = new Inlet();
  const { host, port } = server;
  // The types do not know that a TLS socket reads into a given buffer, too.
  const all: tls.ConnectionOptions & net.SocketConstructorOpts = {
    ...namesOf(server, options),
    host,
    port,
    onread: inlet.onread,
  };
  const socket = tls.connect(all).setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  return inlet.link(await settled(socket, 'secureConnect', server, deadline, 'TLS connection'));
}

/** Encrypts a connection that stands (StartTLS) and verifies the certificate. Throws as {@link connectTls}. */
export async function encrypt(
  plain: net.Socket,
  server: Server,
  options: tls.ConnectionOptions,
  deadline: Deadline,
): Promise<Link> {
  const socket = tls.connect({ ...namesOf(server, options), socket: plain });
  return eventLink(await settled(socket, 'secureConnect', server, deadline, 'TLS handshake', true));
}

/** The protocol version and cipher of a connection; null where it is not encrypted. */
export function tlsFacts({ socket }: Link): TlsFacts | null {
  if (!(socket instanceof tls.TLSSocket)) return null;
  return { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name };
}

function addressOf({ host, port }: Server): net.TcpNetConnectOpts {
  return { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
}

/** The name that the certificate must carry, and which is asked for unless it is an address (RFC 6066, 3). */
function namesOf({ host }: Server, options: tls.ConnectionOptions): tls.ConnectionOptions {
  const name = options.servername ?? host;
  const checkServerIdentity =
    options.checkServerIdentity ?? ((_host, certificate) => tls.checkServerIdentity(name, certificate));
  return { ...options, servername: net.isIP(name) === 0 ? name : '', checkServerIdentity };
}

function eventLink(socket: net.Socket): Link {
  return { socket, receive: (take) => void socket.on('data', take) };
}

/** Reads into one buffer, again and again, instead of a new one for each chunk: a third of the work of reading. */
class Inlet {
  #take: (chunk: Buffer) => void = (chunk) => this.#early.push(Buffer.from(chunk));
  #early: Buffer[] = [];
  readonly onread = {
    buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      return true;
    },
  };

  link(socket: net.Socket): Link {
    return {
      socket,
      receive: (take) => {
        this.#take = take;
        for (const chunk of this.#early.splice(0)) take(chunk);
      },
    };
  }
}

/** Waits for `event` of `socket`, for an error, the deadline or the signal; destroys the socket in all but the first. */
function settled<S extends net.Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  server: Server,
  deadline: Deadline,
  step: string,
  connectedBefore = false,
): Promise<S> {
  return new Promise((resolve, reject) => {
    let connected = connectedBefore;
    const release = () => {
      clearTimeout(timer);
      deadline.signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect).off(event, onReady).off('error', onError).off('close', onClose);
    };
    const giveUp = (error: Error) => {
      release();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onConnect = () => (connected = true);
    const onReady = () => {
      release();
      resolve(socket);
    };
    const onError = (cause: unknown) => giveUp(connected ? tlsError(server, cause) : tcpError(server, cause));
    const onClose = () => onError({ code: 'ECONNRESET' });
    const onAbort = () => giveUp(new StoppedError(deadline.signal.reason));
    const left = Math.max(0, deadline.at - Date.now());
    const timer = setTimeout(() => giveUp(connectTimeout(server, step, deadline.milliseconds)), left);
    deadline.signal.addEventListener('abort', onAbort);
    socket.once('connect', onConnect).once(event, onReady).once('error', onError).once('close', onClose);
    if (deadline.signal.aborted) onAbort();
  });
}

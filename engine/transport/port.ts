/** An HTTPS port of the receiver's own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { SettingError, TransportError } from '../model/errors.js';
import type { ReceiverLimits } from './limits.js';
import { type MinimumTls, serverTls } from '../runtime/tls.js';

export interface Port {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly tls: https.ServerOptions;
  /** TLS 1.2 by default. */
  readonly minimumTls?: MinimumTls;
  /** Asks for client certificates, from the authority in `tls.ca`. Who shows none can prove itself otherwise. */
  readonly clientCertificates?: boolean;
}

const HEADER_BYTES = 8 * 1024;
const HANDSHAKE_MS = 10_000;
const IDLE_MS = 30_000;
const CHECK_EVERY_MS = 2_000;

/** A port that is open. */
export interface OpenPort {
  readonly port: number;
  /** Takes no further connections, and ends all there are. */
  close(): void;
}

/** Opens the port. Rejects with `SettingError` for a certificate that cannot be used, `TransportError` for a port that cannot. */
export async function openPort(
  at: Port,
  limits: ReceiverLimits,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<OpenPort> {
  const server = createServer(at, limits);
  // One whose handshake is under way is none yet to `closeAllConnections()`, and behind the end nothing looks at its time.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', handle);
  server.maxConnections = limits.connections;
  await new Promise<void>((resolve, reject) => {
    // For good: a later error of the server must not end the process (hazard N1).
    server.on('error', (error: NodeJS.ErrnoException) => reject(portError(error, at)));
    server.listen(at.port, at.host, resolve);
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : at.port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function createServer(at: Port, limits: ReceiverLimits): https.Server {
  try {
    return https.createServer({
      ...serverTls(at.tls, at.minimumTls),
      ...(at.clientCertificates === true && { requestCert: true, rejectUnauthorized: false }),
      headersTimeout: limits.headersMs,
      requestTimeout: limits.headersMs + limits.contentMs,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAliveTimeout: IDLE_MS,
      handshakeTimeout: HANDSHAKE_MS,
      maxHeaderSize: HEADER_BYTES,
    });
  } catch (error) {
    throw new SettingError('CERTIFICATE_NOT_USABLE', {
      message:
        'The certificate and key of the directory-receive cannot be used: not PEM, not a pair, a wrong passphrase, or an RSA key of fewer than 2048 bits. Look at its tls-config.',
      status: 'certificate not usable',
      params: { setting: 'tls' },
      cause: error,
    });
  }
}

function portError(error: NodeJS.ErrnoException, { host, port }: Port): TransportError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'another program listens there'
      : error.code === 'EACCES'
        ? 'this process may not'
        : (error.code ?? 'it cannot be');
  return new TransportError(error.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'PORT_NOT_USABLE', {
    message: `Port ${String(port)} at ${host} could not be opened: ${why}. Set another port or host in the directory-receive.`,
    status: `port ${String(port)}: ${error.code ?? 'unusable'}`,
    params: { host, port },
  });
}

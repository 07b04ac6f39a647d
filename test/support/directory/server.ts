/** Listens, and gives each client a connection. */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import * as tls from 'node:tls';
import { Connection } from './connection.js';
import type { ServerState } from './state.js';

export interface Listening {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** `encrypted`: TLS from the first byte; else in the clear, with StartTLS where the state has a certificate. */
export async function listen(
  state: ServerState,
  at: { host: string; port: number; encrypted: boolean },
): Promise<Listening> {
  const connections = new Set<Connection>();
  const sockets = new Set<Socket>();
  let count = 0;
  const accept = (socket: Socket) => {
    count += 1;
    const connection = new Connection(socket, count, state);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  };
  const server: Server = at.encrypted ? tls.createServer(state.tls ?? {}, accept) : createServer(accept);
  // Also those that never finish their TLS handshake have to go when the server closes.
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: at.host,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.destroy();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * Stands between a client and PostgreSQL, without TLS, and counts the statements that the client sends
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html). At one of them it can cut the connection, before or
 * after the server has it, or let the test do something first.
 */
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** What to do at a statement, counted from 1 over all connections since {@link PostgresProxy.watch}. */
export interface Watch {
  readonly at: number;
  /** `before`: the server never gets it. `after`: it gets it, and the client no answer. A function: called, then it goes on. */
  readonly act: 'before' | 'after' | (() => Promise<void>);
}

export interface PostgresProxy {
  readonly port: number;
  /** Counts from here. */
  watch(what: Watch | null): void;
  /** Statements since {@link watch}. */
  readonly count: number;
  /** The text of the last statement that was counted. */
  readonly last: string;
  close(): Promise<void>;
}

export async function startPostgresProxy(server: { host: string; port: number }): Promise<PostgresProxy> {
  let watched: Watch | null = null;
  let count = 0;
  let last = '';
  const sockets = new Set<Socket>();

  const listener = createServer((client) => {
    const upstream = connect(server.port, server.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    let begun = false;
    let rest = Buffer.alloc(0);
    let turn = Promise.resolve();
    const take = async (chunk: Buffer): Promise<void> => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        // The first message has no letter in front of its length.
        const lead = begun ? 1 : 0;
        if (rest.length < lead + 4) return;
        const length = lead + rest.readUInt32BE(lead);
        if (rest.length < length) return;
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        const kind = begun ? String.fromCharCode(message[0] ?? 0) : '';
        begun = true;
        if (kind === 'Q' || kind === 'P') {
          count += 1;
          last = message.toString('utf8', 5).replaceAll('\0', ' ').trim();
          if (watched?.at === count) {
            const { act } = watched;
            if (typeof act === 'function') await act();
            else if (act === 'before') return void client.destroy();
            else {
              upstream.unpipe(client);
              upstream.write(message);
              // An extended query is run when the rest of it is there.
              if (kind === 'P') upstream.write(rest);
              upstream.once('data', () => client.destroy()).resume();
              rest = Buffer.alloc(0);
              return;
            }
          }
        }
        upstream.write(message);
      }
    };
    client.on('data', (chunk) => {
      turn = turn.then(() => take(chunk)).catch(() => void client.destroy());
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    watch(what) {
      watched = what;
      count = 0;
    },
    get count() {
      return count;
    },
    get last() {
      return last;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

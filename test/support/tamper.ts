/**
 * A proxy before a directory without encryption that changes single answers, or ends or silences the connection at one: what
 * a broken server, a proxy or a load balancer would do.
 */
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { SEARCH, listen } from '../unit/ldap/scripted-server.js';
import { berMessages } from './fault-proxy.js';

/** An answer on its way to the client. */
export interface Answer {
  readonly id: number;
  /** Application tag: 0x61 bind, 0x64 entry, 0x65 end of a search, 0x78 extended. */
  readonly operation: number;
  readonly bytes: Buffer;
  /** How many answers of this operation came before it on the connection. */
  readonly earlier: number;
  /** Does it belong to a search in pages? */
  readonly paged: boolean;
  /** How many ends of searches in pages came before it on the connection, and of entries since. */
  readonly page: number;
  readonly entry: number;
}

/** What becomes of it: other bytes, an end of the connection before or within it, silence from here on; undefined: as it is. */
export type Tamper = (answer: Answer) => Buffer | 'cut' | 'half' | 'reset' | 'silence' | undefined;

export interface TamperProxy {
  readonly host: string;
  readonly port: number;
  /** For connections from now on. */
  tamper: Tamper | null;
  /** How often an answer was changed. */
  readonly changed: number;
  close(): Promise<void>;
}

export async function startTamperProxy(to: { host: string; port: number }): Promise<TamperProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...to, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const paged = new Set<number>();
    listen(client, ({ id, operation, cookie }) => {
      if (operation === SEARCH && cookie !== null) paged.add(id);
    });
    client.on('data', (bytes: Buffer) => upstream.write(bytes));
    pass(upstream, client, paged, (answer) => {
      const became = proxy.tamper?.(answer);
      if (became !== undefined) changed += 1;
      return became;
    });
  });
  let changed = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const proxy: TamperProxy = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    tamper: null,
    get changed() {
      return changed;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** Passes whole messages on, each looked at before. */
function pass(from: Socket, to: Socket, paged: ReadonlySet<number>, tamper: Tamper): void {
  const counts = new Map<number, number>();
  let held = Buffer.alloc(0);
  let page = 0;
  let entry = 0;
  let silent = false;
  from.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const length = berMessages(held);
      if (length === null || length > held.length || silent || to.destroyed) return;
      const bytes = held.subarray(0, length);
      held = held.subarray(length);
      const { id, operation } = headOf(bytes);
      const earlier = counts.get(operation) ?? 0;
      counts.set(operation, earlier + 1);
      const became = tamper({ id, operation, bytes, earlier, paged: paged.has(id), page, entry });
      if (operation === 0x64 && paged.has(id)) entry += 1;
      if (operation === 0x65 && paged.has(id)) {
        page += 1;
        entry = 0;
      }
      if (became === 'cut') to.end();
      else if (became === 'half') to.end(bytes.subarray(0, bytes.length / 2));
      else if (became === 'reset') to.resetAndDestroy();
      else if (became === 'silence') silent = true;
      else to.write(became ?? bytes);
    }
  });
}

function headOf(bytes: Buffer): { id: number; operation: number } {
  const first = bytes[1] ?? 0;
  const at = first < 0x80 ? 2 : 2 + (first & 0x7f);
  const size = bytes[at + 1] ?? 1;
  return { id: bytes.readUIntBE(at + 2, size), operation: bytes[at + 2 + size] ?? 0 };
}

/**
 * A TCP proxy that does harm on purpose: it cuts, resets, half-closes, swallows, slices, delays and flips, at a byte, at a
 * message or at a time, in either direction. What it does is data, and data can be made from a seed, so every fault can be
 * had again.
 */
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setImmediate as soon, setTimeout as delay } from 'node:timers/promises';

/**
 * `cut`: both sides see an end (FIN). `reset`: both see a reset (RST). `half-close`: the side that the data goes to sees an
 * end, the other direction goes on. `black-hole`: nothing passes any more, in neither direction, and nobody is told.
 * `slice`: from here on in pieces of `size` bytes. `delay`: holds this direction for `ms`. `flip`: one bit is another.
 */
export const FAULT_KINDS = ['cut', 'reset', 'half-close', 'black-hole', 'slice', 'delay', 'flip'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
/** `up`: from the client to the server. */
export type Direction = 'up' | 'down';
/** Before that byte or message of the connection and direction (from 0), or so long after the connection was made. */
export type FaultPoint = { readonly byte: number } | { readonly message: number } | { readonly ms: number };

export interface Fault {
  readonly kind: FaultKind;
  readonly direction: Direction;
  readonly at: FaultPoint;
  /** For `delay`; 200 by default. */
  readonly ms?: number;
  /** For `slice`, in bytes; 1 by default. */
  readonly size?: number;
}

/** The length of a message from its first bytes, or null while they are too few to tell. */
export type Framing = (start: Buffer) => number | null;

/** Records of TLS (RFC 8446 section 5.1). */
export const tlsRecords: Framing = (start) => (start.length < 5 ? null : 5 + start.readUInt16BE(3));

/** Messages in BER with definite lengths, such as those of LDAP. */
export const berMessages: Framing = (start) => {
  const first = start[1];
  if (first === undefined) return null;
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  return start.length < 2 + octets ? null : 2 + octets + start.readUIntBE(2, octets);
};

export interface FaultProxyOptions {
  readonly to: { readonly host: string; readonly port: number };
  /** The faults of a connection, which are counted from 0. */
  readonly faults: (connection: number) => readonly Fault[];
  /** What a message is; TLS records by default. */
  readonly framing?: Framing;
}

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Faults that came to happen, in order. */
  readonly fired: readonly (Fault & { readonly connection: number })[];
  /** Bytes that were passed on. */
  readonly bytes: Readonly<Record<Direction, number>>;
  close(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  const fired: (Fault & { connection: number })[] = [];
  const bytes = { up: 0, down: 0 };
  let connections = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const connection = connections;
    connections += 1;
    const pair: Pair = new Pair(client, options, options.faults(connection), {
      fired: (fault) => fired.push({ ...fault, connection }),
      passed: (direction, count) => (bytes[direction] += count),
      ended: () => pairs.delete(pair),
    });
    pairs.add(pair);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    fired,
    bytes,
    async close() {
      for (const pair of [...pairs]) pair.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Watcher {
  fired(fault: Fault): void;
  passed(direction: Direction, count: number): void;
  ended(): void;
}

/** One connection of a client, and ours to the server. */
class Pair {
  readonly #server: Socket;
  readonly #timers: NodeJS.Timeout[] = [];
  #swallowing = false;
  #open = 2;

  constructor(
    private readonly client: Socket,
    options: FaultProxyOptions,
    faults: readonly Fault[],
    private readonly watcher: Watcher,
  ) {
    const { host, port } = options.to;
    this.#server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    for (const socket of [client, this.#server]) {
      socket.on('error', () => this.destroy());
      socket.on('close', () => this.#closed());
    }
    const lanes = { up: this.#lane('up', options, faults), down: this.#lane('down', options, faults) };
    for (const fault of faults) {
      if (!('ms' in fault.at)) continue;
      const lane = lanes[fault.direction];
      this.#timers.push(setTimeout(() => lane.strike(fault), fault.at.ms));
    }
  }

  destroy(): void {
    this.client.destroy();
    this.#server.destroy();
  }

  /** Does what concerns both directions. True: nothing more is to be passed on in this one. */
  strike(fault: Fault, to: Socket): boolean {
    this.watcher.fired(fault);
    if (fault.kind === 'cut') {
      for (const socket of [this.client, this.#server]) socket.end(() => socket.destroy());
    }
    if (fault.kind === 'reset') {
      this.client.resetAndDestroy();
      this.#server.resetAndDestroy();
    }
    if (fault.kind === 'half-close') to.end();
    if (fault.kind === 'black-hole') this.#swallowing = true;
    return ['cut', 'reset', 'half-close'].includes(fault.kind);
  }

  write(direction: Direction, to: Socket, piece: Buffer): boolean {
    if (this.#swallowing || piece.length === 0 || to.destroyed || to.writableEnded) return true;
    this.watcher.passed(direction, piece.length);
    return to.write(piece);
  }

  end(to: Socket): void {
    if (!this.#swallowing && !to.destroyed) to.end();
  }

  #lane(direction: Direction, { framing = tlsRecords }: FaultProxyOptions, faults: readonly Fault[]): Lane {
    const [from, to] = direction === 'up' ? [this.client, this.#server] : [this.#server, this.client];
    return new Lane(
      this,
      direction,
      from,
      to,
      framing,
      faults.filter((fault) => fault.direction === direction),
    );
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const timer of this.#timers) clearTimeout(timer);
    this.watcher.ended();
  }
}

/** One direction of a connection. */
class Lane {
  readonly #waiting: Fault[];
  #passed = 0;
  #messages = 0;
  #ended = false;
  #slice = 0;
  #hold: Promise<unknown> | null = null;
  /** Of the message at hand: its first bytes until its length is known, then how many of it are to come. */
  #start = Buffer.alloc(0);
  #left = 0;

  constructor(
    private readonly pair: Pair,
    private readonly direction: Direction,
    from: Socket,
    private readonly to: Socket,
    private readonly framing: Framing,
    faults: readonly Fault[],
  ) {
    this.#waiting = faults.filter(({ at }) => !('ms' in at));
    void this.#pump(from);
  }

  /** Lets a fault happen here and now. */
  strike(fault: Fault): void {
    this.#slice = fault.kind === 'slice' ? (fault.size ?? 1) : this.#slice;
    if (fault.kind === 'delay') this.#hold = delay(fault.ms ?? 200);
    this.#ended = this.pair.strike(fault, this.to) || this.#ended;
  }

  async #pump(from: Socket): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        await this.#pass(piece);
        // What comes after a half-close is read and forgotten, as a peer that does not listen would.
      }
      if (!this.#ended) this.pair.end(this.to);
    } catch {
      this.pair.destroy();
    }
  }

  async #pass(piece: Buffer): Promise<void> {
    let rest = piece;
    while (rest.length > 0 && !this.#ended) {
      const fault = this.#due();
      if (fault) {
        this.#waiting.splice(this.#waiting.indexOf(fault), 1);
        if (fault.kind === 'flip') rest = flipped(rest);
        this.strike(fault);
        continue;
      }
      if (this.#hold) await this.#hold;
      this.#hold = null;
      const count = Math.min(rest.length, this.#untilNext());
      const now = rest.subarray(0, count);
      this.#count(now);
      await this.#write(now);
      rest = rest.subarray(count);
    }
  }

  #due(): Fault | undefined {
    return this.#waiting.find(({ at }) =>
      'byte' in at ? at.byte === this.#passed : 'message' in at && this.#atMessage() && at.message === this.#messages,
    );
  }

  #atMessage(): boolean {
    return this.#left === 0 && this.#start.length === 0;
  }

  /** How many bytes may pass before the next fault may be due. */
  #untilNext(): number {
    const bytes = this.#waiting.map(({ at }) =>
      'byte' in at && at.byte > this.#passed ? at.byte - this.#passed : Infinity,
    );
    const counting = this.#waiting.some(({ at }) => 'message' in at);
    // A message's first bytes are looked at one by one, until its length is known.
    return Math.min(...bytes, counting ? this.#left || 1 : Infinity);
  }

  #count(piece: Buffer): void {
    this.#passed += piece.length;
    if (!this.#waiting.some(({ at }) => 'message' in at)) return;
    if (this.#left > 0) this.#left -= piece.length;
    else {
      this.#start = Buffer.concat([this.#start, piece]);
      const length = this.framing(this.#start);
      if (length === null) return;
      this.#left = Math.max(0, length - this.#start.length);
      this.#start = Buffer.alloc(0);
    }
    if (this.#left === 0) this.#messages += 1;
  }

  async #write(piece: Buffer): Promise<void> {
    if (this.#slice === 0) {
      if (!this.pair.write(this.direction, this.to, piece)) await drained(this.to);
      return;
    }
    for (let at = 0; at < piece.length && !this.#ended; at += this.#slice) {
      this.pair.write(this.direction, this.to, piece.subarray(at, at + this.#slice));
      await soon();
    }
  }
}

function flipped(piece: Buffer): Buffer {
  const copy = Buffer.from(piece);
  copy[0] = (copy[0] ?? 0) ^ 0x10;
  return copy;
}

async function drained(to: Socket): Promise<void> {
  if (to.destroyed || !to.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      to.off('drain', go).off('close', go);
      resolve();
    };
    to.on('drain', go).on('close', go);
  });
}

/** Numbers from a seed, the same in every run: whole ones from 0 to below `limit` (mulberry32). */
export function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Where faults from a seed may fall. */
export interface FaultRange {
  /** Bytes that a connection carries in each direction, about. */
  readonly bytes: Readonly<Record<Direction, number>>;
  readonly messages: number;
  readonly ms: number;
  readonly kinds?: readonly FaultKind[];
}

/** A fault of any kind at any point, from a seed. */
export function faultOf(seed: number, { bytes, messages, ms, kinds = FAULT_KINDS }: FaultRange): Fault {
  const any = seeded(seed);
  const kind = kinds[any(kinds.length)] ?? 'cut';
  const direction: Direction = any(2) === 0 ? 'up' : 'down';
  const points: readonly (() => FaultPoint)[] = [
    () => ({ byte: any(bytes[direction]) }),
    () => ({ message: any(messages) }),
    () => ({ ms: any(ms) }),
  ];
  // A bit of a byte is flipped where the byte is; at a time there may be none.
  const at = (points[any(kind === 'flip' ? 2 : 3)] ?? points[0])?.() ?? { byte: 0 };
  return { kind, direction, at, ms: 1 + any(500), size: 1 + any(16) };
}

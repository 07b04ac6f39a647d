/**
 * The stream between the socket and the LDAP client library. It lets no byte of the server through: it cuts the stream
 * into messages, checks them strictly, decodes them for whoever asked, and gives the library a plain result of its own
 * making, so that the library settles its request. Anything that is not LDAP, or answers nothing that was asked, ends the
 * connection with an error that says what and where.
 */
import type * as net from 'node:net';
import { Duplex } from 'node:stream';
import { DirectoryError, type DirectorySyncError } from '../model/errors.js';
import { MessageAssembler } from './assembler.js';
import { BerCursor, TAG, malformed } from './ber.js';
import type { EntryPlace } from './entry.js';
import { NOTICE_OF_DISCONNECTION, OPERATION, type Result, plainResult, readResult, readTexts } from './result.js';
import type { Link } from './transport.js';
import { closedUnanswered, connectionLost, disconnected, serverSilent } from './wire-errors.js';

/** Takes the answer to one request. Exactly one of `done` and `failed` is called, once. */
export interface Responder {
  /** Whether many more entries are to come, so that nobody waits for the next few. */
  readonly expectsMany: boolean;
  entry(bytes: Buffer, place: EntryPlace): void;
  reference(uris: readonly string[]): void;
  done(result: Result): void;
  failed(error: DirectorySyncError): void;
}

export interface WireLimits {
  readonly maxMessageBytes: number;
  /** Milliseconds without a byte while an answer is awaited. */
  readonly idle: number;
}

interface Pending {
  readonly operation: number;
  readonly responder: Responder;
}

const ANSWERS: Readonly<Record<number, readonly number[]>> = {
  [OPERATION.bindRequest]: [OPERATION.bindResponse],
  [OPERATION.searchRequest]: [OPERATION.searchEntry, OPERATION.searchReference, OPERATION.searchDone],
  [OPERATION.extendedRequest]: [OPERATION.extendedResponse],
};
/** Milliseconds of reading in one turn of the event loop; then others have theirs. */
const LONGEST_SLICE_MS = 2;
/**
 * A server sends entry by entry, and to read them as they come costs a turn of the event loop for each few: a quarter of all
 * the processor time of a read. In a millisecond there are some fifty, which are read at once.
 */
const REST_MS = 1;
/** A chunk of this much is worth its turn. */
const LARGE_CHUNK_BYTES = 32 * 1024;

/** For the library it looks like a socket that is connected already. */
export class Wire extends Duplex {
  readonly connecting = false;
  readonly readyState = 'open';
  bytesReceived = 0;

  readonly #limits: WireLimits;
  readonly #assembler: MessageAssembler;
  readonly #cursor = new BerCursor();
  readonly #expected = new Map<number, Responder[]>();
  readonly #pending = new Map<number, Pending>();
  readonly #waiting = new Set<Responder>();
  #socket: net.Socket;
  #failure: DirectorySyncError | null = null;
  #lastId = 0;
  #last: Pending | undefined;
  #lastActivity = Date.now();
  #idleTimer: NodeJS.Timeout | undefined;
  #turnStart = 0;
  #paused = false;
  /** Runs while more is let come before it is read. */
  #rest: NodeJS.Timeout | null = null;

  constructor(link: Link, limits: WireLimits) {
    super({ allowHalfOpen: false });
    this.#limits = limits;
    this.#assembler = new MessageAssembler(limits.maxMessageBytes, (bytes, start, end) =>
      this.#message(bytes, start, end),
    );
    this.#socket = link.socket;
    this.#attach(link);
  }

  /** Why the connection ended, or null. */
  get failure(): DirectorySyncError | null {
    return this.#failure;
  }

  /** Says who takes the answer to the next request of this kind. Requests are answered in the order they are announced. */
  expect(operation: number, responder: Responder): void {
    const queue = this.#expected.get(operation);
    if (queue) queue.push(responder);
    else this.#expected.set(operation, [responder]);
  }

  /** Takes the socket away, to encrypt it. Bytes that came unasked are an error: they would be taken for encrypted ones. */
  detach(): net.Socket {
    if (this.#failure) throw this.#failure;
    if (!this.#assembler.empty || this.#pending.size > 0)
      throw malformed('bytes between StartTLS and the handshake', 0);
    const socket = this.#socket;
    socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
    socket.pause();
    return socket;
  }

  /** Goes on over another socket, the encrypted one. */
  attach(link: Link): void {
    this.#socket = link.socket;
    this.#attach(link);
  }

  /** Ends the connection; everybody who waits for an answer is told why. */
  fail(error: DirectorySyncError): void {
    if (this.#failure) return;
    this.#failure = error;
    clearTimeout(this.#idleTimer);
    this.#endRest();
    const told = [...this.#pending.values()].map(({ responder }) => responder);
    for (const queue of this.#expected.values()) told.push(...queue);
    this.#pending.clear();
    this.#expected.clear();
    for (const responder of told) responder.failed(error);
    this.#socket.destroy();
    this.destroy();
  }

  /** Back-pressure: `responder` has enough for now. Reading stops when that is so for all whose answer is awaited. */
  pauseFor(responder: Responder): void {
    this.#waiting.add(responder);
    this.#regulate();
  }

  resumeFor(responder: Responder): void {
    if (this.#waiting.delete(responder)) this.#regulate();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#register(chunk);
    // What goes wrong in writing is told by the socket's own events.
    this.#socket.write(chunk, () => callback());
  }

  override _read(): void {
    // The library takes what it is given: small results, each at once.
  }

  override _final(callback: () => void): void {
    this.#socket.end();
    callback();
  }

  override _destroy(_error: Error | null, callback: (error: null) => void): void {
    clearTimeout(this.#idleTimer);
    this.#endRest();
    this.#socket.destroy();
    callback(null);
  }

  #attach({ socket, receive }: Link): void {
    receive((chunk) => this.#receive(chunk));
    socket.on('error', (cause) => this.#closed(cause));
    socket.on('end', () => this.#closed());
    socket.on('close', () => this.#closed());
    socket.resume();
  }

  #closed(cause?: unknown): void {
    if (this.destroyed || this.writableEnded) return;
    this.fail(this.bytesReceived === 0 ? closedUnanswered(cause) : connectionLost(cause));
  }

  #register(chunk: Buffer): void {
    const cursor = this.#cursor;
    cursor.set(chunk, 0);
    const end = cursor.enter(TAG.sequence, chunk.length, 'request');
    const id = cursor.integer(TAG.integer, end, 'message id');
    const operation = cursor.peek(end);
    if (ANSWERS[operation] === undefined) return;
    const responder = this.#expected.get(operation)?.shift();
    if (responder === undefined) throw new Error('a request that nobody announced');
    this.#pending.set(id, { operation, responder });
    this.#lastActivity = Date.now();
    this.#idleTimer ??= setTimeout(() => this.#watch(), this.#limits.idle);
    this.#regulate();
  }

  #receive(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    this.#lastActivity = Date.now();
    try {
      this.#assembler.push(chunk, () => this.#failure === null);
    } catch (error) {
      this.fail(error instanceof DirectoryError ? error : malformed('unreadable', 0));
    }
    if (chunk.length < LARGE_CHUNK_BYTES && this.#last?.responder.expectsMany === true) this.#letMoreCome();
    else this.#yield();
  }

  /** Leaves what comes next in the socket for a moment. */
  #letMoreCome(): void {
    if (this.#rest !== null || this.#failure !== null) return;
    this.#socket.pause();
    this.#rest = setTimeout(() => {
      this.#endRest();
      this.#regulate();
    }, REST_MS);
  }

  #endRest(): void {
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#rest = null;
  }

  /** Lets the event loop turn when reading has kept it long enough. */
  #yield(): void {
    const now = performance.now();
    if (this.#turnStart === 0) {
      this.#turnStart = now;
      setImmediate(() => {
        this.#turnStart = 0;
        this.#regulate();
      });
    } else if (now - this.#turnStart > LONGEST_SLICE_MS && !this.#socket.isPaused()) {
      this.#socket.pause();
    }
  }

  #regulate(): void {
    if (this.#failure) return;
    let asked = 0;
    for (const { responder } of this.#pending.values()) if (!this.#waiting.has(responder)) asked += 1;
    const pause = this.#pending.size > 0 && asked === 0;
    if (this.#paused && !pause) this.#lastActivity = Date.now();
    this.#paused = pause;
    if (pause) this.#socket.pause();
    else if (this.#rest !== null) return;
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** The idle limit: reset by data, and not running while it is us who do not read. */
  #watch(): void {
    this.#idleTimer = undefined;
    const left = this.#idleLeft();
    // Where it is us who stood still, what came meanwhile waits in the socket: timers are told before it is read.
    if (left <= 0) setImmediate(() => this.#idled());
    else if (left < Infinity) this.#idleTimer = setTimeout(() => this.#watch(), left);
  }

  #idled(): void {
    const left = this.#idleLeft();
    if (left <= 0) this.fail(serverSilent(this.#limits.idle));
    else if (left < Infinity) this.#idleTimer ??= setTimeout(() => this.#watch(), left);
  }

  /** Milliseconds until the server has been silent for too long; Infinity where nobody awaits anything. */
  #idleLeft(): number {
    if (this.#pending.size === 0 || this.#failure !== null) return Infinity;
    return this.#paused ? this.#limits.idle : this.#lastActivity + this.#limits.idle - Date.now();
  }

  #message(bytes: Buffer, start: number, end: number): void {
    const cursor = this.#cursor;
    cursor.set(bytes, start);
    cursor.enter(TAG.sequence, end, 'message');
    const id = cursor.integer(TAG.integer, end, 'message id');
    const operation = cursor.peek(end);
    if (id === 0) {
      this.#unsolicited(operation, end);
      return;
    }
    const pending = id === this.#lastId ? this.#last : this.#pending.get(id);
    if (pending === undefined) throw malformed(`an answer to message ${id}, which was not asked`, 2);
    this.#lastId = id;
    this.#last = pending;
    if (ANSWERS[pending.operation]?.includes(operation) !== true) {
      throw malformed(
        `operation 0x${operation.toString(16)} as the answer to 0x${pending.operation.toString(16)}`,
        cursor.at - start,
      );
    }
    const contentsEnd = cursor.enter(operation, end, 'operation');
    if (operation === OPERATION.searchEntry) {
      pending.responder.entry(bytes, { start, contents: cursor.at, contentsEnd, end });
    } else if (operation === OPERATION.searchReference) {
      pending.responder.reference(readTexts(cursor, contentsEnd));
    } else {
      const result = readResult(cursor, contentsEnd, end);
      this.#pending.delete(id);
      this.#waiting.delete(pending.responder);
      this.#lastId = 0;
      this.#last = undefined;
      pending.responder.done(result);
      this.push(plainResult(id, operation, result.code));
    }
  }

  /** Message id 0 (RFC 4511, 4.4): a notice of disconnection ends the connection, anything else unknown is ignored. */
  #unsolicited(operation: number, end: number): void {
    if (operation !== OPERATION.extendedResponse) throw malformed('message id 0', 2);
    const cursor = this.#cursor;
    const result = readResult(cursor, cursor.enter(operation, end, 'operation'), end);
    if (result.name === NOTICE_OF_DISCONNECTION) throw disconnected(result);
  }
}

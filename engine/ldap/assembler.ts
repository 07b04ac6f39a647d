/**
 * Cuts a stream of bytes into whole LDAP messages. A message that lies in one chunk is handed out where it is; one that
 * spans chunks is put together once, when its last byte is there, so that a large value costs no repeated copying.
 */
import { DirectoryError } from '../model/errors.js';
import { TAG, malformed } from './ber.js';

/** Takes the message in `bytes` from `start` to `end`. The bytes are only valid during the call. */
export type TakeMessage = (bytes: Buffer, start: number, end: number) => void;

const LONGEST_HEADER = 6;
/** Messages up to this are put together in a place that is used again and again. */
const USUAL_BYTES = 64 * 1024;

export class MessageAssembler {
  readonly #usual = Buffer.allocUnsafeSlow(USUAL_BYTES);
  /** Where the message begun is put together: `#usual`, or a place of its own for a large one. */
  #begun = this.#usual;
  #held = 0;
  /** Length of the message begun; 0 while its header is not whole. */
  #awaited = 0;

  constructor(
    private readonly maxMessageBytes: number,
    private readonly take: TakeMessage,
  ) {}

  /** True between two messages: nothing of another one has arrived. */
  get empty(): boolean {
    return this.#held === 0;
  }

  /**
   * Takes the next bytes. Throws `DirectoryError` `NOT_LDAP`, `MALFORMED_REPLY` or `MESSAGE_TOO_LARGE`. `more` is asked
   * after each message, and false drops the rest.
   */
  push(chunk: Buffer, more: () => boolean = () => true): void {
    let at = this.#held === 0 ? 0 : this.#complete(chunk);
    while (at < chunk.length && more()) {
      const length = this.#messageLength(chunk, at, chunk.length);
      if (length === 0 || at + length > chunk.length) {
        this.#begin(length);
        this.#keep(chunk, at, chunk.length);
        return;
      }
      this.take(chunk, at, at + length);
      at += length;
    }
  }

  /** Adds to the message begun; returns how many bytes of `chunk` it took. */
  #complete(chunk: Buffer): number {
    let used = 0;
    while (this.#awaited === 0) {
      // The header itself is cut: byte by byte, at most five times.
      if (used === chunk.length) return used;
      this.#keep(chunk, used, used + 1);
      used += 1;
      const length = this.#messageLength(this.#begun, 0, this.#held);
      if (length > 0) this.#begin(length);
    }
    const taken = Math.min(this.#awaited - this.#held, chunk.length - used);
    this.#keep(chunk, used, used + taken);
    if (this.#held < this.#awaited) return chunk.length;
    const message = this.#begun;
    const length = this.#awaited;
    this.#begun = this.#usual;
    this.#held = 0;
    this.#awaited = 0;
    this.take(message, 0, length);
    return used + taken;
  }

  /** Makes room for a message of `length`; what is held of it comes along. Pages not written to cost nothing. */
  #begin(length: number): void {
    this.#awaited = length;
    if (length <= USUAL_BYTES) return;
    const room = Buffer.allocUnsafeSlow(length);
    this.#usual.copy(room, 0, 0, this.#held);
    this.#begun = room;
  }

  /** Keeps a copy, because the reader of the socket may use its buffer again. */
  #keep(chunk: Buffer, from: number, to: number): void {
    this.#held += chunk.copy(this.#begun, this.#held, from, to);
  }

  /** Length of the message that begins at `at`, header included; 0 if its header is cut by `limit`. */
  #messageLength(bytes: Buffer, at: number, limit: number): number {
    if (bytes[at] !== TAG.sequence) throw notLdap(bytes, at, limit);
    if (at + 2 > limit) return 0;
    const first = bytes[at + 1] ?? 0;
    if (first < 0x80) return 2 + first;
    const octets = first & 0x7f;
    if (octets === 0 || octets > LONGEST_HEADER - 2) throw malformed('length of the message', 1);
    if (at + 2 + octets > limit) return 0;
    const length = 2 + octets + bytes.readUIntBE(at + 2, octets);
    if (length > this.maxMessageBytes) throw messageTooLarge(length, this.maxMessageBytes);
    return length;
  }
}

function notLdap(bytes: Buffer, at: number, limit: number): DirectoryError {
  // A TLS alert or handshake record in answer to plain LDAP (RFC 8446, 5.1).
  if ((bytes[at] === 0x15 || bytes[at] === 0x16) && (at + 1 === limit || bytes[at + 1] === 3)) {
    return new DirectoryError('SERVER_SPEAKS_TLS', {
      message:
        'The directory server answered with TLS where plain LDAP was spoken. Set "encryption" to LDAPS for this port, or "servers" to the port of plain LDAP (389).',
      status: 'port speaks TLS',
    });
  }
  return malformed('a message does not begin with a sequence', 0);
}

function messageTooLarge(length: number, limit: number): DirectoryError {
  return new DirectoryError('MESSAGE_TOO_LARGE', {
    message: `The directory server announced a message of ${length} bytes, and "maxMessageBytes" allows ${limit}. If an attribute is really that large (a photo, a list of members), raise the setting; else leave the attribute out.`,
    status: 'message too large',
    params: { length, limit },
  });
}

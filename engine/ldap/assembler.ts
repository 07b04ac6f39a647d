/**
 * Cuts a stream of bytes into whole LDAP messages. A message that lies in one chunk is handed out where it is; one that
 * spans chunks is put together once, when its last byte is there, so that a large value costs no repeated copying.
 */
import { DirectoryError } from '../model/errors.js';
import { TAG, malformed } from './ber.js';

/** Takes the message in `bytes` from `start` to `end`. The bytes are only valid during the call. */
export type TakeMessage = (bytes: Buffer, start: number, end: number) => void;

const LONGEST_HEADER = 6;

export class MessageAssembler {
  #chunks: Buffer[] = [];
  #held = 0;
  /** Length of the message begun in `#chunks`; 0 while its header is not there. */
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
      const length = this.#messageLength(chunk, at);
      if (length === 0 || at + length > chunk.length) {
        this.#hold(chunk, at, length);
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
      this.#keep(chunk.subarray(used, used + 1));
      used += 1;
      const head = Buffer.concat(this.#chunks, this.#held);
      this.#chunks = [head];
      this.#awaited = this.#messageLength(head, 0);
    }
    const wanted = this.#awaited - this.#held;
    const taken = Math.min(wanted, chunk.length - used);
    this.#keep(chunk.subarray(used, used + taken));
    if (taken < wanted) return chunk.length;
    const message = Buffer.concat(this.#chunks, this.#held);
    this.#chunks = [];
    this.#held = 0;
    this.#awaited = 0;
    this.take(message, 0, message.length);
    return used + taken;
  }

  #hold(chunk: Buffer, at: number, length: number): void {
    this.#awaited = length;
    this.#keep(chunk.subarray(at));
  }

  /** Keeps a copy, because the reader of the socket may use its buffer again. */
  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#chunks.push(Buffer.from(part));
    this.#held += part.length;
  }

  /** Length of the message that begins at `at`, header included; 0 if its header is cut. */
  #messageLength(bytes: Buffer, at: number): number {
    if (bytes[at] !== TAG.sequence) throw notLdap(bytes, at);
    const first = bytes[at + 1];
    if (first === undefined) return 0;
    if (first < 0x80) return 2 + first;
    const octets = first & 0x7f;
    if (octets === 0 || octets > LONGEST_HEADER - 2) throw malformed('length of the message', 1);
    if (at + 2 + octets > bytes.length) return 0;
    const length = 2 + octets + bytes.readUIntBE(at + 2, octets);
    if (length > this.maxMessageBytes) throw messageTooLarge(length, this.maxMessageBytes);
    return length;
  }
}

function notLdap(bytes: Buffer, at: number): DirectoryError {
  // A TLS alert or handshake record in answer to plain LDAP (RFC 8446, 5.1).
  if ((bytes[at] === 0x15 || bytes[at] === 0x16) && (bytes[at + 1] ?? 3) === 3) {
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

/** Cuts a stream of bytes into LDAP messages. */
import { BerError, Tag, elementSize } from './ber.js';

const MAX_MESSAGE = 10 * 1024 * 1024;

/** Bytes go in as they arrive; contents of whole messages come out. */
export class Frames {
  #pending: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
  }

  /** Content of the next message; undefined until all of it has arrived. Throws BerError for what is none. */
  next(): Buffer | undefined {
    if (this.#pending.length > 0 && this.#pending[0] !== Tag.sequence) throw new BerError('no LDAP message');
    const size = elementSize(this.#pending, 0);
    if (!size) return undefined;
    if (size.content > MAX_MESSAGE) throw new BerError('a message that is too large');
    const end = size.header + size.content;
    if (this.#pending.length < end) return undefined;
    const content = this.#pending.subarray(size.header, end);
    this.#pending = this.#pending.subarray(end);
    return content;
  }

  clear(): void {
    this.#pending = Buffer.alloc(0);
  }
}

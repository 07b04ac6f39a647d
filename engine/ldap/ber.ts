/**
 * Strict reading of BER as LDAP uses it (RFC 4511, section 5.1: definite lengths only). Every length is checked against
 * the element around it before a byte is used, so a reader behind it can neither run past the end nor stand still.
 */
import { DirectoryError } from '../model/errors.js';

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The error for bytes that are not LDAP. `where` names the part of the message, `at` the byte within it. */
export function malformed(where: string, at: number): DirectoryError {
  return new DirectoryError('MALFORMED_REPLY', {
    message: `The directory server sent something that is not LDAP: ${where} (byte ${at} of the message). The connection was ended. Look at what stands between this machine and the server (proxy, load balancer), and that "servers" names an LDAP port.`,
    status: 'malformed reply',
    params: { where, at },
    transient: true,
  });
}

/** Reads elements one after the other. `at` is the next byte; `start` is where the message began, for errors. */
export class BerCursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  start = 0;

  set(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.at = start;
  }

  /** Enters the element at `at`, which must have `tag` and end within `limit`; returns where its contents end. */
  enter(tag: number, limit: number, what: string): number {
    // Small, so that the engine puts it in where it is called: a hundred times for each entry.
    const { at } = this;
    const length = this.bytes[at + 1] ?? 0x80;
    const end = at + 2 + length;
    if (length >= 0x80 || end > limit || this.bytes[at] !== tag) return this.#enterLong(tag, limit, what);
    this.at = at + 2;
    return end;
  }

  /** Lengths of several octets, and everything that is wrong. */
  #enterLong(tag: number, limit: number, what: string): number {
    const { at, bytes, start } = this;
    if (at + 2 > limit || bytes[at] !== tag) throw malformed(`${what} expected`, at - start);
    const first = bytes[at + 1] ?? 0;
    const octets = first & 0x7f;
    let contents = at + 2;
    let length = first;
    if (first >= 0x80) {
      if (octets === 0 || octets > 4 || contents + octets > limit)
        throw malformed(`length of ${what}`, contents - start);
      length = bytes.readUIntBE(contents, octets);
      contents += octets;
    }
    if (contents + length > limit) throw malformed(`${what} is longer than what it is in`, at + 2 - start);
    this.at = contents;
    return contents + length;
  }

  /** The tag of the element at `at`, or -1 at `limit`. */
  peek(limit: number): number {
    return this.at < limit ? (this.bytes[this.at] ?? -1) : -1;
  }

  /** An INTEGER or ENUMERATED of at most four bytes that is not negative. */
  integer(tag: number, limit: number, what: string): number {
    const end = this.enter(tag, limit, what);
    const size = end - this.at;
    if (size < 1 || size > 4) throw malformed(`${what} has ${size} bytes`, this.at - this.start);
    const value = this.bytes.readIntBE(this.at, size);
    if (value < 0) throw malformed(`${what} is negative`, this.at - this.start);
    this.at = end;
    return value;
  }

  /** An OCTET STRING as text. Bytes that are not UTF-8 become U+FFFD: only for texts that are shown, not for data. */
  text(tag: number, limit: number, what: string): string {
    const end = this.enter(tag, limit, what);
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }

  /** A copy of an OCTET STRING's bytes. */
  octets(tag: number, limit: number, what: string): Buffer {
    const end = this.enter(tag, limit, what);
    const octets = Buffer.from(this.bytes.subarray(this.at, end));
    this.at = end;
    return octets;
  }

  /** Passes over one element of any single-byte tag. */
  skip(limit: number, what: string): void {
    const tag = this.peek(limit);
    if (tag === -1 || (tag & 0x1f) === 0x1f) throw malformed(`${what} has an unknown tag`, this.at - this.start);
    this.at = this.enter(tag, limit, what);
  }
}

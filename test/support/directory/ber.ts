/**
 * The part of ASN.1 BER that LDAP uses (RFC 4511 section 5.1): definite lengths, tags of one byte, primitive strings.
 */

/** Universal and often used tags. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** What cannot be read as LDAP's BER. The server answers it with a notice of disconnection. */
export class BerError extends Error {
  override readonly name = 'BerError';
}

/** One element: its tag and its content, a view on the bytes read. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** Reads elements one after the other from the content of another. */
export class BerReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get more(): boolean {
    return this.#at < this.bytes.length;
  }

  /** Tag of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.bytes[this.#at];
  }

  element(): Element {
    const size = elementSize(this.bytes, this.#at);
    if (size === undefined || this.#at + size.header + size.content > this.bytes.length) {
      throw new BerError('an element is longer than what contains it');
    }
    const start = this.#at + size.header;
    const tag = this.bytes[this.#at] ?? 0;
    this.#at = start + size.content;
    return { tag, content: this.bytes.subarray(start, this.#at) };
  }

  expect(tag: number): Buffer {
    const element = this.element();
    if (element.tag !== tag) throw new BerError(`tag ${element.tag} where ${tag} was expected`);
    return element.content;
  }

  /** Content of the next element if it has this tag, else undefined and nothing is read. */
  optional(tag: number): Buffer | undefined {
    return this.nextTag === tag ? this.element().content : undefined;
  }

  sequence(tag: number = Tag.sequence): BerReader {
    return new BerReader(this.expect(tag));
  }

  integer(tag: number = Tag.integer): number {
    return integerOf(this.expect(tag));
  }

  boolean(): boolean {
    return booleanOf(this.expect(Tag.boolean));
  }

  text(tag: number = Tag.octets): string {
    return this.expect(tag).toString('utf8');
  }
}

export function integerOf(content: Buffer): number {
  if (content.length === 0 || content.length > 6) throw new BerError('an integer of an unlikely size');
  return content.readIntBE(0, content.length);
}

export function booleanOf(content: Buffer): boolean {
  return content[0] !== 0;
}

/** Sizes of the element that begins at `at`; undefined while its header has not wholly arrived. */
export function elementSize(bytes: Buffer, at: number): { header: number; content: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (((bytes[at] ?? 0) & 0x1f) === 0x1f) throw new BerError('a tag of more than one byte');
  if (first < 0x80) return { header: 2, content: first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new BerError('an indefinite or oversized length');
  if (at + 2 + count > bytes.length) return undefined;
  return { header: 2 + count, content: bytes.readUIntBE(at + 2, count) };
}

/** An element of `parts`, which are elements already (or, for strings, their bytes). */
export function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([header(tag, length), ...parts]);
}

export function encodeText(text: string | Buffer, tag: number = Tag.octets): Buffer {
  return encode(tag, typeof text === 'string' ? Buffer.from(text, 'utf8') : text);
}

/** An integer of at most 32 bits. */
export function encodeInteger(value: number, tag: number = Tag.integer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  let start = 0;
  // The shortest form whose first bit still tells the sign.
  while (start < 3) {
    const [first = 0, second = 0] = bytes.subarray(start, start + 2);
    if (!((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) break;
    start += 1;
  }
  return encode(tag, bytes.subarray(start));
}

export function encodeBoolean(value: boolean, tag: number = Tag.boolean): Buffer {
  return Buffer.from([tag, 1, value ? 0xff : 0]);
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  if (length < 0x100) return Buffer.from([tag, 0x81, length]);
  if (length < 0x10000) return Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
  return Buffer.from([tag, 0x84, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]);
}

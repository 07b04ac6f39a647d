/** Writes LDAP messages byte by byte, also wrong ones, for tests. Knows nothing of the code under test. */

type Part = Buffer | string | number;

/** An element: tag, length, contents. A number is one byte. */
export function tlv(tag: number, ...parts: readonly Part[]): Buffer {
  const contents = Buffer.concat(parts.map(bytesOf));
  return Buffer.concat([Buffer.from([tag]), lengthOf(contents.length), contents]);
}

function bytesOf(part: Part): Buffer {
  if (typeof part === 'number') return Buffer.from([part]);
  return typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x84;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

export function integer(value: number, tag = 0x02): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return tlv(tag, bytes);
}

export function message(id: number, operation: Buffer, ...more: readonly Buffer[]): Buffer {
  return tlv(0x30, integer(id), operation, ...more);
}

/** A search entry. Attributes as pairs, so that a name can come twice; values as text or bytes. */
export function entry(id: number, dn: Part, attributes: readonly (readonly [Part, readonly Part[]])[]): Buffer {
  const list = attributes.map(([name, values]) =>
    tlv(0x30, tlv(4, name), tlv(0x31, ...values.map((value) => tlv(4, value)))),
  );
  return message(id, tlv(0x64, tlv(4, dn), tlv(0x30, ...list)));
}

/** A result: operation 0x61 bind, 0x65 search done, 0x78 extended. */
export function result(id: number, operation: number, code: number, text = '', ...more: readonly Buffer[]): Buffer {
  return message(id, tlv(operation, integer(code, 0x0a), tlv(4), tlv(4, text)), ...more);
}

/** The end of a page: search done with the paging control and its cookie. */
export function pageEnd(id: number, cookie: string, code = 0): Buffer {
  const value = tlv(0x30, integer(0), tlv(4, cookie));
  return result(id, 0x65, code, '', tlv(0xa0, tlv(0x30, tlv(4, '1.2.840.113556.1.4.319'), tlv(4, value))));
}

export function reference(id: number, ...uris: readonly string[]): Buffer {
  return message(id, tlv(0x73, ...uris.map((uri) => tlv(4, uri))));
}

/** Notice of Disconnection (RFC 4511, 4.4.1). */
export function disconnection(code: number, text: string): Buffer {
  const name = tlv(0x8a, '1.3.6.1.4.1.1466.20036');
  return message(0, tlv(0x78, integer(code, 0x0a), tlv(4), tlv(4, text), name));
}

/**
 * GUIDs and SIDs: their bytes, their texts, and the ones that an LDIF without any gets: made from names, so that the same
 * file has the same ids on every machine and in every run.
 */
import { createHash } from 'node:crypto';

/** Bytes of an objectGUID as dashed text. The first three groups are little-endian (MS-DTYP 2.3.4). */
export function guidText(bytes: Buffer): string {
  const hex = swapGuid(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Bytes of a GUID given as dashed text, or as 32 hexadecimal digits in byte order; null where it is neither. */
export function guidBytes(text: string): Buffer | null {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    return swapGuid(Buffer.from(text.replaceAll('-', ''), 'hex'));
  }
  return /^[0-9a-f]{32}$/i.test(text) ? Buffer.from(text, 'hex') : null;
}

/** `S-1-…` of a SID's bytes (MS-DTYP 2.4.2.2). */
export function sidText(bytes: Buffer): string {
  const parts = [`S-${String(bytes[0] ?? 1)}`, String(bytes.readUIntBE(2, 6))];
  for (let at = 8; at + 4 <= bytes.length; at += 4) parts.push(String(bytes.readUInt32LE(at)));
  return parts.join('-');
}

/** Bytes of `S-1-…`; null where it is not one. */
export function sidBytes(text: string): Buffer | null {
  const parts = /^S-1-(\d+(?:-\d+)*)$/i.exec(text)?.[1]?.split('-').map(Number);
  if (!parts || parts.length > 16) return null;
  const [authority = 0, ...rest] = parts;
  if (authority > 2 ** 48 - 1 || rest.some((one) => one > 0xffffffff)) return null;
  const bytes = Buffer.alloc(8 + rest.length * 4);
  bytes[0] = 1;
  bytes[1] = rest.length;
  bytes.writeUIntBE(authority, 2, 6);
  rest.forEach((one, index) => bytes.writeUInt32LE(one, 8 + index * 4));
  return bytes;
}

/** The GUID of what has this name and no GUID of its own: a version 5 UUID in shape. */
export function guidFromName(name: string): Buffer {
  const hash = createHash('sha1').update('directory-guid\0').update(name).digest().subarray(0, 16);
  hash[7] = ((hash[7] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash;
}

/** The SID of a domain by its name: `S-1-5-21-a-b-c`. */
export function domainSid(name: string): string {
  const hash = createHash('sha256').update('directory-domain\0').update(name).digest();
  return `S-1-5-21-${hash.readUInt32LE(0)}-${hash.readUInt32LE(4)}-${hash.readUInt32LE(8)}`;
}

function swapGuid(bytes: Buffer): Buffer {
  const swapped = Buffer.from(bytes);
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return swapped;
}

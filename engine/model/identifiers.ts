/**
 * Text and bytes of the identifiers that a directory keeps as octet strings: objectGUID (mixed endian, [MS-DTYP] 2.3.4)
 * and objectSid ([MS-DTYP] 2.4.2).
 */

const HEX = Buffer.from('0123456789abcdef', 'latin1');
/** Where each byte of a GUID stands in its text: the first three groups are little-endian. -1 is a dash. */
const GUID_ORDER = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];
const GUID_TEXT = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;
const scratch = Buffer.alloc(36);

/** The GUID at `start` of `bytes` (16 bytes) as dashed lower-case text; null where there are not 16 bytes. */
export function guidToText(bytes: Buffer, start = 0, end = bytes.length): string | null {
  if (end - start !== 16) return null;
  let at = 0;
  for (const from of GUID_ORDER) {
    if (from === -1) {
      scratch[at++] = 0x2d;
      continue;
    }
    const byte = bytes[start + from] ?? 0;
    scratch[at++] = HEX[byte >> 4] ?? 0;
    scratch[at++] = HEX[byte & 15] ?? 0;
  }
  return scratch.toString('latin1', 0, 36);
}

/** The 16 bytes of a GUID's text; null where it is not one. */
export function guidToBytes(text: string): Buffer | null {
  if (!GUID_TEXT.test(text)) return null;
  const straight = Buffer.from(text.replaceAll('-', ''), 'hex');
  const order = GUID_ORDER.filter((from) => from !== -1);
  const bytes = Buffer.alloc(16);
  order.forEach((to, from) => (bytes[to] = straight[from] ?? 0));
  return bytes;
}

/** The SID at `start` to `end` of `bytes` as `S-1-…` text; null where the bytes are not a SID. */
export function sidToText(bytes: Buffer, start = 0, end = bytes.length): string | null {
  const count = bytes[start + 1];
  if (bytes[start] !== 1 || count === undefined || count > 15 || end - start !== 8 + 4 * count) return null;
  let text = `S-1-${authorityText(bytes.readUIntBE(start + 2, 6))}`;
  for (let at = start + 8; at < end; at += 4) text += `-${bytes.readUInt32LE(at)}`;
  return text;
}

/** Identifier authorities of 2^32 and more are written in hexadecimal ([MS-DTYP] 2.4.2.1). */
function authorityText(authority: number): string {
  return authority < 2 ** 32 ? String(authority) : `0x${authority.toString(16).padStart(12, '0')}`;
}

/** The bytes of a SID's text; null where it is not one. */
export function sidToBytes(text: string): Buffer | null {
  const [, authority, rest] = /^S-1-(\d{1,10}|0x[0-9a-f]{12})((?:-\d{1,10}){0,15})$/i.exec(text) ?? [];
  if (authority === undefined || rest === undefined) return null;
  const parts = rest === '' ? [] : rest.slice(1).split('-').map(Number);
  if (parts.some((part) => part > 0xffffffff)) return null;
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes[0] = 1;
  bytes[1] = parts.length;
  bytes.writeUIntBE(Number(authority), 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(part, 8 + 4 * index));
  return bytes;
}

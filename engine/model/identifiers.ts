/**
 * Text and bytes of the identifiers that a directory keeps as octet strings: objectGUID (mixed endian, [MS-DTYP] 2.3.4)
 * and objectSid ([MS-DTYP] 2.4.2).
 */

const HEX = Buffer.from('0123456789abcdef', 'latin1');
/** Where each byte of a GUID stands in its text: the first three groups are little-endian. -1 is a dash. */
const GUID_ORDER = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];
const SID_TEXT = /^S-1-(\d{1,10}|0x[0-9a-f]{12})((?:-\d{1,10}){0,15})$/i;
const LARGEST_PART = 0xffffffff;
/** With its dash: of nine digits all are small enough. */
const LONGEST_SAFE_PART = 10;
const GUID_BYTES = 16;
const GUID_LENGTH = 36;
const DASH = 0x2d;
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
  const bytes = Buffer.alloc(GUID_BYTES);
  return writeGuid(text, bytes, 0) ? bytes : null;
}

/** Writes the 16 bytes of a GUID's text at `start`; false where it is not one, and then what stands there is of no use. */
export function writeGuid(text: string, into: Buffer, start: number): boolean {
  if (text.length !== GUID_LENGTH) return false;
  let at = 0;
  // Digit by digit: this is done for every object of a directory, and patterns take ten times as long.
  for (const to of GUID_ORDER) {
    if (to === -1) {
      if (text.charCodeAt(at) !== DASH) return false;
      at += 1;
      continue;
    }
    const byte = (digitOf(text.charCodeAt(at)) << 4) | digitOf(text.charCodeAt(at + 1));
    if (byte < 0) return false;
    into[start + to] = byte;
    at += 2;
  }
  return true;
}

/** The value of a hexadecimal digit; -1 of anything else. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
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

/** Whether a text is that of a SID. */
export function isSid(text: string): boolean {
  const [, authority, rest] = SID_TEXT.exec(text) ?? [];
  if (authority === undefined || rest === undefined) return false;
  for (let at = 0; at < rest.length;) {
    const next = rest.indexOf('-', at + 1);
    const end = next === -1 ? rest.length : next;
    if (end - at > LONGEST_SAFE_PART && Number(rest.slice(at + 1, end)) > LARGEST_PART) return false;
    at = end;
  }
  return true;
}

/** The bytes of a SID's text; null where it is not one. */
export function sidToBytes(text: string): Buffer | null {
  const [, authority, rest] = SID_TEXT.exec(text) ?? [];
  if (authority === undefined || rest === undefined) return null;
  const parts = rest === '' ? [] : rest.slice(1).split('-').map(Number);
  if (parts.some((part) => part > LARGEST_PART)) return null;
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes[0] = 1;
  bytes[1] = parts.length;
  bytes.writeUIntBE(Number(authority), 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(part, 8 + 4 * index));
  return bytes;
}

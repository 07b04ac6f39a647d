/**
 * Distinguished names (RFC 4514): parsing, and the form under which two spellings of one name are equal.
 *
 * Active Directory compares names without regard to case but keeps Unicode forms apart: NFC and NFD twins may both exist.
 */

/** One `type=value` of a relative name, unescaped. */
export interface NamePart {
  readonly type: string;
  readonly value: string;
}

/** A relative distinguished name; of more than one part where they are joined by `+`. */
export type Rdn = readonly NamePart[];

const TYPES = new Map([
  ['2.5.4.3', 'cn'],
  ['2.5.4.6', 'c'],
  ['2.5.4.7', 'l'],
  ['2.5.4.10', 'o'],
  ['2.5.4.11', 'ou'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
]);

/** The parts of a name, leaf first; `[]` for the empty name, null where it is not a distinguished name. */
export function parseDn(dn: string): Rdn[] | null {
  if (dn.trim() === '') return [];
  const rdns: NamePart[][] = [[]];
  for (const piece of split(dn)) {
    if (piece.text === null) return null;
    const equals = piece.text.indexOf('=');
    const value = equals < 1 ? null : unescapeValue(piece.text.slice(equals + 1));
    if (value === null) return null;
    const type = piece.text.slice(0, equals).trim();
    rdns.at(-1)?.push({ type: type.replace(/^oid\./i, ''), value });
    if (piece.ends === ',') rdns.push([]);
  }
  return rdns;
}

/** The same text for every spelling of a name; null where it is none. What it looks like is nobody's business. */
export function dnKey(dn: string): string | null {
  const rdns = parseDn(dn);
  return rdns && keyOf(rdns);
}

/** {@link dnKey} of a parsed name. */
export function keyOf(rdns: readonly Rdn[]): string {
  return rdns.map(rdnKey).join(',');
}

/** Key of the name one level up; '' at the top. */
export function parentKey(key: string): string {
  const comma = key.indexOf(',');
  return comma < 0 ? '' : key.slice(comma + 1);
}

/** Whether the object under `key` is `ancestor` or below it. */
export function isWithin(key: string, ancestor: string): boolean {
  return ancestor === '' || key === ancestor || key.endsWith(`,${ancestor}`);
}

/** A value as it is written in a name (RFC 4514 section 2.4), the way Active Directory prints it. */
export function escapeValue(value: string): string {
  if (value === ' ') return '\\ ';
  return value
    .replace(/["+,;<>\\=]/g, (char) => `\\${char}`)
    .replace(/[\0\n\r]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
    .replace(/^[ #]/, (char) => `\\${char}`)
    .replace(/ $/, '\\ ');
}

function rdnKey(rdn: Rdn): string {
  if (rdn.length === 1 && rdn[0]) return partKey(rdn[0]);
  return rdn.map(partKey).sort().join('+');
}

function partKey({ type, value }: NamePart): string {
  const name = type.toLowerCase();
  // Percent signs and separators are encoded, so that a comma in a key always separates levels.
  return `${TYPES.get(name) ?? name}=${value.toLowerCase().replace(/[%,+]/g, encodeURIComponent)}`;
}

/** Cuts a name at its unescaped separators. `text` is null where an escape or a quote is left open. */
function* split(dn: string): Generator<{ text: string | null; ends: string }> {
  let start = 0;
  let quoted = false;
  for (let at = 0; at < dn.length; at += 1) {
    const char = dn.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === ',' || char === ';' || char === '+')) {
      yield { text: dn.slice(start, at), ends: char === '+' ? '+' : ',' };
      start = at + 1;
    }
  }
  yield { text: quoted ? null : dn.slice(start), ends: '' };
}

function unescapeValue(raw: string): string | null {
  // Spaces only: other white space, such as U+00A0, belongs to the value.
  if (!/[\\"#]/.test(raw)) return raw.replace(/^ +| +$/g, '');
  const text = raw.replace(/^ +/, '').replace(/(^|[^\\])((?:\\\\)*) +$/, '$1$2');
  if (text.startsWith('"')) return text.endsWith('"') && text.length > 1 ? unescapePairs(text.slice(1, -1)) : null;
  if (text.startsWith('#')) return hexValue(text.slice(1));
  return unescapePairs(text);
}

/** `#` and hexadecimal digits: the BER of the value; only strings make sense here. */
function hexValue(hex: string): string | null {
  const bytes = Buffer.from(hex, 'hex');
  return bytes.length * 2 === hex.length && bytes.length > 2 ? bytes.subarray(2).toString('utf8') : null;
}

function unescapePairs(text: string): string | null {
  const chunks: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] !== '\\') {
      const next = text.indexOf('\\', at);
      chunks.push(Buffer.from(text.slice(at, next < 0 ? undefined : next)));
      at = next < 0 ? text.length : next;
      continue;
    }
    const hex = /^[0-9A-Fa-f]{2}/.exec(text.slice(at + 1, at + 3))?.[0];
    const char = text[at + 1];
    if (char === undefined) return null;
    chunks.push(hex ? Buffer.from(hex, 'hex') : Buffer.from(char));
    at += hex ? 3 : 2;
  }
  return Buffer.concat(chunks).toString('utf8');
}

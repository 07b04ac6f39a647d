/**
 * Distinguished names as text (RFC 4514): parsed, compared by a canonical key, escaped. Names are compared by their
 * parsed parts with the case folded, never by Unicode normal form: a directory may hold an NFC name beside its NFD twin.
 */

/** One attribute of a relative distinguished name. `value` is unescaped; a value given in BER (`#…`) stays as `#hex`. */
export interface NamePart {
  readonly type: string;
  readonly value: string;
  /** True for a value that was given as `#` and the hexadecimal form of its BER encoding. */
  readonly encoded: boolean;
}
/** A relative distinguished name: mostly one part, several where joined with `+`. */
export type Rdn = readonly NamePart[];

const TYPE = /[ \n]*([A-Za-z][A-Za-z0-9-]*|(?:oid\.)?\d+(?:\.\d+)*)[ \n]*=[ \n]*/iy;
const ENCODED = /#((?:[0-9a-f]{2})+)[ \n]*(?=[,;+]|$)/iy;
const HEX_PAIR = /^[0-9a-f]{2}$/i;
const SPECIAL = ' "#+,;<=>\\';

/** The parts of a name, from the object up to the root; `[]` for the empty name, null where the text is no name. */
export function parseDn(text: string): Rdn[] | null {
  if (text.trim() === '') return [];
  const names: Rdn[] = [];
  let parts: NamePart[] = [];
  for (let at = 0; ;) {
    const part = partAt(text, at);
    if (part === null) return null;
    parts.push(part);
    at = part.end;
    if (text[at] === '+') {
      at += 1;
      continue;
    }
    names.push(parts);
    parts = [];
    if (at === text.length) return names;
    at += 1;
  }
}

/** Whether a text is a name of at least one part. */
export function isDistinguishedName(text: string): boolean {
  return (parseDn(text)?.length ?? 0) > 0;
}

/** `type=value` at `at`; `end` is that of the separator behind it, or of the text. */
function partAt(text: string, at: number): (NamePart & { end: number }) | null {
  TYPE.lastIndex = at;
  const type = TYPE.exec(text)?.[1];
  if (type === undefined) return null;
  const start = TYPE.lastIndex;
  ENCODED.lastIndex = start;
  const encoded = ENCODED.exec(text)?.[1];
  if (encoded !== undefined) {
    return { type, value: `#${encoded.toLowerCase()}`, encoded: true, end: ENCODED.lastIndex };
  }
  const value = valueAt(text, start);
  return value === null ? null : { type, value: value.value, encoded: false, end: value.end };
}

/** The unescaped value at `start`, without the unescaped spaces behind it. Null where an escape is broken. */
function valueAt(text: string, start: number): { value: string; end: number } | null {
  if (text[start] === '"') return quotedAt(text, start);
  let value = '';
  let kept = 0;
  let at = start;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === ',' || char === ';' || char === '+') break;
    if (char === '"' || char === '<' || char === '>') return null;
    if (char === '\\') {
      const escape = escapeAt(text, at);
      if (escape === null) return null;
      value += escape.value;
      at = escape.end;
      kept = value.length;
      continue;
    }
    value += char;
    at += 1;
    if (char !== ' ') kept = value.length;
  }
  return { value: value.slice(0, kept), end: at };
}

/** A value in quotation marks (RFC 2253, section 4: to be accepted, not to be written). */
function quotedAt(text: string, start: number): { value: string; end: number } | null {
  let value = '';
  let at = start + 1;
  while (text[at] !== '"') {
    if (at >= text.length) return null;
    if (text[at] === '\\') {
      const escape = escapeAt(text, at);
      if (escape === null) return null;
      value += escape.value;
      at = escape.end;
    } else {
      value += text.charAt(at);
      at += 1;
    }
  }
  at += 1;
  while (text[at] === ' ') at += 1;
  return at === text.length || ',;+'.includes(text.charAt(at)) ? { value, end: at } : null;
}

/** The escape at `at`: one special character, or a sequence of hexadecimal pairs that are UTF-8 together. */
function escapeAt(text: string, at: number): { value: string; end: number } | null {
  const next = text.charAt(at + 1);
  if (next !== '' && SPECIAL.includes(next)) return { value: next, end: at + 2 };
  const bytes: number[] = [];
  while (text[at] === '\\' && HEX_PAIR.test(text.slice(at + 1, at + 3))) {
    bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
    at += 3;
  }
  if (bytes.length === 0) return null;
  try {
    return {
      value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)),
      end: at,
    };
  } catch {
    return null;
  }
}

/** A name as servers mostly write it: no escapes, no spaces to leave out, one part in each RDN. Only its case is to be folded. */
const PLAIN = (() => {
  const first = '[^\\x00-\\x20\\x7f"#+,;<=>\\\\]';
  const inner = '[^\\x00-\\x1f\\x7f"+,;<=>\\\\]';
  const last = '[^\\x00-\\x20\\x7f"+,;<=>\\\\]';
  const part = `[A-Za-z][A-Za-z0-9-]*=${first}(?:${inner}*${last})?`;
  return new RegExp(`^${part}(?:,${part})*$`);
})();

/**
 * The same text for every spelling of a name: types and values in lower case, escapes and spaces normalised, parts of a
 * multi-valued RDN sorted. A text that is no name is its own key, in lower case.
 */
export function dnKey(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  const names = parseDn(text);
  if (names === null) return text.toLowerCase();
  return names.map((parts) => parts.map(partKey).sort().join('+')).join(',');
}

function partKey({ type, value, encoded }: NamePart): string {
  const name = type.toLowerCase().replace(/^oid\./, '');
  return `${name}=${encoded ? value : escapeRdnValue(value.toLowerCase())}`;
}

/** The value of a name's first part (`cn=A,ou=B` → `A`); null where there is none. */
export function firstRdnValue(text: string): string | null {
  return parseDn(text)?.[0]?.[0]?.value ?? null;
}

/** A value as it must be written in a name (RFC 4514, section 2.4); control characters as hexadecimal pairs. */
export function escapeRdnValue(value: string): string {
  let escaped = '';
  for (let at = 0; at < value.length; at += 1) {
    const char = value.charAt(at);
    const code = value.charCodeAt(at);
    const outer = at === 0 || at === value.length - 1;
    if (code < 0x20 || code === 0x7f) escaped += `\\${code.toString(16).padStart(2, '0')}`;
    else if ('"+,;<=>\\'.includes(char)) escaped += `\\${char}`;
    else if ((char === ' ' && outer) || (char === '#' && at === 0)) escaped += `\\${char}`;
    else escaped += char;
  }
  return escaped;
}

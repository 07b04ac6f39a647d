/**
 * LDIF content records (RFC 2849): read, write. Change records are not needed here and are refused.
 */

/** A value: text where the bytes are valid UTF-8, else the bytes. Either way the same bytes are written again. */
export type LdifValue = string | Buffer;

/** One entry. Attribute names are as first spelled (options such as `;binary` included); order is kept. */
export interface LdifEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, readonly LdifValue[]>>;
}

/** A fault in an LDIF text, with the number of the line where it is. */
export class LdifError extends Error {
  constructor(
    readonly line: number,
    what: string,
  ) {
    super(`LDIF line ${line}: ${what}`);
    this.name = 'LdifError';
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads all entries of an LDIF text. Throws {@link LdifError}. URL values (`:<`) are refused: data only, no fetching. */
export function parseLdif(text: string): LdifEntry[] {
  const entries: LdifEntry[] = [];
  let record: Line[] = [];
  const finish = () => {
    const entry = entryOf(record);
    if (entry) entries.push(entry);
    record = [];
  };
  for (const line of logicalLines(text)) {
    if (line.text === '') finish();
    else record.push(line);
  }
  finish();
  return entries;
}

/** Writes entries as LDIF with a version line; lines are folded at 76 characters. `parseLdif` gives back the same bytes. */
export function formatLdif(entries: Iterable<LdifEntry>): string {
  const parts = ['version: 1\n'];
  for (const { dn, attributes } of entries) {
    parts.push('\n', formatLine('dn', dn));
    for (const [name, values] of Object.entries(attributes)) {
      for (const value of values) parts.push(formatLine(name, value));
    }
  }
  return parts.join('');
}

/** Values of one attribute, whatever the case of its name; none where it is absent. */
export function valuesOf(entry: LdifEntry, name: string): readonly LdifValue[] {
  const wanted = name.toLowerCase();
  const found = Object.entries(entry.attributes).find(([key]) => key.toLowerCase() === wanted);
  return found?.[1] ?? [];
}

interface Line {
  readonly text: string;
  readonly number: number;
}

/** Joins folded lines and drops comments; an empty line separates entries. */
function* logicalLines(text: string): Generator<Line> {
  let pending: Line | undefined;
  let number = 0;
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    number += 1;
    if (raw.startsWith(' ') && pending && pending.text !== '') {
      pending = { text: pending.text + raw.slice(1), number: pending.number };
      continue;
    }
    if (pending && !pending.text.startsWith('#')) yield pending;
    pending = { text: raw, number };
  }
  if (pending && !pending.text.startsWith('#')) yield pending;
}

function entryOf(lines: readonly Line[]): LdifEntry | undefined {
  const fields = lines.map((line) => ({ ...fieldOf(line), line: line.number }));
  if (fields[0]?.name.toLowerCase() === 'version') fields.shift();
  const [first, ...rest] = fields;
  if (!first) return undefined;
  if (first.name.toLowerCase() !== 'dn') throw new LdifError(first.line, 'an entry must begin with "dn:"');
  if (typeof first.value !== 'string') throw new LdifError(first.line, 'the dn is not valid UTF-8');

  const values = new Map<string, { name: string; values: LdifValue[] }>();
  for (const { name, value, line } of rest) {
    const key = name.toLowerCase();
    if (key === 'changetype' || key === 'control') throw new LdifError(line, 'change records are not supported');
    const known = values.get(key);
    if (known) known.values.push(value);
    else values.set(key, { name, values: [value] });
  }
  return { dn: first.value, attributes: record([...values.values()].map((one) => [one.name, one.values])) };
}

/** An object without a prototype, so that an attribute called `__proto__` is one like any other. */
function record(pairs: readonly (readonly [string, LdifValue[]])[]): Record<string, LdifValue[]> {
  const made = Object.create(null) as Record<string, LdifValue[]>;
  for (const [name, values] of pairs) made[name] = values;
  return made;
}

function fieldOf({ text, number }: Line): { name: string; value: LdifValue } {
  const colon = text.indexOf(':');
  if (colon < 1) throw new LdifError(number, 'neither "name: value" nor a continuation');
  const name = text.slice(0, colon);
  const kind = text[colon + 1];
  if (kind === '<') throw new LdifError(number, 'values from a URL are not supported');
  if (kind !== ':') return { name, value: text.slice(colon + 1).replace(/^ +/, '') };
  const encoded = text.slice(colon + 2).trim();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) throw new LdifError(number, 'not base64');
  return { name, value: textOrBytes(Buffer.from(encoded, 'base64')) };
}

/** Bytes as text where they are valid UTF-8. */
export function textOrBytes(bytes: Buffer): LdifValue {
  try {
    return UTF8.decode(bytes);
  } catch {
    return bytes;
  }
}

/**
 * What may stand as it is: RFC 2849's SAFE-STRING, further limited to what can be seen. Not beginning with a space, a colon
 * or `<`, and not ending with a space, which editors take away.
 */
const SAFE = /^(?![ :<])[ -~]*(?<! )$/;
const WIDTH = 76;

function formatLine(name: string, value: LdifValue): string {
  const text =
    typeof value === 'string' && SAFE.test(value)
      ? `${name}: ${value}`
      : `${name}:: ${(typeof value === 'string' ? Buffer.from(value) : value).toString('base64')}`;
  if (text.length <= WIDTH) return `${text}\n`;
  const lines = [text.slice(0, WIDTH)];
  for (let at = WIDTH; at < text.length; at += WIDTH - 1) lines.push(` ${text.slice(at, at + WIDTH - 1)}`);
  return `${lines.join('\n')}\n`;
}

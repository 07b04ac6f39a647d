/**
 * The part of Structured Field Values (RFC 8941) that signatures and digests need: dictionaries of inner lists of strings
 * with parameters, and dictionaries of byte sequences. Strict: what is not well-formed is null, never a guess.
 */

/** A bare item: a string, an integer or a byte sequence. */
export type BareItem = string | number | Buffer;
export type Parameters = ReadonlyMap<string, BareItem>;

/** One member of a dictionary. `text` is the value as it was written, which is what a signature covers. */
export interface InnerList {
  readonly items: readonly string[];
  readonly parameters: Parameters;
  readonly text: string;
}

/** Parses a dictionary whose values are inner lists of plain strings, such as Signature-Input. Null if it is not one. */
export function parseInnerLists(field: string): ReadonlyMap<string, InnerList> | null {
  return parseDictionary(field, (cursor) => {
    const start = cursor.at;
    const items = cursor.innerList();
    const parameters = cursor.parameters();
    return { items, parameters, text: field.slice(start, cursor.at) };
  });
}

/** Parses a dictionary whose values are byte sequences, such as Signature and Content-Digest. Null if it is not one. */
export function parseByteSequences(field: string): ReadonlyMap<string, Buffer> | null {
  return parseDictionary(field, (cursor) => {
    const value = cursor.bareItem();
    cursor.parameters();
    if (!Buffer.isBuffer(value)) throw new NotWellFormed();
    return value;
  });
}

/** A string as RFC 8941 writes it. Only for printable ASCII. */
export function writeString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** A byte sequence as RFC 8941 writes it. */
export function writeBytes(bytes: Buffer): string {
  return `:${bytes.toString('base64')}:`;
}

class NotWellFormed extends Error {}

function parseDictionary<T>(field: string, value: (cursor: Cursor) => T): ReadonlyMap<string, T> | null {
  const cursor = new Cursor(field);
  const members = new Map<string, T>();
  try {
    for (;;) {
      const key = cursor.key();
      cursor.expect('=');
      // RFC 8941 lets the last of two equal keys win; here that would let somebody choose which one is checked.
      if (members.has(key)) throw new NotWellFormed();
      members.set(key, value(cursor));
      if (cursor.ended()) return members;
      cursor.separator();
    }
  } catch (error) {
    if (error instanceof NotWellFormed) return null;
    throw error;
  }
}

/** Reads one field from left to right; every method throws `NotWellFormed` where the text is something else. */
class Cursor {
  at = 0;

  constructor(private readonly text: string) {}

  ended(): boolean {
    return this.at === this.text.length;
  }

  key(): string {
    return this.#take(/[a-z*][a-z0-9_.*-]*/y);
  }

  separator(): void {
    this.#take(/[ \t]*,[ \t]*/y);
  }

  expect(text: string): void {
    if (!this.#skip(text)) throw new NotWellFormed();
  }

  innerList(): string[] {
    const items: string[] = [];
    this.expect('(');
    while (!this.#skip(')')) {
      if (items.length > 0) this.#take(/ +/y);
      const item = this.bareItem();
      if (typeof item !== 'string') throw new NotWellFormed();
      items.push(item);
    }
    return items;
  }

  parameters(): Parameters {
    const parameters = new Map<string, BareItem>();
    while (this.#skip(';')) {
      const key = this.key();
      this.expect('=');
      if (parameters.has(key)) throw new NotWellFormed();
      parameters.set(key, this.bareItem());
    }
    return parameters;
  }

  bareItem(): BareItem {
    const first = this.text[this.at];
    if (first === ':') return this.#bytes(this.#take(/:[A-Za-z0-9+/]*={0,2}:/y).slice(1, -1));
    if (first !== '"') return Number(this.#take(/-?[0-9]{1,15}(?![0-9.])/y));
    const quoted = this.#take(/"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y);
    return quoted.slice(1, -1).replace(/\\(["\\])/g, '$1');
  }

  /** Node decodes base64 leniently; two spellings of the same bytes must not both pass. */
  #bytes(base64: string): Buffer {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.toString('base64') !== base64) throw new NotWellFormed();
    return bytes;
  }

  #skip(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) throw new NotWellFormed();
    this.at = pattern.lastIndex;
    return match[0];
  }
}

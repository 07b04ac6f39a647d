/**
 * Search filters (RFC 4515), parsed from what an administrator wrote and encoded to BER. The library's own parser is not
 * used because it accepts filters whose last parenthesis is missing, refuses attribute options and OIDs, and turns escaped
 * bytes above 7F into characters of Latin-1, so that `\c3\bc` is sent as four bytes.
 */
import { BerWriter, Filter } from 'ldapts';
import { SettingError } from '../model/errors.js';

/** A filter that is known to be well-formed, with its BER form. */
export interface ParsedFilter {
  readonly text: string;
  readonly encoded: Buffer;
}

const ATTRIBUTE = /(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*/y;
const RULE = /[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*/y;
const SET_TAG: Readonly<Record<string, number>> = { '&': 0xa0, '|': 0xa1 };
const NOT = 0xa2;
const PRESENT = 0x87;
const EQUALITY = 0xa3;
const SUBSTRINGS = 0xa4;
const EXTENSIBLE = 0xa9;
const ORDERED: Readonly<Record<string, number>> = { '>=': 0xa5, '<=': 0xa6, '~=': 0xa8 };
const DEEPEST = 100;

/** Parses `text`. Throws `SettingError` `FILTER_INVALID` that names the position; `setting` is the field it came from. */
export function parseFilter(text: string, setting = 'filter'): ParsedFilter {
  const trimmed = text.trim();
  const parser = new FilterReader(trimmed.startsWith('(') ? trimmed : `(${trimmed})`, setting);
  return { text: trimmed, encoded: parser.whole() };
}

/** Names of the attributes that a filter asks about, in lower case and without options; null where it asks about any (`:rule:=`). */
export function attributesOf({ text }: ParsedFilter): (string | null)[] {
  const names = new Set<string | null>();
  // In a value, parentheses are always escaped, so each one here begins a filter.
  const whole = text.startsWith('(') ? text : `(${text})`;
  for (const [, name = ''] of whole.matchAll(
    /\(\s*([A-Za-z0-9][A-Za-z0-9.-]*)?(?:;[A-Za-z0-9;-]+)?\s*(?=[~<>]?=|:)/g,
  )) {
    names.add(name === '' ? null : name.toLowerCase());
  }
  return [...names];
}

class FilterReader {
  #at = 0;
  readonly #writer = new BerWriter();

  constructor(
    private readonly text: string,
    private readonly setting: string,
  ) {}

  whole(): Buffer {
    this.#filter(0);
    if (this.#at < this.text.length) throw this.#fault('the filter ends before this; is a parenthesis too many?');
    return Buffer.from(this.#writer.buffer);
  }

  #filter(depth: number): void {
    if (depth > DEEPEST) throw this.#fault(`more than ${DEEPEST} filters in one another`);
    this.#expect('(');
    this.#spaces();
    const set = SET_TAG[this.#char()];
    if (set !== undefined) this.#set(set, depth);
    else if (this.#char() === '!') this.#not(depth);
    else this.#item();
    this.#expect(')');
    this.#spaces();
  }

  /** Of none, one or more filters: `(&)` is true, `(|)` is false (RFC 4526). */
  #set(tag: number, depth: number): void {
    this.#at += 1;
    this.#spaces();
    this.#writer.startSequence(tag);
    while (this.#char() === '(') this.#filter(depth + 1);
    this.#writer.endSequence();
  }

  #not(depth: number): void {
    this.#at += 1;
    this.#spaces();
    this.#writer.startSequence(NOT);
    this.#filter(depth + 1);
    this.#writer.endSequence();
  }

  #item(): void {
    const attribute = this.#match(ATTRIBUTE);
    if (this.#char() === ':') {
      this.#extensible(attribute);
      return;
    }
    if (attribute === '') throw this.#fault('an attribute name is expected');
    const pair = this.text.slice(this.#at, this.#at + 2);
    const ordered = ORDERED[pair];
    if (ordered !== undefined) {
      this.#at += 2;
      this.#assertion(ordered, attribute, this.#value());
      return;
    }
    this.#expect('=');
    this.#equality(attribute);
  }

  #equality(attribute: string): void {
    const parts = [this.#value()];
    while (this.#char() === '*') {
      this.#at += 1;
      parts.push(this.#value());
    }
    const [initial = Buffer.alloc(0), final = Buffer.alloc(0)] = [parts[0], parts.at(-1)];
    if (parts.length === 1) {
      this.#assertion(EQUALITY, attribute, initial);
      return;
    }
    if (parts.length === 2 && initial.length + final.length === 0) {
      this.#writer.writeString(attribute, PRESENT);
      return;
    }
    this.#substrings(attribute, initial, parts.slice(1, -1), final);
  }

  #substrings(attribute: string, initial: Buffer, any: readonly Buffer[], final: Buffer): void {
    const between = any.filter((part) => part.length > 0);
    if (between.length + initial.length + final.length === 0)
      throw this.#fault('a text between the asterisks is expected');
    this.#writer.startSequence(SUBSTRINGS);
    this.#writer.writeString(attribute);
    this.#writer.startSequence();
    if (initial.length > 0) this.#writer.writeBuffer(initial, 0x80);
    for (const part of between) this.#writer.writeBuffer(part, 0x81);
    if (final.length > 0) this.#writer.writeBuffer(final, 0x82);
    this.#writer.endSequence();
    this.#writer.endSequence();
  }

  #assertion(tag: number, attribute: string, value: Buffer): void {
    this.#writer.startSequence(tag);
    this.#writer.writeString(attribute);
    this.#writer.writeBuffer(value, 0x04);
    this.#writer.endSequence();
  }

  /** `attribute:dn:rule:=value`, where the attribute or the rule may be left out. */
  #extensible(attribute: string): void {
    this.#at += 1;
    const dn = /^dn:/i.test(this.text.slice(this.#at, this.#at + 3));
    if (dn) this.#at += 3;
    const rule = this.#match(RULE);
    if (rule !== '') this.#expect(':');
    this.#expect('=');
    if (attribute === '' && rule === '') throw this.#fault('an attribute or a matching rule is expected');
    const value = this.#value();
    this.#writer.startSequence(EXTENSIBLE);
    if (rule !== '') this.#writer.writeString(rule, 0x81);
    if (attribute !== '') this.#writer.writeString(attribute, 0x82);
    this.#writer.writeBuffer(value, 0x83);
    if (dn) this.#writer.writeBoolean(true, 0x84);
    this.#writer.endSequence();
  }

  /** The bytes up to `)` or `*`, escapes resolved. */
  #value(): Buffer {
    const parts: Buffer[] = [];
    for (;;) {
      const plain = this.#match(/[^()*\\\0]+/y);
      if (plain !== '') parts.push(Buffer.from(plain, 'utf8'));
      const char = this.#char();
      if (char === '(') throw this.#fault('an opening parenthesis in a value must be written as \\28');
      if (char === '\0') throw this.#fault('a NUL in a value must be written as \\00');
      if (char !== '\\') return Buffer.concat(parts);
      const hex = /^\\([0-9a-f]{2})/i.exec(this.text.slice(this.#at, this.#at + 3))?.[1];
      if (hex === undefined)
        throw this.#fault('a backslash must be followed by two hexadecimal digits (a backslash itself is \\5c)');
      parts.push(Buffer.from(hex, 'hex'));
      this.#at += 3;
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #expect(char: string): void {
    if (this.#char() !== char) {
      throw this.#fault(this.#char() === '' ? `the filter ends where "${char}" is missing` : `"${char}" is expected`);
    }
    this.#at += 1;
  }

  #spaces(): void {
    while (this.#char() !== '' && ' \t\r\n'.includes(this.#char())) this.#at += 1;
  }

  #char(): string {
    return this.text.charAt(this.#at);
  }

  #fault(what: string): SettingError {
    return new SettingError('FILTER_INVALID', {
      message: `"${this.setting}" is not a valid LDAP filter: ${what}, at character ${this.#at + 1}. A filter looks like (&(objectClass=user)(mail=*)), see RFC 4515.`,
      status: 'filter is wrong',
      params: { setting: this.setting, position: this.#at + 1, what },
    });
  }
}

/** A parsed filter as the library takes it. `onWrite` is called when the request is encoded, right before it is sent. */
export class EncodedFilter extends Filter {
  readonly type = 0x87;

  constructor(
    private readonly filter: ParsedFilter,
    private readonly onWrite: () => void,
  ) {
    super();
  }

  override write(writer: BerWriter): void {
    this.onWrite();
    for (const byte of this.filter.encoded) writer.writeByte(byte);
  }

  override toString(): string {
    return this.filter.text;
  }
}

/**
 * Decodes search entries straight from the bytes of the message (RFC 4511, 4.5.2), checking the structure in the same pass.
 *
 * Where the time goes is making strings. So an entry is turned into one string, once, and each value that is ASCII is a
 * slice of it. Text beyond ASCII, and what must not keep the whole entry alive (names, identifiers), is made on its own.
 */
import { isUtf8 } from 'node:buffer';
import { guidToText, sidToText } from '../model/identifiers.js';
import type { AttributeValue, Attributes } from '../model/records.js';
import { BerCursor, TAG, malformed } from './ber.js';
import { readControls } from './result.js';
import type { AttributeNames, Syntax, ValueRange } from './syntax.js';

/** An entry as read. */
export interface Entry {
  /** The name as the server gave it (with the extended-DN control: `<GUID=…>;<SID=…>;name`); null if it is not UTF-8. */
  readonly dn: string | null;
  readonly attributes: Attributes;
  /** Attributes of which this entry brought only a part. */
  readonly ranges: readonly { readonly key: string; readonly range: ValueRange }[];
  /** The object's change mark, such as its uSNChanged; null where none came. */
  readonly mark: string | null;
  /** Size of the message. */
  readonly bytes: number;
}

/** Where an entry lies: from the operation's contents to the end of the message around it. */
export interface EntryPlace {
  readonly start: number;
  readonly contents: number;
  readonly contentsEnd: number;
  readonly end: number;
}

/**
 * Makes the class of a search's attribute lists. Its prototype has nothing in it: `__proto__` and `constructor` are names
 * like any other. The engine reserves as many fields as it sees assigned in the constructor, and after the first few objects
 * gives back what these did not use: so each search has a class of its own.
 */
function attributeListClass(): new () => Attributes {
  class AttributeList {
    [name: string]: AttributeValue[];
    constructor(reserve = false) {
      if (!reserve) return;
      this['f0'] = this['f1'] = this['f2'] = this['f3'] = this['f4'] = this['f5'] = this['f6'] = this['f7'] = [];
      this['g0'] = this['g1'] = this['g2'] = this['g3'] = this['g4'] = this['g5'] = this['g6'] = this['g7'] = [];
      this['h0'] = this['h1'] = this['h2'] = this['h3'] = this['h4'] = this['h5'] = this['h6'] = this['h7'] = [];
    }
  }
  Object.setPrototypeOf(AttributeList.prototype, null);
  Reflect.deleteProperty(AttributeList.prototype, 'constructor');
  return AttributeList;
}

const NO_RANGES: Entry['ranges'] = [];
/** Above this a value would keep too much of others alive; each gets a string of its own. */
const LARGEST_SHARED_TEXT = 16 * 1024;
const NO_BYTES = Buffer.alloc(0);
const REPLACEMENT = '\ufffd';

export class EntryDecoder {
  readonly #cursor = new BerCursor();
  readonly #AttributeList = attributeListClass();
  #bytes: Buffer = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer, 0, 0);
  /** The whole entry, one character for each byte; empty for a large one. */
  #text = '';
  #textStart = 0;
  /** Entries so far. */
  #number = 0;

  constructor(private readonly names: AttributeNames) {}

  /** Decodes the entry at `place`. Throws `DirectoryError` `MALFORMED_REPLY`. */
  decode(bytes: Buffer, place: EntryPlace): Entry {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const cursor = this.#cursor;
    cursor.set(bytes, place.start);
    cursor.at = place.contents;
    const end = place.contentsEnd;
    this.#textStart = place.contents;
    this.#text = end - place.contents > LARGEST_SHARED_TEXT ? '' : bytes.toString('latin1', place.contents, end);

    const dnEnd = cursor.enter(TAG.octetString, end, 'name of an entry');
    const dn = strictUtf8(bytes, cursor.at, dnEnd);
    cursor.at = dnEnd;

    const attributes = new this.#AttributeList();
    let ranges: { key: string; range: ValueRange }[] | null = null;
    this.#number += 1;
    let mark: string | null = null;
    let name = this.names.head;
    const listEnd = cursor.enter(TAG.sequence, end, 'attributes of an entry');
    while (cursor.at < listEnd) {
      const attributeEnd = cursor.enter(TAG.sequence, listEnd, 'attribute');
      const nameEnd = cursor.enter(TAG.octetString, attributeEnd, 'attribute type');
      name = this.names.find(this.#view, cursor.at, nameEnd, name);
      cursor.at = nameEnd;
      const valuesEnd = cursor.enter(TAG.set, attributeEnd, 'values of an attribute');
      const again = name.slot.seenIn === this.#number;
      name.slot.seenIn = this.#number;
      const known = again ? attributes[name.key] : undefined;
      const values = this.#values(bytes, valuesEnd, name.syntax, known);
      if (cursor.at !== attributeEnd) throw malformed('bytes behind an attribute', cursor.at - place.start);
      if (name.mark) mark = typeof values[0] === 'string' ? values[0] : null;
      if (known === undefined && !name.hidden) attributes[name.key] = values;
      if (name.range !== null) (ranges ??= []).push({ key: name.key, range: name.range });
    }
    if (cursor.at !== end) throw malformed('bytes behind the attributes', cursor.at - place.start);
    if (end !== place.end) readControls(cursor, place.end);
    return { dn, attributes, ranges: ranges ?? NO_RANGES, mark, bytes: place.end - place.start };
  }

  /** The values up to `end`, added to `known` where the attribute came before. */
  #values(bytes: Buffer, end: number, syntax: Syntax, known: AttributeValue[] | undefined): AttributeValue[] {
    // An array that begins empty reserves room for 17; most attributes have one value.
    const values = known ?? (this.#cursor.at < end ? [this.#value(bytes, end, syntax)] : []);
    while (this.#cursor.at < end) values.push(this.#value(bytes, end, syntax));
    return values;
  }

  #value(bytes: Buffer, limit: number, syntax: Syntax): AttributeValue {
    const end = this.#cursor.enter(TAG.octetString, limit, 'value');
    const start = this.#cursor.at;
    this.#cursor.at = end;
    return this.#valueAt(bytes, start, end, syntax);
  }

  #valueAt(bytes: Buffer, start: number, end: number, syntax: Syntax): AttributeValue {
    if (syntax !== 'text') return octetValue(bytes, start, end, syntax);
    if (!this.#isAscii(bytes, start, end)) return strictUtf8(bytes, start, end) ?? base64Of(bytes, start, end);
    if (this.#text === '') return bytes.toString('latin1', start, end);
    return this.#text.substring(start - this.#textStart, end - this.#textStart);
  }

  /** Four bytes at a time: this loop sees every byte of a directory. */
  #isAscii(bytes: Buffer, start: number, end: number): boolean {
    const view = this.#view;
    let at = start;
    for (; at + 4 <= end; at += 4) if ((view.getUint32(at) & 0x80808080) !== 0) return false;
    for (; at < end; at += 1) if ((bytes[at] ?? 0) >= 0x80) return false;
    return true;
  }
}

/** An identifier as text; everything else, and an identifier that is none, in base64. */
function octetValue(bytes: Buffer, start: number, end: number, syntax: Exclude<Syntax, 'text'>): AttributeValue {
  switch (syntax) {
    case 'guid':
      return guidToText(bytes, start, end) ?? base64Of(bytes, start, end);
    case 'sid':
      return sidToText(bytes, start, end) ?? base64Of(bytes, start, end);
    case 'binary':
      return base64Of(bytes, start, end);
  }
}

function base64Of(bytes: Buffer, start: number, end: number): { base64: string } {
  return { base64: bytes.toString('base64', start, end) };
}

/** The text, or null where the bytes are not UTF-8. U+FFFD may also be what the directory holds. */
function strictUtf8(bytes: Buffer, start: number, end: number): string | null {
  const text = bytes.toString('utf8', start, end);
  return text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start, end)) ? null : text;
}

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
import { EntryShape } from './shapes.js';
import type { AttributeName, AttributeNames, Syntax, ValueRange, Words } from './syntax.js';

/** An entry as read. */
export interface Entry {
  /** The name as the server gave it (with the extended-DN control: `<GUID=…>;<SID=…>;name`); null if it is not UTF-8. */
  readonly dn: string | null;
  readonly attributes: Attributes;
  /** Attributes of which this entry brought only a part. */
  readonly ranges: readonly { readonly key: string; readonly range: ValueRange }[];
  /** The object's change mark, such as its uSNChanged; null where none came. */
  readonly mark: string | null;
  /** Which attributes have a value; null where that has to be looked up. */
  readonly shape: EntryShape | null;
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
/**
 * Lists and entries are copied from these instead of written as literals. V8 watches the places of literals, and where most
 * of what one makes outlives a collection (as a batch does), makes the rest in the old part of the heap. There every dead
 * entry keeps a live look until a full collection: twice the memory, and pauses of 50 ms.
 */
const ONE_VALUE: AttributeValue[] = Array.from({ length: 1 }, () => '');
const NO_ENTRY: Entry = { dn: null, attributes: {}, ranges: NO_RANGES, mark: null, shape: null, bytes: 0 };
/** Above this a value would keep too much of others alive; each gets a string of its own. */
const LARGEST_SHARED_TEXT = 16 * 1024;
const NO_BYTES = Buffer.alloc(0);
const REPLACEMENT = '\ufffd';

export class EntryDecoder {
  readonly #cursor = new BerCursor();
  readonly #AttributeList = attributeListClass();
  readonly #shape = EntryShape.first();
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
    let shape: EntryShape | null = this.#shape;
    const listEnd = cursor.enter(TAG.sequence, end, 'attributes of an entry');
    while (cursor.at < listEnd) {
      const attributeEnd = cursor.enter(TAG.sequence, listEnd, 'attribute');
      const nameEnd = cursor.enter(TAG.octetString, attributeEnd, 'attribute type');
      name = this.names.find(this.#view, cursor.at, nameEnd, name);
      cursor.at = nameEnd;
      const valuesEnd = cursor.enter(TAG.set, attributeEnd, 'values of an attribute');
      if (valuesEnd !== attributeEnd) throw malformed('bytes behind an attribute', valuesEnd - place.start);
      const { slot } = name;
      const known = slot.seenIn === this.#number ? attributes[name.key] : undefined;
      slot.seenIn = this.#number;
      const before = known === undefined ? 0 : known.length;
      const values = this.#values(bytes, valuesEnd, name, known);
      if (name.mark) mark = typeof values[0] === 'string' ? values[0] : null;
      if (!name.hidden) {
        if (known === undefined) attributes[name.key] = values;
        if (before === 0 && values.length > 0 && shape !== null) shape = shape.and(name.key);
      }
      if (name.range !== null) (ranges ??= []).push({ key: name.key, range: name.range });
    }
    if (cursor.at !== end) throw malformed('bytes behind the attributes', cursor.at - place.start);
    if (end !== place.end) readControls(cursor, place.end);
    return { ...NO_ENTRY, dn, attributes, ranges: ranges ?? NO_RANGES, mark, shape, bytes: place.end - place.start };
  }

  /** The values up to `limit`, added to `known` where the attribute came before. */
  #values(bytes: Buffer, limit: number, name: AttributeName, known: AttributeValue[] | undefined): AttributeValue[] {
    const cursor = this.#cursor;
    let values = known;
    while (cursor.at < limit) {
      const end = cursor.enter(TAG.octetString, limit, 'value');
      const start = cursor.at;
      cursor.at = end;
      const value = this.#value(bytes, start, end, name);
      if (values !== undefined) {
        values.push(value);
        continue;
      }
      // An array that begins empty reserves room for 17; most attributes have one value.
      values = ONE_VALUE.slice();
      values[0] = value;
    }
    return values ?? [];
  }

  #value(bytes: Buffer, start: number, end: number, name: AttributeName): AttributeValue {
    if (name.syntax !== 'text') return octetValue(bytes, start, end, name.syntax);
    const word = name.words?.find(this.#view, start, end);
    if (typeof word === 'string') return word;
    if (!isAscii(this.#view, start, end)) return strictUtf8(bytes, start, end) ?? base64Of(bytes, start, end);
    if (this.#text === '' || name.words !== null) return learnt(bytes.toString('latin1', start, end), name.words);
    return this.#text.substring(start - this.#textStart, end - this.#textStart);
  }
}

function learnt(text: string, words: Words | null): string {
  words?.learn(text);
  return text;
}

/** Four bytes at a time: this loop sees every byte of a directory. */
function isAscii(view: DataView, start: number, end: number): boolean {
  let at = start;
  for (; at + 4 <= end; at += 4) if ((view.getUint32(at) & 0x80808080) !== 0) return false;
  for (; at < end; at += 1) if (view.getUint8(at) >= 0x80) return false;
  return true;
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

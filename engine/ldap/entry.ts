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

/** Objects of one shape whose prototype has nothing in it: `__proto__` and `constructor` are names like any other. */
class AttributeList {
  [name: string]: AttributeValue[];
}
Object.setPrototypeOf(AttributeList.prototype, null);
Reflect.deleteProperty(AttributeList.prototype, 'constructor');

const NO_RANGES: Entry['ranges'] = [];
/** Above this a value would keep too much of others alive; each gets a string of its own. */
const LARGEST_SHARED_TEXT = 16 * 1024;
const REPLACEMENT = '\ufffd';

export class EntryDecoder {
  readonly #cursor = new BerCursor();
  /** The whole entry, one character for each byte; empty for a large one. */
  #text = '';
  #textStart = 0;

  constructor(private readonly names: AttributeNames) {}

  /** Decodes the entry at `place`. Throws `DirectoryError` `MALFORMED_REPLY`. */
  decode(bytes: Buffer, place: EntryPlace): Entry {
    const cursor = this.#cursor;
    cursor.set(bytes, place.start);
    cursor.at = place.contents;
    const end = place.contentsEnd;
    this.#textStart = place.contents;
    this.#text = end - place.contents > LARGEST_SHARED_TEXT ? '' : bytes.toString('latin1', place.contents, end);

    const dnEnd = cursor.enter(TAG.octetString, end, 'name of an entry');
    const dn = strictUtf8(bytes, cursor.at, dnEnd);
    cursor.at = dnEnd;

    const attributes = new AttributeList();
    let ranges = NO_RANGES;
    let mark: string | null = null;
    let name = this.names.head;
    const listEnd = cursor.enter(TAG.sequence, end, 'attributes of an entry');
    while (cursor.at < listEnd) {
      const attributeEnd = cursor.enter(TAG.sequence, listEnd, 'attribute');
      const nameEnd = cursor.enter(TAG.octetString, attributeEnd, 'attribute type');
      name = this.names.find(bytes, cursor.at, nameEnd, name);
      cursor.at = nameEnd;
      const valuesEnd = cursor.enter(TAG.set, attributeEnd, 'values of an attribute');
      const known = attributes[name.key];
      const values = known ?? [];
      while (cursor.at < valuesEnd) {
        const valueEnd = cursor.enter(TAG.octetString, valuesEnd, 'value');
        values.push(this.#value(bytes, cursor.at, valueEnd, name.syntax));
        cursor.at = valueEnd;
      }
      if (cursor.at !== attributeEnd) throw malformed('bytes behind an attribute', cursor.at - place.start);
      if (name.mark) mark = typeof values[0] === 'string' ? values[0] : null;
      if (known === undefined && !name.hidden) attributes[name.key] = values;
      if (name.range !== null) ranges = [...ranges, { key: name.key, range: name.range }];
    }
    if (cursor.at !== end) throw malformed('bytes behind the attributes', cursor.at - place.start);
    if (end !== place.end) readControls(cursor, place.end);
    return { dn, attributes, ranges, mark, bytes: place.end - place.start };
  }

  #value(bytes: Buffer, start: number, end: number, syntax: Syntax): AttributeValue {
    if (syntax !== 'text') return octetValue(bytes, start, end, syntax);
    for (let at = start; at < end; at += 1) {
      if ((bytes[at] ?? 0) >= 0x80) return strictUtf8(bytes, start, end) ?? base64Of(bytes, start, end);
    }
    if (this.#text === '') return bytes.toString('latin1', start, end);
    return this.#text.substring(start - this.#textStart, end - this.#textStart);
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

/** What a directory says, as both stores take it, so that plans are the same in both. */
import { hash } from 'node:crypto';
import { dnKey } from '../model/dn.js';

/** What no database takes as text: a NUL (PostgreSQL has none in a text), half of a surrogate pair. */
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
/** PostgreSQL's indices take 2,700 bytes, which are three for each of so many at most. */
const LONGEST_KEY = 512;
/** As in enrich: 64 before the @, 255 behind it (RFC 5321 section 4.5.3.1). */
const LONGEST_ADDRESS = 320;

/** With the replacement character in place of what no database takes. */
export function storable(text: string): string {
  return text.isWellFormed() && !text.includes('\0') ? text : text.replace(UNSTORABLE, '\ufffd');
}

/** A text that objects are looked for by, such as an id: itself, or its digest where no index takes it. */
export function keyText(text: string): string {
  return text.length <= LONGEST_KEY ? text : `sha-256:${hash('sha256', text)}`;
}

/** What a distinguished name is looked for by, in whatever spelling. */
export function nameKey(dn: string): string {
  return keyText(dnKey(dn));
}

/** Can it be an address of somebody? No mail reaches a longer one. */
export function isAddress(text: string): boolean {
  return text.length <= LONGEST_ADDRESS;
}

/**
 * JSON from somebody else: valid UTF-8 only, no deeper than agreed, no keys that reach into prototypes, and none twice, for
 * of two equal keys one reader takes the first and another the last.
 */
import { ContractError } from '../model/errors.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

/** Parses JSON from bytes. `depth`: arrays and objects inside each other; `line` counts from 0. Throws `ContractError`. */
export function parseJson(bytes: Uint8Array, depth: number, line?: number): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw notValid('bytes that are not UTF-8', line);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes what it found, which may be somebody's data.
    throw notValid('text that is not JSON', line);
  }
  const keys = checkTree(value, depth, line);
  // What our own sender writes comes out again as it went in. Only of other spellings the keys have to be counted.
  if (JSON.stringify(value) !== text && keysIn(text) !== keys)
    throw notValid('an object with the same key twice', line);
  return value;
}

/** How many keys the objects of a value have altogether. */
function checkTree(value: unknown, depth: number, line: number | undefined): number {
  if (value === null || typeof value !== 'object') return 0;
  if (depth === 0) throw notValid('more levels inside each other than are taken', line);
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += checkTree(item, depth - 1, line);
    return keys;
  }
  for (const [key, item] of Object.entries(value)) {
    if (RESERVED.has(key)) throw notValid(`a key with the reserved name ${key}`, line);
    keys += 1 + checkTree(item, depth - 1, line);
  }
  return keys;
}

/** How many keys are written in a text that is JSON: strings with a colon behind them. */
function keysIn(text: string): number {
  let keys = 0;
  let at = text.indexOf('"');
  while (at >= 0) {
    let end = text.indexOf('"', at + 1);
    while (escaped(text, end)) end = text.indexOf('"', end + 1);
    at = end + 1;
    while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r' || text[at] === '\n') at += 1;
    if (text[at] === ':') keys += 1;
    at = text.indexOf('"', at);
  }
  return keys;
}

/** Is an odd number of backslashes before this place? */
function escaped(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

/** The error for content that is not as agreed. `what` says what was found, never with its value; `line` counts from 0. */
export function notValid(what: string, line?: number): ContractError {
  const where = line === undefined ? '' : ` (line ${String(line + 1)})`;
  return new ContractError('NOT_AS_AGREED', {
    message: `The content is not as docs/protocol.md says: ${what}${where}.`,
    status: 'not as agreed',
    params: { what },
  });
}

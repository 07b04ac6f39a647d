/** LDAP messages (RFC 4511): requests from bytes, answers to bytes. */
import { BerError, BerReader, type Element, Tag, encode, encodeInteger, encodeText } from './ber.js';
import { type Filter, decodeFilter } from './filter.js';
import type { Scope } from './store.js';

export interface Control {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer | null;
}

export type Request =
  | { readonly kind: 'bind'; readonly version: number; readonly name: string; readonly password: string | null }
  | { readonly kind: 'unbind' }
  | SearchRequest
  | { readonly kind: 'abandon'; readonly target: number }
  | { readonly kind: 'extended'; readonly oid: string }
  /** Changes and comparisons, which this directory does not do. `answer` is the tag of their answer. */
  | { readonly kind: 'other'; readonly name: string; readonly answer: number };

export interface SearchRequest {
  readonly kind: 'search';
  readonly base: string;
  readonly scope: Scope;
  readonly sizeLimit: number;
  readonly timeLimit: number;
  readonly typesOnly: boolean;
  readonly filter: Filter;
  readonly attributes: readonly string[];
}

export interface Message {
  readonly id: number;
  readonly request: Request;
  readonly controls: readonly Control[];
}

/** A result: its code, and what else it says. */
export interface Result {
  readonly code: number;
  readonly matchedDn?: string;
  readonly diagnostic?: string;
  readonly referrals?: readonly string[];
}

export const ResultCode = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  authMethodNotSupported: 7,
  strongerAuthRequired: 8,
  referral: 10,
  unavailableCriticalExtension: 12,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  invalidCredentials: 49,
  unavailable: 52,
  unwillingToPerform: 53,
} as const;

/** Tags of answers. */
export const Answer = { bind: 0x61, entry: 0x64, done: 0x65, reference: 0x73, extended: 0x78 } as const;

const SCOPES: readonly Scope[] = ['base', 'one', 'sub'];
const CHANGES = new Map([
  [0x66, { name: 'modify', answer: 0x67 }],
  [0x68, { name: 'add', answer: 0x69 }],
  [0x4a, { name: 'delete', answer: 0x6b }],
  [0x6c, { name: 'modifyDN', answer: 0x6d }],
  [0x6e, { name: 'compare', answer: 0x6f }],
]);

/** Decodes the content of one LDAPMessage. Throws {@link BerError} for what is none. */
export function decodeMessage(content: Buffer): Message {
  const reader = new BerReader(content);
  const id = reader.integer();
  const request = decodeRequest(reader.element());
  const controls = reader.optional(0xa0);
  return { id, request, controls: controls ? decodeControls(new BerReader(controls)) : [] };
}

function decodeRequest({ tag, content }: Element): Request {
  const reader = new BerReader(content);
  switch (tag) {
    case 0x60: {
      const version = reader.integer();
      const name = reader.text();
      const method = reader.element();
      return { kind: 'bind', version, name, password: method.tag === 0x80 ? method.content.toString() : null };
    }
    case 0x42:
      return { kind: 'unbind' };
    case 0x63:
      return decodeSearch(reader);
    case 0x50:
      return { kind: 'abandon', target: content.readIntBE(0, Math.min(content.length, 6)) };
    case 0x77:
      return { kind: 'extended', oid: reader.text(0x80) };
    default: {
      const change = CHANGES.get(tag);
      if (!change) throw new BerError(`no request has tag ${tag}`);
      return { kind: 'other', ...change };
    }
  }
}

function decodeSearch(reader: BerReader): SearchRequest {
  const base = reader.text();
  const scope = SCOPES[reader.integer(Tag.enumerated)];
  if (!scope) throw new BerError('no such scope');
  reader.integer(Tag.enumerated);
  const sizeLimit = reader.integer();
  const timeLimit = reader.integer();
  const typesOnly = reader.boolean();
  const filter = decodeFilter(reader.element());
  const names = reader.sequence();
  const attributes: string[] = [];
  while (names.more) attributes.push(names.text());
  return { kind: 'search', base, scope, sizeLimit, timeLimit, typesOnly, filter, attributes };
}

function decodeControls(reader: BerReader): Control[] {
  const controls: Control[] = [];
  while (reader.more) {
    const control = reader.sequence();
    const oid = control.text();
    const critical = control.nextTag === Tag.boolean && control.boolean();
    controls.push({ oid, critical, value: control.optional(Tag.octets) ?? null });
  }
  return controls;
}

/** A whole message: the answer with this tag, and controls. */
export function encodeMessage(
  id: number,
  tag: number,
  parts: readonly Buffer[],
  controls: readonly { oid: string; value: Buffer }[] = [],
): Buffer {
  const answer = encode(tag, ...parts);
  const attached = controls.map(({ oid, value }) => encode(Tag.sequence, encodeText(oid), encodeText(value)));
  const all = attached.length > 0 ? [answer, encode(0xa0, ...attached)] : [answer];
  return encode(Tag.sequence, encodeInteger(id), ...all);
}

/** The parts that every result has (LDAPResult). */
export function resultParts({ code, matchedDn = '', diagnostic = '', referrals = [] }: Result): Buffer[] {
  const parts = [encodeInteger(code, Tag.enumerated), encodeText(matchedDn), encodeText(diagnostic)];
  if (referrals.length > 0) parts.push(encode(0xa3, ...referrals.map((url) => encodeText(url))));
  return parts;
}

/** The answer to an extended operation, or an unsolicited notification where `id` is 0. */
export function extendedAnswer(id: number, result: Result, oid: string | null, value: string | null): Buffer {
  const parts = resultParts(result);
  if (oid !== null) parts.push(encodeText(oid, 0x8a));
  if (value !== null) parts.push(encodeText(value, 0x8b));
  return encodeMessage(id, Answer.extended, parts);
}

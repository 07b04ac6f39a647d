/** LDAPResult and what surrounds it (RFC 4511, 4.1.9 to 4.1.12 and 4.4.1), read strictly from bytes and written anew. */
import { type BerCursor, TAG, malformed } from './ber.js';

/** The protocol operations we ask for and are answered with (RFC 4511, appendix B). */
export const OPERATION = {
  bindRequest: 0x60,
  bindResponse: 0x61,
  unbindRequest: 0x42,
  searchRequest: 0x63,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  abandonRequest: 0x50,
  extendedRequest: 0x77,
  extendedResponse: 0x78,
} as const;

export const NOTICE_OF_DISCONNECTION = '1.3.6.1.4.1.1466.20036';

/** What a server answers at the end of an operation. */
export interface Result {
  readonly code: number;
  /** The server's own words. May hold anything: show it only to administrators. */
  readonly diagnostic: string;
  readonly referral: readonly string[];
  /** Response controls: OID → value (null where it has none). */
  readonly controls: ReadonlyMap<string, Buffer | null>;
  /** Of an extended response. */
  readonly name: string | null;
  readonly value: Buffer | null;
}

const REFERRAL = 0xa3;
const SASL_CREDENTIALS = 0x87;
const RESPONSE_NAME = 0x8a;
const RESPONSE_VALUE = 0x8b;
const CONTROLS = 0xa0;

/** Reads the contents of a result up to `end`, then the controls behind it up to `messageEnd`. */
export function readResult(cursor: BerCursor, end: number, messageEnd: number): Result {
  const code = cursor.integer(TAG.enumerated, end, 'result code');
  cursor.at = cursor.enter(TAG.octetString, end, 'matched name');
  const diagnostic = cursor.text(TAG.octetString, end, 'diagnostic message');
  let referral: string[] = [];
  let name: string | null = null;
  let value: Buffer | null = null;
  while (cursor.at < end) {
    const tag = cursor.peek(end);
    if (tag === REFERRAL) referral = readTexts(cursor, cursor.enter(REFERRAL, end, 'referral'));
    else if (tag === RESPONSE_NAME) name = cursor.text(RESPONSE_NAME, end, 'response name');
    else if (tag === RESPONSE_VALUE) value = cursor.octets(RESPONSE_VALUE, end, 'response value');
    else if (tag === SASL_CREDENTIALS) cursor.skip(end, 'SASL credentials');
    else cursor.skip(end, 'result');
  }
  return { code, diagnostic, referral, controls: readControls(cursor, messageEnd), name, value };
}

/** A sequence of texts up to `end`, such as the URIs of a search reference. */
export function readTexts(cursor: BerCursor, end: number): string[] {
  const texts: string[] = [];
  while (cursor.at < end) texts.push(cursor.text(TAG.octetString, end, 'URI'));
  return texts;
}

/** The controls of a message, and whatever a later version of the protocol may put behind them. */
export function readControls(cursor: BerCursor, messageEnd: number): Map<string, Buffer | null> {
  const controls = new Map<string, Buffer | null>();
  while (cursor.at < messageEnd) {
    if (cursor.peek(messageEnd) !== CONTROLS) {
      cursor.skip(messageEnd, 'message');
      continue;
    }
    const end = cursor.enter(CONTROLS, messageEnd, 'controls');
    while (cursor.at < end) {
      const controlEnd = cursor.enter(TAG.sequence, end, 'control');
      const oid = cursor.text(TAG.octetString, controlEnd, 'control type');
      if (cursor.peek(controlEnd) === TAG.boolean) cursor.skip(controlEnd, 'criticality');
      const value = cursor.at < controlEnd ? cursor.octets(TAG.octetString, controlEnd, 'control value') : null;
      if (cursor.at !== controlEnd) throw malformed('bytes behind a control', cursor.at - cursor.start);
      controls.set(oid, value);
    }
  }
  return controls;
}

/** The smallest message with this id, operation and code: what the client library is given in place of the server's. */
export function plainResult(id: number, operation: number, code: number): Buffer {
  const message = Buffer.from([0x30, 0, 0x02, 4, 0, 0, 0, 0, operation, 0, 0x0a, 2, 0, 0, 0x04, 0, 0x04, 0]);
  message[1] = message.length - 2;
  message[9] = message.length - 10;
  message.writeUInt32BE(id, 4);
  message.writeUInt16BE(code & 0x7fff, 12);
  return message;
}

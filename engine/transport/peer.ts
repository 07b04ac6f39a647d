/** What the other side showed of itself in the handshake: is it good enough, is it the one that was pinned, how long is it valid. */
import { X509Certificate, createHash } from 'node:crypto';
import { type DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { SettingError } from '../model/errors.js';
import { MINIMUM_RSA_BITS, WEAK_KEY } from '../runtime/tls.js';

/** The `code` of the error for a certificate whose key is none of those that were pinned. */
export const PIN_MISMATCH = 'DIRSYNC_PIN_MISMATCH';

/** What a connection agreed on, for the report. */
export interface Negotiated {
  readonly protocol: string;
  readonly cipher: string;
  /** When the other side's certificate ends, ISO 8601; null where it showed none. */
  readonly certificateUntil: string | null;
}

/** A chain is short; a certificate that issued itself ends it. */
const LONGEST_CHAIN = 10;
/** Object identifiers of signatures with MD5 and SHA-1 (RFC 3279), as in DER. */
const WEAK_SIGNATURES = new Set([
  '2a864886f70d010104',
  '2a864886f70d010105',
  '2a8648ce3d0401',
  '2a8648ce380403',
  '2b0e03021d',
]);

/** What a socket agreed on; null where it is not a TLS socket, or closed already. */
export function negotiated(socket: unknown): Negotiated | null {
  if (!(socket instanceof TLSSocket)) return null;
  const protocol = socket.getProtocol();
  if (protocol === null) return null;
  const until = Date.parse(socket.getPeerX509Certificate()?.validTo ?? '');
  return {
    protocol,
    cipher: socket.getCipher().standardName,
    certificateUntil: Number.isNaN(until) ? null : new Date(until).toISOString(),
  };
}

/**
 * Parses pins: SHA-256 of a public key (SubjectPublicKeyInfo) in base64, with or without `sha256/` before it. None, or two
 * at least: with only one, nobody could change the key. Throws `SettingError`.
 */
export function checkPins(pins: readonly string[]): readonly string[] {
  const bare = [...new Set(pins.map((pin) => pin.replace(/^sha256\//i, '')))];
  const wellFormed = bare.every((pin) => Buffer.from(pin, 'base64').length === 32 && pin.length === 44);
  if (wellFormed && bare.length !== 1) return bare;
  throw new SettingError('PINS_NOT_VALID', {
    message:
      'The pins of the directory-endpoint must be two or more SHA-256 digests of public keys, in base64: of the key that the receiver uses, and of one kept for the day when that has to change.',
    status: 'pins not valid',
    params: { setting: 'pins' },
  });
}

/** What is wrong with the certificate that the other side showed, beyond what Node.js checks; null: nothing. */
export function peerFault(socket: TLSSocket, pins: readonly string[]): Error | null {
  const chain = chainOf(socket);
  // What a root that issued itself is signed with does not matter: nobody relies on that signature.
  const weak = chain.some((one) => one.issuer !== one.subject && WEAK_SIGNATURES.has(signatureAlgorithm(one.raw)));
  if (weak) return failure('a signature with SHA-1', WEAK_KEY);
  // Also where nobody checks who issued it: then Node.js does not ask our check of the certificate either.
  const short = chain.some(
    ({ publicKey }) => (publicKey.asymmetricKeyDetails?.modulusLength ?? Infinity) < MINIMUM_RSA_BITS,
  );
  if (short) return failure('an RSA key that is too short', WEAK_KEY);
  const pinned = pins.length === 0 || chain.some((one) => pins.includes(pinOf(one)));
  return pinned ? null : failure('none of the pinned keys', PIN_MISMATCH);
}

/** The pin of a certificate: SHA-256 of its SubjectPublicKeyInfo, in base64 (as RFC 7469 section 2.4 has it). */
export function pinOf(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** The object identifier of a certificate's signature algorithm, as hexadecimal DER; blank where it is none. */
export function signatureAlgorithm(certificate: Buffer): string {
  // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { algorithm OBJECT IDENTIFIER … (RFC 5280)
  const outer = element(certificate, 0);
  const toBeSigned = element(certificate, outer.content);
  const algorithm = element(certificate, toBeSigned.end);
  const identifier = element(certificate, algorithm.content);
  return certificate.subarray(identifier.content, identifier.end).toString('hex');
}

function element(der: Buffer, at: number): { content: number; end: number } {
  const first = der[at + 1] ?? 0;
  const octets = first < 0x80 ? 0 : Math.min(first & 0x7f, 4);
  const length = octets === 0 ? first : der.readUIntBE(at + 2, octets);
  const content = at + 2 + octets;
  return { content, end: content + length };
}

/** The chain as it was shown, and completed from the authorities that are trusted here. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let certificate: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw && chain.length < LONGEST_CHAIN) {
    chain.push(new X509Certificate(certificate.raw));
    const issuer: Partial<DetailedPeerCertificate> | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}

function failure(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

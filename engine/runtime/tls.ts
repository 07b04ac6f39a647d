/**
 * The TLS policy of both sides: TLS 1.2 at least, ciphers of 128 bits or more with forward secrecy, and certificates whose
 * RSA keys have 2048 bits or more, in the whole chain. Stricter than Node.js as shipped, and the same in all its versions.
 * Older TLS only where a setting says so in so many words; then reports and status say it too.
 */
import type { ServerOptions } from 'node:https';
import {
  type ConnectionOptions,
  type DetailedPeerCertificate,
  type PeerCertificate,
  checkServerIdentity,
} from 'node:tls';
import { SettingError } from '../model/errors.js';

export type MinimumTls = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** Security level 2 of OpenSSL: nothing below 112 bits, so neither RSA below 2048 nor signatures with SHA-1. */
const STRONG = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];
/** All that TLS 1.0 and 1.1 have of 128 bits and forward secrecy. Their own handshakes are signed with SHA-1: level 0. */
const OLD = ['ECDHE-ECDSA-AES256-SHA', 'ECDHE-RSA-AES256-SHA', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA'];
export const MINIMUM_RSA_BITS = 2048;
/** A chain is short; a certificate that issued itself ends it. */
const LONGEST_CHAIN = 10;

/** The `code` of the error by which {@link clientTls} refuses a weak key. */
export const WEAK_KEY = 'DIRSYNC_WEAK_KEY';

/** Below what Node.js and this policy take by default. */
export function isLowered(minimum: MinimumTls): boolean {
  return minimum === 'TLSv1' || minimum === 'TLSv1.1';
}

function ciphersFor(minimum: MinimumTls): string {
  return (isLowered(minimum) ? [...STRONG, ...OLD, '@SECLEVEL=0'] : [...STRONG, '@SECLEVEL=2']).join(':');
}

/** Bits of .NET's SecurityProtocolType, the lowest first. SSL 3.0 (48) is spoken by nobody here. */
const PROTOCOL_BITS: readonly (readonly [bits: number, minimum: MinimumTls])[] = [
  [192, 'TLSv1'],
  [768, 'TLSv1.1'],
  [3072, 'TLSv1.2'],
  [12_288, 'TLSv1.3'],
];

/**
 * The oldest TLS of a `Mse.Core.Bridge.SecurityProtocol` number, such as 4032 (1.0 to 1.2) or 3072 (1.2). Newer versions than
 * the number has are spoken too. 0 (as the system has it): TLS 1.2. Throws `SettingError` for another number.
 */
export function minimumOf(securityProtocol: number): MinimumTls {
  const known = PROTOCOL_BITS.reduce((sum, [bits]) => sum + bits, 0);
  const lowest = PROTOCOL_BITS.find(([bits]) => (securityProtocol & bits) === bits)?.[1];
  if (securityProtocol === 0) return 'TLSv1.2';
  if (lowest !== undefined && (securityProtocol & ~known) === 0) return lowest;
  throw new SettingError('SECURITY_PROTOCOL_NOT_VALID', {
    message: `The SecurityProtocol number ${String(securityProtocol)} names no TLS that is spoken here: add up 192 (1.0), 768 (1.1), 3072 (1.2) and 12288 (1.3), for example 4032 or 15360.`,
    status: 'SecurityProtocol?',
    params: { setting: 'securityProtocol', number: securityProtocol },
  });
}

/**
 * Options for our side of a connection: the administrator's own (CA, certificate, key, name), and the policy over them.
 * Others of the administrator's are left out: a ready-made context, for one, would go round the policy.
 */
export function clientTls(own: ConnectionOptions, minimum: MinimumTls): ConnectionOptions {
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = own;
  const given = Object.entries({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized });
  return {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== '')),
    minVersion: minimum,
    maxVersion: 'TLSv1.3',
    ciphers: ciphersFor(minimum),
    checkServerIdentity: (host, certificate) => checkServerIdentity(host, certificate) ?? weakKey(certificate),
  };
}

/** Options for an HTTPS server of ours: the administrator's certificate and key, and the policy over them. */
export function serverTls(own: ServerOptions, minimum: MinimumTls = 'TLSv1.2'): ServerOptions {
  return {
    ...own,
    minVersion: minimum,
    maxVersion: 'TLSv1.3',
    ciphers: ciphersFor(minimum),
    honorCipherOrder: true,
  };
}

function weakKey(leaf: PeerCertificate): Error | undefined {
  let certificate: Partial<DetailedPeerCertificate> | undefined = leaf;
  for (let depth = 0; certificate && depth < LONGEST_CHAIN; depth += 1) {
    const { modulus, bits } = certificate;
    if (modulus !== undefined && (bits ?? 0) < MINIMUM_RSA_BITS) {
      const error = new Error(`an RSA key of ${String(bits)} bits`);
      return Object.assign(error, { code: WEAK_KEY });
    }
    const issuer: Partial<DetailedPeerCertificate> | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return undefined;
}

/**
 * The TLS policy of both sides: TLS 1.2 at least, ciphers of 128 bits or more with forward secrecy, and certificates whose
 * RSA keys have 2048 bits or more, in the whole chain. Stricter than Node.js as shipped, and the same in all its versions.
 */
import type { ServerOptions } from 'node:https';
import {
  type ConnectionOptions,
  type DetailedPeerCertificate,
  type PeerCertificate,
  TLSSocket,
  checkServerIdentity,
} from 'node:tls';

export type MinimumTls = 'TLSv1.2' | 'TLSv1.3';

/** What a connection agreed on, for the report. */
export interface Negotiated {
  readonly protocol: string;
  readonly cipher: string;
}

/** Security level 2 of OpenSSL: nothing below 112 bits, so neither RSA below 2048 nor signatures with SHA-1. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  '@SECLEVEL=2',
].join(':');
const MINIMUM_RSA_BITS = 2048;
/** A chain is short; a certificate that issued itself ends it. */
const LONGEST_CHAIN = 10;

/** The `code` of the error by which {@link clientTls} refuses a weak key. */
export const WEAK_KEY = 'DIRSYNC_WEAK_KEY';

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
    ciphers: CIPHERS,
    checkServerIdentity: (host, certificate) => checkServerIdentity(host, certificate) ?? weakKey(certificate),
  };
}

/** Options for an HTTPS server of ours: the administrator's certificate and key, and the policy over them. */
export function serverTls(own: ServerOptions): ServerOptions {
  return {
    ...own,
    minVersion: own.minVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    honorCipherOrder: true,
  };
}

/** What a socket agreed on; null where it is not a TLS socket, or closed already. */
export function negotiated(socket: unknown): Negotiated | null {
  if (!(socket instanceof TLSSocket)) return null;
  const protocol = socket.getProtocol();
  return protocol === null ? null : { protocol, cipher: socket.getCipher().standardName };
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

/** What can go wrong until a connection stands, in the words of somebody who can mend it. */
import { DirectoryError } from '../model/errors.js';

interface Server {
  readonly host: string;
  readonly port: number;
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);
const OUTDATED = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const NOT_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNKNOWN_PROTOCOL',
  'ERR_SSL_HTTP_REQUEST',
  'ECONNRESET',
  'EPIPE',
]);

/** The code of a system or TLS error; of several addresses tried, that of the first. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && !(cause as { code?: unknown }).code) return codeOf(cause.errors[0]);
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** A TCP connection could not be made. */
export function tcpError({ host, port }: Server, cause: unknown): DirectoryError {
  const code = codeOf(cause);
  const at = `${host}:${port}`;
  const details = { params: { host, port }, cause, transient: true };
  switch (code) {
    case 'ECONNREFUSED':
      return new DirectoryError('CONNECTION_REFUSED', {
        ...details,
        message: `Nothing listens at ${at}: the connection was refused. Check host and port in "servers" (LDAPS is 636, plain LDAP and StartTLS 389), and that the directory is running.`,
        status: 'connection refused',
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return new DirectoryError('HOST_NOT_FOUND', {
        ...details,
        message: `The name ${host} cannot be resolved. Check "servers" for a misspelling, and the DNS settings of this machine.`,
        status: 'host not found',
      });
    default:
      return new DirectoryError('HOST_UNREACHABLE', {
        ...details,
        message: `${at} cannot be reached (${code || 'no reason given'}). Check "servers", the network and firewalls between.`,
        status: 'host unreachable',
      });
  }
}

/** The TLS handshake failed. */
export function tlsError({ host, port }: Server, cause: unknown): DirectoryError {
  const code = codeOf(cause);
  const at = `${host}:${port}`;
  const details = { params: { host, port, reason: code }, cause };
  if (UNTRUSTED.has(code)) {
    return new DirectoryError('CERTIFICATE_UNTRUSTED', {
      ...details,
      message: `The certificate of ${at} is not signed by an authority that this machine trusts (${code}). Add the certificate of the authority (CA) to the TLS configuration ("tls-config") of the directory server.`,
      status: 'certificate untrusted',
    });
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new DirectoryError('CERTIFICATE_WRONG_HOST', {
      ...details,
      message: `The certificate of ${at} is for another name. Put the name that the certificate carries into "servers", or into the server name of the TLS configuration ("tls-config").`,
      status: 'certificate: wrong host',
    });
  }
  if (OUTDATED.has(code)) {
    return new DirectoryError('CERTIFICATE_OUTDATED', {
      ...details,
      message: `The certificate of ${at} has expired or is not valid yet (${code}). Renew it on the server; check the clock of this machine.`,
      status: 'certificate expired',
    });
  }
  if (NOT_TLS.has(code)) {
    return new DirectoryError('SERVER_NOT_TLS', {
      ...details,
      message: `${at} does not speak TLS. Check that the port in "servers" belongs to "encryption": LDAPS is 636 (Global Catalog 3269); on 389 choose StartTLS.`,
      status: 'port does not speak TLS',
    });
  }
  return new DirectoryError('TLS_FAILED', {
    ...details,
    message: `No encrypted connection to ${at} could be made (${code || 'no reason given'}). Compare the TLS versions and ciphers of the server with the TLS configuration ("tls-config"); a server may also ask for a client certificate.`,
    status: 'TLS failed',
  });
}

/** A step took longer than the time limit for connecting. */
export function connectTimeout({ host, port }: Server, step: string, milliseconds: number): DirectoryError {
  return new DirectoryError('CONNECT_TIMEOUT', {
    message: `${host}:${port} did not answer within ${milliseconds} ms (${step}). Check "servers" and the firewalls between, or raise the time limit for connecting ("timeouts").`,
    status: 'no answer',
    params: { host, port, step, milliseconds },
    transient: true,
  });
}

/** None of several servers could be used. */
export function noServer(failures: readonly { server: Server; error: DirectoryError }[]): DirectoryError {
  const list = failures.map(({ server, error }) => `${server.host}:${server.port} ${error.code}`).join(', ');
  return new DirectoryError('NO_SERVER', {
    message: `None of the servers in "servers" could be used: ${list}. The first said: ${failures[0]?.error.message ?? ''}`,
    status: 'no server answers',
    params: { list },
    cause: failures[0]?.error,
    transient: failures.every(({ error }) => error.transient),
  });
}

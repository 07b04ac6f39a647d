/** Results that are not success, in Active Directory's words. It ends its diagnostic messages with a NUL. */
import { dnsNameOf } from './topology.js';
import { type Result, ResultCode } from './message.js';

const VERSION = 'v4563';

/** `data` is a Windows error number in hexadecimal, such as 52e. */
export function badCredentials(data: string): Result {
  return result(
    'invalidCredentials',
    `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, ${VERSION}\0`,
  );
}

export function encryptionRequired(): Result {
  return result(
    'strongerAuthRequired',
    `00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, ${VERSION}\0`,
  );
}

export function bindFirst(): Result {
  return result(
    'operationsError',
    `000004DC: LdapErr: DSID-0C090CF8, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, ${VERSION}\0`,
  );
}

/** A paged search that this connection does not know (any more), or that is not the one it was. */
export function cookieUnknown(): Result {
  return result(
    'unavailableCriticalExtension',
    `00000057: LdapErr: DSID-0C090B11, comment: Error processing control, data 0, ${VERSION}\0`,
  );
}

export function controlUnknown(): Result {
  return result(
    'unavailableCriticalExtension',
    `00002040: SvcErr: DSID-031401E8, problem 5010 (UNAVAIL_EXTENSION), data 0\n\0`,
  );
}

export function noSuchObject(matchedDn: string): Result {
  return {
    ...result(
      'noSuchObject',
      `0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'${matchedDn}'\n\0`,
    ),
    matchedDn,
  };
}

export function badName(dn: string): Result {
  return result(
    'invalidDnSyntax',
    `0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350, best match of:\n\t'${dn}'\n\0`,
  );
}

/** A base in a domain of which this server knows nothing. */
export function elsewhere(base: string): Result {
  const host = dnsNameOf(base);
  if (host === null) return noSuchObject('');
  return {
    ...result('referral', `0000202B: RefErr: DSID-0310082F, data 0, 1 access points\n\tref 1: '${host}'\n\0`),
    referrals: [`ldap://${host}/${encodeURI(base)}`],
  };
}

export function sizeLimitExceeded(): Result {
  return result('sizeLimitExceeded', '');
}

export function timeLimitExceeded(): Result {
  return result('timeLimitExceeded', '');
}

export function unwilling(what: string): Result {
  return result(
    'unwillingToPerform',
    `0000202A: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0: ${what}\n\0`,
  );
}

export function unknownExtension(): Result {
  return result(
    'protocolError',
    `0000203D: LdapErr: DSID-0C090EBA, comment: Unknown extended request OID, data 0, ${VERSION}\0`,
  );
}

export function tlsUnavailable(): Result {
  return result(
    'unavailable',
    `00000000: LdapErr: DSID-0C090F63, comment: Error initializing SSL/TLS, data 0, ${VERSION}\0`,
  );
}

export function tlsActive(): Result {
  return result(
    'operationsError',
    `00000000: LdapErr: DSID-0C090F9A, comment: TLS or SSL already in effect, data 0, ${VERSION}\0`,
  );
}

export function malformed(): Result {
  return result(
    'protocolError',
    `00000057: LdapErr: DSID-0C0C0095, comment: Error decoding ldap message, data 0, ${VERSION}\0`,
  );
}

export function shuttingDown(): Result {
  return result('unavailable', 'The server is shutting down.');
}

function result(code: keyof typeof ResultCode, diagnostic: string): Result {
  return { code: ResultCode[code], diagnostic };
}

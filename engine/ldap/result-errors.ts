/** What a result code means to an operator: of a bind, of StartTLS, of a search. */
import { DirectoryError } from '../model/errors.js';
import type { Result } from './result.js';

/** Sub-codes of invalidCredentials (49) that Active Directory puts behind `data` in its diagnostic message. */
const LOGON: Readonly<Record<string, readonly [code: string, status: string, sentence: string]>> = {
  '525': [
    'USER_UNKNOWN',
    'user unknown',
    'The directory does not know the user. Check "user": a DN, user@domain or DOMAIN\\user.',
  ],
  '52e': ['PASSWORD_WRONG', 'password wrong', 'The directory refuses user or password. Check "user" and "password".'],
  '530': [
    'LOGON_HOURS',
    'outside logon hours',
    'The user may not log on at this time. Change the logon hours of the account given in "user".',
  ],
  '531': [
    'LOGON_WORKSTATION',
    'not from this machine',
    'The user may not log on from this machine. Change the permitted workstations of the account given in "user".',
  ],
  '532': [
    'PASSWORD_EXPIRED',
    'password expired',
    'The password of the user has expired. Set a new one and enter it in "password".',
  ],
  '533': [
    'ACCOUNT_DISABLED',
    'account disabled',
    'The account given in "user" is disabled. Enable it in the directory.',
  ],
  '701': ['ACCOUNT_EXPIRED', 'account expired', 'The account given in "user" has expired. Extend it in the directory.'],
  '773': [
    'PASSWORD_MUST_CHANGE',
    'password must change',
    'The user must change the password before the first logon. Set it in the directory and enter it in "password".',
  ],
  '775': [
    'ACCOUNT_LOCKED',
    'account locked',
    'The account given in "user" is locked after too many failed logons. Unlock it in the directory, then check "password".',
  ],
};

/** The hexadecimal error number at the head of Active Directory's diagnostic messages: safe to show, good to search for. */
function hint({ code, diagnostic }: Result): string {
  const number = /^[0-9a-f]{8}(?=:)/i.exec(diagnostic)?.[0];
  return number === undefined ? `code ${code}` : `code ${code}, ${number}`;
}

function details(result: Result): { params: { code: number }; cause: Error } {
  return { params: { code: result.code }, cause: new Error(result.diagnostic) };
}

/** The error for a bind that was answered with anything but success. Never to be tried again on its own: it locks accounts. */
export function bindError(result: Result): DirectoryError {
  if (result.code === 49) {
    const data = /\bdata ([0-9a-f]{1,8})\b/i.exec(result.diagnostic)?.[1]?.toLowerCase() ?? '';
    const [code, status, sentence] = LOGON[data] ?? [
      'CREDENTIALS_REFUSED',
      'logon refused',
      'The directory refuses user or password. Check "user" and "password".',
    ];
    return new DirectoryError(code, {
      ...details(result),
      status,
      message: `${sentence} (${hint(result)}) It is not tried again.`,
    });
  }
  if (result.code === 8 || result.code === 13) {
    return new DirectoryError('ENCRYPTION_REQUIRED', {
      ...details(result),
      message: `The directory server refuses a logon over an unencrypted connection (${hint(result)}). Set "encryption" to LDAPS (port 636) or StartTLS (port 389).`,
      status: 'encryption required',
    });
  }
  if (result.code === 51 || result.code === 52) {
    return new DirectoryError('SERVER_BUSY', {
      ...details(result),
      message: `The directory server is busy or not ready for logons (${hint(result)}). Run again later, or name another server in "servers".`,
      status: 'server busy',
      transient: true,
    });
  }
  return new DirectoryError('BIND_REFUSED', {
    ...details(result),
    message: `The directory server refuses the logon (${hint(result)}). A simple bind with "user" and "password" must be allowed there; "user" may have to be a distinguished name.`,
    status: 'logon refused',
  });
}

/** The error for a StartTLS request that was answered with anything but success. */
export function startTlsError(result: Result): DirectoryError {
  return new DirectoryError('STARTTLS_REFUSED', {
    ...details(result),
    message: `The directory server refuses StartTLS (${hint(result)}). Set "encryption" to LDAPS (port 636), or give the server a certificate.`,
    status: 'StartTLS refused',
  });
}

/** timeLimitExceeded, sizeLimitExceeded, adminLimitExceeded, busy, unavailable, unwillingToPerform, other. */
const CUT_SHORT = new Set([3, 4, 11, 51, 52, 53, 80]);

/** The error for a search that was answered with anything but success: whatever came before it is not everything. */
export function searchError(result: Result): DirectoryError {
  if (CUT_SHORT.has(result.code)) {
    return new DirectoryError('SEARCH_CUT_SHORT', {
      ...details(result),
      message: `The directory server ended the search before everything was read (${hint(result)}: a limit of time, size or load). Nothing is removed. Run again later; if it stays, narrow "base" or "filter", or lower "pageSize".`,
      status: 'search cut short',
      transient: true,
    });
  }
  if (result.code === 10) {
    return new DirectoryError('BASE_ELSEWHERE', {
      ...details(result),
      message: `The directory server says that the base of the search is held by another server (${hint(result)}). References are not followed: put a server of that domain into "servers", or correct "base".`,
      status: 'base is elsewhere',
    });
  }
  if (result.code === 32 || result.code === 34) {
    return new DirectoryError('BASE_NOT_FOUND', {
      ...details(result),
      message: `The base of the search does not exist, or the user may not see it (${hint(result)}). Correct "base", for example DC=example,DC=com.`,
      status: 'base not found',
    });
  }
  if (result.code === 12) {
    return new DirectoryError('PAGING_LOST', {
      ...details(result),
      message: `The directory server does not go on with the paged search, or does not know paging (${hint(result)}). Run again; if it stays, look for a load balancer between: it must keep one connection on one server.`,
      status: 'paging lost',
      transient: true,
    });
  }
  return new DirectoryError('SEARCH_REFUSED', {
    ...details(result),
    message: `The directory server refuses the search (${hint(result)}). Check the rights of "user", and "base" and "filter".`,
    status: 'search refused',
  });
}

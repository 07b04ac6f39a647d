/** What PostgreSQL, or the way to it, reports, as errors of the taxonomy. */
import { AccountError, DirectorySyncError } from '../../model/errors.js';

interface Reported {
  readonly code: string;
  readonly message: string;
}

/** A kind of failure, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) or by Node.js's code. */
interface Kind {
  readonly code: string;
  readonly when: (reported: Reported) => boolean;
  readonly status: string;
  readonly advice: string;
  readonly transient?: true;
}

const any = (...codes: string[]) => {
  const set = new Set(codes);
  return ({ code }: Reported) => set.has(code);
};
const startsWith =
  (...classes: string[]) =>
  ({ code }: Reported) =>
    code.length === 5 && classes.includes(code.slice(0, 2));

/** The first that fits. */
const KINDS: readonly Kind[] = [
  {
    code: 'STORE_TLS_REFUSED',
    when: ({ code, message }) =>
      /does not support SSL|establishing an SSL/.test(message) ||
      /^(?:DIRSYNC_WEAK_KEY|ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO)/.test(
        code,
      ),
    status: 'TLS refused',
    advice:
      'Choose a TLS configuration with the authority of its certificate in the setting "tls", look at the name in "host", or switch TLS on in the server (ssl = on).',
  },
  {
    code: 'STORE_TLS_REFUSED',
    when: ({ code, message }) => code === '28000' && message.includes('no encryption'),
    status: 'TLS demanded',
    advice: 'The server wants TLS for this log-on: choose it in the setting "encryption".',
  },
  {
    code: 'STORE_LOGIN_REFUSED',
    when: ({ code, message }) =>
      startsWith('28')({ code, message }) || /password must be a string|SASL|SCRAM/.test(message),
    status: 'log-on refused',
    advice: 'Look at the settings "user" and "password", and at the server\'s pg_hba.conf.',
  },
  {
    code: 'STORE_DATABASE_MISSING',
    when: any('3D000'),
    status: 'no such database',
    advice: 'Make the database, or name another in the setting "database".',
  },
  {
    code: 'STORE_RIGHTS_MISSING',
    when: any('42501'),
    status: 'rights missing',
    advice:
      'The user of the setting "user" needs the right to create a schema in the database (GRANT CREATE ON DATABASE …), or a schema of its own with the name in the setting "schema", and the right to make temporary tables.',
  },
  {
    code: 'STORE_READ_ONLY',
    when: any('25006'),
    status: 'read-only server',
    advice: 'It is a standby, or set to read-only: name the primary server in the setting "host".',
    transient: true,
  },
  {
    code: 'STORE_FULL',
    when: any('53100'),
    status: 'disk full',
    advice: 'Make room on the disk of the server, then start the run again.',
    transient: true,
  },
  {
    code: 'STORE_TIME_LIMIT',
    when: ({ code, message }) => any('57014', '25P03', '25P04')({ code, message }) || message === 'Query read timeout',
    status: 'time limit',
    advice:
      'It took longer than the settings "statementTimeout" and "idleTimeout" allow. Look at the load of the server and of this computer; raise the limit if the directory is large.',
    transient: true,
  },
  {
    code: 'STORE_BUSY',
    when: any('55P03', '40P01', '40001', '53300'),
    status: 'store busy',
    advice: 'Others are at work in it; try again.',
    transient: true,
  },
  {
    code: 'STORE_UNREACHABLE',
    when: ({ code, message }) =>
      UNREACHABLE.has(code) || /connection timeout|timeout (?:exceeded|expired)/.test(message),
    status: 'unreachable',
    advice: 'Look at the settings "host" and "port", and whether the server runs and listens there.',
    transient: true,
  },
  {
    code: 'STORE_CONNECTION_LOST',
    when: isLost,
    status: 'connection lost',
    advice:
      'Look at the server and at the way to it, then start the run again: what was done already is not done twice.',
    transient: true,
  },
];

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOENT',
  'EACCES',
]);
/** Whose messages tell of names and conditions; others may quote what was to be written. */
const TELLING = ['08', '0A', '25', '28', '3D', '3F', '42', '53', '54', '55', '57', '58', 'XX'];

/** What was thrown as an error of the taxonomy. */
export function postgresError(thrown: unknown): Error {
  if (thrown instanceof DirectorySyncError) return thrown;
  const reported = reportedBy(thrown);
  const kind = KINDS.find(({ when }) => when(reported));
  const reason = reasonOf(reported);
  return new AccountError(kind?.code ?? 'STORE_UNUSABLE', {
    message: `The account's database in PostgreSQL could not be used: ${reason}. ${kind?.advice ?? 'Look at the log of the server.'} Nothing of this step was written.`,
    status: kind?.status ?? 'store unusable',
    params: { reason },
    cause: thrown,
    transient: kind?.transient ?? false,
  });
}

/** Is the session gone with it? */
export function isLost(thrown: unknown): boolean {
  const { code, message } = reportedBy(thrown);
  return (
    startsWith('08')({ code, message }) ||
    any(
      '57P01',
      '57P02',
      '57P03',
      '57P05',
      '25P03',
      '25P04',
      'ECONNRESET',
      'EPIPE',
      'ERR_STREAM_DESTROYED',
    )({ code, message }) ||
    /^Connection terminated|not queryable|Query read timeout|Client was closed/.test(message)
  );
}

function reportedBy(thrown: unknown): Reported {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown };
  const first = (thrown as { errors?: unknown } | null)?.errors;
  // Where a name has several addresses, Node.js reports all attempts as one.
  if (Array.isArray(first) && first.length > 0 && (typeof message !== 'string' || message === ''))
    return reportedBy(first[0]);
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' };
}

function reasonOf({ code, message }: Reported): string {
  const telling = code.length !== 5 || TELLING.includes(code.slice(0, 2));
  const text = telling && message !== '' ? message : 'it refused a statement';
  return code === '' ? text : `${text} (${code})`;
}

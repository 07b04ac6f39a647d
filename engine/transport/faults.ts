/**
 * What can go wrong with a request, as errors of the taxonomy. Errors of axios end here: they hold keys and bodies, and
 * must never reach a log. Of them only the code is looked at.
 */
import { type DirectorySyncError, TransportError } from '../model/errors.js';
import { type Problem, problemName } from './problem.js';
import { ADDRESS_REFUSED } from './addresses.js';
import { PROXY_AUTHENTICATION, PROXY_REFUSED } from './agent.js';
import { PIN_MISMATCH } from './peer.js';
import { WEAK_KEY } from '../runtime/tls.js';

/** A failed attempt: the error to end with, and whether and when another attempt makes sense. */
export class Fault extends Error {
  constructor(
    readonly error: DirectorySyncError,
    readonly retry: { readonly afterMs: number | null } | null,
    /** What was asked may have been done all the same: there was no answer. */
    readonly unanswered = false,
  ) {
    super(error.code);
    this.name = 'Fault';
  }
}

const ENDPOINT = 'directory-endpoint';

/** `[code, status, what happened and what to do]`; `{host}` is the receiver's host and port. */
type Entry = readonly [code: string, status: string, message: string];

const UNTRUSTED: Entry = [
  'CERTIFICATE_UNTRUSTED',
  'untrusted certificate',
  `The certificate of {host} was not issued by an authority that is trusted here. Set the CA certificate in the tls-config of the ${ENDPOINT}.`,
];
const LOST: Entry = [
  'CONNECTION_LOST',
  'connection lost',
  'The connection to {host} was cut, again and again. Look at the network between, and at the log of the receiver.',
];
const EXPIRED: Entry = [
  'CERTIFICATE_EXPIRED',
  'certificate expired',
  'The certificate of {host} is not valid at this time. Renew it at the receiver, or set the clock of this machine.',
];
const WEAK: Entry = [
  'CERTIFICATE_WEAK',
  'weak certificate',
  'The certificate of {host}, or one that issued it, has an RSA key of fewer than 2048 bits or a signature with SHA-1. Have it issued anew.',
];
const TLS: Entry = [
  'TLS_REFUSED',
  'TLS refused',
  `{host} offers no TLS version and cipher that the ${ENDPOINT} accepts, or does not speak TLS at all. Look at its port and at the minimum TLS version of both sides.`,
];

/** Not worth another attempt: the answer would be the same. */
const PERMANENT: ReadonlyMap<string, Entry> = new Map([
  [
    'ENOTFOUND',
    ['HOST_NOT_FOUND', 'host not found', `The host of {host} is not known to DNS. Check the URL of the ${ENDPOINT}.`],
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['CERT_HAS_EXPIRED', EXPIRED],
  ['CERT_NOT_YET_VALID', EXPIRED],
  [WEAK_KEY, WEAK],
  [
    PIN_MISMATCH,
    [
      'PIN_MISMATCH',
      'pin mismatch',
      `The certificate of {host} has none of the keys that the pins of the ${ENDPOINT} name. Either its key was changed, then set its pin; or somebody stands between.`,
    ],
  ],
  [
    ADDRESS_REFUSED,
    [
      'ADDRESS_REFUSED',
      'address refused',
      `The host of {host} has a link-local address, which is never connected to. Set a URL of a real receiver in the ${ENDPOINT}.`,
    ],
  ],
  [
    PROXY_AUTHENTICATION,
    [
      'PROXY_LOGON',
      'proxy logon',
      `The proxy on the way to {host} wants another user name or password. Check them in the proxy configuration of the ${ENDPOINT}.`,
    ],
  ],
  [
    PROXY_REFUSED,
    [
      'PROXY_REFUSED',
      'proxy refused',
      `The proxy on the way to {host} does not connect there. Check the proxy configuration of the ${ENDPOINT}, and what the proxy allows.`,
    ],
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    [
      'CERTIFICATE_WRONG_HOST',
      'wrong certificate',
      `The certificate of {host} is for another name. Use a name that it holds in the URL of the ${ENDPOINT}, or set the server name in its tls-config.`,
    ],
  ],
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    [
      'CERTIFICATE_WANTED',
      'certificate wanted',
      `{host} wants a client certificate. Set one with its key in the tls-config of the ${ENDPOINT}.`,
    ],
  ],
  ['EPROTO', TLS],
  [
    'ERR_BAD_RESPONSE',
    [
      'ANSWER_TOO_LARGE',
      'answer too large',
      `{host} answered more than a receiver would. Check the URL of the ${ENDPOINT}.`,
    ],
  ],
]);

const TRANSIENT: ReadonlyMap<string, Entry> = new Map([
  [
    'ECONNREFUSED',
    [
      'CONNECTION_REFUSED',
      'connection refused',
      `Nothing listens at {host}. Is the receiver running, and is the port in the URL of the ${ENDPOINT} right?`,
    ],
  ],
  [
    'EAI_AGAIN',
    ['HOST_NOT_FOUND', 'no answer from DNS', `DNS does not answer for {host}. Check the name servers of this machine.`],
  ],
]);

/** The fault for an attempt that got no answer. Only the error's `code` is used; nothing of it is kept. */
export function networkFault(thrown: unknown, host: string): Fault {
  const { code = '', reason = '' } = codesOf(thrown);
  const permanent = PERMANENT.get(code) ?? certificateFault(code, reason) ?? (code.startsWith('ERR_SSL_') ? TLS : null);
  if (permanent) return new Fault(errorOf(permanent, host, false), null);
  return new Fault(errorOf(TRANSIENT.get(code) ?? LOST, host, true), { afterMs: null }, !TRANSIENT.has(code));
}

/** OpenSSL has more verdicts on certificates than Node.js has codes; of those without, it gives the text (`UNSPECIFIED`). */
function certificateFault(code: string, reason: string): Entry | null {
  if (/(md|digest|algorithm|key) too (weak|small)/i.test(reason)) return WEAK;
  return /^(UNSPECIFIED$|CERT_|CRL_|UNABLE_TO_|INVALID_|PATH_LENGTH_|ERROR_IN_CERT_)/.test(code) ? UNTRUSTED : null;
}

function codesOf(thrown: unknown): { code?: string; reason?: string } {
  if (!(thrown instanceof Error)) return {};
  const { code, message } = thrown as Error & { code?: unknown };
  return { code: typeof code === 'string' ? code : '', reason: message };
}

function errorOf([code, status, message]: Entry, host: string, transient: boolean): TransportError {
  return new TransportError(code, {
    message: message.replaceAll('{host}', host),
    status,
    params: { host },
    transient,
  });
}

/** The error for a run, or a request, that took longer than it may. */
export function deadlineError(host: string, deadlineMs: number): TransportError {
  return new TransportError('DEADLINE_PASSED', {
    message: `${host} did not answer within ${String(deadlineMs / 1000)} s. Look at the receiver and the network between, or raise the deadline of the ${ENDPOINT}.`,
    status: 'no answer in time',
    params: { host, seconds: deadlineMs / 1000 },
    transient: true,
  });
}

/** The error for a report that does not come. */
export function lateReport(host: string, deadlineMs: number): TransportError {
  return new TransportError('REPORT_LATE', {
    message: `The run arrived whole at ${host}, which still works on it after ${String(deadlineMs / 1000)} s. Look there for its outcome, or raise the deadline of the ${ENDPOINT}.`,
    status: 'report late',
    params: { host, seconds: deadlineMs / 1000 },
    transient: true,
  });
}

/** The error for an answer that does not come from a receiver of this protocol. */
export function notReceiver(host: string, what: string): TransportError {
  return new TransportError('NOT_A_RECEIVER', {
    message: `${host} answered ${what}, which no receiver does. Check the URL of the ${ENDPOINT}; a proxy, a log-on page or another service may stand in its place.`,
    status: 'not a receiver',
    params: { host, what },
  });
}

/** The error for a redirect: it is not followed, for it would take the run to somebody else. */
export function redirected(host: string, status: number): TransportError {
  return new TransportError('REDIRECTED', {
    message: `${host} answered with a redirect (${String(status)}), which is never followed. Set the URL of the ${ENDPOINT} to where the receiver really is.`,
    status: 'redirected',
    params: { host, answer: status },
  });
}

/** The error for a receiver that is there and cannot answer now. */
export function unavailable(host: string, status: number): TransportError {
  return new TransportError('RECEIVER_UNAVAILABLE', {
    message: `The receiver at ${host} could not take the request now (${String(status)}), also when asked again. Look at its log; the next run may succeed.`,
    status: `receiver: ${String(status)}`,
    params: { host, answer: status },
    transient: true,
  });
}

/** The error for problem details that are not to be retried. `clockSeconds`: how far the receiver's clock is ahead of ours. */
export function refusedError(host: string, problem: Problem, clockSeconds: number | null): TransportError {
  const name = problemName(problem.type);
  const about = problem.correlation ? ` The receiver's log has more under ${shown(problem.correlation)}.` : '';
  if (name === 'signature-refused') {
    return new TransportError('KEY_REFUSED', {
      message: `The receiver at ${host} does not know the key, or it differs there. Enter the same key id and key in the ${ENDPOINT} and in its directory-receive. A proxy between must leave host and path as they are.`,
      status: 'key refused',
      params: { host },
    });
  }
  if (name === 'token-refused') {
    return new TransportError('TOKEN_REFUSED', {
      message: `The receiver at ${host} does not know the token, or it has expired. Set a token in the ${ENDPOINT} that its directory-receive has too.`,
      status: 'token refused',
      params: { host },
    });
  }
  if (name === 'source-refused') {
    return new TransportError('SOURCE_REFUSED', {
      message: `The receiver at ${host} does not take this source from this sender. Add its name to the sources of the sender in its directory-receive, or set another in the directory-extract.`,
      status: 'source refused',
      params: { host },
    });
  }
  if (name === 'signature-stale') {
    return new TransportError('CLOCK_DIFFERS', {
      message: `The clocks of this machine and of ${host} differ by ${clockSeconds === null ? 'more than five minutes' : `${String(Math.abs(clockSeconds))} s`}. Set both by a time server.`,
      status: 'clocks differ',
      params: { host, seconds: clockSeconds ?? 300 },
    });
  }
  if (name === 'batches-missing') {
    const missing = problem.missing ?? [];
    return new TransportError('BATCHES_MISSING', {
      message: `The receiver at ${host} lacks ${String(missing.length)} batches of the run (${missing.slice(0, 10).join(', ')}). Nothing was applied. Start the run again.`,
      status: 'batches missing',
      params: { host, count: missing.length, first: missing[0] ?? 0 },
      transient: true,
    });
  }
  if (name === 'run-failed')
    return runFailed(host, problem.code ?? 'UNEXPECTED', problem.detail ?? '', problem.transient);
  return new TransportError('REQUEST_REFUSED', {
    message: `The receiver at ${host} refused the request (${String(problem.status)} ${name ?? 'for a reason unknown here'}): ${shown(problem.detail ?? problem.title)}${about}`,
    status: `refused: ${String(problem.status)}`,
    params: { host, answer: problem.status, problem: name ?? 'unknown', correlation: shown(problem.correlation ?? '') },
  });
}

/** Problems that concern one batch: the others may go on without it. */
const OF_A_BATCH = new Set(['not-valid', 'too-large', 'batch-differs']);

/** The error for a batch that the receiver will not have, where that is what `error` says; else null. */
export function batchRefused(error: unknown, batch: number): TransportError | null {
  if (!(error instanceof TransportError) || error.code !== 'REQUEST_REFUSED') return null;
  const { problem } = error.params;
  if (typeof problem !== 'string' || !OF_A_BATCH.has(problem)) return null;
  return new TransportError('BATCH_REFUSED', {
    message: `Batch ${String(batch)} was refused, and the run goes on without it. ${error.message}`,
    status: 'batch refused',
    params: { ...error.params, batch },
    cause: error,
  });
}

/** Does the receiver not know the run (any more)? */
export function isRunUnknown(error: unknown): boolean {
  return error instanceof TransportError && error.params['problem'] === 'run-unknown';
}

/** The error for a run that arrived whole and failed at the receiver. */
export function runFailed(host: string, code: string, message: string, transient = false): TransportError {
  return new TransportError('RUN_FAILED', {
    message: `The run arrived whole at ${host}, but failed there with ${shown(code)}: ${shown(message)}`,
    status: 'failed at receiver',
    params: { host, code: shown(code) },
    transient,
  });
}

/** Text of another machine, made fit to be shown in a log or under a node. */
function shown(text: string): string {
  return text.replace(/[^\P{C}]/gu, ' ').slice(0, 500);
}

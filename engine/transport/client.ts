/**
 * One request to a receiver, and its repetitions: proved, with a deadline, without redirects and without a proxy of the
 * environment; the answer is parsed from bytes, and nothing is believed that is not checked.
 */
import axios, { type AxiosResponse } from 'axios';
import { DelegateBackoff, type IRetryBackoffContext, handleWhen, retry } from 'cockatiel';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import { DirectorySyncError, StoppedError, asDirectorySyncError } from '../model/errors.js';
import { type ProxySettings, ReceiverAgent } from './agent.js';
import { parseJson } from './json.js';
import { fetchToken } from './oauth.js';
import { Fault, deadlineError, networkFault, notReceiver, redirected, refusedError, unavailable } from './faults.js';
import { parserOf } from '../model/check.js';
import { Problem } from './problem.js';
import { JSON_TYPE, METHOD, PROBLEM_TYPE, type Route, pathOf } from './protocol.js';
import { type Negotiated, negotiated, peerFault } from './peer.js';
import { type Proof, type ProofSettings, proofOf } from './proof.js';
import { contentDigest, digestMatches } from './signature.js';
import { clientTls, type MinimumTls } from '../runtime/tls.js';

/** Where the receiver is, and how to prove who we are. */
export interface ClientSettings {
  /** https, without credentials, query and fragment. */
  readonly url: URL;
  readonly proof: ProofSettings;
  readonly tls: ConnectionOptions;
  readonly minimumTls: MinimumTls;
  /** As `checkPins` gives them. */
  readonly pins: readonly string[];
  readonly proxy: ProxySettings | null;
  /** How long one exchange may take, all attempts together. */
  readonly deadlineMs: number;
  readonly connections: number;
}

/** Content of a request, as it is sent. */
export interface Content {
  readonly bytes: Buffer;
  readonly type: string;
  readonly encoding?: string;
}

/** What is asked, how often at most, and how to parse the answer. */
export interface Exchange<T> {
  readonly route: Route;
  readonly content?: Content;
  readonly attempts: number;
  readonly parse: (value: unknown) => T;
  /** After a cut: the answer, if what was asked has been done all the same. Null: ask again. */
  readonly known?: () => Promise<T | null>;
}

/** What was sent, for the report. */
export interface Traffic {
  requests: number;
  retries: number;
  bytesSent: number;
  negotiated: Negotiated | null;
}

export interface Client {
  readonly traffic: Traffic;
  readonly host: string;
  /** Rejects with `TransportError` or `StoppedError` only. */
  exchange<T>(
    what: Exchange<T>,
    signal: AbortSignal,
  ): Promise<{ status: number; value: T; retryAfterMs: number | null }>;
  close(): void;
}

/** An attempt that hangs leaves time for others: a quarter of the whole, within these. */
const SHORTEST_ATTEMPT_MS = 1_000;
const LONGEST_ATTEMPT_MS = 75_000;
const LARGEST_ANSWER = 16 * 1024 * 1024;
const ANSWER_DEPTH = 12;
const BACKOFF_FROM_MS = 250;
const BACKOFF_TO_MS = 30_000;
const LONGEST_RETRY_AFTER_MS = 3_600_000;
const RETRIED = new Set([408, 425, 429]);

const parseProblem = parserOf(Problem, () => new DirectorySyncError('NOT_AS_AGREED', { message: '', status: '' }));

export function createClient(settings: ClientSettings): Client {
  const { tls, minimumTls, pins, proxy, connections } = settings;
  const agent = new ReceiverAgent({
    tls: clientTls(tls, minimumTls),
    connections,
    proxy,
    check: (socket) => peerFault(socket, pins),
  });
  // An authorization server has a certificate of its own: neither pins nor our certificate are for it.
  const tokenAgent = new ReceiverAgent({
    tls: clientTls(withPublicAuthorities(tls), minimumTls),
    connections: 1,
    proxy,
    check: (socket) => peerFault(socket, []),
  });
  const attemptMs = Math.min(LONGEST_ATTEMPT_MS, Math.max(SHORTEST_ATTEMPT_MS, settings.deadlineMs / 4));
  const proof = proofOf(settings.proof, (token) => fetchToken(token, tokenAgent));
  const traffic: Traffic = { requests: 0, retries: 0, bytesSent: 0, negotiated: null };
  const host = settings.url.host;

  async function attempt<T>(what: Exchange<T>, left: number, signal: AbortSignal) {
    // Not AbortSignal.timeout(): that and all that hangs on it would live on until its time, long after the answer.
    const timeout = new AbortController();
    const sent = await ready(settings.url, proof, what);
    const timer = setTimeout(() => timeout.abort(), Math.min(left, attemptMs));
    traffic.requests += 1;
    traffic.bytesSent += what.content?.bytes.length ?? 0;
    const answering = request(sent, agent, what, AbortSignal.any([signal, timeout.signal])).catch((error: unknown) => {
      if (timeout.signal.aborted) throw new Fault(deadlineError(host, settings.deadlineMs), { afterMs: null }, true);
      throw networkFault(error, host);
    });
    const response = await answering.finally(() => clearTimeout(timer));
    const { socket } = response.request as { socket?: unknown };
    traffic.negotiated ??= negotiated(socket);
    const renewed = response.status === 401 && proof.renew(sent.proof);
    return readAnswer(response, host, what.parse, renewed);
  }

  return {
    traffic,
    host,
    close() {
      agent.destroy();
      tokenAgent.destroy();
    },
    async exchange(what, signal) {
      const until = Date.now() + settings.deadlineMs;
      let last: Fault | null = null;
      let refusals = 0;
      const inTime = ({ retry, error }: Fault) => {
        if (error.code === 'TOKEN_REFUSED') refusals += 1;
        return retry !== null && refusals < 2 && Date.now() + (retry.afterMs ?? 0) < until;
      };
      const again = handleWhen((error) => error instanceof Fault && inTime((last = error)));
      const policy = retry(again, { maxAttempts: what.attempts - 1, backoff: new DelegateBackoff(backoff) });
      policy.onRetry(() => (traffic.retries += 1));
      try {
        return await untilAborted(signal, (stop) =>
          policy.execute(async () => {
            const left = until - Date.now();
            // What went wrong says more than that there is no time left to try again.
            if (left <= 0 || stop.aborted)
              throw new Fault(last?.error ?? deadlineError(host, settings.deadlineMs), null);
            const known = last?.unanswered === true ? await what.known?.() : null;
            if (known !== null && known !== undefined) return { status: 200, value: known, retryAfterMs: null };
            return attempt(what, left, stop);
          }),
        );
      } catch (error) {
        throw error instanceof Fault ? error.error : asDirectorySyncError(error);
      }
    },
  };
}

/**
 * Does `work` until `signal` says stop, and then rejects at once with `StoppedError`. The signal may outlive many runs, so
 * nothing is left hanging on it; and cockatiel waits out its pauses whatever a signal says, so it is not asked to stop.
 */
async function untilAborted<T>(signal: AbortSignal, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const inner = new AbortController();
  let stop = () => inner.abort();
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => {
      inner.abort();
      reject(new StoppedError(signal.reason));
    };
  });
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([stopped, work(inner.signal)]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Full jitter: any time between nothing and a bound that doubles, but never before the receiver wants to be asked. */
function backoff({ attempt, result }: IRetryBackoffContext<unknown>): number {
  const bound = Math.min(BACKOFF_TO_MS, BACKOFF_FROM_MS * 2 ** attempt);
  const jitter = Math.floor(Math.random() * bound);
  const asked = 'error' in result && result.error instanceof Fault ? result.error.retry?.afterMs : null;
  return asked === null || asked === undefined ? jitter : asked + Math.min(jitter, 1000);
}

interface Ready {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Those of the headers that prove who sends. */
  readonly proof: Record<string, string>;
}

async function ready<T>(base: URL, proof: Proof, what: Exchange<T>): Promise<Ready> {
  const method = METHOD[what.route.name];
  const path = base.pathname.replace(/\/+$/, '') + pathOf(what.route);
  const fields: Record<string, string> = what.content ? contentFields(what.content) : {};
  const proving = await proof.fields({ method, authority: base.host, path, fields: lowerCase(fields) });
  const general = {
    Accept: `${JSON_TYPE}, ${PROBLEM_TYPE}`,
    'Accept-Encoding': 'identity',
    'User-Agent': 'directory-sync',
  };
  return { method, url: base.origin + path, headers: { ...general, ...fields, ...proving }, proof: proving };
}

function request<T>({ method, url, headers }: Ready, agent: ReceiverAgent, what: Exchange<T>, signal: AbortSignal) {
  return axios.request<Buffer>({
    adapter: 'http',
    url,
    method,
    headers,
    ...(what.content && { data: what.content.bytes }),
    httpsAgent: agent,
    signal,
    proxy: false,
    maxRedirects: 0,
    maxContentLength: LARGEST_ANSWER,
    maxBodyLength: Infinity,
    decompress: false,
    responseType: 'arraybuffer',
    validateStatus: () => true,
    transformRequest: (data: unknown) => data,
    transformResponse: (data: unknown) => data,
  });
}

/** Where an authority is set for the receiver, those that Node.js trusts hold for others all the same. */
function withPublicAuthorities({ ca, rejectUnauthorized }: ConnectionOptions): ConnectionOptions {
  const authorities = ca === undefined ? {} : { ca: [...rootCertificates, ...[ca].flat()] };
  return { ...authorities, ...(rejectUnauthorized !== undefined && { rejectUnauthorized }) };
}

function contentFields({ bytes, type, encoding }: Content): Record<string, string> {
  return {
    'Content-Type': type,
    ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    'Content-Digest': contentDigest(bytes),
  };
}

function lowerCase(fields: Record<string, string>): Map<string, string> {
  return new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
}

function readAnswer<T>(response: AxiosResponse<Buffer>, host: string, parse: (value: unknown) => T, renewed: boolean) {
  const { status, data } = response;
  const field = (name: string) => {
    const value: unknown = response.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const type = field('content-type')?.split(';')[0]?.trim().toLowerCase() ?? 'nothing';
  const retryAfterMs = retryAfter(field('retry-after'));

  if (status >= 300 && status < 400) throw new Fault(redirected(host, status), null);
  const problem = type === PROBLEM_TYPE ? problemIn(data) : null;
  if (RETRIED.has(status) || status >= 500) {
    throw new Fault(unavailable(host, status), { afterMs: retryAfterMs });
  }
  if (status >= 400) {
    if (!problem) throw new Fault(notReceiver(host, `${String(status)} with ${type}`), null);
    throw new Fault(refusedError(host, problem, clockAhead(field('date'))), renewed ? { afterMs: null } : null);
  }
  if (status === 204) return { status, value: parse(null), retryAfterMs };
  if (type !== JSON_TYPE || status < 200) throw new Fault(notReceiver(host, `${String(status)} with ${type}`), null);
  if (!digestMatches(field('content-digest'), data)) {
    throw new Fault(notReceiver(host, 'something that is not what its digest says'), { afterMs: null });
  }
  try {
    return { status, value: parse(parseJson(data, ANSWER_DEPTH)), retryAfterMs };
  } catch {
    throw new Fault(notReceiver(host, 'something that is not as agreed'), null);
  }
}

function problemIn(data: Buffer): Problem | null {
  try {
    return parseProblem(parseJson(data, ANSWER_DEPTH));
  } catch {
    return null;
  }
}

/** Retry-After in either form (RFC 9110 section 10.2.3), in milliseconds from now; at most an hour. */
export function retryAfter(field: string | undefined, now = Date.now()): number | null {
  if (field === undefined) return null;
  const ms = /^\d{1,9}$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}

function clockAhead(date: string | undefined): number | null {
  const ms = Date.parse(date ?? '') - Date.now();
  return Number.isNaN(ms) ? null : Math.round(ms / 1000);
}

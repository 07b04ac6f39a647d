/**
 * The receiving side over HTTP: a request handler for any server, or an HTTPS port of its own. It trusts nothing: the
 * signature is checked before the content is read, the digest before it is inflated, and every part against its schema.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FaultToError, parserOf } from '../model/check.js';
import { StoppedError } from '../model/errors.js';
import { Access } from './access.js';
import { closed } from './closed.js';
import { drain, readContent } from './content.js';
import { ENCODINGS, encodingOf } from './encoding.js';
import { answer, asProblem, field, mediaType, pathsOf, routeOf } from './exchange.js';
import { notValid, parseJson } from './json.js';
import type { ReceiverLimits } from './limits.js';
import { type OpenPort, type Port, openPort } from './port.js';
import { ProblemError } from './problem.js';
import { BATCH_TYPE, JSON_TYPE, OpenRequest, PROBLEM_TYPE, SealRequest } from './protocol.js';
import { type OnRun, ReceivedRuns } from './runs.js';
import type { SenderSettings } from './senders.js';
import { digestMatches } from './signature.js';
import { negotiated } from './peer.js';

export type { OnRun, ReceivedRun } from './runs.js';
export { DEFAULT_LIMITS, type ReceiverLimits } from './limits.js';
export type { SenderSettings } from './senders.js';

export interface ReceiverSettings {
  /** The base path as senders write it, such as `/directory-sync`. */
  readonly path: string;
  readonly senders: readonly SenderSettings[];
  readonly spoolFile: string;
  readonly limits: ReceiverLimits;
  /** Hears of every refusal and failure, for a log. Optional. */
  readonly onProblem?: (event: ProblemEvent) => void;
}

/** `problem`: its short name. `correlation`: as in the answer, or the run's id. `cause`: what was thrown, if anything. */
export interface ProblemEvent {
  readonly problem: string;
  readonly status: number;
  readonly correlation: string;
  readonly cause: unknown;
}

export interface Receiver {
  /** Answers one request. May be given to `http.createServer`, or to Express with `app.use`. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Resolves when the spool is open; requests that come before wait for it. Rejects with `TransportError` where it cannot be used. */
  readonly ready: Promise<void>;
  /** Opens an HTTPS port of its own, which serves this receiver only. Rejects with `SettingError` or `TransportError`. */
  listen(at: Port): Promise<{ port: number }>;
  /** Ends connections and work at once. What was acknowledged is kept; sealed runs are handed over again at the next start. */
  close(): Promise<void>;
}

const SMALL_JSON_BYTES = 16 * 1024;
const JSON_DEPTH = 12;

const notAsAgreed: FaultToError = (pointer, expected) => notValid(`${expected} at ${pointer || 'its top'}`);
const parseOpen = parserOf(closed(OpenRequest), notAsAgreed);
const parseSeal = parserOf(closed(SealRequest), notAsAgreed);

/**
 * Opens the spool, and hands over what was sealed and not finished when the receiver stopped. Throws `SettingError` for senders
 * that cannot be used.
 */
export function createReceiver(settings: ReceiverSettings, onRun: OnRun): Receiver {
  const access = new Access(settings.senders);
  const runs = ReceivedRuns.start(settings.spoolFile, settings.limits, onRun, (correlation, cause) =>
    settings.onProblem?.({ problem: 'run-failed', status: 422, correlation, cause }),
  );
  const ready = runs.then(() => undefined);
  // Nobody may ever ask for it.
  ready.catch(() => undefined);
  const edge = new Edge(settings, access, runs);
  const ports: OpenPort[] = [];

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    edge.serve(request, response).catch((thrown: unknown) => {
      const first = asProblem(thrown);
      const problem = first.status === 401 ? access.refusal(request, first) : first;
      const { status, correlation, cause } = problem;
      if (problem.problem !== 'too-many-refusals')
        settings.onProblem?.({ problem: problem.problem, status, correlation, cause });
      drain(request);
      if (!response.headersSent) answer(response, status, PROBLEM_TYPE, problem.body(), problem.headers);
    });
  };

  return {
    handle,
    ready,
    async listen(at) {
      const opened = await openPort(at, settings.limits, handle);
      ports.push(opened);
      return { port: opened.port };
    },
    async close() {
      edge.closed = true;
      for (const port of ports) port.close();
      await (await runs.catch(() => null))?.close();
    },
  };
}

/** Between HTTP and the runs: who asks, for what, and is the content what it should be. */
class Edge {
  closed = false;
  #reading = 0;

  constructor(
    private readonly settings: ReceiverSettings,
    private readonly access: Access,
    private readonly opening: Promise<ReceivedRuns>,
  ) {}

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const runs = await this.opening;
    if (this.closed) throw new StoppedError();
    const { path, local } = pathsOf(request, this.settings.path);
    const route = routeOf(request, local);
    const identity = this.access.identify(request, path, runs.nonces);
    const { sender } = identity;
    switch (route.name) {
      case 'open': {
        const body = parseOpen(await this.#json(request, SMALL_JSON_BYTES));
        this.access.checkSource(sender, body.run.source);
        answer(response, 201, JSON_TYPE, await runs.open(sender, body));
        return;
      }
      case 'batch': {
        const types = { type: BATCH_TYPE, encodings: ['', ...ENCODINGS] };
        const { content, encoding } = await this.#content(request, types, this.settings.limits.compressedBytes);
        answer(
          response,
          200,
          JSON_TYPE,
          await runs.store(sender, route.run, route.batch, content, encodingOf(encoding) ?? ''),
        );
        return;
      }
      case 'seal': {
        const body = parseSeal(await this.#json(request, this.settings.limits.sealBytes));
        const state = await runs.seal(identity, route.run, body, negotiated(request.socket));
        const late = { 'Retry-After': '2' };
        if (state.state === 'done') answer(response, 200, JSON_TYPE, state);
        else answer(response, 202, JSON_TYPE, state, late);
        return;
      }
      case 'state':
        answer(response, 200, JSON_TYPE, await runs.state(sender, route.run));
        return;
      case 'abandon':
        await runs.abandon(sender, route.run);
        response.writeHead(204, { 'Cache-Control': 'no-store' }).end();
        return;
    }
  }

  async #json(request: IncomingMessage, limit: number): Promise<unknown> {
    const { content } = await this.#content(request, { type: JSON_TYPE, encodings: [''] }, limit);
    return parseJson(content, JSON_DEPTH);
  }

  async #content(request: IncomingMessage, takes: { type: string; encodings: readonly string[] }, limit: number) {
    const encoding = field(request, 'content-encoding') ?? '';
    if (mediaType(request) !== takes.type || !takes.encodings.includes(encoding)) {
      const encodings = takes.encodings.map((name) => name || 'none').join(' or ');
      throw new ProblemError('media-type', `This route takes ${takes.type}, content encoding ${encodings}.`);
    }
    const { requests, contentMs } = this.settings.limits;
    if (this.#reading >= requests) {
      throw new ProblemError('busy', 'Too much is sent at the same time.', { headers: { 'Retry-After': '1' } });
    }
    this.#reading += 1;
    try {
      const content = await readContent(request, limit, contentMs);
      if (!digestMatches(field(request, 'content-digest'), content)) {
        throw new ProblemError('digest-mismatch', 'Content-Digest must hold the SHA-256 of the content as it is sent.');
      }
      return { content, encoding };
    } finally {
      this.#reading -= 1;
    }
  }
}

/**
 * Problem details (RFC 9457): how the receiver says no. Every problem has a stable type, and a correlation id under which
 * the receiver's side can be asked about it. Problems never carry data of the directory, nor secrets.
 */
import { type Static, Type } from '@sinclair/typebox';
import { randomUUID } from 'node:crypto';

const PREFIX = 'urn:dirflow:problem:';

/** Every type of problem, its status and its title. The list of `docs/protocol.md` is checked against it. */
export const PROBLEMS = {
  'not-found': [404, 'There is no such route'],
  'method-not-allowed': [405, 'The route does not take this method'],
  'signature-refused': [401, 'The request is not signed by a key that this receiver knows'],
  'signature-stale': [401, 'The request was signed too long ago, or in the future'],
  'signature-replayed': [401, 'The request was received before'],
  'token-refused': [401, 'The request bears no token that this receiver knows'],
  'source-refused': [403, 'The sender may not write this source'],
  'not-your-run': [403, 'The run was opened by another sender'],
  'run-unknown': [404, 'There is no such run'],
  'run-differs': [409, 'There is a run with this id and another description'],
  'run-sealed': [409, 'The run is sealed'],
  'batches-missing': [409, 'Batches of the run are missing'],
  'batch-differs': [422, 'The batch was stored with other content'],
  'seal-differs': [422, 'The seal does not fit the batches'],
  'run-failed': [422, 'The run could not be applied'],
  'not-valid': [400, 'The request is not as agreed'],
  'digest-mismatch': [400, 'The content is not what its digest says'],
  'media-type': [415, 'The type or encoding of the content is not taken here'],
  'too-large': [413, 'The content is larger than this receiver takes'],
  'too-slow': [408, 'The content did not arrive in time'],
  'too-many-runs': [429, 'Too many runs are open'],
  'too-many-requests': [429, 'The sender makes too many requests'],
  'too-many-refusals': [429, 'Too many requests of this address were refused'],
  busy: [503, 'The receiver is busy'],
  stopping: [503, 'The receiver is about to stop'],
  internal: [500, 'The receiver failed'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemName = keyof typeof PROBLEMS;

/** The body of a problem, as it travels. `missing`: numbers of batches; `code`, `transient`: of the error a run ended with. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String()),
  correlation: Type.Optional(Type.String()),
  missing: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
  code: Type.Optional(Type.String()),
  transient: Type.Optional(Type.Boolean()),
});
export type Problem = Static<typeof Problem>;

/** Thrown anywhere below a route of the receiver; answered as problem details. */
export class ProblemError extends Error {
  readonly status: number;
  readonly correlation = randomUUID();

  constructor(
    readonly problem: ProblemName,
    detail: string,
    private readonly more: Pick<Problem, 'missing' | 'code' | 'transient'> & {
      cause?: unknown;
      headers?: Record<string, string>;
    } = {},
  ) {
    super(detail, { cause: more.cause });
    this.name = 'ProblemError';
    this.status = PROBLEMS[problem][0];
  }

  get headers(): Record<string, string> {
    return this.more.headers ?? {};
  }

  body(): Problem {
    const { missing, code, transient } = this.more;
    return {
      type: PREFIX + this.problem,
      title: PROBLEMS[this.problem][1],
      status: this.status,
      detail: this.message,
      correlation: this.correlation,
      ...(missing && { missing }),
      ...(code !== undefined && { code }),
      ...(transient !== undefined && { transient }),
    };
  }
}

/** The name of a problem that we know, from its type; null for another. */
export function problemName(type: string): ProblemName | null {
  const name = type.startsWith(PREFIX) ? type.slice(PREFIX.length) : '';
  return Object.hasOwn(PROBLEMS, name) ? (name as ProblemName) : null;
}

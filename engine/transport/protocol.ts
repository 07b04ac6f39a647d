/**
 * The protocol between sender and receiver, version 1: routes, fields and bodies. `docs/protocol.md` says the same in
 * prose; both sides and the tests use these schemas.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Report } from '../model/report.js';
import { Run, Seal, Token } from '../model/run.js';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const strict = { additionalProperties: false } as const;
const Index = Type.Integer({ minimum: 0 });

export const JSON_TYPE = 'application/json';
export const PROBLEM_TYPE = 'application/problem+json';
export const BATCH_TYPE = 'application/x-ndjson';
/** `sha-256:<hex>` of a batch's NDJSON before compression: what makes two batches the same batch. */
export const BatchDigest = Type.String({ pattern: '^sha-256:[0-9a-f]{64}$' });

/** Body of `POST /v1/runs`. */
export const OpenRequest = Type.Object({ run: Type.Pick(Run, ['id', 'source', 'mode', 'startedAt'], strict) }, strict);

/** Where a run stands. `sealed`: being worked on; `done`: there is a report; `failed`: may be sealed again. */
export const RunState = Type.Union([
  Type.Literal('open'),
  Type.Literal('sealed'),
  Type.Literal('done'),
  Type.Literal('failed'),
]);

/** What a receiver takes in one request. Bytes are those of the NDJSON before compression, and of one line of it. */
export const AnnouncedLimits = Type.Object({
  batchBytes: Index,
  compressedBytes: Index,
  recordBytes: Index,
  records: Index,
  batches: Index,
});

/** Answer of `POST /v1/runs`. */
export const OpenAnswer = Type.Object({
  run: Type.String(),
  state: RunState,
  /** From where a delta may start; null: read everything. */
  token: nullable(Token),
  /** Content encodings that batches may have, beside none; not there: `gzip`, which every receiver takes. */
  encodings: Type.Optional(Type.Array(Type.String())),
  limits: AnnouncedLimits,
});

/** Answer of `PUT /v1/runs/{run}/batches/{n}`. */
export const BatchAnswer = Type.Object({
  run: Type.String(),
  batch: Index,
  digest: BatchDigest,
  records: Index,
});

/** Body of `POST /v1/runs/{run}/seal`: every batch that was sent, and the seal. */
export const SealRequest = Type.Object(
  {
    batches: Type.Array(Type.Object({ batch: Index, digest: BatchDigest, records: Index }, strict)),
    seal: Seal,
  },
  strict,
);

/** What went wrong with a run that failed: the error's stable code and its sentence. */
export const Failure = Type.Object({ code: Type.String(), message: Type.String(), transient: Type.Boolean() });

/** Answer of `GET /v1/runs/{run}`, and of a seal that is still worked on (202) or done (200). */
export const StateAnswer = Type.Object({
  run: Type.String(),
  state: RunState,
  /** Numbers of the batches that are stored, as ranges `[first, last]`. */
  stored: Type.Array(Type.Tuple([Index, Index])),
  report: nullable(Report),
  failure: nullable(Failure),
});

export type OpenRequest = Static<typeof OpenRequest>;
export type RunState = Static<typeof RunState>;
export type AnnouncedLimits = Static<typeof AnnouncedLimits>;
export type OpenAnswer = Static<typeof OpenAnswer>;
export type BatchAnswer = Static<typeof BatchAnswer>;
export type SealRequest = Static<typeof SealRequest>;
export type Failure = Static<typeof Failure>;
export type StateAnswer = Static<typeof StateAnswer>;

/** One of the five routes, with what its path says. */
export type Route =
  | { readonly name: 'open' }
  | { readonly name: 'batch'; readonly run: string; readonly batch: number }
  | { readonly name: 'seal'; readonly run: string }
  | { readonly name: 'state'; readonly run: string }
  | { readonly name: 'abandon'; readonly run: string };

/** The method of each route. */
export const METHOD = { open: 'POST', batch: 'PUT', seal: 'POST', state: 'GET', abandon: 'DELETE' } as const;

/** The path of a route, below the receiver's base path. */
export function pathOf(route: Route): string {
  if (route.name === 'open') return '/v1/runs';
  const run = `/v1/runs/${route.run}`;
  if (route.name === 'batch') return `${run}/batches/${String(route.batch)}`;
  return route.name === 'seal' ? `${run}/seal` : run;
}

/** The routes at a path (below the base): none, or those that differ by method. */
export function routesAt(path: string): Route[] {
  if (path === '/v1/runs') return [{ name: 'open' }];
  const match = /^\/v1\/runs\/([A-Za-z0-9_-]{8,64})(?:\/batches\/(0|[1-9][0-9]{0,6})|(\/seal))?$/.exec(path);
  if (!match) return [];
  const [, run = '', batch, seal] = match;
  if (batch !== undefined) return [{ name: 'batch', run, batch: Number(batch) }];
  if (seal !== undefined) return [{ name: 'seal', run }];
  return [
    { name: 'state', run },
    { name: 'abandon', run },
  ];
}

/**
 * A run: the sequence of messages that one extraction makes, from the first batch to the seal. See `docs/messages.md`.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { dictionary } from './dictionary.js';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Counts = Type.Object({
  user: Type.Integer({ minimum: 0 }),
  contact: Type.Integer({ minimum: 0 }),
  group: Type.Integer({ minimum: 0 }),
  'dynamic-group': Type.Integer({ minimum: 0 }),
  members: Type.Integer({ minimum: 0 }),
  quarantined: Type.Integer({ minimum: 0 }),
});

/** `full` reads everything in scope; `delta` what changed since a token. */
export const RunMode = Type.Union([Type.Literal('full'), Type.Literal('delta')]);

/** `msg.run`. The same `id` in every message of a run; `batch` counts from 0 (in the seal: the number of batches). */
export const Run = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9_-]{8,64}$' }),
  /** Which source this is, to the account: a name that an administrator chose, stable over runs. */
  source: Type.String({ minLength: 1, maxLength: 128 }),
  mode: RunMode,
  /** ISO 8601, UTC. */
  startedAt: Type.String(),
  batch: Type.Integer({ minimum: 0 }),
});

/** `msg.parts`, as Split and Join use it; `count` only in the last message. */
export const Parts = Type.Object({
  id: Type.String(),
  index: Type.Integer({ minimum: 0 }),
  type: Type.Literal('array'),
  len: Type.Integer({ minimum: 0 }),
  count: Type.Optional(Type.Integer({ minimum: 1 })),
});

/** What a stage did, for the report. `figures` are counts or names worth telling, such as pages or the TLS version. */
export const Stage = Type.Object({
  stage: Type.Union([
    Type.Literal('extract'),
    Type.Literal('enrich'),
    Type.Literal('transmit'),
    Type.Literal('receive'),
    Type.Literal('apply'),
  ]),
  startedAt: Type.String(),
  milliseconds: Type.Number({ minimum: 0 }),
  batches: Type.Integer({ minimum: 0 }),
  records: Counts,
  figures: dictionary(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
});

/** The server that was read. */
export const ServerIdentity = Type.Object({
  url: Type.String(),
  dnsHostName: nullable(Type.String()),
  namingContext: Type.String(),
  /** Objects' ids and update sequence numbers are this invocation's; null where the server has none. */
  invocationId: nullable(Type.String()),
});

/**
 * Why we may believe that the read was whole: every item was seen, not assumed. A read without a complete proof removes
 * nothing. Update sequence numbers are decimal text (64 bits).
 */
export const Proof = Type.Object({
  /** Each search: its base, its pages to an empty cookie, its entries. */
  searches: Type.Array(
    Type.Object({ base: Type.String(), pages: Type.Integer(), entries: Type.Integer(), ended: Type.Boolean() }),
  ),
  /** Multi-valued attributes read in ranges, and how many of them reached their `*`. */
  ranges: Type.Object({ started: Type.Integer(), ended: Type.Integer() }),
  identityAtStart: Type.String(),
  identityAtEnd: Type.String(),
  server: ServerIdentity,
  usnBefore: nullable(Type.String()),
  usnAfter: nullable(Type.String()),
});

/** From where the next delta may start. Kept with the data, in the transaction that applies it. */
export const Token = Type.Object({
  server: Type.String(),
  invocationId: Type.String(),
  usn: Type.String(),
});

/**
 * What was to be read: the reader's settings in one spelling, so that equal ones have an equal digest. Two readers with
 * different scopes are two sources, whatever they are called.
 */
export const ReadScope = Type.Object({
  digest: Type.String({ pattern: '^sha-256:[0-9a-f]{64}$' }),
  /** Below these names; none: a whole forest. */
  bases: Type.Array(Type.String()),
  exclude: Type.Array(Type.String()),
  filter: Type.String(),
  /** Such as `user`, `contact`, `public-folder`. */
  kinds: Type.Array(Type.String()),
  emailDomains: Type.Array(Type.String()),
  /** Beside those that are always read. */
  attributes: Type.Array(Type.String()),
});

/**
 * Of how many of the objects that were read each attribute brought a value. Every attribute that was asked for is here; one
 * that no object has, or that the reader may not see, is 0.
 */
export const Brought = Type.Object({
  objects: Type.Integer({ minimum: 0 }),
  attributes: dictionary(Type.Integer({ minimum: 0 })),
});

/** Something in the directory that an administrator should correct. */
export const Finding = Type.Object({
  /** Such as `DUPLICATE_ADDRESS`; docs/messages.md lists them. */
  code: Type.String(),
  id: nullable(Type.String()),
  dn: Type.String(),
  attribute: nullable(Type.String()),
  value: nullable(Type.String()),
  /** The id of the other object concerned, such as the other owner of an address. */
  other: nullable(Type.String()),
  detail: Type.String(),
});

/** All findings of a run, counted by code, and the first of them. */
export const FindingSummary = Type.Object({
  count: Type.Integer({ minimum: 0 }),
  codes: dictionary(Type.Integer({ minimum: 0 })),
  first: Type.Array(Finding),
});

/** `msg.payload` of the last message of a run. */
export const Seal = Type.Object({
  kind: Type.Literal('seal'),
  /** How many batches this hop sent: what the next hop must have seen before anything may be removed. */
  batches: Type.Integer({ minimum: 0 }),
  records: Counts,
  /** False: add and update, remove nothing. */
  complete: Type.Boolean(),
  /** Why it is not complete: codes with sentences; empty where it is. */
  incomplete: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  proof: nullable(Proof),
  token: nullable(Token),
  stages: Type.Array(Stage),
  /** Both where the reader says it: not every sender is ours. */
  scope: Type.Optional(ReadScope),
  brought: Type.Optional(Brought),
  /** What enrich found in the directory's data, where it was asked to look. */
  findings: Type.Optional(FindingSummary),
});

export type RunMode = Static<typeof RunMode>;
export type Run = Static<typeof Run>;
export type Parts = Static<typeof Parts>;
export type Stage = Static<typeof Stage>;
export type ServerIdentity = Static<typeof ServerIdentity>;
export type Proof = Static<typeof Proof>;
export type Token = Static<typeof Token>;
export type ReadScope = Static<typeof ReadScope>;
export type Brought = Static<typeof Brought>;
export type Seal = Static<typeof Seal>;
export type Finding = Static<typeof Finding>;
export type FindingSummary = Static<typeof FindingSummary>;

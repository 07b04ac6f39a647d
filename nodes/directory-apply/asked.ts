/** What may be asked of an account by message: decisions about held plans, look-ups, history, exports, purges. */
import { type TSchema, Type } from '@sinclair/typebox';
import { EXPORT_FORMATS } from '../../engine/account/export.js';
import { contractFault, parserOf } from '../../engine/model/check.js';

const ask = <Schema extends TSchema>(topic: string, schema: Schema) =>
  parserOf(schema, contractFault(`the message of the topic "${topic}"`));

const Decision = Type.Object({
  plan: Type.String({ minLength: 1 }),
  by: Type.String({ minLength: 1, maxLength: 256 }),
});

/** `{ topic: "approve" | "reject", plan, by }`. Each throws `ContractError` where the message is not so. */
export const parseDecision = ask('approve" or "reject', Decision);

/** `payload: { address }` or `{ id }`. */
export const parseFind = ask(
  'find',
  Type.Object({
    payload: Type.Union([Type.Object({ address: Type.String() }), Type.Object({ id: Type.String() })]),
  }),
);

/** `payload: { limit }`, or none for the last hundred. */
export const parseHistory = ask(
  'history',
  Type.Object({ payload: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 10_000 }) }) }),
);

/** `payload: { run }`: the id of a run. */
export const parseJournal = ask(
  'journal',
  Type.Object({ payload: Type.Object({ run: Type.String({ minLength: 1, maxLength: 64 }) }) }),
);

/** `payload: { plan }`: the digest of a plan that waits. */
export const parsePlan = ask(
  'plan',
  Type.Object({ payload: Type.Object({ plan: Type.String({ minLength: 1, maxLength: 128 }) }) }),
);

/** `payload: { format }`. */
export const parseExport = ask(
  'export',
  Type.Object({ payload: Type.Object({ format: Type.Union(EXPORT_FORMATS.map((format) => Type.Literal(format))) }) }),
);

/** `payload: { days }`: who ended longer ago is forgotten. */
export const parsePurge = ask(
  'purge',
  Type.Object({ payload: Type.Object({ days: Type.Integer({ minimum: 0, maximum: 36_500 }) }) }),
);

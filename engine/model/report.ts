/**
 * What apply answers: the report of a run, and the changes it made. The receiver hands the report to the sender, so it
 * crosses the network and is a schema. See `docs/messages.md`.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { FindingSummary, Stage } from './run.js';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

/** Something that was not applied, with its reason; the object counts as present. */
export const SetAside = Type.Object({
  /** The object's id, or null where it has none. */
  id: nullable(Type.String()),
  /** Stable code, such as `ADDRESS_CLASH`, `NO_ADDRESS`, `OUTSIDE_DOMAINS`, `NOT_A_STRING`. */
  reason: Type.String(),
  detail: Type.String(),
});

/** How many changes of each kind: planned, and (where the run was committed) made. */
export const ChangeCounts = Type.Object({
  usersAdded: Count,
  /** Known from elsewhere (manual, mail flow), now a directory user. */
  usersLinked: Count,
  usersUpdated: Count,
  usersReaddressed: Count,
  usersDisabled: Count,
  usersEnabled: Count,
  contactsAdded: Count,
  contactsUpdated: Count,
  groupsAdded: Count,
  groupsUpdated: Count,
  membersAdded: Count,
  membersRemoved: Count,
  aliasesLinked: Count,
  aliasesUnlinked: Count,
  attributesUpdated: Count,
});

/**
 * `committed`: the plan was applied. `unchanged`: the account was already as it should be. `dry-run`: planned only.
 * `held`: waits for approval, nothing was applied. `received`: stored by a receiver whose flow has no apply node.
 */
export const Outcome = Type.Union([
  Type.Literal('committed'),
  Type.Literal('unchanged'),
  Type.Literal('dry-run'),
  Type.Literal('held'),
  Type.Literal('received'),
]);

/** The report of a run. */
export const Report = Type.Object({
  kind: Type.Literal('report'),
  run: Type.String(),
  source: Type.String(),
  account: Type.String(),
  outcome: Outcome,
  /** Was the run complete? If not, `incomplete` says why, and nothing was removed. */
  complete: Type.Boolean(),
  incomplete: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  /** Digest of the plan, `sha-256:<hex>`: what was shown is what was applied. */
  plan: Type.String(),
  changes: ChangeCounts,
  /** In the account afterwards. */
  totals: Type.Object({ users: Count, contacts: Count, groups: Count, members: Count, aliases: Count }),
  /** Known objects of this source that the run did not bring. Not removed by this version. */
  absent: Type.Object({ users: Count, contacts: Count, groups: Count }),
  /** Groups not added because no member bears mail. */
  groupsWithoutMail: Count,
  /** Groups whose members were held. */
  groupsHeld: Count,
  /** How many were set aside, and the first of them (at most 1,000). */
  setAsideCount: Count,
  setAside: Type.Array(SetAside),
  stages: Type.Array(Stage),
  /** What should be corrected in the directory, where enrich was asked to look. */
  findings: Type.Optional(FindingSummary),
});

/** One change of the account, with before and after. */
export const Change = Type.Object({
  kind: Type.Union([Type.Literal('user'), Type.Literal('contact'), Type.Literal('group')]),
  id: Type.String(),
  change: Type.Union([
    Type.Literal('added'),
    Type.Literal('linked'),
    Type.Literal('updated'),
    Type.Literal('readdressed'),
    Type.Literal('disabled'),
    Type.Literal('enabled'),
    Type.Literal('member-added'),
    Type.Literal('member-removed'),
    Type.Literal('alias-linked'),
    Type.Literal('alias-unlinked'),
    Type.Literal('attribute'),
  ]),
  /** What changed: an attribute's name, a member's id, an alias; null where the change concerns the object itself. */
  what: nullable(Type.String()),
  before: nullable(Type.Unknown()),
  after: nullable(Type.Unknown()),
});

export type SetAside = Static<typeof SetAside>;
export type ChangeCounts = Static<typeof ChangeCounts>;
export type Outcome = Static<typeof Outcome>;
export type Report = Static<typeof Report>;
export type Change = Static<typeof Change>;

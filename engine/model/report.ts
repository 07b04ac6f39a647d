/**
 * What apply answers: the report of a run, and the changes it made. The receiver hands the report to the sender, so it
 * crosses the network and is a schema. See `docs/messages.md`.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { FindingSummary, Stage } from './run.js';

// Without schemas, for the account's thread: it starts in half the time.
export { noChanges } from './counts.js';

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
  /** Marked: a complete run did not bring them; the rule is applied when the grace period is over. */
  usersLeaving: Type.Optional(Count),
  contactsLeaving: Type.Optional(Count),
  groupsLeaving: Type.Optional(Count),
  /** There again before the rule was applied, or after they were disabled. */
  usersReturned: Type.Optional(Count),
  contactsReturned: Type.Optional(Count),
  groupsReturned: Type.Optional(Count),
  /** Users who left and are mail-flow users now. */
  usersDowngraded: Type.Optional(Count),
  usersRemoved: Type.Optional(Count),
  contactsRemoved: Type.Optional(Count),
  groupsRemoved: Type.Optional(Count),
  /** Of another source: a person of this one, who comes first, has the address now. */
  usersReplaced: Type.Optional(Count),
  contactsReplaced: Type.Optional(Count),
  /** Addresses that nobody has any more. Not changes of their own: they are among those unlinked, readdressed, ended. */
  addressesRemoved: Type.Optional(Count),
});

/** Why a plan waits for approval. `planned` and `limit`: where a limit is the reason. */
export const Hold = Type.Object({
  /** Stable: `LIMIT_USERS`, `LIMIT_GROUPS`, `LIMIT_MEMBERS`, `LIMIT_MEMBERS_PER_GROUP`, `LIMIT_ADDRESSES`, `LIMIT_VALUES`, `FIRST_RUN`, … */
  code: Type.String(),
  message: Type.String(),
  planned: Type.Optional(Count),
  limit: Type.Optional(Count),
});

/** Something about a run that an administrator should look at: `ATTRIBUTE_LOST`, `SOURCE_SHARED`, `ATTRIBUTE_NOT_READ`. */
export const Warning = Type.Object({ code: Type.String(), message: Type.String() });

/** A source on account of which nothing was removed. */
export const Pause = Type.Object({ source: Type.String(), code: Type.String(), message: Type.String() });

/**
 * `committed`: the plan was applied. `unchanged`: the account was already as it should be. `dry-run`: planned only.
 * `held`: waits for approval, nothing was applied. `received`: stored by a receiver whose flow has no apply node.
 * `rejected`: a held plan that somebody turned down.
 */
export const Outcome = Type.Union([
  Type.Literal('committed'),
  Type.Literal('unchanged'),
  Type.Literal('dry-run'),
  Type.Literal('held'),
  Type.Literal('received'),
  Type.Literal('rejected'),
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
  /** Known objects of this source that the run did not bring, and that are in the account still. */
  absent: Type.Object({ users: Count, contacts: Count, groups: Count }),
  /** Groups not added because no member bears mail. */
  groupsWithoutMail: Count,
  /** Why the plan is held (or, in a dry run, would be). */
  holds: Type.Optional(Type.Array(Hold)),
  /** Why removals are paused. */
  paused: Type.Optional(Type.Array(Pause)),
  /** What is strange about the run. */
  warnings: Type.Optional(Type.Array(Warning)),
  /** Of a held run: how many changes went ahead, because they take nothing away. */
  wentAhead: Type.Optional(Count),
  /** Who decided about the plan. */
  decidedBy: Type.Optional(Type.String()),
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
    Type.Literal('leaving'),
    Type.Literal('returned'),
    Type.Literal('downgraded'),
    Type.Literal('removed'),
    Type.Literal('replaced'),
  ]),
  /** What changed: an attribute's name, a member's id, an alias; null where the change concerns the object itself. */
  what: nullable(Type.String()),
  before: nullable(Type.Unknown()),
  after: nullable(Type.Unknown()),
});

export type SetAside = Static<typeof SetAside>;
export type ChangeCounts = Static<typeof ChangeCounts>;
export type Hold = Static<typeof Hold>;
export type Warning = Static<typeof Warning>;
export type Pause = Static<typeof Pause>;
export type Outcome = Static<typeof Outcome>;
export type Report = Static<typeof Report>;
export type Change = Static<typeof Change>;

/**
 * The records that pass between the nodes, as schemas; the types derive from them. See `docs/messages.md`.
 *
 * Before enrich a record is a {@link DirectoryObject}; after enrich it is one of the {@link EnrichedRecord}s. All are plain
 * JSON, so that function nodes may change them and brokers carry them.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { dictionary } from './dictionary.js';

// Without schemas, for those who count and check nothing: a reader starts in half the time.
export { RECORD_KINDS, type RecordCounts, type RecordKind, noRecords } from './counts.js';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** A binary value in JSON. */
export const BinaryValue = Type.Object({ base64: Type.String() }, { additionalProperties: false });
/** One value of an attribute: text where the bytes are valid UTF-8 and the syntax is text, else binary. */
export const AttributeValue = Type.Union([Type.String(), BinaryValue]);
/**
 * All attributes of an object: name (spelled as it was asked for) → list of values.
 * An attribute that was returned without a value is `[]`; one that was not returned is not a key.
 */
export const Attributes = dictionary(Type.Array(AttributeValue));

/** Kinds that an object of a directory can be of. */
export const ObjectKind = Type.Union([
  Type.Literal('user'),
  Type.Literal('contact'),
  Type.Literal('group'),
  Type.Literal('dynamic-group'),
]);

/** An object that was set aside, with its reason. It counts as present: nothing of it is removed. */
export const Quarantined = Type.Object({
  kind: Type.Literal('quarantined'),
  id: nullable(Type.String()),
  dn: Type.String(),
  /** A stable code, such as `NO_ID` or `UNDECODABLE_DN`. */
  reason: Type.String(),
  /** A sentence for people. */
  detail: Type.String(),
  /** What can be shown of it. */
  shown: Type.Optional(Attributes),
});

/** What extract sends: the directory's own object. `id` is the objectGUID (elsewhere the entryUUID) as text. */
export const DirectoryObject = Type.Object({
  kind: ObjectKind,
  id: Type.String(),
  dn: Type.String(),
  attributes: Attributes,
  /** Attributes of which not every value could be read, with the reason. What was read of them is in `attributes`. */
  held: Type.Optional(dictionary(Type.String())),
});

const person = {
  id: Type.String(),
  dn: Type.String(),
  sid: nullable(Type.String()),
  name: Type.String(),
  /** The primary address in lower case, or null where the object has none that is valid. */
  primary: nullable(Type.String()),
  /** Further addresses in lower case, sorted, without the primary. */
  aliases: Type.Array(Type.String()),
  /** Further addresses in domains that are not the account's: kept apart, where enrich was told the domains. */
  outside: Type.Optional(Type.Array(Type.String())),
  attributes: Attributes,
  /** Attributes of which values were set aside, with the reason. */
  aside: Type.Optional(dictionary(Type.String())),
};

export const User = Type.Object({
  kind: Type.Literal('user'),
  ...person,
  enabled: Type.Boolean(),
  /** SID of the same person's account in another forest (`msExchMasterAccountSid`): the two are one. */
  masterSid: Type.Optional(Type.String()),
  /** With `masterSid`: the account here is disabled by nature, and only that other one says whether the person is enabled. */
  linked: Type.Optional(Type.Boolean()),
});
export const Contact = Type.Object({ kind: Type.Literal('contact'), ...person, enabled: Type.Boolean() });

const group = {
  ...person,
  /** `domain-local`, `global`, `universal`; null where the directory does not say. */
  scope: nullable(Type.Union([Type.Literal('domain-local'), Type.Literal('global'), Type.Literal('universal')])),
  /** `security` or `distribution`. */
  type: Type.Union([Type.Literal('security'), Type.Literal('distribution')]),
};

export const Group = Type.Object({ kind: Type.Literal('group'), ...group });
export const DynamicGroup = Type.Object({
  kind: Type.Literal('dynamic-group'),
  ...group,
  /** The stored LDAP filter and base by which the directory resolves the list; null where it has none. */
  filter: nullable(Type.String()),
  filterBase: nullable(Type.String()),
});

/** A member by the best that is known of it: `id` if there is one, else `sid`, else `dn`. With none of them its group is held. */
export const Member = Type.Object({
  id: Type.Optional(Type.String()),
  sid: Type.Optional(Type.String()),
  dn: Type.Optional(Type.String()),
  /** True for a foreign security principal of whom no directory that was asked knows: somebody of another forest. */
  external: Type.Optional(Type.Boolean()),
});

/**
 * Members of a group, in `parts` records numbered from 1. A group is whole when every part from 1 to the largest `parts` of its
 * records arrived, and none is held; an empty group sends one part without members. Members who are found later in the run
 * (those by primary group) come as further parts, and `parts` of those before says that at least one more follows. A held group
 * keeps at the receiver the members it has.
 */
export const Members = Type.Object({
  kind: Type.Literal('members'),
  group: Type.String(),
  add: Type.Array(Member),
  part: Type.Integer({ minimum: 1 }),
  parts: Type.Integer({ minimum: 1 }),
  /** Why the members are held, where they could not be read whole. */
  held: Type.Optional(Type.String()),
});

/** What extract sends in a batch. */
export const ExtractedRecord = Type.Union([DirectoryObject, Quarantined]);
/** What enrich sends in a batch, what travels over HTTPS, and what apply takes. */
export const EnrichedRecord = Type.Union([User, Contact, Group, DynamicGroup, Members, Quarantined]);

export type BinaryValue = Static<typeof BinaryValue>;
export type AttributeValue = Static<typeof AttributeValue>;
export type Attributes = Static<typeof Attributes>;
export type ObjectKind = Static<typeof ObjectKind>;
export type DirectoryObject = Static<typeof DirectoryObject>;
export type Quarantined = Static<typeof Quarantined>;
export type User = Static<typeof User>;
export type Contact = Static<typeof Contact>;
export type Group = Static<typeof Group>;
export type DynamicGroup = Static<typeof DynamicGroup>;
export type Member = Static<typeof Member>;
export type Members = Static<typeof Members>;
export type ExtractedRecord = Static<typeof ExtractedRecord>;
export type EnrichedRecord = Static<typeof EnrichedRecord>;

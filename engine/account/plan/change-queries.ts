/** Each kind of change as a query over the tables of the plan; together they are the plan, in the order of the journal. */
import type { ChangeCounts } from '../../model/report.js';
import { jsonArrayOf, jsonObject, jsonObjectOf, jsonOf, jsonOfAll } from './json.js';

/** A query for rows of kind, id, change, what, before, after (both JSON), and where they are counted. */
export interface ChangeQuery {
  readonly rows: string;
  readonly count: {
    readonly user?: keyof ChangeCounts;
    readonly contact?: keyof ChangeCounts;
    readonly group?: keyof ChangeCounts;
    /** Count each change, or each object that has such changes. */
    readonly of: 'changes' | 'objects';
  };
  /** Of whom the rows are: persons of the source that is planned; else anybody. */
  readonly among?: 'plan_person';
}

/** Persons and groups that are not as the source says: what the account has (e), what the source says (o). */
const PERSON = `plan_touched t CROSS JOIN plan_person p ON p.object = t.object
  CROSS JOIN entry e ON e.key = t.object CROSS JOIN object o ON o.key = t.object`;
const GROUP = `plan_touched t CROSS JOIN plan_group g ON g.object = t.object
  CROSS JOIN entry e ON e.key = t.object CROSS JOIN object o ON o.key = t.object`;
const NEW_PERSON = `plan_person p CROSS JOIN object o ON o.key = p.object`;
/** The values of each person, as pairs of a JSON object. */
const WITH_VALUES = `LEFT JOIN (SELECT v.object, group_concat(v.pair, ',') AS pairs FROM (
    SELECT object, ${jsonOf('shown')} || ':' || ${jsonOf('after')} AS pair FROM plan_value ORDER BY object, name
  ) v GROUP BY v.object) w ON w.object = p.object`;

/** What a change is about: the columns of its row in the journal, and those it is ordered by (no text: that is slow). */
interface Columns {
  readonly id: string;
  readonly order: string;
  readonly then?: string;
  readonly what?: string;
  readonly before?: string;
  readonly after?: string;
}

const row = (kind: string, change: string, { id, order, then, what, before, after }: Columns) =>
  `SELECT ${kind} AS kind, ${id} AS id, '${change}' AS change, ${what ?? 'NULL'} AS what, ${before ?? 'NULL'} AS before,
     ${after ?? 'NULL'} AS after, ${order} AS first, ${then ?? '0'} AS second`;

const differs = (field: string) => ({
  what: `'${field}'`,
  then: `'${field}'`,
  before: jsonOf(`e.${field}`),
  after: jsonOf(`o.${field}`),
});
const union = (queries: string[]) => queries.join(' UNION ALL ');

/**
 * The values of whoever is new, as a JSON object, and what has to be joined for it. `rows`: a query for those that `plan_value` does not
 * list; null: it lists them all.
 */
export interface NewValues {
  readonly join: string;
  readonly json: string;
  readonly rows: string | null;
}

/** As they are listed in `plan_value`. */
export const LISTED_VALUES: NewValues = {
  join: WITH_VALUES,
  json: `'{' || coalesce(w.pairs, '') || '}'`,
  rows: null,
};

const personAdded = ({ join, json }: NewValues) =>
  `${row('p.kind', 'added', {
    id: 'p.id',
    order: 'p.object',
    after: jsonObject({ ...jsonOfAll({ address: 'p.wanted', name: 'o.name' }), attributes: json }),
  })} FROM ${NEW_PERSON} ${join} WHERE p.is_new = 1 AND p.reason IS NULL AND p.linked IS NULL`;

const personLinked = ({ join, json }: NewValues) =>
  `${row('p.kind', 'linked', {
    id: 'p.id',
    order: 'p.object',
    before: jsonObject(jsonOfAll({ address: 'e.address', name: 'e.name', origin: 'e.origin' })),
    after: jsonObject({
      ...jsonOfAll({ address: 'p.wanted', name: 'o.name', origin: `'directory'` }),
      attributes: json,
    }),
  })} FROM ${NEW_PERSON} CROSS JOIN entry e ON e.key = p.linked ${join} WHERE p.is_new = 1 AND p.reason IS NULL`;

const PERSON_UPDATED = union(
  ['name', 'dn', 'sid', 'id'].map(
    (field) =>
      `${row('p.kind', 'updated', { id: 'p.id', order: 'p.object', ...differs(field) })} FROM ${PERSON}
       WHERE e.${field} IS DISTINCT FROM o.${field}`,
  ),
);

const PERSON_READDRESSED = `${row('p.kind', 'readdressed', {
  id: 'p.id',
  order: 'p.object',
  before: jsonOf('p.held'),
  after: jsonOf('p.wanted'),
})} FROM ${PERSON} WHERE p.clash IS NULL AND p.wanted <> p.held`;

/** Somebody who is new comes enabled, so that this too is told where it is not so. */
const USER_DISABLED = union([
  `${row('p.kind', 'disabled', { id: 'p.id', order: 'p.object', before: `'true'`, after: `'false'` })} FROM ${PERSON}
   WHERE p.kind = 'user' AND e.enabled = 1 AND p.enabled = 0`,
  `${row('p.kind', 'disabled', { id: 'p.id', order: 'p.object', before: `'true'`, after: `'false'` })}
   FROM ${NEW_PERSON} WHERE p.is_new = 1 AND p.reason IS NULL AND p.kind = 'user' AND p.enabled = 0`,
  `${row(`'user'`, 'disabled', { id: 's.id', order: 's.object', before: `'true'`, after: `'false'` })}
   FROM plan_state s WHERE s.enabled = 0`,
]);
const USER_ENABLED = union([
  `${row('p.kind', 'enabled', { id: 'p.id', order: 'p.object', before: `'false'`, after: `'true'` })} FROM ${PERSON}
   WHERE p.kind = 'user' AND e.enabled = 0 AND p.enabled = 1`,
  `${row(`'user'`, 'enabled', { id: 's.id', order: 's.object', before: `'false'`, after: `'true'` })}
   FROM plan_state s WHERE s.enabled = 1`,
]);

const ATTRIBUTE = `${row('p.kind', 'attribute', {
  id: 'p.id',
  order: 'v.object',
  then: 'v.name',
  what: 'v.shown',
  before: jsonOf('v.before'),
  after: jsonOf('v.after'),
})} FROM plan_value v CROSS JOIN plan_person p ON p.object = v.object WHERE p.is_new = 0`;

const ALIAS_UNLINKED = `${row('u.kind', 'alias-unlinked', { id: 'p.id', order: 'u.object', then: 'u.address', what: 'u.address' })}
  FROM plan_unlink u CROSS JOIN plan_person p ON p.object = u.object`;

/** `before`: whose address it was, where somebody known from elsewhere had it. */
const ALIAS_LINKED = `${row('w.kind', 'alias-linked', {
  id: 'p.id',
  order: 'w.object',
  then: 'w.address',
  what: 'w.address',
  before: `CASE WHEN k.key IS NOT NULL THEN ${jsonObject(jsonOfAll({ address: 'k.address', name: 'k.name', origin: 'k.origin' }))} END`,
})} FROM plan_alias w CROSS JOIN plan_person p ON p.object = w.object LEFT JOIN entry k ON k.key = w.known
  WHERE w.state IS NULL`;

const GROUP_ADDED = `${row(`'group'`, 'added', {
  id: 'g.id',
  order: 'g.object',
  after: jsonObject(jsonOfAll({ name: 'o.name', address: 'o.address', kind: 'o.kind' })),
})} FROM plan_group g CROSS JOIN object o ON o.key = g.object WHERE g.is_new = 1`;

const GROUP_UPDATED = union(
  ['name', 'dn', 'sid', 'address', 'scope', 'type', 'kind'].map(
    (field) =>
      `${row(`'group'`, 'updated', { id: 'g.id', order: 'g.object', ...differs(field) })} FROM ${GROUP}
       WHERE e.${field} IS DISTINCT FROM o.${field}`,
  ),
);

/**
 * Who comes into a group comes into one of this plan, mostly together with the group, and is then in this plan, too: objects, which are
 * many pages, are looked at for the others only.
 */
const MEMBER_ADDED = `${row(`'group'`, 'member-added', {
  id: 'g.id',
  order: 'm.grp',
  then: 'm.entry',
  what: 'coalesce(m.id, (SELECT o.id FROM object o WHERE o.key = m.entry))',
})} FROM plan_member m CROSS JOIN plan_group g ON g.object = m.grp WHERE m.added = 1`;
/** Who ends leaves groups of other sources, too. */
const MEMBER_REMOVED = `${row(`'group'`, 'member-removed', { id: 'g.id', order: 'm.grp', then: 'm.entry', what: 'o.id' })}
  FROM plan_member m CROSS JOIN object g ON g.key = m.grp CROSS JOIN object o ON o.key = m.entry WHERE m.added = 0`;

/** An entry as it was, for what ends; its members, if it is a group, by their number. */
export const ENTRY_FIELDS = {
  ...jsonOfAll({ address: 'e.address', name: 'e.name' }),
  enabled: `CASE e.enabled WHEN 1 THEN 'true' ELSE 'false' END`,
  aliases: jsonArrayOf('a.address', {
    from: 'address a WHERE a.entry = e.key AND a.is_primary = 0',
    order: 'a.address',
  }),
  attributes: jsonObjectOf('v.shown', 'v.value', { from: 'attribute v WHERE v.entry = e.key', order: 'v.name' }),
  members: '(SELECT count(*) FROM member m WHERE m.grp = e.key)',
};
const ENTRY_BEFORE = jsonObject(ENTRY_FIELDS);

/** Contacts and users as they are, groups of both kinds as one. */
const KIND = `CASE WHEN e.kind IN ('user', 'contact') THEN e.kind ELSE 'group' END`;
const step = (change: string, condition: string, columns: Omit<Columns, 'id' | 'order'> = {}) =>
  `${row(KIND, change, { id: 'o.id', order: 'l.object', ...columns })}
   FROM plan_leaving l CROSS JOIN entry e ON e.key = l.object CROSS JOIN object o ON o.key = l.object WHERE ${condition}`;

const LEAVING = step('leaving', `l.step = 'mark'`, { what: 'l.why', after: jsonObject(jsonOfAll({ rule: 'l.rule' })) });
const RETURNED = step('returned', `l.step = 'return'`);
const LEFT_DISABLED = step('disabled', `l.step = 'final' AND l.rule = 'disable' AND e.enabled = 1`, {
  what: `'left'`,
  before: `'true'`,
  after: `'false'`,
});
const DOWNGRADED = step('downgraded', `l.step = 'final' AND l.rule = 'downgrade'`, {
  before: ENTRY_BEFORE,
  after: jsonObject(jsonOfAll({ address: 'e.address', name: 'e.name', origin: `'mail-flow'` })),
});
const REMOVED = step('removed', `l.step = 'final' AND l.rule = 'remove'`, { what: 'l.why', before: ENTRY_BEFORE });

/** Of another source that this one beats: who has the address now is added or linked, or moves there. */
const REPLACED = `${row('e.kind', 'replaced', {
  id: 'o.id',
  order: 'b.entry',
  before: ENTRY_BEFORE,
})} FROM plan_absorb b CROSS JOIN entry e ON e.key = b.entry CROSS JOIN object o ON o.key = b.entry`;

/** In the order of the journal; within each, in the order in which the objects were first heard of. */
export const changesWith = (values: NewValues): readonly ChangeQuery[] => [
  {
    rows: RETURNED,
    count: { user: 'usersReturned', contact: 'contactsReturned', group: 'groupsReturned', of: 'changes' },
  },
  { rows: REPLACED, count: { user: 'usersReplaced', contact: 'contactsReplaced', of: 'changes' } },
  {
    rows: personAdded(values),
    among: 'plan_person',
    count: { user: 'usersAdded', contact: 'contactsAdded', of: 'changes' },
  },
  { rows: personLinked(values), among: 'plan_person', count: { user: 'usersLinked', of: 'changes' } },
  { rows: PERSON_UPDATED, count: { user: 'usersUpdated', of: 'objects' } },
  { rows: PERSON_READDRESSED, count: { user: 'usersReaddressed', of: 'changes' } },
  { rows: USER_DISABLED, count: { user: 'usersDisabled', of: 'changes' } },
  { rows: USER_ENABLED, count: { user: 'usersEnabled', of: 'changes' } },
  {
    rows: ATTRIBUTE,
    among: 'plan_person',
    count: { user: 'attributesUpdated', contact: 'attributesUpdated', of: 'changes' },
  },
  {
    rows: ALIAS_UNLINKED,
    among: 'plan_person',
    count: { user: 'aliasesUnlinked', contact: 'aliasesUnlinked', of: 'changes' },
  },
  {
    rows: ALIAS_LINKED,
    among: 'plan_person',
    count: { user: 'aliasesLinked', contact: 'aliasesLinked', of: 'changes' },
  },
  { rows: GROUP_ADDED, count: { group: 'groupsAdded', of: 'changes' } },
  { rows: GROUP_UPDATED, count: { group: 'groupsUpdated', of: 'objects' } },
  { rows: MEMBER_REMOVED, count: { group: 'membersRemoved', of: 'changes' } },
  { rows: MEMBER_ADDED, count: { group: 'membersAdded', of: 'changes' } },
  { rows: LEAVING, count: { user: 'usersLeaving', contact: 'contactsLeaving', group: 'groupsLeaving', of: 'changes' } },
  { rows: LEFT_DISABLED, count: { user: 'usersDisabled', of: 'changes' } },
  { rows: DOWNGRADED, count: { user: 'usersDowngraded', of: 'changes' } },
  { rows: REMOVED, count: { user: 'usersRemoved', contact: 'contactsRemoved', group: 'groupsRemoved', of: 'changes' } },
];

/**
 * Members by primary group. Active Directory does not list them in `member` ([MS-ADTS] 3.1.1.2.2.4.3 for groups, and
 * [MS-SAMR] 3.1.1.8.2): a person's `primaryGroupID` is the last part of the group's SID. They are gathered as they are read, 16
 * bytes for a person, and sent as further parts of their groups: whenever a part is full and the group was read, and the rest at the
 * end of the run. Each part says that more follow, but for the last, so that a group without its last parts is not whole. Where it
 * cannot be said whose group is whose, the last part is held, and with it the group.
 */
import type { EnrichedRecord, ExtractedRecord, Members } from '../model/records.js';
import { kindAside } from './aside.js';
import { type AttributeMap, valuesOf } from './attributes.js';
import { integerOf } from './integers.js';
import { PackedIds } from './packed-ids.js';
import { sidIn } from './sids.js';
import { UnknownGroups } from './unknown-groups.js';

const LARGEST_TOKEN = 0xffffffffn;

/** A group that may be somebody's primary one. */
interface Group {
  readonly id: string;
  readonly sid: string | null;
  /** In which its listed members were sent. */
  readonly listed: number;
  /** Parts that were sent so far. */
  parts: number;
  held: string | null;
}

/** Who has a group as the primary one, and was not sent yet. `held`: why that is not certain; then nobody is said. */
interface PrimaryMembers {
  readonly group: Group;
  readonly ids: PackedIds | null;
  readonly held: string | null;
}

/** People of one group, for who makes the records himself. */
export interface PrimaryIds {
  readonly group: string;
  readonly ids: readonly string[];
  readonly held: string | null;
}

const READ_TWICE = 'The group was read twice, and had other members the second time.';

export class PrimaryGroups {
  readonly #people = new Map<string, PackedIds>();
  /** By id: a group may be read twice. */
  readonly #groups = new Map<string, Group>();
  readonly #bySid = new Map<string, Group>();
  readonly #unknown = new UnknownGroups();
  /** `primaryUnknown`: people whose group is not known or was not read; `primaryHeld`: groups that are held for such people. */
  readonly figures = { primaryMembers: 0, primaryUnknown: 0, primaryHeld: 0 };

  /** Notes what a record says: of a person his group, of a group where its members were. Tells the members that more follow. */
  note(read: ExtractedRecord, attributes: AttributeMap, made: readonly EnrichedRecord[]): void {
    if (isPerson(read, attributes)) this.#notePerson(read.id, attributes);
    const [group] = made;
    if (group?.kind !== 'group' || !mayBePrimary(group.sid, group.scope, group.type, attributes)) return;
    const members = made.filter((record) => record.kind === 'members');
    for (const record of members) record.parts = members.length + 1;
    const { id, sid } = group;
    const before = this.#groups.get(id);
    const noted: Group = { id, sid, listed: members.length, parts: members.length, held: before?.held ?? null };
    if (before !== undefined && before.parts > before.listed) {
      noted.parts = Math.max(before.parts, noted.parts);
      if (before.listed !== noted.listed) noted.held = READ_TWICE;
    }
    this.#groups.set(id, noted);
    if (sid !== null) this.#bySid.set(sid, noted);
  }

  /** People of groups that were read, as soon as they fill a record. */
  *full(membersPerRecord: number): Generator<Members> {
    for (const { group, ids } of this.#filling(membersPerRecord)) {
      group.parts += 1;
      yield {
        kind: 'members',
        group: group.id,
        add: ids.map((id) => ({ id })),
        part: group.parts,
        parts: group.parts + 1,
      };
    }
  }

  /** The same, for who makes the records himself. */
  *fullByGroup(membersPerRecord: number): Generator<PrimaryIds> {
    for (const { group, ids } of this.#filling(membersPerRecord)) yield { group: group.id, ids, held: null };
  }

  /** The members records still to be sent: at least one for each group, because the ones before said so. */
  *rest(membersPerRecord: number): Generator<Members> {
    for (const { group, ids, held } of this.#all()) {
      const count = ids?.count ?? 0;
      const parts = group.parts + Math.max(1, Math.ceil(count / membersPerRecord));
      for (let part = group.parts + 1, at = 0; part <= parts; part += 1, at += membersPerRecord) {
        const add = (ids?.slice(at, at + membersPerRecord) ?? []).map((id) => ({ id }));
        yield { kind: 'members', group: group.id, add, part, parts, ...(held === null ? {} : { held }) };
      }
    }
  }

  /** The same by the id of the group, for who makes the records himself. */
  *byGroup(): Generator<PrimaryIds> {
    for (const { group, ids, held } of this.#all()) {
      yield { group: group.id, ids: ids?.slice(0, ids.count) ?? [], held };
    }
  }

  *#filling(size: number): Generator<{ group: Group; ids: string[] }> {
    for (const [sid, people] of this.#people) {
      const group = people.count < size ? undefined : this.#bySid.get(sid);
      if (group === undefined) continue;
      const left = new PackedIds();
      for (let from = 0; from < people.count; from += size) {
        const ids = people.slice(from, from + size);
        if (ids.length < size) for (const id of ids) left.add(id);
        else yield { group, ids };
      }
      this.figures.primaryMembers += people.count - left.count;
      this.#people.set(sid, left);
    }
  }

  *#all(): Generator<PrimaryMembers> {
    const sids = new Set([...this.#groups.values()].map(({ sid }) => sid));
    const orphans = [...this.#people].filter(([sid]) => !sids.has(sid));
    for (const [, { count }] of orphans) this.figures.primaryUnknown += count;
    for (const group of this.#groups.values()) {
      const { sid } = group;
      const ids = sid === null ? null : (this.#people.get(sid) ?? null);
      const held = group.held ?? (sid === null ? ofNobody(orphans.length) : this.#unknown.reasonFor(sid));
      if (held === null) this.figures.primaryMembers += ids?.count ?? 0;
      else this.figures.primaryHeld += 1;
      yield { group, ids: held === null ? ids : null, held };
    }
  }

  #notePerson(id: string | null, attributes: AttributeMap): void {
    const read = integerOf(attributes, 'primaryGroupID');
    const token = read !== null && read >= 0n && read <= LARGEST_TOKEN ? String(read) : null;
    const sid = sidIn(attributes, 'objectSid');
    const domain = sid === null ? null : sid.slice(0, sid.lastIndexOf('-'));
    if (domain === null || token === null || id === null || !this.#peopleOf(domain, token).add(id)) {
      this.figures.primaryUnknown += 1;
      this.#unknown.note(domain, token);
    }
  }

  #peopleOf(domain: string, token: string): PackedIds {
    const group = `${domain}-${token}`;
    let people = this.#people.get(group);
    if (people === undefined) this.#people.set(group, (people = new PackedIds()));
    return people;
  }
}

/** SIDs of domains. Others (AD LDS has its own) are of objects that have no primary group. */
const OF_DOMAIN = /^S-1-5-21-/i;

/**
 * Whether an object has a primary group: a user of Active Directory, which is one that shows a SID of a domain or a primary group,
 * or has a class to which Active Directory gives both. One that was set aside is still a member.
 */
function isPerson(read: ExtractedRecord, attributes: AttributeMap): boolean {
  const kind = read.kind === 'quarantined' ? kindAside(read) : read.kind;
  if (kind === 'unknown') return true;
  if (kind !== 'user') return false;
  if (valuesOf(attributes, 'primaryGroupID').length > 0) return true;
  const sid = sidIn(attributes, 'objectSid');
  if (sid !== null) return OF_DOMAIN.test(sid);
  return hasClass(attributes, 'user') || hasClass(attributes, 'inetOrgPerson');
}

/**
 * A primary group is a security group of the person's own domain, and not one of local scope ([MS-SAMR] 3.1.1.8.2). What could
 * not be read speaks for it: taken for no primary group, it would lose everybody.
 */
function mayBePrimary(
  sid: string | null,
  scope: string | null,
  type: 'security' | 'distribution',
  attributes: AttributeMap,
): boolean {
  if (sid === null) return hasClass(attributes, 'group');
  if (integerOf(attributes, 'groupType') === null) return true;
  return type === 'security' && scope !== 'domain-local';
}

function hasClass(attributes: AttributeMap, name: string): boolean {
  for (const value of valuesOf(attributes, 'objectClass')) {
    if (typeof value !== 'string' || value.length !== name.length) continue;
    if (value === name || value.toLowerCase() === name.toLowerCase()) return true;
  }
  return false;
}

/** A group whose SID was not read may be the one that was not found for somebody. */
function ofNobody(orphans: number): string | null {
  return orphans === 0
    ? null
    : 'The SID of the group was not read: it may be the primary group of people who have none.';
}

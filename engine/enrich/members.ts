/**
 * The members of a group, from `member` and `uniqueMember`: a group is whole or held, never in part.
 *
 * Active Directory, asked with the extended-DN control (MS-ADTS 3.1.1.3.4.1.5), answers `<GUID=…>;<SID=…>;CN=…`, so that a
 * member is known by its id without a look-up. Other directories answer the plain distinguished name.
 */
import { guidToBytes, guidToText, sidToBytes, sidToText } from '../model/identifiers.js';
import type { AttributeValue, Member, Members } from '../model/records.js';
import { type AttributeMap, valuesOf } from './attributes.js';

/** The whole of what a domain controller answers, in one step: groups of 100,000 members are common, other forms are not. */
const USUAL =
  /^<GUID=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})>;(?:<SID=(S-1-\d+(?:-\d+){1,15})>;)?([^<\s][^]*\S)$/;
/** A name without anything in front. */
const PLAIN = /^[^<\s]/;
/** A prefix of an extended DN. An unescaped `<` cannot begin a distinguished name, so nothing else looks like it. */
const PREFIX = /^<([A-Za-z_]+)=([^>]*)>;?/;
/** What may follow the name in `uniqueMember` (RFC 4517 section 3.3.21): a bit string that tells equal names apart. */
const UNIQUE_ID = /#'[01]*'B$/;
const HEX = /^(?:[0-9a-f]{2})+$/i;
const EMPTY = Buffer.alloc(0);

/** The id of the object with a name, where it is known without being asked for; else null. */
export type IdOf = (dn: string) => string | null;

/**
 * The records for the members of `group`, at most `membersPerRecord` in each, and at least one record. They are held where
 * `held` says so or a value cannot be read: a member too few would be taken for one who left.
 */
export function membersOf(
  group: string,
  attributes: AttributeMap,
  { held, membersPerRecord, idOf }: { held: string | null; membersPerRecord: number; idOf: IdOf },
): Members[] {
  const listed = valuesOf(attributes, 'member');
  const unique = valuesOf(attributes, 'uniqueMember');
  const read = (text: string) => namedMember(text, idOf) ?? parseMember(text);
  const found = parsed(listed, read, []);
  if (unique.length > 0) parsed(unique, (text) => read(text.trim().replace(UNIQUE_ID, '')), found);
  const unreadable = listed.length + unique.length - found.length;
  const reason = held ?? (unreadable === 0 ? null : unreadableMembers(unreadable));
  // No attribute has a value twice: only who is in both is there twice.
  return inParts(group, unique.length === 0 || listed.length === 0 ? found : eachOnce(found), membersPerRecord, reason);
}

/** On its own: an optimised loop inside of a longer function is given up whenever it ends. */
function parsed(values: readonly AttributeValue[], parse: (text: string) => Member | null, into: Member[]): Member[] {
  for (const value of values) {
    const member = typeof value === 'string' ? parse(value) : null;
    if (member) into.push(member);
  }
  return into;
}

/** Somebody given by name only; null for every other form. With the id from the beginning: to add it later would be another object. */
function namedMember(text: string, idOf: IdOf): Member | null {
  if (!PLAIN.test(text) || !text.includes('=')) return null;
  const dn = text.trim();
  const id = idOf(dn);
  return id === null ? { dn } : { id, dn };
}

/** Parses a value of `member`. Null where nothing in it says who is meant. */
export function parseMember(text: string): Member | null {
  if (PLAIN.test(text) && text.includes('=')) return { dn: text.trim() };
  const [, id, sid, dn] = USUAL.exec(text) ?? [];
  if (id !== undefined && dn?.includes('=') === true) return sid === undefined ? { id, dn } : { id, sid, dn };
  let rest = text.trim();
  const member: Member = {};
  for (let prefix = PREFIX.exec(rest); prefix; prefix = PREFIX.exec(rest)) {
    const [whole, name = '', value = ''] = prefix;
    readPrefix(member, name.toUpperCase(), value.trim());
    rest = rest.slice(whole.length);
  }
  if (rest.includes('=')) member.dn = rest;
  return member.id === undefined && member.sid === undefined && member.dn === undefined ? null : member;
}

/** Text with the control's flag 1, hexadecimal bytes with flag 0; anything else is passed over, the DN is still there. */
function readPrefix(member: Member, name: string, value: string): void {
  const bytes = HEX.test(value) ? Buffer.from(value, 'hex') : null;
  if (name === 'GUID') {
    const id = guidToText(bytes ?? guidToBytes(value) ?? EMPTY);
    if (id !== null) member.id = id;
  }
  if (name === 'SID') {
    const sid = sidToText(bytes ?? sidToBytes(value) ?? EMPTY);
    if (sid !== null) member.sid = sid;
  }
}

/** Distinguished names are compared without case here: enough to drop a repeat, and a repeat that stays does no harm. */
function eachOnce(members: readonly Member[]): Member[] {
  return [
    ...new Map(members.map((member) => [member.id ?? member.sid ?? (member.dn ?? '').toLowerCase(), member])).values(),
  ];
}

function unreadableMembers(count: number): string {
  return `${String(count)} of the group's members could not be read from what the directory sent.`;
}

/** Members in records of at most `size`: at least one, so that a group without members says so. */
export function inParts(group: string, members: readonly Member[], size: number, held: string | null): Members[] {
  const parts = Math.max(1, Math.ceil(members.length / size));
  return Array.from({ length: parts }, (_, index) => ({
    kind: 'members',
    group,
    add: members.slice(index * size, (index + 1) * size),
    part: index + 1,
    parts,
    ...(held === null ? {} : { held }),
  }));
}

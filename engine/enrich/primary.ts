/**
 * Members by primary group. Active Directory does not list them in `member` ([MS-ADTS] 3.1.1.2.2.4.3 for groups, and
 * [MS-SAMR] 3.1.1.8.2): a person's `primaryGroupID` is the last part of the group's SID. They are gathered as they are read, 16
 * bytes for a person, and sent at the end of the run as further parts of their groups.
 */
import { guidToBytes, guidToText } from '../model/identifiers.js';
import type { EnrichedRecord, ExtractedRecord, Members } from '../model/records.js';
import { type AttributeMap, textOf } from './attributes.js';
import { integerOf } from './integers.js';

const ID_BYTES = 16;
const FIRST_ROOM = 64;
const LARGEST_TOKEN = 0xffffffffn;

/** A group that may be somebody's primary one, and the parts in which its listed members were sent. */
interface Group {
  readonly id: string;
  readonly parts: number;
}

export class PrimaryGroups {
  readonly #people = new Map<string, PackedIds>();
  readonly #groups = new Map<string, Group>();
  /** People of whom it cannot be said which group is theirs, and people whose primary group was not read. */
  readonly figures = { primaryMembers: 0, primaryUnknown: 0 };

  /** Notes what a record says: of a person his group, of a group where its members were. */
  note(read: ExtractedRecord, attributes: AttributeMap, made: readonly EnrichedRecord[]): void {
    if (read.kind === 'user') this.#notePerson(read.id, attributes);
    const [group] = made;
    // A primary group is a security group of the person's own domain, and not one of local scope ([MS-SAMR] 3.1.1.8.2).
    if (group?.kind !== 'group' || group.sid === null || group.type !== 'security' || group.scope === 'domain-local')
      return;
    this.#groups.set(group.sid, { id: group.id, parts: made.filter(({ kind }) => kind === 'members').length });
  }

  /** The members records still to be sent. */
  *rest(membersPerRecord: number): Generator<Members> {
    for (const [sid, ids] of this.#people) {
      const group = this.#groups.get(sid);
      if (group === undefined) {
        this.figures.primaryUnknown += ids.count;
        continue;
      }
      this.figures.primaryMembers += ids.count;
      const parts = group.parts + Math.ceil(ids.count / membersPerRecord);
      for (let part = group.parts + 1, at = 0; part <= parts; part += 1, at += membersPerRecord) {
        const add = ids.slice(at, at + membersPerRecord).map((id) => ({ id }));
        yield { kind: 'members', group: group.id, add, part, parts };
      }
    }
  }

  /** The ids of the people by the id of their group. */
  *byGroup(): Generator<{ group: string; ids: string[] }> {
    for (const [sid, ids] of this.#people) {
      const group = this.#groups.get(sid);
      if (group !== undefined) yield { group: group.id, ids: ids.slice(0, ids.count) };
      this.figures[group === undefined ? 'primaryUnknown' : 'primaryMembers'] += ids.count;
    }
  }

  #notePerson(id: string, attributes: AttributeMap): void {
    const token = integerOf(attributes, 'primaryGroupID');
    if (token === null) return;
    const sid = textOf(attributes, 'objectSid');
    const domain = sid === null ? -1 : sid.lastIndexOf('-');
    const bytes = guidToBytes(id);
    if (sid === null || domain < 0 || bytes === null || token < 0n || token > LARGEST_TOKEN) {
      this.figures.primaryUnknown += 1;
      return;
    }
    const group = `${sid.slice(0, domain)}-${token}`;
    const people = this.#people.get(group);
    if (people) people.add(bytes);
    else this.#people.set(group, new PackedIds().add(bytes));
  }
}

/** A list of ids in 16 bytes each: as text each would take five times as much. */
class PackedIds {
  #bytes = Buffer.alloc(FIRST_ROOM * ID_BYTES);
  count = 0;

  add(id: Buffer): this {
    const at = this.count * ID_BYTES;
    if (at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(at)]);
    id.copy(this.#bytes, at);
    this.count += 1;
    return this;
  }

  slice(from: number, to: number): string[] {
    const ids: string[] = [];
    for (let index = from; index < Math.min(to, this.count); index += 1) {
      ids.push(guidToText(this.#bytes, index * ID_BYTES, (index + 1) * ID_BYTES) ?? '');
    }
    return ids;
  }
}

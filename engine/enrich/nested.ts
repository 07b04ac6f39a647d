/**
 * Flattening: each group with everybody below it. Kept in memory until the run's end, because a group may come before those in
 * it: 4 bytes for a membership, and some 50 for each object that is a group or in one (more where a member has no id). Groups that
 * contain one another are taken as one, and each is made once from those below it, so that neither cycles nor depth cost more than
 * the memberships that there are.
 */
import { dnKey } from '../model/dn.js';
import { knots } from './cycles.js';
import { GroupsAside } from './groups-aside.js';
import type { EnrichedRecord, Member, Members } from '../model/records.js';
import { NumberedMembers } from './numbered-members.js';
import { PackedNumbers } from './packed-numbers.js';

interface Node {
  readonly id: string;
  /** Numbers of members. */
  readonly below: PackedNumbers;
  held: string | null;
}

/** What flattening did, for the report. `nesting`: groups that stand in groups. */
export interface NestingFigures {
  flattened: number;
  nesting: number;
}

export class Nesting {
  readonly figures: NestingFigures = { flattened: 0, nesting: 0 };
  readonly #members = new NumberedMembers();
  readonly #groups = new Map<number, Node>();
  /** Other ways to name a group: its SID, its name. */
  readonly #aliases = new Map<string, number>();
  /** Groups that were set aside: who is in them is not known. */
  readonly #aside = new GroupsAside();

  /** Takes the groups and members out of the records of one batch; what is left is to be sent on. */
  take(records: readonly EnrichedRecord[]): EnrichedRecord[] {
    const rest: EnrichedRecord[] = [];
    for (const record of records) {
      if (record.kind === 'members') this.#noteMembers(record);
      else rest.push(record);
      if (record.kind === 'quarantined') this.#aside.note(record);
      if (record.kind !== 'group' && record.kind !== 'dynamic-group') continue;
      const number = this.#number({ id: record.id });
      if (record.sid !== null) this.#aliases.set(`sid:${record.sid}`, number);
      this.#aliases.set(`dn:${dnKey(record.dn)}`, number);
    }
    return rest;
  }

  /** Adds members to a group, which may be taken later: those by primary group. `held`: why they are not certain. */
  add(group: string, ids: readonly string[], held: string | null): void {
    this.#noteMembers({ group, add: ids.map((id) => ({ id })), held });
  }

  /**
   * The members records of all groups. Those below come first, so that each group is made from what is below it; what nobody
   * above needs any more is given back.
   */
  *rest(membersPerRecord: number): Generator<Members> {
    const groupOf = this.#groupNumbers();
    this.#aside.find((key) => this.#members.find(key));
    const groups = this.#groups;
    const below = function* (group: number): Generator<number> {
      for (const number of groups.get(group)?.below ?? []) {
        const inside = groupOf.get(number) ?? number;
        if (groups.has(inside)) yield inside;
      }
    };
    const above = new Map<number, number>();
    for (const group of groups.keys())
      for (const inside of below(group)) above.set(inside, (above.get(inside) ?? 0) + 1);
    const flat = new Flat(this.#members.count);
    for (const knot of knots(groups.keys(), below)) {
      const own = knot.flatMap((group) => groups.get(group) ?? []);
      const numbers = own.flatMap((node) => Array.from(node.below, (number) => groupOf.get(number) ?? number));
      const isGroup = (number: number) => groups.has(number);
      const why = own.find((node) => node.held !== null)?.held ?? this.#aside.reasonFor(numbers);
      const { leaves, held } = flat.make(knot, numbers, isGroup, why);
      flat.keep(knot, { leaves, held }, above, numbers.filter(isGroup));
      for (const { id } of own) yield* this.#records(id, leaves, held, membersPerRecord);
    }
  }

  *#records(id: string, leaves: Uint32Array, held: string | null, membersPerRecord: number): Generator<Members> {
    const parts = Math.max(1, Math.ceil(leaves.length / membersPerRecord));
    for (let part = 1; part <= parts; part += 1) {
      const some = leaves.subarray((part - 1) * membersPerRecord, part * membersPerRecord);
      const add = Array.from(some, (leaf) => this.#members.at(leaf));
      yield { kind: 'members', group: id, add, part, parts, ...(held === null ? {} : { held }) };
    }
    this.figures.flattened += 1;
  }

  /** For members that were known by SID or name: the group of that SID or name. */
  #groupNumbers(): Map<number, number> {
    const groupOf = new Map<number, number>();
    for (const [number, key] of this.#members.withoutId) {
      const group = this.#aliases.get(key);
      if (group !== undefined) groupOf.set(number, group);
    }
    this.figures.nesting = 0;
    for (const { below } of this.#groups.values()) {
      for (const number of below) if (this.#groups.has(groupOf.get(number) ?? number)) this.figures.nesting += 1;
    }
    return groupOf;
  }

  #noteMembers({ group, add, held = null }: Pick<Members, 'group' | 'add'> & { held?: string | null }): void {
    const number = this.#number({ id: group });
    let node = this.#groups.get(number);
    if (node === undefined) this.#groups.set(number, (node = { id: group, below: new PackedNumbers(), held: null }));
    for (const member of add) node.below.add(this.#number(member));
    node.held ??= held;
  }

  #number(member: Member): number {
    const before = this.#members.count;
    const number = this.#members.add(member);
    if (number === before) this.#aside.noteName(number, member);
    return number;
  }
}

/** Everybody below a group. One that is held anywhere below makes it held: somebody may be missing. */
interface Below {
  readonly leaves: Uint32Array;
  readonly held: string | null;
}

/** What has been flattened and is still needed by groups above. */
class Flat {
  readonly #made = new Map<number, Below & { needed: number }>();
  readonly #entered: Uint32Array;
  #turn = 0;

  constructor(members: number) {
    this.#entered = new Uint32Array(members);
  }

  /** From the numbers of all that stands in the groups of a knot. */
  make(
    knot: readonly number[],
    numbers: readonly number[],
    isGroup: (number: number) => boolean,
    held: string | null,
  ): Below {
    this.#turn += 1;
    const leaves: number[] = [];
    const enter = (number: number) => {
      if (this.#entered[number] === this.#turn) return false;
      this.#entered[number] = this.#turn;
      return true;
    };
    let why = held;
    for (const group of knot) enter(group);
    for (const number of numbers) {
      if (!enter(number)) continue;
      if (!isGroup(number)) {
        leaves.push(number);
        continue;
      }
      const below = this.#made.get(number);
      why ??= below?.held ?? null;
      for (const leaf of below?.leaves ?? []) if (enter(leaf)) leaves.push(leaf);
    }
    return { leaves: Uint32Array.from(leaves), held: why };
  }

  /** Keeps it for those above; `above`: how often each group stands in one. `used`: the groups that it was made from. */
  keep(knot: readonly number[], below: Below, above: ReadonlyMap<number, number>, used: readonly number[]): void {
    for (const group of knot) this.#made.set(group, { ...below, needed: above.get(group) ?? 0 });
    for (const group of used) {
      const made = this.#made.get(group);
      if (made && (made.needed -= 1) <= 0) this.#made.delete(group);
    }
    for (const group of knot) if (this.#made.get(group)?.needed === 0) this.#made.delete(group);
  }
}

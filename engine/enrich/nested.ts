/**
 * Flattening: each group with everybody below it. Kept in memory until the run's end, because a group may come before those in
 * it: 4 bytes for a membership, and some 300 for each object that is a group or in one. Groups are walked without recursion and
 * each is entered once, so that cycles end and depth costs nothing.
 */
import { dnKey } from '../model/dn.js';
import type { EnrichedRecord, Member, Members } from '../model/records.js';

interface Node {
  readonly id: string;
  below: Uint32Array;
  held: string | null;
}

/** What flattening did, for the report. `nesting`: groups that stand in groups. */
export interface NestingFigures {
  flattened: number;
  nesting: number;
}

export class Nesting {
  readonly figures: NestingFigures = { flattened: 0, nesting: 0 };
  readonly #numbers = new Map<string, number>();
  readonly #members: Member[] = [];
  readonly #groups = new Map<number, Node>();
  /** Other ways to name a group: its SID, its name. */
  readonly #aliases = new Map<string, number>();
  #hasNames = false;

  /** Takes the groups and members out of the records of one batch; what is left is to be sent on. */
  take(records: readonly EnrichedRecord[]): EnrichedRecord[] {
    const rest: EnrichedRecord[] = [];
    for (const record of records) {
      if (record.kind === 'members') this.#noteMembers(record);
      else rest.push(record);
      if (record.kind !== 'group' && record.kind !== 'dynamic-group') continue;
      const number = this.#number(record.id, { id: record.id });
      if (record.sid !== null) this.#aliases.set(`sid:${record.sid}`, number);
      this.#aliases.set(`dn:${dnKey(record.dn)}`, number);
    }
    return rest;
  }

  /** Adds members to a group that was taken: those by primary group. */
  add(group: string, ids: readonly string[]): void {
    const node = this.#groups.get(this.#number(group, { id: group }));
    const numbers = ids.map((id) => this.#number(id, { id }));
    if (node) node.below = joined(node.below, numbers);
  }

  /** The members records of all groups. */
  *rest(membersPerRecord: number): Generator<Members> {
    const entered = new Uint32Array(this.#members.length);
    const groupOf = this.#groupNumbers();
    let turn = 0;
    for (const [number, { id }] of this.#groups) {
      turn += 1;
      const { leaves, held } = this.#below(number, groupOf, entered, turn);
      const parts = Math.max(1, Math.ceil(leaves.length / membersPerRecord));
      for (let part = 1; part <= parts; part += 1) {
        const some = leaves.slice((part - 1) * membersPerRecord, part * membersPerRecord);
        const add = some.flatMap((leaf) => this.#members[leaf] ?? []);
        yield { kind: 'members', group: id, add, part, parts, ...(held === null ? {} : { held }) };
      }
      this.figures.flattened += 1;
    }
  }

  /** Everybody below a group. One that is held anywhere below makes it held: somebody may be missing. */
  #below(
    start: number,
    groupOf: ReadonlyMap<number, number>,
    entered: Uint32Array,
    turn: number,
  ): { leaves: number[]; held: string | null } {
    const leaves: number[] = [];
    const waiting = [start];
    let held: string | null = null;
    entered[start] = turn;
    for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
      const node = this.#groups.get(group);
      if (node === undefined) continue;
      held ??= node.held;
      for (const below of node.below) {
        const number = groupOf.get(below) ?? below;
        if (entered[number] === turn) continue;
        entered[number] = turn;
        if (this.#groups.has(number)) waiting.push(number);
        else leaves.push(number);
      }
    }
    return { leaves, held };
  }

  /** For members that were known by SID or name: the group of that SID or name. */
  #groupNumbers(): Map<number, number> {
    const groupOf = new Map<number, number>();
    for (const [key, number] of this.#hasNames ? this.#numbers : []) {
      const group = this.#aliases.get(key);
      if (group !== undefined) groupOf.set(number, group);
    }
    this.figures.nesting = 0;
    for (const { below } of this.#groups.values()) {
      for (const number of below) if (this.#groups.has(groupOf.get(number) ?? number)) this.figures.nesting += 1;
    }
    return groupOf;
  }

  #noteMembers({ group, add, held }: Members): void {
    const number = this.#number(group, { id: group });
    const node = this.#groups.get(number) ?? { id: group, below: new Uint32Array(), held: null };
    node.below = joined(
      node.below,
      add.map((member) => this.#number(keyOf(member), member)),
    );
    node.held ??= held ?? null;
    this.#groups.set(number, node);
  }

  #number(key: string, member: Member): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#members.length;
    this.#numbers.set(key, number);
    this.#members.push(slim(member));
    this.#hasNames ||= member.id === undefined;
    return number;
  }
}

function keyOf({ id, sid, dn = '' }: Member): string {
  return id ?? (sid === undefined ? `dn:${dnKey(dn)}` : `sid:${sid}`);
}

/** Without the name where there is an id: names are long. Of somebody of another forest everything is kept. */
function slim(member: Member): Member {
  if (member.id === undefined || member.external === true) return member;
  return member.sid === undefined ? { id: member.id } : { id: member.id, sid: member.sid };
}

function joined(numbers: Uint32Array, more: readonly number[]): Uint32Array {
  const all = new Uint32Array(numbers.length + more.length);
  all.set(numbers);
  all.set(more, numbers.length);
  return all;
}

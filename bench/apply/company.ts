/**
 * The directory of `bench:apply`, as enrich sends it: people with three attributes and one alias for every other, and groups of
 * 125. Deterministic, made a batch at a time.
 */
import type { EnrichedRecord, Group, Members, User } from '../../engine/model/records.js';

/** Groups are one to fifty people. `change`: 0 as it was first; another number says one in a hundred in another way. */
export interface CompanyOf {
  readonly people: number;
  readonly change: number;
}

export const ATTRIBUTES: readonly string[] = ['department', 'title', 'company'];
export const DOMAINS: readonly string[] = ['example.com', 'example.org'];
const BATCH = 500;
const MEMBERS = 125;
/** Extract ends a batch at a mebibyte of what it read: that is about so many members, with their names. */
const MEMBERS_OF_A_BATCH = 5_000;

export function groupsOf(people: number): number {
  return Math.max(1, Math.round(people / 50));
}

/** Memberships in all, as the groups list them. */
export function membershipsOf(people: number): number {
  return groupsOf(people) * MEMBERS;
}

/** Puts records into batches as extract does. */
export class Batches {
  #batch: EnrichedRecord[] = [];
  #members = 0;

  /** The batch that ends with this record, if one does. */
  add(record: EnrichedRecord): EnrichedRecord[] | null {
    this.#batch.push(record);
    if (record.kind === 'members') this.#members += record.add.length;
    return this.#batch.length < BATCH && this.#members < MEMBERS_OF_A_BATCH ? null : this.rest();
  }

  /** What is left. */
  rest(): EnrichedRecord[] {
    const batch = this.#batch;
    this.#batch = [];
    this.#members = 0;
    return batch;
  }
}

/** Everything that a whole run says, in batches. */
export function* companyBatches(of: CompanyOf): Generator<EnrichedRecord[]> {
  const batches = new Batches();
  for (const record of company(of)) {
    const batch = batches.add(record);
    if (batch) yield batch;
  }
  const rest = batches.rest();
  if (rest.length > 0) yield rest;
}

/** The same, record by record. */
export function* company({ people, change }: CompanyOf): Generator<EnrichedRecord> {
  const isChanged = (number: number) => change > 0 && number % 100 === 0;
  for (let number = 0; number < people; number += 1) {
    yield person(number, isChanged(number) ? `Title ${String(change)}` : 'Engineer');
  }
  for (let number = 0; number < groupsOf(people); number += 1) yield* group(number, people, isChanged(number));
}

function person(number: number, title: string): User {
  const name = `person${String(number)}`;
  const unit = `Department ${String(number % 200)}`;
  return {
    kind: 'user',
    id: guid(number, 1),
    dn: dnOf(number),
    sid: sidOf(number),
    name: `Person ${String(number)}`,
    primary: `${name}@example.com`,
    aliases: number % 2 === 0 ? [`${name}@example.org`] : [],
    enabled: number % 20 !== 0,
    attributes: { department: [unit], title: [title], company: ['Example'] },
  };
}

/** A changed group has one member fewer. */
function group(number: number, people: number, changed: boolean): [Group, Members] {
  const id = guid(number, 2);
  const all = Array.from({ length: MEMBERS }, (_, index) => (number * 7919 + index * 104729) % people);
  const members = [...new Set(all)].slice(changed ? 1 : 0);
  return [
    {
      kind: 'group',
      id,
      dn: `CN=Group ${String(number)},OU=Groups,DC=example,DC=com`,
      sid: null,
      name: `Group ${String(number)}`,
      primary: null,
      aliases: [],
      attributes: {},
      scope: 'universal',
      type: 'distribution',
    },
    {
      kind: 'members',
      group: id,
      part: 1,
      parts: 1,
      add: members.map((member) => ({ id: guid(member, 1), sid: sidOf(member), dn: dnOf(member) })),
    },
  ];
}

const dnOf = (number: number) =>
  `CN=Person ${String(number)},OU=Department ${String(number % 200)},OU=People,DC=example,DC=com`;
const sidOf = (number: number) => `S-1-5-21-1004336348-1177238915-682003330-${String(number + 1000)}`;

/** In an order that has nothing to do with that of the numbers, as a directory's own. */
function guid(number: number, kind: number): string {
  const hex = (Math.imul(number, 2654435761) >>> 0).toString(16).padStart(8, '0');
  return `${hex}-${String(kind).padStart(4, '0')}-4000-8000-${String(number).padStart(12, '0')}`;
}

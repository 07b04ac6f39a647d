/** Random directories, small enough that everything meets everything, and the records by which a run tells of one. */
import type { EnrichedRecord } from '../../../engine/model/records.js';
import type { PersonNow, RunNow } from '../../support/oracle/history.js';
import { group, members, user } from '../../unit/account/support.js';

/** A whole number from 0 up to, and without, `below`. */
export type Any = (below: number) => number;

export const PEOPLE = ['p1', 'p2', 'p3', 'p4', 'p5'];
export const GROUPS = ['g1', 'g2', 'g3'];

/** About two of three. */
export function some<T>(any: Any, list: readonly T[]): T[] {
  return list.filter(() => any(3) > 0);
}

export function oneOf<T>(any: Any, list: readonly [T, ...T[]]): T {
  return list[any(list.length)] ?? list[0];
}

export function shuffled<T>(any: Any, list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, at: any(1_000_000) }))
    .sort((left, right) => left.at - right.at)
    .map(({ value }) => value);
}

export function drawPeople(any: Any): PersonNow[] {
  return some(any, PEOPLE).map((id) => ({
    id,
    name: oneOf(any, ['N', 'M']),
    enabled: any(4) > 0,
    aliases: some(any, [`${id}-a@example.com`, `${id}-b@example.com`]),
  }));
}

/** A run and how it came; every fifth group could not be read whole, every fourth run was cut. */
export function drawRun(any: Any, { day, others }: { day: number; others: boolean }): RunNow {
  return {
    people: drawPeople(any),
    groups: some(any, GROUPS).map((id) => ({
      id,
      members: any(5) === 0 ? null : some(any, [...PEOPLE, ...GROUPS]).slice(0, any(5)),
    })),
    complete: any(4) > 0,
    day,
    others,
  };
}

export function recordsOf({ people, groups }: Pick<RunNow, 'people' | 'groups'>): EnrichedRecord[] {
  return [
    ...people.map(({ aliases, ...one }) => user(one.id, { ...one, aliases: [...aliases] })),
    ...groups.flatMap(({ id, members: list }) => [
      group(id),
      list === null ? members(id, [], { held: 'not whole' }) : members(id, list),
    ]),
  ];
}

/** The same, with the members of each group in parts. */
export function inParts(any: Any, records: readonly EnrichedRecord[]): EnrichedRecord[] {
  return records.flatMap((record) => {
    if (record.kind !== 'members' || record.held !== undefined || record.add.length < 2) return [record];
    const cut = any(record.add.length + 1);
    return [
      { ...record, add: record.add.slice(0, cut), part: 1, parts: 2 },
      { ...record, add: record.add.slice(cut), part: 2, parts: 2 },
    ];
  });
}

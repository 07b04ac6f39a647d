/**
 * A large company as enrich sends it: people with names, addresses, titles and random object ids, and groups with their
 * members. Made from a seed, a batch at a time, so that any number of people needs no more memory than one batch.
 */
import { setImmediate as soon } from 'node:timers/promises';
import type { EnrichedRecord, Group, Members, User } from '../../engine/model/records.js';
import { seeded } from '../../test/support/fault-proxy.js';

export interface CompanySize {
  readonly people: number;
  readonly groups: number;
  /** Records in a batch. */
  readonly batchSize: number;
  readonly seed?: number;
}

const FIRST =
  'Ada Ben Chloé Dan Elif Finn Grace Hugo Ines Jan Kira Luis Maya Noah Olga Paul Quinn Rosa Sven Tara Uwe Vera Wim Xenia Yusuf Zoë'.split(
    ' ',
  );
const LAST =
  'Adler Brown Costa Diaz Evans Fischer García Hansen Ivanov Jones Khan Larsen Müller Novak Okafor Petrov Quist Rossi Schmidt Tanaka Umar Vogel Wagner Xu Yilmaz Zhang'.split(
    ' ',
  );
const TITLES = [
  'Engineer',
  'Senior Engineer',
  'Accountant',
  'Sales Manager',
  'Analyst',
  'Consultant',
  'Head of Team',
  'Assistant',
];
const DEPARTMENTS = [
  'Research',
  'Finance',
  'Sales',
  'Human Resources',
  'Legal',
  'Operations',
  'Information Technology',
];
const CITIES = ['London', 'Berlin', 'Boston', 'Melbourne', 'Johannesburg', 'Toronto'];
const DOMAIN_SID = 'S-1-5-21-3623811015-3361044348-30300820';
const MEMBERS = 50;
const SLICE = 100;

/**
 * The batches of a whole run, in order: people first, then each group with its members. Made in slices, so that making
 * them takes no turn of the event loop that is to be measured.
 */
export async function* companyBatches({
  people,
  groups,
  batchSize,
  seed = 1,
}: CompanySize): AsyncGenerator<EnrichedRecord[]> {
  let batch: EnrichedRecord[] = [];
  let made = 0;
  for (const record of company(people, groups, seed)) {
    batch.push(record);
    made += record.kind === 'members' ? MEMBERS : 1;
    if (made >= SLICE) {
      made = 0;
      await soon();
    }
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function* company(people: number, groups: number, seed: number): Generator<EnrichedRecord> {
  const any = seeded(seed);
  for (let number = 0; number < people; number += 1) yield person(number, seed, any);
  for (let number = 0; number < groups; number += 1) yield* group(number, people, seed, any);
}

function person(number: number, seed: number, any: (limit: number) => number): User {
  const first = FIRST[any(FIRST.length)] ?? '';
  const last = LAST[any(LAST.length)] ?? '';
  const city = CITIES[any(CITIES.length)] ?? '';
  const address = `${plain(first)}.${plain(last)}.${String(number)}`;
  const department = DEPARTMENTS[any(DEPARTMENTS.length)] ?? '';
  return {
    kind: 'user',
    id: idOf(number, seed),
    dn: `CN=${first} ${last} ${String(number)},OU=${department},OU=${city},OU=People,DC=corp,DC=example,DC=com`,
    sid: `${DOMAIN_SID}-${String(1000 + number)}`,
    name: `${first} ${last}`,
    primary: `${address}@example.com`,
    aliases: [`${address}@corp.example.com`, `${plain(first).charAt(0)}${plain(last)}${String(number)}@example.com`],
    attributes: {
      title: [TITLES[any(TITLES.length)] ?? ''],
      department: [department],
      telephoneNumber: [`+44 20 7946 ${String(any(10_000)).padStart(4, '0')}`],
    },
    enabled: any(20) > 0,
  };
}

function group(number: number, people: number, seed: number, any: (limit: number) => number): [Group, Members] {
  const name = `${DEPARTMENTS[any(DEPARTMENTS.length)] ?? ''} ${CITIES[any(CITIES.length)] ?? ''} ${String(number)}`;
  const id = idOf(1_000_000_000 + number, seed);
  return [
    {
      kind: 'group',
      id,
      dn: `CN=${name},OU=Groups,DC=corp,DC=example,DC=com`,
      sid: `${DOMAIN_SID}-${String(2_000_000 + number)}`,
      name,
      primary: `group.${String(number)}@example.com`,
      aliases: [],
      attributes: {},
      scope: 'global',
      type: 'security',
    },
    {
      kind: 'members',
      group: id,
      add: Array.from({ length: Math.min(MEMBERS, people) }, () => ({ id: idOf(any(people), seed) })),
      part: 1,
      parts: 1,
    },
  ];
}

/** As random as a directory's own, and the same every time: compressing them must be as hard as it is in the field. */
function idOf(number: number, seed: number): string {
  const any = seeded(Math.imul(number + 1, 2654435761) ^ seed);
  const words = Array.from({ length: 4 }, () =>
    any(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  return [
    words.slice(0, 8),
    words.slice(8, 12),
    `4${words.slice(13, 16)}`,
    `a${words.slice(17, 20)}`,
    words.slice(20),
  ].join('-');
}

function plain(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();
}

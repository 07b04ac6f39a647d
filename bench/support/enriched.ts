/**
 * The company of `big-directory.ts` as enrich sends it from Active Directory: people of 23 attributes with random object ids,
 * and groups whose members have id, SID and name. Made from a seed, a batch at a time, so that any number of people needs no
 * more memory than one batch.
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
  /** Telephone numbers, streets, postal codes and rooms by chance, which compress badly; without it, in order. */
  readonly random?: boolean;
}

const GIVEN = 'Ada Björn Chloé Dmitri Eleni Farid Grace Hiroko Ines Jürgen Kemal Lucía'.split(' ');
const FAMILY = 'Almeida Brown Çelik Dvořák Eriksson Fischer García Haddad Ivanova Jensen Kowalski'.split(' ');
const TITLES = 'Analyst Bookkeeper Clerk Designer Engineer Foreman 技術者 Инженер Geschäftsführerin'.split(' ');
const STREETS = 'High Church Station Mill Park Victoria Green King Queen Bridge'.split(' ');
const BASE = 'DC=example,DC=test';
const UNIT = 2_000;
const DOMAIN_SID = 'S-1-5-21-3623811015-3361044348-30300820';
/** Two and a half memberships for each person, where there are fifty people for each group. */
const MEMBERS = 125;
/** A batch of groups ends with so many members: about as many bytes as a batch of people, whatever the size of the directory. */
const MEMBERS_OF_A_BATCH = 5_000;
/** About a millisecond's work of making. */
const SLICE = 50;

/**
 * The batches of a whole run, in order: people first, then each group with its members. Made in slices, so that making
 * them takes no turn of the event loop that is to be measured.
 */
export async function* companyBatches(size: CompanySize): AsyncGenerator<EnrichedRecord[]> {
  let batch: EnrichedRecord[] = [];
  let members = 0;
  let made = 0;
  for (const record of company(size)) {
    batch.push(record);
    const weight = record.kind === 'members' ? record.add.length : 1;
    if (record.kind === 'members') members += weight;
    made += weight;
    if (made >= SLICE) {
      made = 0;
      await soon();
    }
    if (batch.length < size.batchSize && members < MEMBERS_OF_A_BATCH) continue;
    yield batch;
    batch = [];
    members = 0;
  }
  if (batch.length > 0) yield batch;
}

function* company({ people, groups, seed = 1, random = false }: CompanySize): Generator<EnrichedRecord> {
  const any = seeded(seed);
  for (let number = 0; number < people; number += 1) yield person(number, seed, random ? any : null);
  for (let number = 0; number < groups; number += 1) yield* group(number, people, seed);
}

function nameOf(index: number): string {
  return `CN=Person ${padded(index)},OU=Unit ${String(Math.floor(index / UNIT))},${BASE}`;
}

function sidOf(index: number): string {
  return `${DOMAIN_SID}-${String(1_000 + index)}`;
}

function person(index: number, seed: number, any: ((limit: number) => number) | null): User {
  const number = padded(index);
  const given = GIVEN[index % GIVEN.length] ?? '';
  const family = FAMILY[index % FAMILY.length] ?? '';
  return {
    kind: 'user',
    id: idOf(index, seed),
    dn: nameOf(index),
    sid: sidOf(index),
    name: `${given} ${family} (${number})`,
    primary: `person${number}@example.com`,
    aliases: [`p.${number}@example.com`, `p${number}@example.org`],
    attributes: {
      sn: [family],
      givenName: [given],
      sAMAccountName: [`p${number}`],
      title: [TITLES[index % TITLES.length] ?? ''],
      department: [`Department ${String(index % 97)}`],
      l: ['Berlin'],
      st: ['Berlin'],
      employeeNumber: [`E${number}`],
      description: [`Person number ${number} of a company made for measuring`],
      ...(any ? anywhere(any) : inOrder(index)),
    },
    enabled: index % 50 !== 49,
  };
}

/** Where somebody is found, as the company has it that the other benches read. */
function inOrder(index: number): User['attributes'] {
  return {
    telephoneNumber: [`+49 30 ${padded(index)}`],
    mobile: [`+49 170 ${padded(index)}`],
    street: [`Street ${String(index % 211)}, House ${String(index % 89)}`],
    postalCode: [`1${String(index % 10_000).padStart(4, '0')}`],
    physicalDeliveryOfficeName: [`Room ${String(index % 1_000)}`],
  };
}

/** The same without any order: numbers that nothing else tells. */
function anywhere(any: (limit: number) => number): User['attributes'] {
  return {
    telephoneNumber: [`+49 30 ${padded(any(1_000_000))}`],
    mobile: [`+49 170 ${padded(any(1_000_000))}`],
    street: [`${STREETS[any(STREETS.length)] ?? ''} Street ${String(1 + any(200))}`],
    postalCode: [`1${String(any(10_000)).padStart(4, '0')}`],
    physicalDeliveryOfficeName: [`Room ${String(any(1_000))}`],
  };
}

function group(index: number, people: number, seed: number): [Group, Members] {
  const number = String(index).padStart(4, '0');
  const id = idOf(1_000_000_000 + index, seed);
  return [
    {
      kind: 'group',
      id,
      dn: `CN=Group ${number},OU=Groups,${BASE}`,
      sid: sidOf(5_000_000 + index),
      name: `Group ${number}`,
      primary: `group${number}@example.com`,
      aliases: [],
      attributes: {},
      scope: 'global',
      type: 'security',
    },
    {
      kind: 'members',
      group: id,
      // All that Active Directory says of a member, and enrich passes on. Spread over the units, as bench:read has them.
      add: Array.from({ length: Math.min(MEMBERS, people) }, (_, count) => {
        const member = (index * 7 + count * 13) % people;
        return { id: idOf(member, seed), sid: sidOf(member), dn: nameOf(member) };
      }),
      part: 1,
      parts: 1,
    },
  ];
}

function padded(index: number): string {
  return String(index).padStart(6, '0');
}

const HEX = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

/** As random as a directory's own, and the same every time: compressing them must be as hard as it is in the field. */
function idOf(number: number, seed: number): string {
  const [a, b, c, d] = [1, 2, 3, 4].map((word) =>
    mixed(Math.imul(number + 1, 2_654_435_761) ^ (seed + word * 0x9e3779b9)),
  );
  const high = (value = 0) => HEX[value >>> 16] ?? '';
  const low = (value = 0) => HEX[value & 0xffff] ?? '';
  return `${high(a)}${low(a)}-${high(b)}-4${low(b).slice(1)}-a${high(c).slice(1)}-${low(c)}${high(d)}${low(d)}`;
}

/** Spreads the bits of a number over 32 (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

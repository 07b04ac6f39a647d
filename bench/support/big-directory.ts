/**
 * A large company as LDIF for slapd: people of 23 attributes, groups of many sizes. Deterministic: the same numbers give the
 * same bytes, so that figures of different days are of the same directory.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

/** How large. Every tenth person has a title in another script; one in fifty is disabled. */
export interface Size {
  readonly people: number;
  readonly groups: number;
  /** Members of the largest group at most; 50,000 where it is not given. */
  readonly largest?: number;
}

export const BASE = 'DC=example,DC=test';
const UNIT = 2_000;
const GIVEN = [
  'Ada',
  'Björn',
  'Chloé',
  'Dmitri',
  'Eleni',
  'Farid',
  'Grace',
  'Hiroko',
  'Ines',
  'Jürgen',
  'Kemal',
  'Lucía',
];
const FAMILY = [
  'Almeida',
  'Brown',
  'Çelik',
  'Dvořák',
  'Eriksson',
  'Fischer',
  'García',
  'Haddad',
  'Ivanova',
  'Jensen',
  'Kowalski',
];
const TITLES = [
  'Analyst',
  'Bookkeeper',
  'Clerk',
  'Designer',
  'Engineer',
  'Foreman',
  '技術者',
  'Инженер',
  'Geschäftsführerin',
];

/** Sizes of the groups: one of half the people (at most 50,000), twenty of 5,000, the rest small; about 2.5 memberships a person. */
export function groupSizes({ people, groups, largest = 50_000 }: Size): number[] {
  const large = Math.min(20, Math.floor(groups / 100));
  const sizes = [
    Math.min(largest, Math.floor(people / 2)),
    ...Array<number>(large).fill(Math.min(5_000, largest, Math.floor(people / 20))),
  ];
  const left = Math.max(0, groups - sizes.length);
  const rest = Math.max(0, Math.floor(people * 2.5) - sizes.reduce((sum, size) => sum + size, 0));
  const each = left === 0 ? 0 : Math.floor(rest / left);
  return [...sizes, ...Array<number>(left).fill(Math.min(each, people))].slice(0, groups);
}

export function personDn(index: number): string {
  return `CN=Person ${String(index).padStart(6, '0')},OU=Unit ${String(Math.floor(index / UNIT))},${BASE}`;
}

/** Writes the LDIF of a directory of that size to `file`. */
export async function writeBigDirectory(file: string, size: Size): Promise<void> {
  const out = createWriteStream(file);
  const write = async (text: string) => {
    if (!out.write(text)) await once(out, 'drain');
  };
  await write(`dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n`);
  await write(`dn: OU=Groups,${BASE}\nobjectClass: organizationalUnit\nou: Groups\n\n`);
  for (let unit = 0; unit * UNIT < size.people; unit += 1) {
    const name = `Unit ${String(unit)}`;
    await write(`dn: OU=${name},${BASE}\nobjectClass: organizationalUnit\nou: ${name}\n\n`);
  }
  for (let index = 0; index < size.people; index += 1) await write(person(index));
  for (const [index, count] of groupSizes(size).entries()) await write(group(index, count, size.people));
  out.end();
  await once(out, 'finish');
}

function person(index: number): string {
  const number = String(index).padStart(6, '0');
  const given = GIVEN[index % GIVEN.length] ?? '';
  const family = FAMILY[index % FAMILY.length] ?? '';
  const address = `person${number}@example.com`;
  return [
    `dn: ${personDn(index)}`,
    'objectClass: inetOrgPerson',
    'objectClass: user',
    'objectClass: identified',
    `cn: Person ${number}`,
    line('sn', family),
    line('givenName', given),
    line('displayName', `${given} ${family} (${number})`),
    `mail: ${address}`,
    `proxyAddresses: SMTP:${address}`,
    `proxyAddresses: smtp:p.${number}@example.com`,
    `proxyAddresses: smtp:p${number}@example.org`,
    `sAMAccountName: p${number}`,
    `userAccountControl: ${index % 50 === 49 ? '514' : '512'}`,
    line('title', TITLES[index % TITLES.length] ?? ''),
    `department: Department ${String(index % 97)}`,
    `telephoneNumber: +49 30 ${number}`,
    `mobile: +49 170 ${number}`,
    `street: Street ${String(index % 211)}, House ${String(index % 89)}`,
    'l: Berlin',
    'st: Berlin',
    `postalCode: 1${String(index % 10_000).padStart(4, '0')}`,
    `physicalDeliveryOfficeName: Room ${String(index % 1_000)}`,
    `employeeNumber: E${number}`,
    `description: Person number ${number} of a company made for measuring`,
    `objectGUID:: ${guid(`person ${number}`)}`,
    '',
    '',
  ].join('\n');
}

function group(index: number, members: number, people: number): string {
  const number = String(index).padStart(4, '0');
  const lines = [
    `dn: CN=Group ${number},OU=Groups,${BASE}`,
    'objectClass: group',
    'objectClass: identified',
    `cn: Group ${number}`,
    `displayName: Group ${number}`,
    `mail: group${number}@example.com`,
    'groupType: -2147483640',
    `objectGUID:: ${guid(`group ${number}`)}`,
  ];
  // A stride that is coprime to most sizes spreads the members over all units.
  for (let count = 0; count < members; count += 1) lines.push(`member: ${personDn((index * 7 + count * 13) % people)}`);
  lines.push('', '');
  return [...new Set(lines.slice(0, -2)), '', ''].join('\n');
}

function line(name: string, value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? `${name}: ${value}` : `${name}:: ${Buffer.from(value).toString('base64')}`;
}

function guid(of: string): string {
  return createHash('sha256').update(of).digest().subarray(0, 16).toString('base64');
}

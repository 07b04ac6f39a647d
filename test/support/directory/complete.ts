/**
 * From an entry of a file to an object of the directory: what Active Directory computes is computed here, the same from the
 * same names on every machine. What the file says itself is kept.
 */
import { type LdifEntry, type LdifValue, valuesOf } from '../ldif.js';
import { parseDn } from './dn.js';
import { guidBytes, guidFromName, sidBytes } from './ids.js';
import { AttributeMap, type DirectoryObject, firstText } from './object.js';
import { classChain, classFact } from './schema.js';

/** What an object needs to know of its surroundings. */
export interface Surroundings {
  readonly dn: string;
  readonly key: string;
  readonly context: string;
  readonly schemaDn: string;
  /** `S-1-5-21-…` of the domain that it is in, null in the configuration. */
  readonly domainSid: string | null;
  /** A relative id that nobody else has, as near to the wish as there is one. */
  readonly relativeId: (wish: number) => number;
  readonly created: Stamp;
  readonly changed: Stamp;
}

/** Update sequence number and generalized time. */
export interface Stamp {
  readonly usn: number;
  readonly time: string;
}

const SECURITY_ENABLED = 0x80000000;

export function completeEntry(entry: LdifEntry, around: Surroundings): DirectoryObject {
  const attributes = new AttributeMap();
  const classes = completeClasses(valuesOf(entry, 'objectClass').map(String));
  attributes.put('objectClass', classes);
  const [rdn] = parseDn(around.dn) ?? [];
  for (const { type, value } of rdn ?? []) attributes.put(type.toLowerCase(), [value]);
  for (const [name, values] of Object.entries(entry.attributes)) {
    if (name.toLowerCase() !== 'objectclass') attributes.put(name, values);
  }
  const name = rdn?.[0]?.value ?? '';
  attributes.put('distinguishedName', [around.dn]).put('name', [name]);

  const guid = guidOf(entry) ?? guidFromName(around.key);
  const category = classFact(classes.at(-1) ?? '')?.category ?? 'Top';
  attributes
    .put('objectGUID', [guid])
    .putDefault('objectCategory', `CN=${category},${around.schemaDn}`)
    .putDefault('instanceType', around.key === around.context ? '5' : '4')
    .putDefault('whenCreated', around.created.time)
    .putDefault('whenChanged', around.changed.time)
    .putDefault('uSNCreated', String(around.created.usn))
    .putDefault('uSNChanged', String(around.changed.usn));

  const sid = sidOf(entry) ?? newSid(classes, guid, around);
  if (sid) attributes.put('objectSid', [sid]);
  completeAccount(attributes, classes, name);
  const deleted = firstText({ attributes }, 'isdeleted')?.toUpperCase() === 'TRUE';
  return { dn: around.dn, key: around.key, context: around.context, guid, sid, deleted, attributes };
}

const chains = new Map<string, readonly string[]>();

/** The chain of the most derived class, then what else was named. One list per combination is shared by all objects. */
function completeClasses(named: readonly string[]): readonly string[] {
  const key = named.join(' ');
  const known = chains.get(key);
  if (known) return known;
  let longest = ['top'];
  for (const name of named) {
    const chain = classChain(name);
    if (chain.length >= longest.length) longest = chain;
  }
  const inChain = new Set(longest.map((name) => name.toLowerCase()));
  const auxiliary = named.filter((name) => !inChain.has(name.toLowerCase()));
  const [last = 'top', ...rest] = [...longest].reverse();
  const chain = [...rest.reverse(), ...auxiliary, last];
  chains.set(key, chain);
  return chain;
}

/** What users, computers and groups have beside. A user of whom the file does not say it is enabled. */
function completeAccount(attributes: AttributeMap, classes: readonly string[], name: string): void {
  if (classes.includes('computer')) {
    attributes.putDefault('userAccountControl', '4096').putDefault('primaryGroupID', '515');
    attributes.putDefault('sAMAccountType', '805306369').putDefault('sAMAccountName', `${name}$`);
  } else if (classes.includes('user')) {
    attributes.putDefault('userAccountControl', '512').putDefault('primaryGroupID', '513');
    attributes.putDefault('sAMAccountType', '805306368').putDefault('sAMAccountName', name);
    attributes.putDefault('accountExpires', '9223372036854775807').putDefault('pwdLastSet', '133500000000000000');
  } else if (classes.includes('group')) {
    attributes.putDefault('groupType', '-2147483646').putDefault('sAMAccountName', name);
    attributes.putDefault('sAMAccountType', groupAccountType(Number(firstText({ attributes }, 'grouptype'))));
  }
}

/** MS-SAMR 2.2.1.9: security or not, and whether only this domain may use it. */
function groupAccountType(groupType: number): string {
  const alias = (groupType & 4) !== 0 ? 0x10000000 : 0;
  const distribution = (groupType & SECURITY_ENABLED) === 0 ? 1 : 0;
  return String(0x10000000 + alias + distribution);
}

function guidOf(entry: LdifEntry): Buffer | null {
  const [value] = valuesOf(entry, 'objectGUID');
  if (value === undefined) return null;
  const guid = (typeof value === 'string' ? guidBytes(value) : null) ?? bytesOf(value);
  if (guid.length !== 16) throw new Error(`The objectGUID of ${entry.dn} is not 16 bytes.`);
  return guid;
}

function sidOf(entry: LdifEntry): Buffer | null {
  const [value] = valuesOf(entry, 'objectSid');
  if (value === undefined) return null;
  return (typeof value === 'string' ? sidBytes(value) : null) ?? bytesOf(value);
}

const FIRST_RELATIVE_ID = 1100;
const LAST_RELATIVE_ID = 0x3fffffff;

/** From the GUID, so that it stays when others come and go. */
function newSid(classes: readonly string[], guid: Buffer, around: Surroundings): Buffer | null {
  if (around.domainSid === null || classFact(classes.at(-1) ?? '')?.sid !== true) return null;
  const wish = FIRST_RELATIVE_ID + (guid.readUInt32LE(12) % (LAST_RELATIVE_ID - FIRST_RELATIVE_ID));
  return sidBytes(`${around.domainSid}-${around.relativeId(wish)}`);
}

function bytesOf(value: LdifValue): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

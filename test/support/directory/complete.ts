/**
 * From an entry of a file to an object of the directory: what Active Directory computes is computed here, the same from the
 * same names on every machine. What the file says itself is kept. Computed values are not stored, so that a hundred
 * thousand objects fit in little memory.
 */
import { type LdifEntry, type LdifValue, valuesOf } from '../ldif.js';
import { type Rdn, parseDn } from './dn.js';
import { guidBytes, guidFromName, sidBytes } from './ids.js';
import { type Attribute, type DirectoryObject, firstText } from './object.js';
import { attributeFact, classChain, classFact } from './schema.js';

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

export function completeEntry(entry: LdifEntry, around: Surroundings): DirectoryObject {
  return new CompletedObject(entry, around);
}

class CompletedObject implements DirectoryObject {
  readonly dn: string;
  readonly key: string;
  readonly context: string;
  readonly guid: Buffer;
  readonly sid: Buffer | null;
  readonly deleted: boolean;
  /** Structural class last. */
  readonly classes: readonly string[];
  readonly rdn: Rdn;
  readonly schemaDn: string;
  readonly created: Stamp;
  readonly changed: Stamp;
  readonly given = new Map<string, Attribute>();

  constructor(entry: LdifEntry, around: Surroundings) {
    this.dn = around.dn;
    this.key = around.key;
    this.context = around.context;
    this.schemaDn = around.schemaDn;
    this.created = around.created;
    this.changed = around.changed;
    this.rdn = (parseDn(entry.dn) ?? [])[0] ?? [];
    this.classes = completeClasses(valuesOf(entry, 'objectClass').map(String));
    for (const [name, values] of Object.entries(entry.attributes)) {
      const key = name.toLowerCase();
      const fact = attributeFact(key);
      // A server takes a SID in either form, and keeps the bytes.
      const kept = fact?.syntax === 'sid' ? values.map((value) => sidBytes(String(value)) ?? value) : values;
      this.given.set(key, { name: fact?.name ?? name, values: kept });
    }
    this.guid = guidOf(entry) ?? guidFromName(around.key);
    this.sid = sidOf(entry) ?? newSid(this.classes, this.guid, around);
    this.deleted = firstText(this, 'isdeleted')?.toUpperCase() === 'TRUE';
  }

  attribute(lowerName: string): Attribute | undefined {
    const certain = ALWAYS[lowerName];
    const values = certain ? certain(this) : undefined;
    if (values === undefined) {
      const given = this.given.get(lowerName) ?? this.#relative(lowerName);
      if (given) return given;
    }
    const found = values ?? DEFAULTS[lowerName]?.(this);
    return found === undefined ? undefined : { name: attributeFact(lowerName)?.name ?? lowerName, values: found };
  }

  names(): Iterable<string> {
    const own = this.rdn.map(({ type }) => type.toLowerCase());
    return new Set([...Object.keys(ALWAYS), ...own, ...this.given.keys(), ...Object.keys(DEFAULTS)]);
  }

  /** The attributes that are in the object's own name. */
  #relative(lowerName: string): Attribute | undefined {
    const part = this.rdn.find(({ type }) => type.toLowerCase() === lowerName);
    return part && { name: attributeFact(lowerName)?.name ?? lowerName, values: [part.value] };
  }
}

type Computed = Readonly<Record<string, (object: CompletedObject) => readonly LdifValue[] | undefined>>;

/** What the server decides, whatever a file says. */
const ALWAYS: Computed = {
  objectclass: ({ classes }) => classes,
  distinguishedname: ({ dn }) => [dn],
  name: ({ rdn }) => [rdn[0]?.value ?? ''],
  objectguid: ({ guid }) => [guid],
  objectsid: ({ sid }) => (sid ? [sid] : undefined),
};

/** What the server fills in where a file says nothing. A user of whom it does not say so is enabled. */
const DEFAULTS: Computed = {
  objectcategory: ({ classes, schemaDn }) => [`CN=${classFact(classes.at(-1) ?? '')?.category ?? 'Top'},${schemaDn}`],
  instancetype: ({ key, context }) => [key === context ? '5' : '4'],
  whencreated: ({ created }) => [created.time],
  whenchanged: ({ changed }) => [changed.time],
  usncreated: ({ created }) => [String(created.usn)],
  usnchanged: ({ changed }) => [String(changed.usn)],
  useraccountcontrol: byKind({ user: '512', computer: '4096' }),
  primarygroupid: byKind({ user: '513', computer: '515' }),
  accountexpires: byKind({ user: '9223372036854775807', computer: '9223372036854775807' }),
  pwdlastset: byKind({ user: '133500000000000000', computer: '133500000000000000' }),
  grouptype: byKind({ group: '-2147483646' }),
  samaccountname: (object) => {
    const kind = kindOf(object);
    const name = object.rdn[0]?.value ?? '';
    return kind && [kind === 'computer' ? `${name}$` : name];
  },
  samaccounttype: (object) => {
    if (kindOf(object) !== 'group') return byKind({ user: '805306368', computer: '805306369' })(object);
    return [groupAccountType(Number(firstText(object, 'grouptype')))];
  },
};

type Kind = 'user' | 'computer' | 'group';

function kindOf({ classes }: CompletedObject): Kind | undefined {
  if (classes.includes('computer')) return 'computer';
  if (classes.includes('user')) return 'user';
  return classes.includes('group') ? 'group' : undefined;
}

function byKind(values: Readonly<Partial<Record<Kind, string>>>): (object: CompletedObject) => string[] | undefined {
  const lists = new Map(Object.entries(values).map(([kind, value]) => [kind, [value]]));
  return (object) => lists.get(kindOf(object) ?? '');
}

const chains = new Map<string, readonly string[]>();

/** The chain of the most derived class, with what else was named before its end. One list serves all objects alike. */
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
  const classes = [...longest.slice(0, -1), ...auxiliary, ...longest.slice(-1)];
  chains.set(key, classes);
  return classes;
}

const DOMAIN_LOCAL = 4;
const SECURITY_ENABLED = 0x80000000;

/** MS-SAMR 2.2.1.9: whether only this domain may use the group, and whether it may be granted rights. */
function groupAccountType(groupType: number): string {
  const alias = (groupType & DOMAIN_LOCAL) === 0 ? 0 : 0x10000000;
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

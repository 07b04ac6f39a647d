/**
 * The objects of a forest as one server shows them: the Global Catalog with the partial attribute set and without the
 * members that it does not hold; a server's own update sequence numbers and invocation id; attributes that whoever is bound
 * may not see. What is made from others, such as memberOf, follows from what is shown.
 */
import type { LdifValue } from '../ldif.js';
import { type Attribute, type DirectoryObject, firstText } from './object.js';
import { Store } from './store.js';

export interface Projection {
  /** Whether this is what the Global Catalog holds. */
  readonly catalog: boolean;
  /** Names in lower case of attributes that are not shown. */
  readonly hidden: ReadonlySet<string>;
  readonly usnShift: number;
  /** Whether this is AD LDS, which computes the states of accounts. */
  readonly lightweight: boolean;
  /** The object whose invocation id is another, and the id; null where it stays. */
  readonly invocation: { readonly key: string; readonly id: Buffer } | null;
}

/** Whether everything is shown as it is. */
export function isPlain({ catalog, hidden, usnShift, lightweight, invocation }: Projection): boolean {
  return !catalog && hidden.size === 0 && usnShift === 0 && !lightweight && invocation === null;
}

/** A store of the same objects, shown so. */
export function project(store: Store, projection: Projection): Store {
  const shown = new Store();
  const held = projection.catalog ? partialAttributeSet(store) : null;
  for (const object of store.all()) shown.put(new ProjectedObject(object, projection, held));
  return shown;
}

/** Names in lower case of the attributes that the schema says are in the Global Catalog. */
function partialAttributeSet(store: Store): Set<string> {
  const names = new Set<string>(['objectclass', 'distinguishedname', 'objectguid', 'objectsid']);
  for (const object of store.all()) {
    if (firstText(object, 'ismemberofpartialattributeset') !== 'TRUE') continue;
    const name = firstText(object, 'ldapdisplayname');
    if (name !== undefined) names.add(name.toLowerCase());
  }
  return names;
}

const USNS = new Set(['usnchanged', 'usncreated']);
const UNIVERSAL = 8;
const CONTROL = 'useraccountcontrol';
const COMPUTED = 'msds-user-account-control-computed';
const DISABLED = 2;

class ProjectedObject implements DirectoryObject {
  readonly dn: string;
  readonly key: string;
  readonly context: string;
  readonly guid: Buffer;
  readonly sid: Buffer | null;
  readonly deleted: boolean;

  constructor(
    private readonly object: DirectoryObject,
    private readonly projection: Projection,
    private readonly held: ReadonlySet<string> | null,
  ) {
    this.dn = object.dn;
    this.key = object.key;
    this.context = object.context;
    this.guid = object.guid;
    this.sid = object.sid;
    this.deleted = object.deleted;
  }

  get given(): ReadonlyMap<string, Attribute> {
    return new Map([...this.object.given].filter(([name]) => this.#shows(name)));
  }

  attribute(lowerName: string): Attribute | undefined {
    const { usnShift, invocation, lightweight } = this.projection;
    if (lightweight && lowerName === COMPUTED && this.#shows(lowerName)) return this.#computed();
    const attribute = this.#shows(lowerName) ? this.object.attribute(lowerName) : undefined;
    if (attribute === undefined) return undefined;
    if (usnShift !== 0 && USNS.has(lowerName)) return { ...attribute, values: attribute.values.map(shifted(usnShift)) };
    if (lowerName === 'invocationid' && invocation?.key === this.key) return { ...attribute, values: [invocation.id] };
    return attribute;
  }

  *names(): Iterable<string> {
    for (const name of this.object.names()) if (this.#shows(name)) yield name;
  }

  /** [MS-ADTS] 3.1.1.4.5.17, of what the rest of it says nothing is known here. */
  #computed(): Attribute | undefined {
    const control = firstText(this.object, CONTROL);
    if (control === undefined) return undefined;
    return { name: 'msDS-User-Account-Control-Computed', values: [String(Number(control) & DISABLED)] };
  }

  #shows(lowerName: string): boolean {
    if (this.projection.hidden.has(lowerName)) return false;
    if (this.projection.lightweight && lowerName === CONTROL) return false;
    if (this.held === null) return true;
    // The relative name itself is always there, whatever the schema says of its attribute.
    if (!this.held.has(lowerName) && !this.key.startsWith(`${lowerName}=`)) return false;
    return lowerName !== 'member' || this.#isUniversal();
  }

  /** Only universal groups have their members in the catalog ([MS-ADTS] 3.1.1.1.9, [MS-SAMR] 2.2.1.11). */
  #isUniversal(): boolean {
    return (Number(firstText(this.object, 'grouptype') ?? '0') & UNIVERSAL) !== 0;
  }
}

function shifted(by: number): (value: LdifValue) => LdifValue {
  return (value) => String(Number(String(value)) + by);
}

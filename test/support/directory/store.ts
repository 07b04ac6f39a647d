/**
 * The objects of a forest: found by name, by GUID and by SID; walked by scope; with the links between them followed in both
 * directions. One store holds all naming contexts; which of them a server shows is not decided here.
 */
import type { LdifValue } from '../ldif.js';
import { dnKey, escapeValue, isWithin, parentKey, parseDn } from './dn.js';
import { guidBytes, sidBytes, sidText } from './ids.js';
import { type DirectoryObject, firstText, valuesIn } from './object.js';
import { BACKLINKS, attributeFact } from './schema.js';

export type Scope = 'base' | 'one' | 'sub';

export class Store {
  readonly #objects = new Map<string, DirectoryObject>();
  readonly #children = new Map<string, Set<string>>();
  readonly #byGuid = new Map<string, string>();
  readonly #bySid = new Map<string, string>();
  readonly #names = new Set<string>();
  /** attribute → target's key → keys of the objects that name it. Built when first asked for. */
  readonly #links = new Map<string, Map<string, Set<string>>>();

  get size(): number {
    return this.#objects.size;
  }

  put(object: DirectoryObject): void {
    this.#forget(this.#objects.get(object.key));
    this.#objects.set(object.key, object);
    const parent = parentKey(object.key);
    const siblings = this.#children.get(parent);
    if (siblings) siblings.add(object.key);
    else this.#children.set(parent, new Set([object.key]));
    this.#byGuid.set(object.guid.toString('hex'), object.key);
    if (object.sid) this.#bySid.set(object.sid.toString('hex'), object.key);
    for (const name of object.given.keys()) this.#names.add(name);
    this.#links.clear();
  }

  remove(key: string): void {
    this.#forget(this.#objects.get(key));
    this.#objects.delete(key);
    this.#children.get(parentKey(key))?.delete(key);
    this.#links.clear();
  }

  #forget(object: DirectoryObject | undefined): void {
    if (!object) return;
    this.#byGuid.delete(object.guid.toString('hex'));
    if (object.sid) this.#bySid.delete(object.sid.toString('hex'));
  }

  get(key: string): DirectoryObject | undefined {
    return this.#objects.get(key);
  }

  all(): Iterable<DirectoryObject> {
    return this.#objects.values();
  }

  bySid(sid: Buffer): DirectoryObject | undefined {
    return this.#objects.get(this.#bySid.get(sid.toString('hex')) ?? '\0');
  }

  /**
   * The key of the object that a text names: a distinguished name, `<GUID=…>` or `<SID=…>` (MS-ADTS 3.1.1.3.1.2.4).
   * A well-formed name of nothing gives its key all the same; null is what is no name at all.
   */
  keyOfName(name: string): string | null {
    const special = /^<(GUID|SID)=([^>]*)>/i.exec(name);
    if (!special) return dnKey(name);
    const [, kind = '', text = ''] = special;
    if (kind.toUpperCase() === 'GUID') return this.#byGuid.get(guidBytes(text)?.toString('hex') ?? '') ?? null;
    return this.#bySid.get((sidBytes(text) ?? Buffer.from(text, 'hex')).toString('hex')) ?? null;
  }

  /** Whether the schema has the attribute: by the facts, or because some object uses it. */
  knows(lowerName: string): boolean {
    return this.#names.has(lowerName) || attributeFact(lowerName) !== undefined;
  }

  /** The objects in scope, of the base's own naming context only, parents before children. */
  *walk(base: DirectoryObject, scope: Scope): Generator<DirectoryObject> {
    if (scope !== 'one') yield base;
    if (scope === 'base') return;
    const waiting = [...(this.#children.get(base.key) ?? [])].reverse();
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const object = this.#objects.get(key);
      if (object?.context !== base.context) continue;
      yield object;
      if (scope === 'sub') {
        const children = this.#children.get(key);
        if (children) waiting.push(...[...children].reverse());
      }
    }
  }

  /** The same over the borders of naming contexts, as in the Global Catalog; null is above all of them. */
  *walkAll(base: DirectoryObject | null, scope: Scope): Generator<DirectoryObject> {
    if (base && scope !== 'one') yield base;
    if (scope === 'base') return;
    for (const object of this.#objects.values()) {
      const within = base ? object !== base && isWithin(object.key, base.key) : true;
      const near = scope === 'sub' || parentKey(object.key) === (base?.key ?? '');
      if (within && near) yield object;
    }
  }

  /** Keys of the objects whose `attribute` names the object under `target`. For backlinks: the objects that it names. */
  sourcesOf(lowerName: string, target: string): ReadonlySet<string> {
    const forward = BACKLINKS.get(lowerName);
    if (forward !== undefined) return new Set(this.#namedBy(target, forward));
    return this.#linksOf(lowerName).get(target) ?? new Set();
  }

  /** Values of an attribute, backlinks and constructed ones included; undefined where the object has none. */
  read(object: DirectoryObject, lowerName: string): readonly LdifValue[] | undefined {
    const forward = BACKLINKS.get(lowerName);
    if (forward !== undefined) {
      const sources = this.#linksOf(forward).get(object.key);
      return sources && [...sources].map((key) => this.#objects.get(key)?.dn ?? '');
    }
    return valuesIn(object, lowerName) ?? this.#construct(object, lowerName);
  }

  #linksOf(lowerName: string): Map<string, Set<string>> {
    const known = this.#links.get(lowerName);
    if (known) return known;
    const links = new Map<string, Set<string>>();
    for (const object of this.#objects.values()) {
      for (const target of this.#namedBy(object.key, lowerName)) {
        const sources = links.get(target);
        if (sources) sources.add(object.key);
        else links.set(target, new Set([object.key]));
      }
    }
    this.#links.set(lowerName, links);
    return links;
  }

  *#namedBy(key: string, lowerName: string): Generator<string> {
    for (const value of this.#objects.get(key)?.attribute(lowerName)?.values ?? []) {
      const target = dnKey(String(value));
      if (target !== null) yield target;
    }
  }

  #construct(object: DirectoryObject, lowerName: string): readonly LdifValue[] | undefined {
    switch (lowerName) {
      case 'canonicalname':
        return [canonicalName(object.dn)];
      case 'parentguid': {
        const parent = this.#objects.get(parentKey(object.key));
        return parent && [parent.guid];
      }
      case 'primarygrouptoken': {
        if (!object.sid || !object.attribute('grouptype')) return undefined;
        return [sidText(object.sid).split('-').at(-1) ?? ''];
      }
      case 'createtimestamp':
        return valuesIn(object, 'whencreated');
      case 'modifytimestamp':
        return valuesIn(object, 'whenchanged');
      case 'structuralobjectclass':
        return valuesIn(object, 'objectclass');
      case 'msds-user-account-control-computed': {
        if (!object.attribute('useraccountcontrol')) return undefined;
        const isLocked = Number(firstText(object, 'lockouttime') ?? '0') !== 0;
        return [isLocked ? LOCKED_OUT : '0'];
      }
      case 'msds-principalname': {
        const account = firstText(object, 'samaccountname');
        return account === undefined ? undefined : [account];
      }
      default:
        return undefined;
    }
  }
}

/** Of a domain controller it says who is locked out, and never who is disabled (MS-ADTS 3.1.1.4.5.17). */
const LOCKED_OUT = '16';

/** `example.test/Users/Someone` (MS-ADTS 3.1.1.4.5.11). */
function canonicalName(dn: string): string {
  const rdns = (parseDn(dn) ?? []).map(([part]) => part ?? { type: '', value: '' });
  const labels = rdns.filter(({ type }) => type.toLowerCase() === 'dc').map(({ value }) => value);
  const rest = rdns
    .filter(({ type }) => type.toLowerCase() !== 'dc')
    .map(({ value }) => value.replace(/[/\\]/g, '\\$&'));
  return `${labels.join('.')}/${rest.reverse().join('/')}`;
}

/** A name as the server prints it: types in capitals, its own way of escaping, the parent as the parent is spelled. */
export function printedDn(dn: string, parent: DirectoryObject | undefined): string {
  const rdns = parseDn(dn) ?? [];
  const own = parent ? rdns.slice(0, 1) : rdns;
  const printed = own.map((rdn) =>
    rdn.map(({ type, value }) => `${type.toUpperCase()}=${escapeValue(value)}`).join('+'),
  );
  return [...printed, ...(parent ? [parent.dn] : [])].join(',');
}

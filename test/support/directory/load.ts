/** Fills a store from entries, and again when they change: an object that changed gets a higher update sequence number. */
import type { LdifEntry, LdifValue } from '../ldif.js';
import { type Stamp, completeEntry } from './complete.js';
import { dnKey, parentKey } from './dn.js';
import { furniture } from './furniture.js';
import { Store, printedDn } from './store.js';
import { type Controller, type Forest, allContexts, contextOf } from './topology.js';

interface Known {
  readonly entry: LdifEntry;
  readonly created: Stamp;
  readonly changed: Stamp;
}

/** When the domain was made: a fixed time, so that two runs read the same. */
const FOUNDED = '20240102030405.0Z';
const FIRST_USN = 4096;

/** Keeps what is needed to tell what changed between two loads. */
export class Loader {
  #usn = FIRST_USN;
  #known = new Map<string, Known>();

  constructor(
    private readonly forest: Forest,
    private readonly controllers: readonly Controller[],
  ) {}

  /** highestCommittedUSN */
  get usn(): number {
    return this.#usn;
  }

  /** The whole directory: these entries and what every domain has. Parents must come before children; throws where none is. */
  load(entries: readonly LdifEntry[]): Store {
    const before = this.#known;
    this.#known = new Map();
    const now = before.size === 0 ? FOUNDED : generalizedTime(new Date());
    const store = new Store();
    const relativeIds = new Set<number>();
    for (const [key, entry] of this.#merged(entries)) {
      const context = contextOf(key, allContexts(this.forest));
      const parent = store.get(parentKey(key));
      if (!context || (!parent && key !== context.key)) {
        throw new Error(
          `${entry.dn} has no parent here: the entries above it must come before it, within ${this.forest.root.dn}.`,
        );
      }
      const known = this.#stamp(entry, before.get(key), now);
      this.#known.set(key, known);
      const relativeId = (wish: number) => {
        let id = wish;
        while (relativeIds.has(id)) id += 1;
        relativeIds.add(id);
        return id;
      };
      store.put(
        completeEntry(entry, {
          dn: printedDn(entry.dn, parent),
          key,
          context: context.key,
          schemaDn: this.forest.schema.dn,
          domainSid: this.forest.domains.find((domain) => domain.key === context.key)?.sid ?? null,
          relativeId,
          created: known.created,
          changed: known.changed,
        }),
      );
    }
    if ([...before.keys()].some((key) => !this.#known.has(key))) this.#usn += 1;
    return store;
  }

  /** The entries by key, those given merged into what is there already under the same name. */
  #merged(entries: readonly LdifEntry[]): Map<string, LdifEntry> {
    const merged = new Map<string, LdifEntry>();
    for (const entry of furniture(this.forest, this.controllers)) merged.set(dnKey(entry.dn) ?? '', entry);
    const given = new Set<string>();
    for (const entry of entries) {
      const key = dnKey(entry.dn);
      if (key === null) throw new Error(`${entry.dn} is not a distinguished name.`);
      if (given.has(key)) throw new Error(`${entry.dn} is there twice.`);
      given.add(key);
      const there = merged.get(key);
      merged.set(key, there ? { dn: there.dn, attributes: { ...there.attributes, ...entry.attributes } } : entry);
    }
    return merged;
  }

  #stamp(entry: LdifEntry, before: Known | undefined, time: string): Known {
    if (before && sameEntry(before.entry, entry)) return before;
    this.#usn += 1;
    const changed = { usn: this.#usn, time };
    return { entry, created: before?.created ?? changed, changed };
  }
}

function sameEntry(left: LdifEntry, right: LdifEntry): boolean {
  if (left === right) return true;
  const names = Object.keys(left.attributes);
  return (
    left.dn === right.dn &&
    names.length === Object.keys(right.attributes).length &&
    names.every((name) => sameValues(left.attributes[name] ?? [], right.attributes[name] ?? []))
  );
}

function sameValues(left: readonly LdifValue[], right: readonly LdifValue[]): boolean {
  return (
    left.length === right.length &&
    left.every((value, index) => {
      const other = right[index];
      if (typeof value === 'string' || typeof other === 'string' || other === undefined) return value === other;
      return value.equals(other);
    })
  );
}

/** `20240102030405.0Z` */
export function generalizedTime(date: Date): string {
  return `${date.toISOString().replace(/\D/g, '').slice(0, 14)}.0Z`;
}

/** The objects that a search finds, one after the other, kept from page to page. */
import type { SearchControls } from './controls.js';
import { isWithin, parentKey } from './dn.js';
import { filterText } from './filter.js';
import { compileFilter } from './match.js';
import type { Result, SearchRequest } from './message.js';
import type { DirectoryObject } from './object.js';
import { badName, elsewhere, noSuchObject } from './refusals.js';
import type { Store } from './store.js';
import { type Controller, type Forest, allContexts, contextOf, dnsNameOf, subordinates } from './topology.js';

/** The directory as one server and one identity see it. */
export interface View {
  readonly store: Store;
  readonly forest: Forest;
  readonly controller: Controller;
  /** Whether this is the Global Catalog: every domain of the forest, and no borders between them. */
  readonly catalog: boolean;
  /** Keys of the objects that may not be seen, each with all below it. */
  readonly hidden: readonly string[];
}

/** A search under way. `found` is what the next page begins with; undefined when there is nothing more. */
export class ResultSet {
  pages = 0;
  entries = 0;
  #found: DirectoryObject | undefined;
  readonly #objects: Iterator<DirectoryObject, unknown>;

  constructor(
    /** What was asked: a page must ask for the same. */
    readonly question: string,
    readonly references: readonly string[],
    objects: Iterable<DirectoryObject>,
  ) {
    this.#objects = objects[Symbol.iterator]();
    this.#advance();
  }

  get more(): boolean {
    return this.#found !== undefined;
  }

  take(): DirectoryObject | undefined {
    const object = this.#found;
    if (object) this.#advance();
    return object;
  }

  #advance(): void {
    const next = this.#objects.next();
    this.#found = next.done === true ? undefined : next.value;
  }
}

/** What must be the same on all pages of a search. */
export function questionOf({ base, scope, filter }: SearchRequest): string {
  return `${scope} ${base} ${filterText(filter)}`;
}

/** Begins a search, or says why it cannot be. `current` gives the store of the moment: it may be replaced between pages. */
export function openResultSet(
  request: SearchRequest,
  { deleted, withoutReferences }: SearchControls,
  view: View,
  current: () => Store,
): ResultSet | Result {
  const { store, forest } = view;
  const base = resolveBase(request.base, view);
  if (base !== ROOT && 'code' in base) return base;
  const selects = compileFilter(request.filter, store, forest.schema.dn);
  const visible = (object: DirectoryObject) =>
    (deleted || !object.deleted) && !view.hidden.some((key) => isWithin(object.key, key));

  function* found(from: DirectoryObject | null): Generator<DirectoryObject> {
    const walk = view.catalog ? store.walkAll(from, request.scope) : from ? store.walk(from, request.scope) : [];
    for (const { key } of walk) {
      // The object as it is now; one that went away meanwhile is not found.
      const object = current().get(key);
      if (object && visible(object) && selects(object) === true) yield object;
    }
  }
  if (base === ROOT) return new ResultSet(questionOf(request), [], found(null));
  const references = withoutReferences || view.catalog ? [] : referencesOf(base, request.scope, view);
  return new ResultSet(questionOf(request), references, found(base));
}

/** Stands for the empty base, which in the Global Catalog is above every domain. */
const ROOT = 'root';

function resolveBase(base: string, view: View): DirectoryObject | Result | typeof ROOT {
  const key = view.store.keyOfName(base);
  if (key === null) return base.startsWith('<') ? noSuchObject('') : badName(base);
  if (key === '' && view.catalog) return ROOT;
  const contexts = view.catalog ? allContexts(view.forest) : view.controller.contexts;
  const object = seen(key, view);
  if (object && contexts.some((context) => context.key === object.context)) return object;
  const context = contextOf(key, allContexts(view.forest));
  if (!context || !contexts.includes(context)) return key === '' ? noSuchObject('') : elsewhere(base);
  return noSuchObject(nearest(key, view));
}

function seen(key: string, { store, hidden }: View): DirectoryObject | undefined {
  const object = store.get(key);
  return object && !hidden.some((one) => isWithin(object.key, one)) ? object : undefined;
}

/** Name of the lowest object above `key` that may be seen. */
function nearest(key: string, view: View): string {
  for (let above = parentKey(key); above !== ''; above = parentKey(above)) {
    const object = seen(above, view);
    if (object) return object.dn;
  }
  return '';
}

/** Where a search that reaches the end of a naming context should go on (continuation references). */
function referencesOf(base: DirectoryObject, scope: SearchRequest['scope'], { forest, controller }: View): string[] {
  const context = controller.contexts.find(({ key }) => key === base.key);
  if (!context || scope === 'base') return [];
  return subordinates(context, allContexts(forest)).map(({ dn }) => {
    const host = dnsNameOf(dn) ?? controller.domain.dnsName;
    return `ldap://${host}/${encodeURI(dn)}${scope === 'one' ? '??base' : ''}`;
  });
}

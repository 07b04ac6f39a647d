/**
 * Asks a directory for objects that a run names but does not bring: many in one request, by name, id or SID. Sessions are
 * opened when they are first needed and kept for the run. Objects of other domains of the forest are asked for at the Global
 * Catalog, in each of its trees, and searches below a base at a controller of the domain that it is in.
 */
import { firstText, plainDn } from '../extract/classify.js';
import { isBelow } from '../extract/scope.js';
import { treesOf } from '../extract/targets.js';
import type { Entry } from '../ldap/entry.js';
import { type ParsedFilter, parseFilter } from '../ldap/filter.js';
import { type ForestDomain, escapeFilterText, readDomains } from '../ldap/forest.js';
import { openCatalog, openDomain } from '../ldap/forest-sessions.js';
import { type Session, openSession } from '../ldap/session.js';
import type { DirectorySettings } from '../ldap/settings.js';
import { guidToBytes, sidToBytes } from '../model/identifiers.js';
import { dnKey } from '../model/dn.js';
import { addressesOf } from './addresses.js';
import { byName } from './attributes.js';

/** An object that was looked up. `primary` only where addresses were asked for. */
export interface FoundObject {
  readonly id: string | null;
  readonly sid: string | null;
  readonly dn: string;
  readonly primary: string | null;
}

/** `ids`: only who it is. `addresses`: its primary address, too. */
export type Wanted = 'ids' | 'addresses';

const MOST_AT_ONCE = 500;
const IDS = ['objectGUID', 'entryUUID', 'objectSid'];
const ADDRESSES = ['mail', 'proxyAddresses', 'objectClass', 'targetAddress'];

/** The trees of a forest have no base in common, so that each is searched. */
interface Catalog {
  readonly session: Session;
  readonly trees: readonly string[];
}

export class Lookup {
  #own: Promise<Session> | null = null;
  #catalog: Promise<Catalog | null> | null = null;
  readonly #domains = new Map<string, Promise<Session>>();
  readonly #opened: Session[] = [];

  constructor(
    private readonly settings: DirectorySettings,
    private readonly signal: AbortSignal,
  ) {}

  /** Requests that were sent so far, binds and RootDSEs included. */
  get requests(): number {
    return this.#opened.reduce((sum, { traffic }) => sum + traffic.requests, 0);
  }

  /** The objects of these names, by the name as it was given. Throws `DirectoryError`. */
  async byNames(names: readonly string[], wanted: Wanted): Promise<Map<string, FoundObject>> {
    const session = await this.#session();
    const attribute = session.rootDse.vendor === 'other' ? 'entryDN' : 'distinguishedName';
    const item = (name: string) => `(${attribute}=${escapeText(name)})`;
    const found = byGivenName(names, await this.#allOf(session, names, item, wanted));
    const catalog = found.size === names.length ? null : await this.#catalogOf();
    for (const tree of catalog?.trees ?? []) {
      const there = names.filter((name) => !found.has(name) && isBelow(name, tree));
      const elsewhere = await this.#allOf(catalog?.session ?? session, there, item, wanted, tree);
      for (const [name, object] of byGivenName(there, elsewhere)) found.set(name, object);
    }
    return found;
  }

  /** The objects with these objectGUIDs, by id. Throws `DirectoryError`. */
  async byIds(ids: readonly string[], wanted: Wanted): Promise<Map<string, FoundObject>> {
    const item = (id: string) => `(objectGUID=${escapeFilterText(guidToBytes(id) ?? '')})`;
    return this.#byKey(ids, item, wanted, ({ id }) => id);
  }

  /** The objects with these SIDs, by SID; those that only stand for somebody of another forest are none. */
  async bySids(sids: readonly string[], wanted: Wanted): Promise<Map<string, FoundObject>> {
    const item = (sid: string) => `(objectSid=${escapeFilterText(sidToBytes(sid) ?? '')})`;
    return this.#byKey(sids, item, wanted, ({ sid, dn }) => (isForeign(dn) ? null : sid));
  }

  /**
   * The ids of all objects below `base` (null: everything) that the directory finds by a filter; null for one without. Throws `SettingError` for a
   * filter that is none, `DirectoryError` for what the directory does.
   */
  async idsBelow(base: string | null, filter: string): Promise<(string | null)[]> {
    const parsed = parseFilter(filter, 'msExchDynamicDLFilter');
    const session = base === null ? await this.#session() : await this.#sessionFor(base);
    const entries = await read(session, base ?? session.base(), parsed, IDS);
    return entries.map((entry) => foundObject(entry).id);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#own ?? null, this.#catalog ?? null, ...this.#domains.values()]);
    await Promise.all(this.#opened.map((session) => session.close()));
  }

  async #byKey(
    keys: readonly string[],
    item: (key: string) => string,
    wanted: Wanted,
    keyOf: (found: FoundObject) => string | null,
  ): Promise<Map<string, FoundObject>> {
    const found = new Map<string, FoundObject>();
    const take = (objects: readonly FoundObject[]) => {
      for (const object of objects) {
        const key = keyOf(object);
        if (key !== null) found.set(key, object);
      }
    };
    const session = await this.#session();
    take(await this.#allOf(session, keys, item, wanted));
    const catalog = keys.every((key) => found.has(key)) ? null : await this.#catalogOf();
    for (const tree of catalog?.trees ?? []) {
      const missing = keys.filter((key) => !found.has(key));
      take(await this.#allOf(catalog?.session ?? session, missing, item, wanted, tree));
    }
    return found;
  }

  async #allOf(
    session: Session,
    keys: readonly string[],
    item: (key: string) => string,
    wanted: Wanted,
    base = session.base(),
  ): Promise<FoundObject[]> {
    const objects: FoundObject[] = [];
    const attributes = wanted === 'ids' ? IDS : [...IDS, ...ADDRESSES];
    // More than a page holds would cost a second request.
    const atOnce = Math.min(MOST_AT_ONCE, session.pageSize);
    for (let at = 0; at < keys.length; at += atOnce) {
      const filter = parseFilter(
        `(|${keys
          .slice(at, at + atOnce)
          .map(item)
          .join('')})`,
      );
      for (const entry of await read(session, base, filter, attributes)) objects.push(foundObject(entry));
    }
    return objects;
  }

  #session(): Promise<Session> {
    return (this.#own ??= this.#keep(openSession(this.settings, this.signal)));
  }

  /** Null where the settings do not say that the forest is to be read, or it has one domain only. */
  #catalogOf(): Promise<Catalog | null> {
    return (this.#catalog ??= this.#openCatalog());
  }

  async #openCatalog(): Promise<Catalog | null> {
    if (this.settings.globalCatalog !== true) return null;
    const own = await this.#session();
    const domains = await readDomains(own);
    if (domains.length < 2) return null;
    const { rootDomainNamingContext } = own.rootDse;
    const root = domains.find(({ dn }) => dn.toLowerCase() === rootDomainNamingContext?.toLowerCase()) ?? domains[0];
    const session = await this.#keep(openCatalog(this.settings, root?.dnsName ?? '', this.signal));
    return { session, trees: treesOf(domains) };
  }

  async #sessionFor(base: string): Promise<Session> {
    const own = await this.#session();
    const { defaultNamingContext } = own.rootDse;
    if (this.settings.globalCatalog !== true || defaultNamingContext === null) return own;
    const around = (await readDomains(own)).filter(({ dn }) => isBelow(base, dn));
    const [domain] = around.sort((one, other) => other.dn.length - one.dn.length);
    if (domain === undefined || domain.dn.toLowerCase() === defaultNamingContext.toLowerCase()) return own;
    return this.#controllerOf(domain);
  }

  #controllerOf(domain: ForestDomain): Promise<Session> {
    const known = this.#domains.get(domain.dn);
    if (known) return known;
    const opening = this.#keep(openDomain(this.settings, domain, this.signal));
    this.#domains.set(domain.dn, opening);
    return opening;
  }

  async #keep(opening: Promise<Session>): Promise<Session> {
    const session = await opening;
    this.#opened.push(session);
    return session;
  }
}

/** `CN=S-`: a first look, because every member of every group is looked at. */
const FOREIGN_DASH = 4;

/** Whether a name is that of a foreign security principal: a place holder for somebody of another forest. */
export function isForeign(dn: string): boolean {
  return dn.charAt(FOREIGN_DASH) === '-' && /^CN=S-1-[^,]*,CN=ForeignSecurityPrincipals,/i.test(dn);
}

/** Only what a filter needs, so that names stay short (RFC 4515, section 3). */
function escapeText(text: string): string {
  return text.replace(/[()*\\\0]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

async function read(
  session: Session,
  base: string,
  filter: ParsedFilter,
  attributes: readonly string[],
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const { pageSize } = session;
  const search = session.search({ base, scope: 'sub', filter, attributes, extendedDn: false, marks: false, pageSize });
  for await (const slice of search) for (const entry of slice) entries.push(entry);
  return entries;
}

function foundObject({ dn, attributes }: Entry): FoundObject {
  const id = firstText(attributes['objectGUID']) ?? firstText(attributes['entryUUID'])?.toLowerCase() ?? null;
  const isContact = attributes['objectClass']?.includes('contact') === true;
  return {
    id,
    sid: firstText(attributes['objectSid']),
    dn: plainDn(dn ?? ''),
    primary: addressesOf(byName(attributes), isContact ? 'contact' : 'user').primary,
  };
}

/** Servers mostly answer with the spelling that they keep everywhere; only where they do not, names are compared by parts. */
function byGivenName(names: readonly string[], objects: readonly FoundObject[]): Map<string, FoundObject> {
  const bySpelling = new Map(objects.map((object) => [object.dn.toLowerCase(), object]));
  const found = new Map<string, FoundObject>();
  const rest: string[] = [];
  for (const name of names) {
    const object = bySpelling.get(name.toLowerCase());
    if (object) found.set(name, object);
    else rest.push(name);
  }
  if (rest.length === 0 || found.size === objects.length) return found;
  const byKey = new Map(objects.map((object) => [dnKey(object.dn), object]));
  for (const name of rest) {
    const object = byKey.get(dnKey(name));
    if (object) found.set(name, object);
  }
  return found;
}

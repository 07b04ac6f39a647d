/**
 * Reads a forest through its Global Catalog. The catalog finds objects of every domain, but holds a part of their attributes,
 * no members of most groups, and what it holds may be old. So what it lacks is taken from a controller of the object's own
 * domain, and each of these is asked for the ids of all that it has: what the catalog does not know is read, too, and what
 * only the catalog knows is not there. A domain that does not answer gives what the catalog has of it, marked as not whole,
 * and the read is incomplete: a catalog alone never makes anybody leave.
 */
import type { Entry } from '../ldap/entry.js';
import { attributesOf, parseFilter } from '../ldap/filter.js';
import { type ForestDomain, escapeFilterText, readCatalogAttributes, readDomains } from '../ldap/forest.js';
import { openCatalog, openDomain } from '../ldap/forest-sessions.js';
import type { Session } from '../ldap/session.js';
import type { DirectorySettings } from '../ldap/settings.js';
import { DirectoryError } from '../model/errors.js';
import { guidToBytes } from '../model/identifiers.js';
import { firstText } from './classify.js';
import { SeenIds } from './seen-ids.js';
import type { Sessions } from './sessions.js';
import { type Target, byTarget, targetsOf, treesOf } from './targets.js';
import { type Question, type SearchLog, type Slice, forget, logged, readBase, wholeSearch } from './source.js';

/** What was found out, for the report. */
export interface CatalogFigures {
  domains: number;
  /** Found by the catalog, and read again at their own domain. */
  completed: number;
  /** Known to their domain, but not to the catalog; read all the same. */
  missedByCatalog: number;
  /** Known to the catalog, but not (any more) to their domain. */
  onlyInCatalog: number;
  /** Domains that did not answer. */
  unanswered: number;
  /** The filter asks for what the catalog does not hold: the domains were asked instead. */
  bypassed: boolean;
}

/** Entries asked for by id in one search. */
const AT_ONCE = 100;
const UNIVERSAL = 8;

export class CatalogReading {
  readonly figures: CatalogFigures = {
    domains: 0,
    completed: 0,
    missedByCatalog: 0,
    onlyInCatalog: 0,
    unanswered: 0,
    bypassed: false,
  };
  /** Why the read is incomplete, though it went on. */
  readonly shortcomings: DirectoryError[] = [];
  /** Attributes asked for that the catalog does not hold. */
  #notHeld: readonly string[] = [];
  readonly #controllers = new Map<ForestDomain, Session | null>();
  /** Ids that the catalog found. */
  readonly #found = new Map<Target, SeenIds>();

  constructor(
    private readonly own: Session,
    private readonly sessions: Sessions,
    private readonly settings: DirectorySettings,
    private readonly question: Question,
    private readonly log: SearchLog,
    private readonly signal: AbortSignal,
  ) {}

  /** Reads below each of `bases`, whatever domains are there; none: the whole forest. Throws as `openSession` and `search`. */
  async *read(bases: readonly string[]): AsyncGenerator<Slice, void> {
    const domains = await readDomains(this.own);
    const targets = targetsOf(domains, bases);
    if (targets.length === 0) throw noDomain();
    this.figures.domains = new Set(targets.map(({ domain }) => domain.dn)).size;
    const asked = attributesOf(this.question.filter);
    const held = await readCatalogAttributes(this.own, [
      ...new Set([...this.question.attributes, ...asked.flatMap((name) => name ?? [])]),
    ]);
    this.#notHeld = this.question.attributes.filter((name) => held.get(name.toLowerCase()) === false);
    // A filter on what the catalog does not hold finds less there, and says nothing of it.
    this.figures.bypassed = asked.some((name) => name === null || held.get(name) === false);
    if (this.figures.bypassed) {
      for (const target of targets) yield* this.#directly(target);
      return;
    }
    const catalog = await this.#openCatalog(domains);
    for (const base of bases.length > 0 ? bases : treesOf(domains)) yield* this.#through(catalog, base, targets);
    for (const target of targets) yield* this.#missed(target);
  }

  /** Sessions with controllers of other domains than the own. */
  get others(): readonly Session[] {
    const controllers = [...this.#controllers.values()].filter((session) => session !== this.own);
    return controllers.flatMap((session) => (session === null ? [] : this.sessions.now(session)));
  }

  async #openCatalog(domains: readonly ForestDomain[]): Promise<Session> {
    const { rootDomainNamingContext } = this.own.rootDse;
    const root = domains.find(({ dn }) => dn.toLowerCase() === rootDomainNamingContext?.toLowerCase()) ?? domains[0];
    return this.sessions.keep(await openCatalog(this.settings, root?.dnsName ?? '', this.signal));
  }

  /** A session to a controller of the domain; null where none answers, or it has stopped answering. */
  async #controllerOf(domain: ForestDomain): Promise<Session | null> {
    let session = this.#controllers.get(domain);
    if (session === undefined) {
      session = await this.#openController(domain);
      this.#controllers.set(domain, session);
    }
    return session;
  }

  async #openController(domain: ForestDomain): Promise<Session | null> {
    if (domain.dn.toLowerCase() === this.own.rootDse.defaultNamingContext?.toLowerCase()) return this.own;
    try {
      return await this.sessions.keep(await openDomain(this.settings, domain, this.signal));
    } catch (error) {
      await this.#unanswered(domain, error);
      return null;
    }
  }

  async #unanswered(domain: ForestDomain, error: unknown): Promise<void> {
    if (!(error instanceof DirectoryError)) throw error;
    const session = this.#controllers.get(domain) ?? null;
    if (session !== null && session !== this.own) await this.sessions.drop(session);
    this.#controllers.set(domain, null);
    this.figures.unanswered += 1;
    this.shortcomings.push(domainUnanswered(error));
  }

  /** Everything from the domain itself. */
  async *#directly({ domain, base }: Target): AsyncGenerator<Slice, void> {
    const session = await this.#controllerOf(domain);
    if (session !== null) yield* readBase(this.sessions, session, base, this.question, this.log, new SeenIds(null));
  }

  async *#through(catalog: Session, base: string, targets: readonly Target[]): AsyncGenerator<Slice, void> {
    const seen = new SeenIds(null);
    for await (const { entries, session } of readBase(this.sessions, catalog, base, this.question, this.log, seen)) {
      for (const [target, group] of byTarget(entries, targets)) {
        for (const entry of group) this.#note(target, entry);
        const whole = group.filter((entry) => !this.#lacks(entry));
        if (whole.length > 0) yield { entries: whole, session, lacking: null };
        const rest = group.filter((entry) => this.#lacks(entry) && hasId(entry));
        const nameless = group.filter((entry) => this.#lacks(entry) && !hasId(entry));
        if (nameless.length > 0) yield { entries: nameless, session, lacking: null };
        for (let at = 0; at < rest.length; at += AT_ONCE) {
          yield await this.#completed(session, target, rest.slice(at, at + AT_ONCE));
        }
      }
    }
  }

  #note(target: Target, entry: Entry): void {
    const guid = firstText(entry.attributes['objectGUID']);
    if (guid === null) return;
    const found = this.#found.get(target) ?? new SeenIds(null);
    this.#found.set(target, found);
    found.add(guid);
  }

  /** The entries as their own domain has them; where it does not answer, as the catalog has them, and marked so. */
  async #completed(catalog: Session, target: Target, entries: readonly Entry[]): Promise<Slice> {
    const session = await this.#controllerOf(target.domain);
    const ids = entries.flatMap((entry) => firstText(entry.attributes['objectGUID']) ?? []);
    if (session !== null) {
      try {
        const read = await this.sessions.again(session, (current) => this.#byIds(current, target, ids));
        this.figures.completed += read.length;
        this.figures.onlyInCatalog += ids.length - read.length;
        return { entries: read, session, lacking: null };
      } catch (error) {
        await this.#unanswered(target.domain, error);
      }
    }
    return { entries, session: catalog, lacking: (entry) => this.#lackingOf(entry) };
  }

  /** What the domain has and the catalog did not find. */
  async *#missed(target: Target): AsyncGenerator<Slice, void> {
    const session = await this.#controllerOf(target.domain);
    if (session === null) return;
    let missed: string[];
    try {
      missed = await this.sessions.again(session, (current) => this.#notFound(current, target));
    } catch (error) {
      await this.#unanswered(target.domain, error);
      return;
    }
    this.figures.missedByCatalog += missed.length;
    for (let at = 0; at < missed.length; at += AT_ONCE) {
      const ids = missed.slice(at, at + AT_ONCE);
      const entries = await this.sessions.again(session, (current) => this.#byIds(current, target, ids));
      yield { entries, session, lacking: null };
    }
  }

  /** Ids of all that the domain has and the catalog did not find. */
  async #notFound(session: Session, target: Target): Promise<string[]> {
    const found = this.#found.get(target);
    const question = { filter: this.question.filter, attributes: ['objectGUID'] };
    const search = { ...wholeSearch(session, question), marks: false, extendedDn: false, base: target.base };
    const missed: string[] = [];
    try {
      for await (const entries of logged(session, search, this.log)) {
        for (const entry of entries) {
          const guid = firstText(entry.attributes['objectGUID']);
          if (guid !== null && found?.has(guid) !== true) missed.push(guid);
        }
      }
    } catch (error) {
      forget(this.log);
      throw error;
    }
    return missed;
  }

  async #byIds(session: Session, { base }: Target, ids: readonly string[]): Promise<Entry[]> {
    const named = ids.flatMap((id) => {
      const bytes = guidToBytes(id);
      return bytes === null ? [] : [`(objectGUID=${escapeFilterText(bytes)})`];
    });
    if (named.length === 0) return [];
    // With the filter: what no longer fits it at its own domain has left, whatever the catalog says.
    const { text } = this.question.filter;
    const filter = parseFilter(`(&${text.startsWith('(') ? text : `(${text})`}(|${named.join('')}))`);
    const entries: Entry[] = [];
    const search = { ...wholeSearch(session, { ...this.question, filter }), base };
    for await (const slice of session.search(search)) entries.push(...slice);
    return entries;
  }

  /** Whether the catalog cannot have all of this object. */
  #lacks(entry: Entry): boolean {
    return this.#notHeld.length > 0 || !hasItsMembers(entry);
  }

  #lackingOf(entry: Entry): Record<string, string> {
    const names = hasItsMembers(entry) ? this.#notHeld : [...this.#notHeld, 'member'];
    return Object.fromEntries(names.map((name) => [name, NOT_HELD]));
  }
}

function hasId({ attributes }: Entry): boolean {
  return firstText(attributes['objectGUID']) !== null;
}

const NOT_HELD = 'The Global Catalog does not hold it, and no controller of the domain answered.';

/** Only universal groups have their members in the catalog. */
function hasItsMembers({ attributes }: Entry): boolean {
  const groupType = firstText(attributes['groupType']);
  return groupType === null || (Number(groupType) & UNIVERSAL) !== 0;
}

function noDomain(): DirectoryError {
  return new DirectoryError('BASE_ELSEWHERE', {
    message: 'The base lies in no domain of the forest. Correct "base" of the directory server, or "include".',
    status: 'base is elsewhere',
  });
}

function domainUnanswered(cause: DirectoryError): DirectoryError {
  return new DirectoryError('DOMAIN_UNANSWERED', {
    message: `A domain of the forest did not answer (${cause.code}), so only what the Global Catalog holds of it is known. Nothing is removed. ${cause.message}`,
    status: 'a domain is silent',
    params: { reason: cause.code },
    cause,
    transient: cause.transient,
  });
}

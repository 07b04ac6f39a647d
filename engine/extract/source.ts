/** Where entries come from: slices of them, each with the session by which the rest of their values is read. */
import type { Entry } from '../ldap/entry.js';
import type { ParsedFilter } from '../ldap/filter.js';
import type { SearchOptions, SearchOutcome } from '../ldap/search.js';
import type { Session } from '../ldap/session.js';

/** Entries that came together. */
export interface Slice {
  readonly entries: readonly Entry[];
  readonly session: Session;
  /** Why an entry's attributes are not all known, by attribute; null where they are. */
  readonly lacking: ((entry: Entry) => Record<string, string> | null) | null;
}

/** What is asked of every object, wherever it is. */
export interface Question {
  readonly filter: ParsedFilter;
  readonly attributes: readonly string[];
}

/** One search, for the proof. */
export interface SearchMade {
  readonly base: string;
  pages: number;
  entries: number;
  ended: boolean;
}

/** What was searched so far, and which references to other servers came. */
export interface SearchLog {
  readonly searches: SearchMade[];
  readonly references: Set<string>;
}

export function emptyLog(): SearchLog {
  return { searches: [], references: new Set() };
}

/** Searches below one base after the other. Throws `DirectoryError` where one cannot be read whole. */
export async function* readBases(
  session: Session,
  bases: readonly string[],
  question: Question,
  log: SearchLog,
): AsyncGenerator<Slice, void> {
  for (const base of bases) {
    for await (const entries of logged(session, { ...wholeSearch(session, question), base }, log)) {
      yield { entries, session, lacking: null };
    }
  }
}

/** A search of a subtree, in pages, with change marks, and with ids in names where the server can. */
export function wholeSearch(session: Session, { filter, attributes }: Question): Omit<SearchOptions, 'base'> {
  return {
    scope: 'sub',
    filter,
    attributes,
    marks: true,
    pageSize: session.pageSize,
    extendedDn: session.knowsExtendedDn,
  };
}

/** A search that is noted in the log: as ended only when it reached its end. */
export async function* logged(
  session: Session,
  options: SearchOptions,
  log: SearchLog,
): AsyncGenerator<Entry[], SearchOutcome> {
  const made: SearchMade = { base: options.base, pages: 0, entries: 0, ended: false };
  log.searches.push(made);
  const outcome = yield* session.search(options);
  made.pages = outcome.pages;
  made.entries = outcome.entries;
  made.ended = true;
  for (const uri of outcome.references) log.references.add(uri);
  return outcome;
}

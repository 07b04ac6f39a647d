/** Where entries come from: slices of them, each with the session by which the rest of their values is read. */
import type { Entry } from '../ldap/entry.js';
import type { ParsedFilter } from '../ldap/filter.js';
import type { SearchOptions, SearchOutcome } from '../ldap/search.js';
import type { Session } from '../ldap/session.js';
import { firstText } from './classify.js';
import { SeenIds } from './seen-ids.js';
import type { Sessions } from './sessions.js';

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

/**
 * Searches below one base after the other. A search that is cut on the way is begun again on the same server, a few times:
 * what was sent before is left out, and only a search that reaches its own end counts. Throws `DirectoryError` where one
 * cannot be read whole.
 */
export async function* readBases(
  sessions: Sessions,
  session: Session,
  bases: readonly string[],
  question: Question,
  log: SearchLog,
): AsyncGenerator<Slice, void> {
  const seen = new SeenIds();
  try {
    for (const base of bases) yield* readBase(sessions, session, base, question, log, seen);
  } finally {
    seen.close();
  }
}

/** One of these searches. `seen`: the ids that were sent before; those of this search are added. */
export async function* readBase(
  sessions: Sessions,
  session: Session,
  base: string,
  question: Question,
  log: SearchLog,
  seen: SeenIds,
): AsyncGenerator<Slice, void> {
  for (;;) {
    const current = sessions.now(session);
    try {
      for await (const all of logged(current, { ...wholeSearch(current, question), base }, log)) {
        const entries = sessions.restarts === 0 ? all : all.filter((entry) => !seen.has(idOf(entry)));
        for (const entry of entries) seen.add(idOf(entry));
        yield { entries, session: current, lacking: null };
      }
      return;
    } catch (error) {
      await sessions.afterCut(current, error);
      forget(log);
    }
  }
}

/** A search without an end is no part of a proof. */
export function forget(log: SearchLog): void {
  const last = log.searches.findLastIndex(({ ended }) => !ended);
  if (last >= 0) log.searches.splice(last, 1);
}

function idOf({ attributes }: Entry): string {
  return firstText(attributes['objectGUID']) ?? firstText(attributes['entryUUID']) ?? '';
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

/** What a read tells of itself in the report. */
import type { RangeCounts } from '../ldap/ranges.js';
import type { Session } from '../ldap/session.js';
import type { CatalogFigures } from './catalog.js';
import type { Scope } from './scope.js';
import type { SearchLog } from './source.js';

export interface WhatWasRead {
  readonly entries: number;
  readonly log: SearchLog;
  readonly restarts: number;
  readonly session: Session | null;
  readonly ranges: RangeCounts;
  readonly leftOut: Scope['leftOut'];
  readonly catalog: CatalogFigures | null;
}

export function figuresOf(read: WhatWasRead): Record<string, string | number> {
  const { entries, log, restarts, session, ranges, leftOut, catalog } = read;
  const figures: Record<string, string | number> = {
    entries,
    pages: log.searches.reduce((sum, { pages }) => sum + pages, 0),
  };
  if (session !== null) {
    figures['server'] = session.url;
    figures['tls'] = session.tls?.protocol ?? 'none';
    figures['cipher'] = session.tls?.cipher ?? 'none';
    figures['requests'] = session.traffic.requests;
    figures['receivedBytes'] = session.traffic.bytes;
  }
  if (restarts > 0) figures['searchesBegunAgain'] = restarts;
  figures['referencesNotFollowed'] = log.references.size;
  figures['rangedAttributes'] = ranges.started;
  if (leftOut.contacts > 0) figures['contactsLeftOut'] = leftOut.contacts;
  if (leftOut.excluded > 0) figures['excluded'] = leftOut.excluded;
  if (leftOut.otherDomains > 0) figures['otherDomainsLeftOut'] = leftOut.otherDomains;
  return catalog === null ? figures : { ...figures, ...catalogFigures(catalog) };
}

function catalogFigures(catalog: CatalogFigures): Record<string, string | number> {
  const { domains, completed, missedByCatalog, onlyInCatalog, unanswered, bypassed } = catalog;
  return {
    domains,
    domainsUnanswered: unanswered,
    completedAtTheirDomain: completed,
    missedByCatalog,
    onlyInCatalog,
    filterBeyondCatalog: bypassed ? 'yes: the domains were asked instead' : 'no',
  };
}

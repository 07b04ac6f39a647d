/** Opens sessions to other servers of the forest, with the same user: the Global Catalog, and controllers of other domains. */
import { DirectoryError } from '../model/errors.js';
import type { ForestDomain } from './forest.js';
import { locateServers } from './locate.js';
import { type Session, openSession } from './session.js';
import type { DirectorySettings } from './settings.js';
import type { Server } from './transport.js';

const PORTS = {
  ldaps: { controllers: 636, catalogs: 3269 },
  starttls: { controllers: 389, catalogs: 3268 },
  none: { controllers: 389, catalogs: 3268 },
} as const;
const NOT_IN_DNS = new Set(['NO_SERVERS_IN_DNS', 'DNS_FAILED']);

/** The Global Catalog of the forest whose root domain has this DNS name. Throws as `openSession` and `locateServers`. */
export async function openCatalog(
  settings: DirectorySettings,
  forestName: string,
  signal: AbortSignal,
): Promise<Session> {
  const { catalogServers = [], servers, encryption } = settings;
  if (catalogServers.length > 0) return openAt(settings, catalogServers, signal);
  // A server that was named is asked itself: it may not be in DNS, or not the one that DNS would give.
  const port = PORTS[encryption].catalogs;
  if (servers.length > 0)
    return openAt(
      settings,
      servers.map(({ host }) => ({ host, port })),
      signal,
    );
  return openAt(settings, await located(settings, forestName, 'catalogs', signal), signal);
}

/** A controller of a domain, by DNS; where DNS has no records, by the domain's own name, which is that of its controllers. */
export async function openDomain(
  settings: DirectorySettings,
  domain: ForestDomain,
  signal: AbortSignal,
): Promise<Session> {
  try {
    return await openAt(settings, await located(settings, domain.dnsName, 'controllers', signal), signal);
  } catch (error) {
    if (!(error instanceof DirectoryError) || !NOT_IN_DNS.has(error.code)) throw error;
    return openAt(settings, [{ host: domain.dnsName, port: PORTS[settings.encryption].controllers }], signal);
  }
}

function located(
  settings: DirectorySettings,
  domain: string,
  service: 'controllers' | 'catalogs',
  signal: AbortSignal,
): Promise<Server[]> {
  const { discovery, encryption, resolveSrv, timeouts } = settings;
  const deadline = { at: Date.now() + timeouts.connect, milliseconds: timeouts.connect, signal };
  return locateServers({ domain, site: discovery?.site ?? null, service, encryption }, deadline, resolveSrv);
}

/** The name in a certificate of the settings is that of their own servers; others go by their own names. */
function openAt(settings: DirectorySettings, servers: readonly Server[], signal: AbortSignal): Promise<Session> {
  return openSession({ ...settings, servers }, signal);
}

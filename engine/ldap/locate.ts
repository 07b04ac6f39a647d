/**
 * Finds servers by DNS (RFC 2782, and [MS-ADTS] 6.3.2.3 for the names): those of a site first, then the others of the
 * domain, each group by priority and, within it, at random by weight. The list is made once for a run.
 */
import { promises as dns } from 'node:dns';
import { DirectoryError, StoppedError } from '../model/errors.js';
import type { Encryption } from './settings.js';
import type { Deadline, Server } from './transport.js';

/** A record as `dns.resolveSrv` gives it. */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  /** The lowest is tried first. */
  readonly priority: number;
  /** The share of the first tries among those of one priority. */
  readonly weight: number;
}

/** Looks up SRV records. Rejects with `code` `ENOTFOUND` or `ENODATA` where there are none. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

export interface Location {
  /** DNS name of the domain; for catalogs that of the forest, which is its root domain's. */
  readonly domain: string;
  /** The site whose servers come first; null: all alike. */
  readonly site: string | null;
  /** `controllers` hold the domain; `catalogs` hold the Global Catalog of the forest. */
  readonly service: 'controllers' | 'catalogs';
  readonly encryption: Encryption;
}

const NO_RECORDS = new Set(['ENOTFOUND', 'ENODATA', 'NOTFOUND', 'NODATA']);
/** DNS names the ports of plain LDAP only; these are the ones beside them for LDAPS. */
const LDAPS_PORT = new Map([
  [389, 636],
  [3268, 3269],
]);

/**
 * The servers in the order in which to try them. Throws `DirectoryError` `NO_SERVERS_IN_DNS` or `DNS_FAILED`, and
 * `StoppedError`. `random` gives numbers from 0 up to 1.
 */
export async function locateServers(
  location: Location,
  deadline: Deadline,
  resolveSrv: ResolveSrv = (name) => dns.resolveSrv(name),
  random: () => number = Math.random,
): Promise<Server[]> {
  const servers = new Map<string, Server>();
  for (const name of recordNames(location)) {
    for (const record of inOrder(await lookUp(name, deadline, resolveSrv), random)) {
      const server = serverOf(record, location.encryption);
      const key = `${server.host.toLowerCase()}:${server.port}`;
      if (!servers.has(key)) servers.set(key, server);
    }
    // The last name is for directories that are not Active Directory: asked only where there is nothing else.
    if (servers.size > 0 && name.includes('_msdcs') && !name.includes('_sites')) break;
  }
  if (servers.size === 0) throw noServersInDns(location);
  return [...servers.values()];
}

function recordNames({ domain, site, service }: Location): string[] {
  const at = domain.replace(/\.$/, '');
  if (service === 'catalogs') {
    return [...(site === null ? [] : [`_gc._tcp.${site}._sites.${at}`]), `_gc._tcp.${at}`];
  }
  const controllers = `dc._msdcs.${at}`;
  const ofSite = site === null ? [] : [`_ldap._tcp.${site}._sites.${controllers}`];
  return [...ofSite, `_ldap._tcp.${controllers}`, `_ldap._tcp.${at}`];
}

async function lookUp(name: string, deadline: Deadline, resolveSrv: ResolveSrv): Promise<readonly SrvRecord[]> {
  try {
    return await before(deadline, resolveSrv(name));
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    const code = (error as { code?: unknown } | null)?.code;
    if (typeof code === 'string' && NO_RECORDS.has(code)) return [];
    throw dnsFailed(name, error);
  }
}

/** Records by priority, and within one by weight: drawn one after the other, each by its share of what is left. */
function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const ordered: SrvRecord[] = [];
  // A target of "." says that the service is decidedly not there (RFC 2782).
  const usable = records.filter(({ name, port }) => name !== '' && name !== '.' && port > 0);
  for (const priority of [...new Set(usable.map((record) => record.priority))].sort((one, other) => one - other)) {
    const left = usable.filter((record) => record.priority === priority);
    while (left.length > 0) ordered.push(...left.splice(draw(left, random), 1));
  }
  return ordered;
}

function draw(records: readonly SrvRecord[], random: () => number): number {
  // A weight of 0 shall have a small chance beside others, and an even one among its like.
  const weights = records.map(({ weight }) => Math.max(weight, 0.01));
  let at = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    at -= weight;
    if (at < 0) return index;
  }
  return records.length - 1;
}

function serverOf({ name, port }: SrvRecord, encryption: Encryption): Server {
  const host = name.replace(/\.$/, '');
  return { host, port: encryption === 'ldaps' ? (LDAPS_PORT.get(port) ?? port) : port };
}

/** The result of `work`, unless the deadline or the signal comes first. */
function before<T>({ at, signal }: Deadline, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error('no answer in time'))), Math.max(0, at - Date.now()));
    const onAbort = () => settle(() => reject(new StoppedError(signal.reason)));
    const settle = (then: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      then();
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
  });
}

function noServersInDns({ domain, site, service }: Location): DirectoryError {
  const what = service === 'catalogs' ? 'Global Catalog' : 'domain controller';
  return new DirectoryError('NO_SERVERS_IN_DNS', {
    message: `DNS knows no ${what} of ${domain}${site === null ? '' : ` (site ${site}, or any other)`}. Check "domain" of the directory server, and that this machine uses the DNS servers of the domain; or name the servers in "servers".`,
    status: 'no server in DNS',
    params: { domain, service },
  });
}

function dnsFailed(name: string, cause: unknown): DirectoryError {
  return new DirectoryError('DNS_FAILED', {
    message: `The servers could not be looked up in DNS (${name}). Check the DNS settings of this machine, or name the servers in "servers".`,
    status: 'DNS does not answer',
    params: { name },
    cause,
    transient: true,
  });
}

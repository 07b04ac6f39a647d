/**
 * A forest: several domains with one configuration and one schema, each with controllers of its own, each controller with
 * its Global Catalog beside it, and the DNS records by which they are found.
 */
import type { SecureContextOptions } from 'node:tls';
import type { LdifEntry } from '../ldif.js';
import { Holdings } from './holdings.js';
import { type SampleDirectory, serve } from './index.js';
import { Loader } from './load.js';
import { DEFAULT_QUIRKS, type Quirks } from './quirks.js';
import { ServerState } from './state.js';
import { type Controller, type Domain, FIRST_SITE, controllerOf, forestOf } from './topology.js';

export interface ControllerOptions {
  /** `dc1.` and the domain where none is given. */
  readonly hostName?: string;
  /** 127.0.0.1 where none is given. */
  readonly host?: string;
  readonly site?: string;
  /** Does it hold the Global Catalog? Yes, unless told otherwise. */
  readonly catalog?: boolean;
  /** Of its DNS records (RFC 2782). 0 and 100 where none are given, as Windows registers them. */
  readonly priority?: number;
  readonly weight?: number;
  readonly quirks?: Partial<Quirks>;
}

export interface DomainOptions {
  /** `DC=sub,DC=example,DC=test` */
  readonly base: string;
  readonly entries: readonly LdifEntry[];
  /** One where none are given. */
  readonly controllers?: readonly ControllerOptions[];
}

export interface ForestOptions {
  /** The root domain first. */
  readonly domains: readonly [DomainOptions, ...DomainOptions[]];
  /** Objects of the configuration and the schema, such as an attribute that is in the partial attribute set. */
  readonly configuration?: readonly LdifEntry[];
  readonly users?: Readonly<Record<string, string>>;
  readonly tls?: SecureContextOptions;
  readonly encryption?: 'ldaps' | 'plain';
}

/** A controller of the forest: its LDAP port and its catalog's. */
export interface ForestController {
  readonly hostName: string;
  readonly base: string;
  readonly site: string;
  readonly directory: SampleDirectory;
  readonly catalog: SampleDirectory | null;
}

/** A record as `dns.resolveSrv` gives it. `name` is an address here, for nobody resolves the names of the sample. */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface SampleForest {
  readonly controllers: readonly ForestController[];
  /** Names that were looked up, oldest first. */
  readonly lookups: readonly string[];
  /** The controllers of one domain. */
  of(base: string): readonly ForestController[];
  /** Answers as `dns.promises.resolveSrv`; rejects with the code ENOTFOUND where there is no such record. */
  readonly resolveSrv: (name: string) => Promise<SrvRecord[]>;
  /** Replaces the entries of all domains; those of configuration stay. */
  reload(entries: readonly LdifEntry[]): void;
  close(): Promise<void>;
}

/** How far apart the update sequence numbers of two controllers are. */
const USN_STEP = 100_000;

/** Starts a forest. Rejects where the entries of a domain make no tree below its base. */
export async function startForest(options: ForestOptions): Promise<SampleForest> {
  const [{ base }, ...others] = options.domains;
  const forest = forestOf(base, ...others.map((domain) => domain.base));
  const planned = options.domains.flatMap((domain, index) =>
    plan(domain, (one) => controllerOf(forest, forest.domains[index] ?? forest.root, one.hostName, one)),
  );
  const loader = new Loader(
    forest,
    planned.map(({ controller }) => controller),
  );
  const fixed = options.configuration ?? [];
  const holdings = new Holdings(loader, [...fixed, ...options.domains.flatMap(({ entries }) => entries)]);
  const encrypted = options.encryption === 'ldaps';
  const controllers: ForestController[] = [];
  const close = async () => {
    const open = controllers.flatMap(({ directory, catalog }) => (catalog ? [directory, catalog] : [directory]));
    await Promise.all(open.map((one) => one.close()));
  };
  try {
    for (const [index, { controller, settings }] of planned.entries()) {
      const open = (catalog: boolean) => {
        const state = new ServerState(forest, controller, options.users ?? {}, options.tls ?? null, holdings, catalog);
        state.quirks = { ...DEFAULT_QUIRKS, usnShift: index * USN_STEP, ...settings.quirks };
        return serve(state, { host: settings.host ?? '127.0.0.1', port: 0, encrypted });
      };
      const { hostName, domain, site } = controller;
      const directory = await open(false);
      const catalog = controller.catalog ? await open(true) : null;
      controllers.push({ hostName, base: domain.dn, site, directory, catalog });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const lookups: string[] = [];
  const records = recordsOf(planned, controllers, forest.root);
  return {
    controllers,
    lookups,
    of: (wanted) => controllers.filter((one) => one.base.toLowerCase() === wanted.toLowerCase()),
    resolveSrv: (name) => {
      lookups.push(name);
      const found = records.get(name.toLowerCase().replace(/\.$/, ''));
      return found ? Promise.resolve(found) : Promise.reject(notFound(name));
    },
    reload: (entries) => holdings.load([...fixed, ...entries]),
    close,
  };
}

interface Planned {
  readonly controller: Controller;
  readonly settings: ControllerOptions;
}

function plan({ controllers = [{}] }: DomainOptions, make: (settings: ControllerOptions) => Controller): Planned[] {
  return controllers.map((settings) => ({ settings, controller: make(settings) }));
}

/** The records that a controller registers ([MS-ADTS] 6.3.2.3): of its domain, of its site, of the forest's catalogs. */
function recordsOf(
  planned: readonly Planned[],
  started: readonly ForestController[],
  root: Domain,
): Map<string, SrvRecord[]> {
  const records = new Map<string, SrvRecord[]>();
  const add = (name: string, record: SrvRecord) => {
    records.set(name.toLowerCase(), [...(records.get(name.toLowerCase()) ?? []), record]);
  };
  for (const [index, { controller, settings }] of planned.entries()) {
    const server = started[index];
    if (!server) continue;
    const { priority = 0, weight = 100, site = FIRST_SITE } = settings;
    const { dnsName } = controller.domain;
    const record = ({ host, port }: SampleDirectory) => ({ name: host, port, priority, weight });
    add(`_ldap._tcp.dc._msdcs.${dnsName}`, record(server.directory));
    add(`_ldap._tcp.${site}._sites.dc._msdcs.${dnsName}`, record(server.directory));
    if (!server.catalog) continue;
    add(`_gc._tcp.${root.dnsName}`, record(server.catalog));
    add(`_gc._tcp.${site}._sites.${root.dnsName}`, record(server.catalog));
  }
  return records;
}

function notFound(name: string): Error {
  return Object.assign(new Error(`querySrv ENOTFOUND ${name}`), { code: 'ENOTFOUND', syscall: 'querySrv' });
}

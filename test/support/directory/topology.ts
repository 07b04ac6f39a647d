/**
 * Domains, naming contexts and controllers: what exists and who serves what. Kept apart from the objects, so that a forest
 * may have several domains and a server may show only some of its contexts.
 */
import { dnKey, isWithin, parseDn } from './dn.js';
import { domainSid, guidFromName } from './ids.js';

/** A naming context: the name at its head. */
export interface NamingContext {
  readonly dn: string;
  readonly key: string;
}

export interface Domain extends NamingContext {
  /** `example.test` */
  readonly dnsName: string;
  /** `EXAMPLE` */
  readonly netbiosName: string;
  readonly sid: string;
}

export interface Forest {
  readonly root: Domain;
  readonly domains: readonly Domain[];
  readonly configuration: NamingContext;
  readonly schema: NamingContext;
}

/** One server of the forest. */
export interface Controller {
  readonly hostName: string;
  readonly domain: Domain;
  readonly site: string;
  readonly serverDn: string;
  /** Its nTDSDSA object. */
  readonly settingsDn: string;
  readonly invocationId: Buffer;
  /** The contexts that it answers for. */
  readonly contexts: readonly NamingContext[];
  /** Whether it holds the Global Catalog, too. */
  readonly catalog: boolean;
}

export const FIRST_SITE = 'Default-First-Site-Name';

/** The forest whose root domain is `base`, such as `DC=example,DC=test`, and its other domains. Throws where one is no domain's name. */
export function forestOf(base: string, ...others: readonly string[]): Forest {
  const root = domainOf(base);
  const configuration = context(`CN=Configuration,${base}`);
  const domains = [root, ...others.map(domainOf)];
  return { root, domains, configuration, schema: context(`CN=Schema,${configuration.dn}`) };
}

/** The controller of a domain that is called `hostName` (`dc1.example.test`). */
export function controllerOf(
  forest: Forest,
  domain: Domain,
  hostName = `dc1.${domain.dnsName}`,
  { site = FIRST_SITE, catalog = true } = {},
): Controller {
  const label = (hostName.split('.')[0] ?? hostName).toUpperCase();
  // Computer names are unique in a forest's site; those of other domains are made so.
  const name = domain === forest.root ? label : `${label}-${domain.netbiosName}`;
  const serverDn = `CN=${name},CN=Servers,CN=${site},CN=Sites,${forest.configuration.dn}`;
  return {
    hostName,
    domain,
    site,
    catalog,
    serverDn,
    settingsDn: `CN=NTDS Settings,${serverDn}`,
    invocationId: guidFromName(`invocation ${hostName}`),
    contexts: [domain, forest.configuration, forest.schema],
  };
}

/** The context that an object of this name is in: the one with the longest name above it. */
export function contextOf(key: string, contexts: readonly NamingContext[]): NamingContext | undefined {
  let found: NamingContext | undefined;
  for (const one of contexts) {
    if (isWithin(key, one.key) && one.key.length > (found?.key.length ?? -1)) found = one;
  }
  return found;
}

/** Contexts that begin directly below this one. */
export function subordinates({ key }: NamingContext, contexts: readonly NamingContext[]): NamingContext[] {
  const below = contexts.filter((one) => one.key !== key && isWithin(one.key, key));
  return below.filter((one) => !below.some((other) => other !== one && isWithin(one.key, other.key)));
}

export function allContexts(forest: Forest): NamingContext[] {
  return [...forest.domains, forest.configuration, forest.schema];
}

/** `example.test` for `…,DC=example,DC=test`; null where a name has no such end. */
export function dnsNameOf(dn: string): string | null {
  const labels = (parseDn(dn) ?? []).flatMap(([part]) => (part?.type.toLowerCase() === 'dc' ? [part.value] : []));
  return labels.length > 0 ? labels.join('.') : null;
}

function domainOf(base: string): Domain {
  const dnsName = dnsNameOf(base);
  if (dnsName === null) throw new Error(`A directory's base must be a domain such as DC=example,DC=test, not ${base}.`);
  const netbiosName = (dnsName.split('.')[0] ?? dnsName).toUpperCase();
  return { ...context(base), dnsName, netbiosName, sid: domainSid(dnsName) };
}

function context(dn: string): NamingContext {
  const key = dnKey(dn);
  if (key === null) throw new Error(`${dn} is not a distinguished name.`);
  return { dn, key };
}

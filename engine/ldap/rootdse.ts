/** The RootDSE (RFC 4512, 5.1): what a server is, holds and can do. */
import { guidToText } from '../model/identifiers.js';
import type { Attributes } from '../model/records.js';
import type { Connection } from './connection.js';
import { parseFilter } from './filter.js';
import { readObject } from './search.js';

export interface RootDse {
  /** `lightweight`: AD LDS. */
  readonly vendor: 'active-directory' | 'lightweight' | 'other';
  readonly dnsHostName: string | null;
  readonly defaultNamingContext: string | null;
  readonly namingContexts: readonly string[];
  /** Of Active Directory: where the forest's configuration and schema are, and its root domain. */
  readonly configurationNamingContext: string | null;
  readonly schemaNamingContext: string | null;
  readonly rootDomainNamingContext: string | null;
  readonly supportedControls: ReadonlySet<string>;
  readonly supportedExtensions: ReadonlySet<string>;
  /** The server's own settings object; its invocationId names its database. */
  readonly dsServiceName: string | null;
  /** Decimal text (64 bits); null where the server keeps none. */
  readonly highestCommittedUsn: string | null;
}

const ANY = parseFilter('(objectClass=*)');
/** LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3.1). */
const ACTIVE_DIRECTORY = '1.2.840.113556.1.4.800';
/** LDAP_CAP_ACTIVE_DIRECTORY_ADAM_OID ([MS-ADTS] 3.1.1.3.4.3.4). */
const LIGHTWEIGHT = '1.2.840.113556.1.4.1851';
const ATTRIBUTES = [
  'dnsHostName',
  'defaultNamingContext',
  'namingContexts',
  'configurationNamingContext',
  'schemaNamingContext',
  'rootDomainNamingContext',
  'supportedControl',
  'supportedExtension',
  'supportedCapabilities',
  'dsServiceName',
  'highestCommittedUSN',
];

/** Reads the RootDSE. A server that hides it is taken for one that can do nothing special. */
export async function readRootDse(connection: Connection): Promise<RootDse> {
  const entry = await readObject(connection, '', {
    filter: ANY,
    attributes: ATTRIBUTES,
    extendedDn: false,
    marks: false,
  });
  const attributes: Attributes = entry?.attributes ?? {};
  const all = (name: string) => (attributes[name] ?? []).filter((value) => typeof value === 'string');
  const one = (name: string) => all(name)[0] ?? null;
  return {
    vendor: vendorOf(all('supportedCapabilities')),
    dnsHostName: one('dnsHostName'),
    defaultNamingContext: one('defaultNamingContext'),
    namingContexts: all('namingContexts'),
    configurationNamingContext: one('configurationNamingContext'),
    schemaNamingContext: one('schemaNamingContext'),
    rootDomainNamingContext: one('rootDomainNamingContext'),
    supportedControls: new Set(all('supportedControl')),
    supportedExtensions: new Set(all('supportedExtension')),
    dsServiceName: one('dsServiceName'),
    highestCommittedUsn: one('highestCommittedUSN'),
  };
}

function vendorOf(capabilities: readonly string[]): RootDse['vendor'] {
  if (capabilities.includes(ACTIVE_DIRECTORY)) return 'active-directory';
  return capabilities.includes(LIGHTWEIGHT) ? 'lightweight' : 'other';
}

/** The id of the server's database, new after it was restored from a backup; null where it may not be read or is none. */
export async function readInvocationId(connection: Connection, dsServiceName: string | null): Promise<string | null> {
  if (dsServiceName === null) return null;
  const entry = await readObject(connection, dsServiceName, {
    filter: ANY,
    attributes: ['invocationId'],
    extendedDn: false,
    marks: false,
  });
  const value = entry?.attributes['invocationId']?.[0];
  return typeof value === 'object' ? guidToText(Buffer.from(value.base64, 'base64')) : null;
}

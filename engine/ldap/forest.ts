/** What a domain controller knows of its forest: the domains, and which attributes the Global Catalog holds. */
import { DirectoryError } from '../model/errors.js';
import type { Entry } from './entry.js';
import { parseFilter } from './filter.js';
import type { SearchOptions } from './search.js';
import type { Session } from './session.js';

/** One domain of the forest. */
export interface ForestDomain {
  /** Its naming context, such as `DC=example,DC=test`. */
  readonly dn: string;
  /** Such as `example.test`. */
  readonly dnsName: string;
}

/** Cross references of Active Directory's own domains ([MS-ADTS] 2.2.18: FLAG_CR_NTDS_NC and FLAG_CR_NTDS_DOMAIN). */
const DOMAINS = parseFilter('(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=3))');

/** The domains, from the Partitions container. Throws `DirectoryError` `NOT_A_FOREST` where the server has none. */
export async function readDomains(session: Session): Promise<ForestDomain[]> {
  const { configurationNamingContext } = session.rootDse;
  if (configurationNamingContext === null) throw notAForest();
  const entries = await readEntries(session, {
    base: `CN=Partitions,${configurationNamingContext}`,
    scope: 'one',
    filter: DOMAINS,
    attributes: ['nCName', 'dnsRoot'],
    extendedDn: false,
    marks: false,
    pageSize: session.pageSize,
  });
  const domains = entries.flatMap(({ attributes }) => {
    const [dn] = attributes['nCName'] ?? [];
    const [dnsName] = attributes['dnsRoot'] ?? [];
    return typeof dn === 'string' && typeof dnsName === 'string' ? [{ dn, dnsName }] : [];
  });
  if (domains.length === 0) throw notAForest();
  return domains;
}

/**
 * Which of these attributes the Global Catalog holds, by name in lower case. Names that the schema does not have are no
 * keys: of them there is nothing that anybody could hold.
 */
export async function readCatalogAttributes(
  session: Session,
  names: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  const { schemaNamingContext } = session.rootDse;
  if (schemaNamingContext === null) throw notAForest();
  const held = new Map<string, boolean>();
  for (let at = 0; at < names.length; at += NAMES_AT_ONCE) {
    const some = names.slice(at, at + NAMES_AT_ONCE);
    const named = some.map((name) => `(lDAPDisplayName=${escapeFilterText(name)})`).join('');
    const entries = await readEntries(session, {
      base: schemaNamingContext,
      scope: 'one',
      filter: parseFilter(`(&(objectClass=attributeSchema)(|${named}))`),
      attributes: ['lDAPDisplayName', 'isMemberOfPartialAttributeSet'],
      extendedDn: false,
      marks: false,
      pageSize: session.pageSize,
    });
    for (const { attributes } of entries) {
      const [name] = attributes['lDAPDisplayName'] ?? [];
      if (typeof name !== 'string') continue;
      held.set(name.toLowerCase(), attributes['isMemberOfPartialAttributeSet']?.[0] === 'TRUE');
    }
  }
  return held;
}

const NAMES_AT_ONCE = 50;

/** Every octet as an escape (RFC 4515, section 3): right for any text and any bytes. */
export function escapeFilterText(value: string | Buffer): string {
  return Buffer.from(value).toString('hex').replace(/../g, '\\$&');
}

async function readEntries(session: Session, options: SearchOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const slice of session.search(options)) entries.push(...slice);
  return entries;
}

function notAForest(): DirectoryError {
  return new DirectoryError('NOT_A_FOREST', {
    message:
      'The directory server does not show the domains of a forest, so it has no Global Catalog. Turn "globalCatalog" of the directory server off; it is for Active Directory only, and "user" must be able to read the configuration.',
    status: 'no Global Catalog',
  });
}

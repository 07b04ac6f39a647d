/** What is read: the sample company's directory, started here, or a real one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountSettings, SqliteSettings } from '../engine/account/account.js';
import { digestOf } from '../engine/model/canonical.js';
import { startDirectory } from '../test/support/directory/index.js';
import { type LdifEntry, parseLdif } from '../test/support/ldif.js';
import { furniture } from '../test/support/directory/furniture.js';
import { forestOf } from '../test/support/directory/topology.js';
import { type ExpectedCounts, expectedAccount } from '../test/support/oracle/index.js';
import type { RealDirectory } from './arguments.js';
import { type KnownAddress, knownAddresses } from './known.js';
import type { FlowSettings } from './flow.js';

/** A directory to read, and the account that it feeds. */
export interface Source {
  readonly name: string;
  readonly title: string;
  readonly directory: FlowSettings['directory'];
  readonly account: { readonly file: string; readonly domains: readonly string[]; readonly settings: AccountSettings };
  /** The addresses that the account knows before its first run. */
  readonly known: readonly KnownAddress[];
  /** What separate code says: the digest of the account, and what a first run counts. Null where nobody knows. */
  expected(): { digest: string; firstRun: ExpectedCounts } | null;
  close(): Promise<void>;
}

const BASE = 'DC=example,DC=test';
const SAMPLE_DOMAINS = ['example.com', 'example.org'];
const READER = { user: 'CN=Sync Reader,CN=Users,DC=example,DC=test', password: 'sample-reader' };
const LDIF = join(__dirname, '..', '..', 'sample', 'company.ldif');

/** Starts the sample directory: about three hundred people, read from sample/company.ldif. */
export async function sampleSource(
  certificates: { cert: string; key: string; caFile: string },
  folder: string,
): Promise<Source> {
  const entries = parseLdif(readFileSync(LDIF, 'utf8'));
  const directory = await startDirectory({
    entries,
    base: BASE,
    users: { [READER.user]: READER.password },
    host: '127.0.0.1',
    encryption: 'ldaps',
    tls: { cert: certificates.cert, key: certificates.key },
  });
  const known = knownAddresses();
  const settings = accountSettings('Sample company', join(folder, 'sample-account.sqlite'), SAMPLE_DOMAINS);
  return {
    name: 'sample',
    title: `the sample company, ${String(entries.length)} entries of real LDAP over TLS at ${directory.url}`,
    directory: {
      servers: `${directory.host}:${String(directory.port)}`,
      encryption: 'ldaps',
      ...READER,
      base: '',
      caFile: certificates.caFile,
    },
    account: { file: settings.store.file, domains: SAMPLE_DOMAINS, settings },
    known,
    expected: () => expectation(entries, settings, known),
    close: () => directory.close(),
  };
}

/** The oracle's word. It reads the same LDIF, and what every domain has besides: the built-in groups. */
function expectation(entries: readonly LdifEntry[], settings: AccountSettings, known: readonly KnownAddress[]) {
  const all = [...furniture(forestOf(BASE), []), ...entries];
  const { snapshot, counts } = expectedAccount(all, { settings, known });
  return { digest: digestOf(snapshot), firstRun: counts };
}

/** A directory outside, as the environment variables name it. */
export function realSource(real: RealDirectory, folder: string): Source {
  const caFile = real.ca === null ? '' : join(folder, 'directory-ca.pem');
  if (real.ca !== null) writeFileSync(caFile, real.ca);
  const settings = accountSettings(real.host, join(folder, `${real.host.replace(/[^\w.-]/g, '_')}.sqlite`), []);
  return {
    name: real.host,
    title: `${real.encryption === 'ldaps' ? 'ldaps' : 'ldap'}://${real.host}:${String(real.port)}`,
    directory: {
      servers: `${real.host.includes(':') ? `[${real.host}]` : real.host}:${String(real.port)}`,
      encryption: real.encryption,
      user: real.user,
      password: real.password,
      base: real.base,
      caFile,
    },
    account: { file: settings.store.file, domains: [], settings },
    known: [],
    expected: () => null,
    close: () => Promise.resolve(),
  };
}

function accountSettings(name: string, file: string, domains: readonly string[]): AccountSettings<SqliteSettings> {
  return {
    name,
    store: { kind: 'sqlite', file },
    domains,
    attributes: ['title', 'department', 'telephoneNumber'],
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
  };
}

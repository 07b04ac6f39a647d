/** The sample company, for tests: its entries, what its account knew before, the account's settings, and a simulator of it. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSettings, SqliteSettings } from '../../engine/account/account.js';
import { makeCertificates } from './certificates.js';
import { startDirectory } from './directory/index.js';
import { type LdifEntry, parseLdif } from './ldif.js';
import type { TestDirectory } from './programs.js';

const BASE = 'DC=example,DC=test';
const HOST = '127.0.0.1';
const READER = { user: `CN=Sync Reader,CN=Users,${BASE}`, password: 'reader-secret' };

/** The entries of sample/company.ldif. Compiled tests run from dist/; the file stays with the sources. */
export function companyEntries(): LdifEntry[] {
  return parseLdif(readFileSync(join(__dirname, '..', '..', '..', 'sample', 'company.ldif'), 'utf8'));
}

/** The settings of the sample's account, in `file`. */
export function companySettings(file: string): AccountSettings<SqliteSettings> {
  return {
    name: 'Sample company',
    store: { kind: 'sqlite', file },
    domains: ['example.com', 'example.org'],
    attributes: ['title', 'department', 'telephoneNumber'],
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
  };
}

/** A simulated Active Directory with `entries`, with LDAPS, and a port where it refuses a simple bind, as Windows does now. */
export async function startSimulator(entries: readonly LdifEntry[]): Promise<TestDirectory> {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  const { ca, cert, key } = await makeCertificates(folder, { hosts: [HOST] });
  await rm(folder, { recursive: true, force: true });
  const common = { entries, base: BASE, users: { [READER.user]: READER.password }, host: HOST };
  const secure = await startDirectory({ ...common, encryption: 'ldaps', tls: { cert, key } });
  const plain = await startDirectory({ ...common, encryption: 'plain', quirks: { requireEncryption: true } });
  return {
    host: HOST,
    port: secure.port,
    plainPort: plain.port,
    ca,
    ...READER,
    base: BASE,
    stop: async () => {
      await secure.close();
      await plain.close();
    },
  };
}

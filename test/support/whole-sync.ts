/** The whole sync without Node-RED and without HTTPS: extract, enrich, stage, apply. For tests of the engine. */
import { randomUUID } from 'node:crypto';
import type { Account } from '../../engine/account/account.js';
import { enrichRecord } from '../../engine/enrich/enrich.js';
import { DOCUMENTED_FILTER, type ExtractSettings, extract } from '../../engine/extract/extract.js';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import type { Report } from '../../engine/model/report.js';
import type { Run, Seal } from '../../engine/model/run.js';
import type { DirectorySyncError } from '../../engine/model/errors.js';
import type { TestDirectory } from './programs.js';

/** What one run did. `failure` is set where the read failed. */
export interface Synced {
  readonly report: Report;
  readonly seal: Seal;
  readonly failure: DirectorySyncError | null;
  readonly run: Run;
}

/** Small batches, pages and member records, so that 300 people make many of each. */
const BATCH_SIZE = 50;
const PAGE_SIZE = 40;
const MEMBERS_PER_RECORD = 30;

/** How to reach a test directory over LDAPS, its certificate verified. */
export function settingsFor(directory: Omit<TestDirectory, 'plainPort' | 'stop'>): DirectorySettings {
  return {
    servers: [{ host: directory.host, port: directory.port }],
    encryption: 'ldaps',
    tls: { ca: directory.ca },
    user: directory.user,
    password: directory.password,
    base: directory.base,
    pageSize: PAGE_SIZE,
    timeouts: { connect: 5_000, idle: 10_000, run: 60_000 },
    maxMessageBytes: 32 * 1024 * 1024,
  };
}

/** Reads the directory and applies what it holds to the account. `told`: what the account hears of the seal. */
export async function syncInto(
  account: Account,
  directory: DirectorySettings,
  attributes: readonly string[],
  told: (seal: Seal) => Seal = (seal) => seal,
): Promise<Synced> {
  const run: Run = { id: randomUUID(), source: 'company', mode: 'full', startedAt: new Date().toISOString(), batch: 0 };
  const settings: ExtractSettings = { filter: DOCUMENTED_FILTER, attributes, batchSize: BATCH_SIZE, contacts: true };
  const batches = extract(directory, settings, AbortSignal.timeout(60_000));
  for (let index = 0; ; index += 1) {
    const next = await batches.next();
    if (next.done === true) {
      const { seal, failure } = next.value;
      return { report: await account.apply(run, told(seal), { dryRun: false }), seal, failure, run };
    }
    const records = next.value.flatMap((record) => enrichRecord(record, { membersPerRecord: MEMBERS_PER_RECORD }));
    await account.stage({ ...run, batch: index }, index, records);
  }
}

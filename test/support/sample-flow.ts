/** The sample company's simulated directory and its certificates, and the config nodes of a flow that reads it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificates, makeCertificates } from './certificates.js';
import { companyEntries } from './company.js';
import { type SampleDirectory, startDirectory } from './directory/index.js';
import type { FlowNode } from './flow.js';

export const BASE = 'DC=example,DC=test';
const READER = { user: `CN=Sync Reader,CN=Users,${BASE}`, password: 'reader-secret' };

export interface SampleFlow {
  readonly directory: SampleDirectory;
  readonly certificates: Certificates;
  /** A directory-server named `server`, with its credentials under the same name, and a tls-config named `trust`. */
  readonly nodes: readonly FlowNode[];
  readonly credentials: Readonly<Record<string, Record<string, string>>>;
  stop(): Promise<void>;
}

/** Starts the directory over LDAPS; `nodes` read it in pages of 40. */
export async function startSampleFlow(): Promise<SampleFlow> {
  const folder = await mkdtemp(join(tmpdir(), 'sample-flow-'));
  const certificates = await makeCertificates(folder);
  const { cert, key } = certificates;
  const users = { [READER.user]: READER.password };
  const directory = await startDirectory({
    entries: companyEntries(),
    base: BASE,
    users,
    encryption: 'ldaps',
    tls: { cert, key },
  });
  return {
    directory,
    certificates,
    nodes: [
      { id: 'trust', type: 'tls-config', cert: '', key: '', ca: certificates.caFile, verifyservercert: true },
      {
        id: 'server',
        type: 'directory-server',
        servers: `${directory.host}:${directory.port}`,
        tls: 'trust',
        pageSize: 40,
      },
    ],
    credentials: { server: READER },
    async stop() {
      await directory.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

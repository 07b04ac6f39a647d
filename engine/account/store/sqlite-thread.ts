/** The thread in which an account of the embedded store lives. */
import type { Change, Report } from '../../model/report.js';
import type { Run, Seal } from '../../model/run.js';
import { serveWorker, workerInput } from '../../runtime/worker.js';
import { type Decision, applyRun, decidePlan } from '../apply.js';
import { changesPage } from '../changes.js';
import { type ExportFormat, exportPage } from '../export.js';
import { findInAccount } from '../find.js';
import { heldPlans, plannedPage } from '../held.js';
import { history } from '../history.js';
import { type KnownUser, addKnownUsers } from '../known.js';
import { leased } from '../lease.js';
import { purgeRemoved } from '../leavers.js';
import type { AccountSettings } from '../settings.js';
import { snapshotOf } from '../snapshot.js';
import type { StagedRecord } from '../staged-record.js';
import { abandonRun, expireRuns, expiryFrom, stageBatch } from '../staging.js';
import type { SqlConnection } from './connection.js';
import { openSqlite } from './sqlite-connection.js';

const settings = workerInput() as AccountSettings;
let connection: SqlConnection | undefined;
/** What staging has cost, by run. */
const staging = new Map<string, number>();

function db(): SqlConnection {
  if (!connection) throw new Error('the account is not open');
  return connection;
}

const methods = {
  async open(): Promise<void> {
    const opened = openSqlite(settings.store.file);
    connection = settings.exclusive === true ? await leased(opened) : opened;
    await opened.transaction(() => expireRuns(opened, expiryFrom(new Date())));
  },
  async stage(run: Run, index: number, records: readonly StagedRecord[]): Promise<void> {
    const started = performance.now();
    await stageBatch(db(), run, { index, records });
    staging.set(run.id, (staging.get(run.id) ?? 0) + performance.now() - started);
  },
  async apply(run: Run, seal: Seal, options: { dryRun: boolean; at?: string }): Promise<Report> {
    const stageMs = staging.get(run.id) ?? 0;
    staging.delete(run.id);
    const at = options.at ?? new Date().toISOString();
    return applyRun(db(), settings, { run, seal, dryRun: options.dryRun, stageMs, at });
  },
  decide: (what: Decision) => decidePlan(db(), settings, what),
  heldPlans: () => heldPlans(db()),
  planned: (plan: string, after: number) => plannedPage(db(), plan, after),
  purge: (before: string) => purgeRemoved(db(), new Date(before)),
  history: (limit: number) => history(db(), limit),
  exportPage: (format: ExportFormat, after: number) => exportPage(db(), format, after),
  async abandon(runId: string): Promise<void> {
    staging.delete(runId);
    await abandonRun(db(), runId);
  },
  changes: (runId: string, after: number): Promise<{ changes: Change[]; last: number }> =>
    changesPage(db(), runId, after),
  addKnown: (known: readonly KnownUser[]) => addKnownUsers(db(), known),
  find: (what: { address: string } | { id: string }) => findInAccount(db(), what),
  snapshot: () => snapshotOf(db()),
};
export type AccountThread = typeof methods;

serveWorker(methods, async () => connection?.close());

/** The thread in which an account lives, wherever it is kept. */
import type { Change, Report } from '../../model/report.js';
import type { Run, Seal } from '../../model/run.js';
import { serveWorker, workerInput } from '../../runtime/worker.js';
import { applyRun } from '../apply.js';
import { type Decision, decidePlan } from '../decide.js';
import { changesPage } from '../changes.js';
import { type ExportFormat, exportPage } from '../export.js';
import { findInAccount } from '../find.js';
import { heldPlans, plannedPage } from '../held.js';
import { history } from '../history.js';
import { type KnownUser, addKnownUsers } from '../known.js';
import { ONLY_WRITER, leased, takeLease } from '../lease.js';
import { purgeRemoved } from '../leavers.js';
import { quarantinePage } from '../quarantine.js';
import type { AccountSettings } from '../settings.js';
import { type Shown, plannedSteps, shownChanges } from '../shown-plan.js';
import { snapshotOf } from '../snapshot.js';
import { type BatchColumns, batchOf } from '../staged-columns.js';
import { takesOf } from '../staged-record.js';
import type { PreparedBatch } from '../stager.js';
import { type ReadyBatch, abandonRun, expireRuns, expiryFrom, rowsOf, stageBatches } from '../staging.js';
import type { Lease, SqlConnection } from './connection.js';
import { type AccountStore, openStore } from './store.js';

const settings = workerInput() as AccountSettings;
const takes = takesOf(settings.attributes);
let store: AccountStore | undefined;
let lease: Lease | undefined;
/** By run: what staging has cost, and whether a run of its source was applied before. */
const staging = new Map<string, { readonly ms: number; readonly known: boolean }>();
/** Batches are made ready as they come, and written in turn. */
let written: Promise<unknown> = Promise.resolve();

/** Does what writes batches or gives them up, in the order in which it came. */
function inTurn(work: () => Promise<void>): Promise<void> {
  const done = written.then(work);
  written = done.catch(() => undefined);
  return done;
}

/** Does some work on a connection of the store. */
function on<Result>(work: (db: SqlConnection) => Promise<Result>): Promise<Result> {
  if (!store) return Promise.reject(new Error('the account is not open'));
  const mine = lease;
  return store.on((db) => work(mine ? leased(db, mine) : db));
}

/** `known`: of the run's source, as far as that was heard of. */
function readyBatch(batch: PreparedBatch, known: boolean | undefined): ReadyBatch {
  const rows = rowsOf(batch);
  return { index: batch.index, rows, pack: known === undefined ? null : (store?.pack(rows, known) ?? null) };
}

/** Looks things up: all that is answered is of one moment. */
function reading<Result>(work: (db: SqlConnection) => Promise<Result>): Promise<Result> {
  return on((db) => db.reading(() => work(db)));
}

const methods = {
  async open(): Promise<void> {
    store = await openStore(settings.store);
    const writer = settings.store.kind === 'postgres' ? `${ONLY_WRITER}:${settings.store.writer}` : ONLY_WRITER;
    if (settings.exclusive === true) lease = await store.on((db) => takeLease(db, writer));
    await on((db) => db.transaction(() => expireRuns(db, expiryFrom(new Date()))));
  },
  async stage(run: Run, batches: readonly BatchColumns[]): Promise<void> {
    const started = performance.now();
    const ready = batches.map((columns) => readyBatch(batchOf(columns), staging.get(run.id)?.known));
    const readyMs = performance.now() - started;
    await inTurn(async () => {
      const from = performance.now();
      const known = await on((db) => stageBatches(db, run, { batches: ready, takes }));
      const ms = (staging.get(run.id)?.ms ?? 0) + readyMs + performance.now() - from;
      staging.set(run.id, { ms, known });
    });
  },
  async apply(run: Run, seal: Seal, options: { dryRun: boolean; at?: string }): Promise<Report> {
    await written;
    const stageMs = staging.get(run.id)?.ms ?? 0;
    staging.delete(run.id);
    const at = options.at ?? new Date().toISOString();
    return on((db) => applyRun(db, settings, { run, seal, dryRun: options.dryRun, stageMs, at }));
  },
  decide: (what: Decision) => on((db) => decidePlan(db, settings, what)),
  heldPlans: () => reading(heldPlans),
  planned: (plan: string, after: number) => reading((db) => plannedPage(db, plan, after)),
  plannedSteps: (plan: string) => reading((db) => plannedSteps(db, plan)),
  shownChanges: (plan: string, shown: Shown) => reading((db) => shownChanges(db, plan, shown)),
  purge: (before: string) => on((db) => purgeRemoved(db, new Date(before))),
  history: (limit: number) => reading((db) => history(db, limit)),
  exportPage: (format: ExportFormat, after: number) => reading((db) => exportPage(db, format, after)),
  abandon: (runId: string): Promise<void> =>
    inTurn(async () => {
      staging.delete(runId);
      await on((db) => abandonRun(db, runId));
    }),
  quarantine: (after: number) => on((db) => quarantinePage(db, after)),
  changes: (runId: string, after: number, behind: number): Promise<{ changes: Change[]; last: number }> =>
    reading((db) => changesPage(db, runId, { after, behind })),
  addKnown: (known: readonly KnownUser[]) => on((db) => addKnownUsers(db, known)),
  find: (what: { address: string } | { id: string }) => reading((db) => findInAccount(db, what)),
  snapshot: () => reading(snapshotOf),
};
export type AccountThread = typeof methods;

/** In PostgreSQL, batches are staged and questions answered while a run is planned. What is in one lane goes one by one. */
const LANES: Readonly<Record<string, string | null>> = {
  stage: null,
  abandon: null,
  apply: 'applying',
  decide: 'applying',
  purge: 'applying',
  addKnown: 'applying',
};
const laneOf = (name: string) => {
  if (settings.store.kind === 'sqlite' || name === 'open') return 'all';
  return LANES[name] === undefined ? 'reading' : LANES[name];
};

serveWorker(methods, async () => store?.close(), laneOf);

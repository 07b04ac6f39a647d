/**
 * An account: people, contacts and groups, kept in step with what directories say. All its work is done elsewhere in a thread of its own, so that no size of a directory stops the editor.
 */
import { join } from 'node:path';
import type { EnrichedRecord } from '../model/records.js';
import type { Change, Report } from '../model/report.js';
import type { Run, Seal } from '../model/run.js';
import { type WorkerHandle, startWorker } from '../runtime/worker.js';
import type { Decision } from './decide.js';
import type { ExportFormat } from './export.js';
import type { FoundGroup, FoundPerson } from './find.js';
import type { HeldPlan } from './held.js';
import type { PastRun } from './history.js';
import type { KnownUser } from './known.js';
import type { Quarantined } from './quarantine.js';
import { type AccountSettings, checkSettings } from './settings.js';
import type { PlannedStep, Shown, ShownChange } from './shown-plan.js';
import type { AccountSnapshot } from './snapshot.js';
import { columnsOf } from './staged-columns.js';
import { toStaged } from './staged-record.js';
import { Stager } from './stager.js';
import type { AccountThread } from './store/thread.js';

export type { Decision } from './decide.js';
export type { ExportFormat } from './export.js';
export type { HeldPlan } from './held.js';
export type { PastRun } from './history.js';
export type { PlannedStep, Shown, ShownChange } from './shown-plan.js';
export type { AccountSettings } from './settings.js';
export type { PostgresSettings } from './store/postgres-settings.js';
export type { SqliteSettings } from './store/store.js';
export type { FoundGroup, FoundPerson } from './find.js';
export type { KnownUser } from './known.js';
export type { Quarantined } from './quarantine.js';

/**
 * An open account. Calls are done one at a time, in the order in which they were made; in PostgreSQL, batches are staged and
 * questions answered while a run is planned.
 */
export interface Account {
  /**
   * Stores a batch; again under the same number, it takes the place of the first. When it resolves, no end of this process takes the
   * batch away; where the power fails before the run is applied, the seal may find it missing, and nothing is removed then.
   */
  stage(run: Run, index: number, records: readonly EnrichedRecord[]): Promise<void>;
  /**
   * Plans and commits the run in one transaction, durable when it resolves. Without a whole run nothing is taken from
   * anybody. A run that was applied already answers with the report of then. `dryRun`: reports and changes nothing. `at`: what time it is, for
   * replays and tests.
   * @throws AccountError `RUN_SUPERSEDED`, `RUN_ABANDONED`, or what the store reports (`STORE_…`).
   */
  apply(run: Run, seal: Seal, options: { dryRun: boolean; at?: string }): Promise<Report>;
  /** Approves or rejects a held plan. @throws AccountError `PLAN_UNKNOWN`, `PLAN_DECIDED` */
  decide(what: Decision): Promise<Report>;
  /** The plans that wait for approval. */
  heldPlans(): Promise<HeldPlan[]>;
  /** What a held plan would change, in batches. */
  planned(plan: string): AsyncIterable<Change[]>;
  /** What a held plan does, in order, with how often; empty where no such plan waits. */
  plannedSteps(plan: string): Promise<PlannedStep[]>;
  /** Some of the changes of a held plan, with names. */
  shownChanges(plan: string, shown: Shown): Promise<ShownChange[]>;
  /** Forgets for good who ended before that time, with all that their source said of them. */
  purge(before: Date): Promise<{ purged: number }>;
  /** The last runs, newest first, `limit` at most. */
  history(limit: number): Promise<PastRun[]>;
  /** The account as text, in pieces. */
  export(format: ExportFormat): AsyncIterable<string>;
  /** Gives a run up: what was staged of it is forgotten. Harmless for a run that is unknown or ended. */
  abandon(runId: string): Promise<void>;
  /** The changes that a run made, in batches, in the order in which it made them; without the first `behind` of them. */
  changes(runId: string, behind?: number): AsyncIterable<Change[]>;
  /** Everything that the last run of each source set aside, in batches. */
  quarantine(): AsyncIterable<Quarantined[]>;
  /** Adds users known from elsewhere; `known` counts those whose address somebody had already. */
  addKnown(known: readonly KnownUser[]): Promise<{ added: number; known: number }>;
  /** A person or group by any of its addresses, or by its object's id. */
  find(what: { address: string } | { id: string }): Promise<FoundPerson | FoundGroup | null>;
  /** The whole account without ids, for comparison. Held in memory at once. */
  snapshot(): Promise<AccountSnapshot>;
  /** Lets the work at hand end, and closes the store. */
  close(): Promise<void>;
}

/** An account whose thread is started; its store is as it was, and whoever has it open keeps it. Open it or close it, once. */
export interface PreparedAccount {
  /** Rejects as {@link openAccount} does; it is closed then. */
  open(): Promise<Account>;
  close(): Promise<void>;
}

/** Starts what takes a tenth of a second, so that the first who needs the account does not wait for it. Throws `SettingError`. */
export function prepareAccount(settings: AccountSettings): PreparedAccount {
  const thread = startWorker<AccountThread>(join(__dirname, 'store', 'thread.js'), checkSettings(settings));
  return { open: () => opened(thread, settings), close: () => thread.close() };
}

/**
 * Opens an account, making its store where there is none.
 * @throws SettingError, AccountError `SQLITE_MISSING`, `STORE_…`
 */
export async function openAccount(settings: AccountSettings): Promise<Account> {
  return prepareAccount(settings).open();
}

async function opened(thread: WorkerHandle<AccountThread>, settings: AccountSettings): Promise<Account> {
  try {
    await thread.call('open');
  } catch (error) {
    await thread.close();
    throw error;
  }
  // Batches are made ready one after the other, and whatever ends or gives up a run comes behind those that came before it.
  const stager = new Stager((run, batches) => thread.call('stage', run, batches.map(columnsOf)));
  let prepared: Promise<unknown> = Promise.resolve();
  let handedOn: Promise<unknown> = Promise.resolve();
  const behind = <Result>(work: () => Promise<Result>) => handedOn.then(work);
  return {
    stage(run, index, records) {
      const staged = prepared.then(() => toStaged(records, settings.attributes));
      prepared = staged.catch(() => undefined);
      const added = staged.then((ready) => stager.add(run, { index, records: ready }));
      handedOn = behind(() => added.then((one) => one.handedOn)).catch(() => undefined);
      return added.then((one) => one.stored);
    },
    apply: (run, seal, options) => behind(() => thread.call('apply', run, seal, options)),
    abandon: (runId) => behind(() => thread.call('abandon', runId)),
    decide: (what) => thread.call('decide', what),
    heldPlans: () => thread.call('heldPlans'),
    planned: (plan) => changesOf((after) => thread.call('planned', plan, after)),
    plannedSteps: (plan) => thread.call('plannedSteps', plan),
    shownChanges: (plan, shown) => thread.call('shownChanges', plan, shown),
    purge: (before) => thread.call('purge', before.toISOString()),
    history: (limit) => thread.call('history', limit),
    export: (format) => piecesOf(thread, format),
    changes: (runId, behind = 0) =>
      changesOf((after) => thread.call('changes', runId, after, after === 0 ? behind : 0)),
    quarantine: () => pagesOf((after) => thread.call('quarantine', after)),
    addKnown: (known) => thread.call('addKnown', known),
    find: (what) => thread.call('find', what),
    snapshot: () => thread.call('snapshot'),
    close: () => behind(() => thread.close()),
  };
}

function changesOf(page: (after: number) => Promise<{ changes: Change[]; last: number }>): AsyncGenerator<Change[]> {
  return pagesOf(async (after) => {
    const { changes, last } = await page(after);
    return { items: changes, last };
  });
}

async function* pagesOf<Item>(
  page: (after: number) => Promise<{ items: Item[]; last: number }>,
): AsyncGenerator<Item[]> {
  for (let after = 0; ;) {
    const { items, last } = await page(after);
    if (items.length === 0) return;
    yield items;
    after = last;
  }
}

async function* piecesOf(thread: WorkerHandle<AccountThread>, format: ExportFormat): AsyncGenerator<string> {
  for (let after: number | null = 0; after !== null;) {
    const piece: { text: string; next: number | null } = await thread.call('exportPage', format, after);
    if (piece.text !== '') yield piece.text;
    after = piece.next;
  }
}

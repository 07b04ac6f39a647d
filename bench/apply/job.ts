/**
 * One account of `bench:apply` in a process of its own: the first load, a run in which nothing changed, one in which 1 % did.
 * The records of a run are made before its time is taken, so that only the account is measured.
 */
import { setTimeout as after } from 'node:timers/promises';
import { openAccount, type Account, type AccountSettings } from '../../engine/account/account.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import { noRecords } from '../../engine/model/records.js';
import type { Run, Seal } from '../../engine/model/run.js';
import { type CompanyOf, companyBatches } from './company.js';

export interface ApplyJob {
  readonly settings: AccountSettings;
  readonly people: number;
}

/** Milliseconds of wall and of processor time (of all threads), and what the plan was. */
export interface RunFigures {
  readonly name: 'first load' | 'nothing changed' | '1 % changed';
  readonly ms: number;
  readonly cpu: number;
  readonly outcome: string;
  readonly stages: Readonly<Record<string, string | number | boolean>>;
}

const WINDOW = 4;

/** Until the collector of garbage has swept behind itself, which it does in threads of its own. */
const SWEPT_MS = 500;

/**
 * As a receiver has them, out of JSON: a text that was put together of pieces is made one by whoever looks at it first, which would be the
 * account.
 */
function received(company: CompanyOf): EnrichedRecord[][] {
  const batches: EnrichedRecord[][] = [];
  for (const batch of companyBatches(company)) batches.push(JSON.parse(JSON.stringify(batch)) as EnrichedRecord[]);
  return batches;
}

async function timed(account: Account, number: number, batches: readonly EnrichedRecord[][]) {
  const run: Run = {
    id: `bench-${String(number)}`,
    source: 'bench',
    mode: 'full',
    startedAt: new Date(Date.UTC(2026, 0, 1, 0, number)).toISOString(),
    batch: 0,
  };
  const seal: Seal = {
    kind: 'seal',
    batches: batches.length,
    records: noRecords(),
    complete: true,
    incomplete: [],
    proof: null,
    token: null,
    stages: [],
  };
  // What making the records left behind is not the account's to tidy up.
  globalThis.gc?.();
  await after(SWEPT_MS);
  const before = process.cpuUsage();
  const started = performance.now();
  const underWay: Promise<void>[] = [];
  for (const [index, batch] of batches.entries()) {
    if (underWay.length >= WINDOW) await underWay.shift();
    underWay.push(account.stage(run, index, batch));
  }
  await Promise.all(underWay);
  const report = await account.apply(run, seal, { dryRun: false });
  const stages = report.stages.at(-1)?.figures ?? {};
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpu: (user + system) / 1_000, outcome: report.outcome, stages };
}

process.once('message', ({ settings, people }: ApplyJob) => {
  void (async () => {
    const account = await openAccount(settings);
    const figures: RunFigures[] = [];
    for (const [name, change] of [
      ['first load', 0],
      ['nothing changed', 0],
      ['1 % changed', 1],
    ] as const) {
      figures.push({ name, ...(await timed(account, figures.length, received({ people, change }))) });
      // What the first load left is what the bulk load is to load, as soon as the account has done with its file.
      if (figures.length === 1) {
        await account.history(1);
        process.send?.('loaded');
        await new Promise((resolve) => process.once('message', resolve));
      }
    }
    await account.close();
    process.send?.(figures);
    process.disconnect();
  })();
});

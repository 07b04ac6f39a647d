/**
 * `npm run redeploys -- --count N --seed N --json --check`: N redeploys at random moments of a run, of all nodes or of some, and
 * N triggers at random moments of other runs, in a real Node-RED. A close takes 5 seconds at most, one thread has the account,
 * nothing is thrown that nobody catches, handles do not grow, and in the end the account is the oracle's.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import { numberOption } from '../../bench/support/verdict.js';
import { accounts } from '../../nodes/shared/offers.js';
import { startDirectory } from '../support/directory/index.js';
import { seeded } from '../support/fault-proxy.js';
import { type Caught, type Flow, type FlowNode, startFlow } from '../support/flow.js';
import { AccountOracle } from '../support/oracle/history.js';
import { verdict } from './campaign.js';
import { wholeFlow } from './crash/flow.js';
import { BASE, PASSWORD, RULES, USER, draw, entriesOf, onlyOurs } from './crash/world.js';

const CLOSE_WITHIN_MS = 5_000;
/** A run that was handed over again behind a redeploy comes behind a later one; its sender, if it is still there, hears the same. */
const isLate = ({ code, message }: Caught) =>
  code === 'RUN_SUPERSEDED' || (code === 'RUN_FAILED' && message.includes(' RUN_SUPERSEDED:'));
const NAMED = ['server', 'account', 'extract', 'enrich', 'transmit', 'receive', 'apply'];

/** The documented flow; a node that has another name than before is redeployed. */
function named(flow: readonly FlowNode[], names: Readonly<Record<string, string>>): FlowNode[] {
  return [
    ...flow.map((node) => ({ ...node, name: names[node.id] ?? '' })),
    { id: 'report', type: 'helper', wires: [] },
    { id: 'answer', type: 'helper', wires: [] },
  ];
}

/** Threads that are alive, of those that keep accounts. */
function watchThreads(): { readonly alive: ReadonlySet<workerThreads.Worker>; restore: () => void } {
  const alive = new Set<workerThreads.Worker>();
  const usual = workerThreads.Worker;
  workerThreads.Worker = class extends usual {
    constructor(file: string | URL, options?: WorkerOptions) {
      super(file, options);
      if (!String(file).includes('account')) return;
      alive.add(this);
      this.on('exit', () => alive.delete(this));
    }
  };
  return { alive, restore: () => (workerThreads.Worker = usual) };
}

async function main(argv: readonly string[]): Promise<void> {
  const [count, seed] = [numberOption(argv, 'count', 200), numberOption(argv, 'seed', 1)];
  const any = seeded(seed);
  const folder = await mkdtemp(join(tmpdir(), 'redeploys-'));
  const directory = await startDirectory({
    entries: entriesOf(draw(any)),
    base: BASE,
    users: { [USER]: PASSWORD },
    encryption: 'plain',
  });
  const rejections: string[] = [];
  const rejected = (reason: unknown) => rejections.push(String(reason));
  process.on('unhandledRejection', rejected);
  const threads = watchThreads();
  const { flow: nodes, credentials } = await wholeFlow({ directory, folder });
  const names: Record<string, string> = {};
  const flow = await startFlow(named(nodes, names), { credentials });
  const figures = { longestClose: 0, mostThreads: 0, handlesBefore: {}, handlesAfter: {} };
  try {
    directory.setQuirks({ delayPerPageMs: 2 });
    await reported(flow, 1);
    const usual = await timed(() => reported(flow, 1));
    figures.handlesBefore = await handles();
    for (let round = 0; round < count; round += 1) {
      directory.reload(entriesOf(draw(any)));
      for (let trigger = 0; trigger <= any(2); trigger += 1) flow.send('extract', {});
      await sleep(any(Math.ceil(usual * 1.3)));
      const which = NAMED.filter(() => any(3) === 0);
      for (const id of which) names[id] = `round ${String(round)}`;
      const how = which.length > 0 && any(2) === 0 ? 'nodes' : 'full';
      const took = await timed(() => flow.redeploy(named(nodes, names), how));
      figures.longestClose = Math.max(figures.longestClose, took);
      figures.mostThreads = Math.max(figures.mostThreads, threads.alive.size);
      if (round % 20 === 19) console.log(`  redeploys: ${String(round + 1)} of ${String(count)}`);
    }
    const lost = [...flow.caught()];
    await quiet(flow);
    const before = flow.completed('extract');
    for (let trigger = 0; trigger < count; trigger += 1) {
      if (any(10) === 0) directory.reload(entriesOf(draw(any)));
      flow.send('extract', {});
      if (any(3) > 0) await sleep(any(Math.ceil(usual / 4)));
    }
    await flow.until('every trigger is answered', () => flow.completed('extract') - before >= count, 60_000);
    const last = draw(any);
    directory.reload(entriesOf(last));
    for (let look = 0; look < 2; look += 1) await reported(flow, 1);
    figures.handlesAfter = await handles();
    const oracle = new AccountOracle(RULES);
    for (let look = 0; look < 2; look += 1) oracle.run(last);
    const found = await accounts.take(flow.RED, flow.node('apply'), 'account')((account) => account.snapshot());
    const same = isDeepStrictEqual(onlyOurs(found), oracle.snapshot());
    const caught = [...lost, ...flow.caught()];
    const errors = caught.filter((one) => !isLate(one)).map(({ code, source }) => `${String(code)} at ${source}`);
    const late = caught.filter(isLate).map(({ code, source }) => `${String(code)} at ${source}`);
    verdict(
      'redeploys and triggers at any moment',
      [
        { name: 'the account is another than the oracle’s (1: it is)', value: same ? 0 : 1, limit: 0 },
        { name: 'longest redeploy, closing included, ms', value: figures.longestClose, limit: CLOSE_WITHIN_MS },
        { name: 'threads with the account behind a redeploy, at most', value: figures.mostThreads, limit: 1 },
        { name: 'rejections that nobody handled', value: rejections.length, limit: 0 },
        { name: 'errors at a catch node, but for runs that came late', value: errors.length, limit: 0 },
        {
          name: 'handles more than before',
          value: total(figures.handlesAfter) - total(figures.handlesBefore),
          limit: 3,
        },
      ],
      { count, seed, rejections: rejections.slice(0, 5), errors: tally(errors), late: tally(late), ...figures },
      argv,
    );
  } finally {
    await flow.stop();
    threads.restore();
    await directory.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    process.off('unhandledRejection', rejected);
  }
}

/** Triggers, and waits for so many reports more. */
async function reported(flow: Flow, more: number): Promise<void> {
  const before = flow.received('report').length;
  flow.send('extract', {});
  await flow.until('a report', () => flow.received('report').length >= before + more, 30_000);
}

/** Until no report has come for a while. */
async function quiet(flow: Flow): Promise<void> {
  for (let before = -1; before !== flow.received('report').length;) {
    before = flow.received('report').length;
    await sleep(1_000);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function tally(list: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of list) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** What keeps a process alive, by kind; timers come and go. */
async function handles(): Promise<Record<string, number>> {
  await sleep(1_000);
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== 'Timeout' && kind !== 'Immediate') counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

void main(process.argv.slice(2)).then(() => process.exit());

/**
 * `npm run bench:apply [-- --people N --runs N --no-postgres --no-sqlite --json --check]`: applying 100,000 people, 2,000 groups and 250,000 memberships: a
 * first load, a run in which nothing changed, one in which 1 % did. Against the store's own bulk load of the same rows (every
 * table that the first load leaves behind), durable and in one transaction, in turn within each round; and inside a real
 * Node-RED, for the delay of the event loop and for memory.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSettings } from '../engine/account/account.js';
import type { StoreSettings } from '../engine/account/store/store.js';
import { dropStore, postgresStore } from '../test/support/account-store.js';
import { type TestPostgres, startPostgres } from '../test/support/postgres.js';
import { ATTRIBUTES, DOMAINS, groupsOf, membershipsOf } from './apply/company.js';
import { type LoopFigures, applyInNodeRed } from './apply/in-node-red.js';
import type { ApplyJob, RunFigures } from './apply/job.js';
import { copyRows, dumpPostgres, settlePostgres } from './apply/psql-copy.js';
import { type BulkFigures, type Dump, OWN_TABLES, dumpSqlite, importRows } from './apply/sqlite-import.js';
import { median } from './support/measure.js';
import { type Figure, benchOptions, conclude, numberOption } from './support/verdict.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const rounds = numberOption(argv, 'runs', 5);
const tell = (line: string) => console.log(line);
/** Node-REDs whose loop is watched, each with a new account. */
const LOOP_ROUNDS = 3;

/** One account: its runs, and the bulk loads of what the first of them left. Null without a yardstick. */
interface Round {
  readonly runs: readonly RunFigures[];
  readonly bulk: BulkFigures | null;
  readonly ownBulk: BulkFigures | null;
}

/** A store to measure, and its own bulk load. `of`: a new store for each round. */
interface Measured {
  readonly name: string;
  readonly bulk: string;
  readonly limit: number;
  readonly of: (folder: string) => StoreSettings;
  /** The same, as a directory-account node says it. */
  readonly node: () => Readonly<Record<string, unknown>>;
  readonly dump: (store: StoreSettings, folder: string) => Dump | null;
  readonly load: (dump: Dump, tables?: readonly string[]) => Promise<BulkFigures>;
  /** Has the store do what it puts off, so that it falls into the time of nobody who comes next. */
  readonly settle: () => void;
}

const SQLITE: Measured = {
  name: 'SQLite',
  bulk: '.import',
  limit: 1.5,
  of: (folder) => ({ kind: 'sqlite', file: join(folder, 'account.db') }),
  node: () => ({}),
  dump: (store, folder) => (store.kind === 'sqlite' ? dumpSqlite(store.file, folder) : null),
  load: importRows,
  settle: () => undefined,
};

function postgres({ url, adminUrl }: TestPostgres): Measured {
  return {
    name: 'PostgreSQL',
    bulk: '\\copy',
    limit: 2,
    of: () => postgresStore(url, { timeouts: { connect: 10_000, statement: 600_000, idle: 600_000 } }),
    node() {
      const { host, port, database, user, password, schema } = postgresStore(url);
      const credentials = { user, password };
      return {
        store: 'postgresql',
        host,
        port,
        database,
        schema,
        encryption: 'none',
        statementTimeout: 600,
        credentials,
      };
    },
    dump: (store, folder) => (store.kind === 'postgres' ? dumpPostgres(url, store.schema, folder) : null),
    load: (dump, tables) => copyRows(url, settingsFor(postgresStore(url)), dump, tables),
    settle: () => settlePostgres(adminUrl),
  };
}

async function main(): Promise<void> {
  const server = argv.includes('--no-postgres') ? null : await startPostgres({ durable: true });
  try {
    const stores = [...(argv.includes('--no-sqlite') ? [] : [SQLITE]), ...(server ? [postgres(server)] : [])];
    const results = new Map<string, Round[]>(stores.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round += 1) {
      for (const store of stores) {
        const result = await measured(store);
        results.get(store.name)?.push(result);
        tell(`  round ${String(round)}, ${store.name}: ${lineOf(result)}`);
      }
    }
    const loop = new Map<string, LoopFigures[]>();
    const memory = new Map<string, Record<string, number>>();
    for (const store of stores) {
      const figures: LoopFigures[] = [];
      for (let round = 0; round < Math.min(rounds, LOOP_ROUNDS); round += 1) {
        const some = await applyInNodeRed({ people, store: store.node(), changes: [0, 0, 1] });
        for (const one of some) tell(`  ${store.name} in Node-RED 5: ${loopLine(one)}`);
        figures.push(...some);
      }
      loop.set(store.name, figures);
      memory.set(store.name, await memoryBySize(store, rounds > 1));
    }
    conclude(
      `Applying ${String(people)} people, ${String(groupsOf(people))} groups, ${String(membershipsOf(people))} memberships; ${String(rounds)} rounds`,
      [
        ...stores.flatMap((store) => figuresOf(store, results.get(store.name) ?? [])),
        ...[...loop].flatMap(([name, figures]) => loopFigures(name, figures)),
        ...[...memory].map(([name, peaks]) => memoryFigure(name, peaks)),
      ],
      { rounds: Object.fromEntries(results), loop: Object.fromEntries(loop), memory: Object.fromEntries(memory) },
      benchOptions(argv),
    );
  } finally {
    await server?.stop();
  }
}

function settingsFor(store: StoreSettings): AccountSettings {
  return {
    name: 'bench',
    store,
    domains: DOMAINS,
    attributes: ATTRIBUTES,
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
  };
}

async function measured({ of, dump, load, bulk, settle }: Measured): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-apply-'));
  const store = of(folder);
  try {
    const child = fork(join(__dirname, 'apply', 'job.js'), { execArgv: ['--expose-gc'] });
    settle();
    child.send({ settings: settingsFor(store), people } satisfies ApplyJob);
    await once(child, 'message');
    const dumped = dump(store, join(folder, 'dump'));
    settle();
    child.send('go on');
    const [runs] = (await once(child, 'message')) as [RunFigures[]];
    if (dumped === null) tell(`  ${bulk}: sqlite3 is not on this machine, install it to compare`);
    const loaded = async (tables?: readonly string[]) => {
      settle();
      return dumped && load(dumped, tables);
    };
    return { runs, bulk: await loaded(), ownBulk: await loaded(OWN_TABLES) };
  } finally {
    await dropStore(store);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const SHOWN = ['stageMs', 'planMs', 'commitMs'];

function lineOf({ runs, bulk, ownBulk }: Round): string {
  const inCpu = (cpu: number | null) => (cpu === null ? '' : `, ${cpu.toFixed(0)} of processor`);
  const told = runs.map(({ name, ms, cpu, stages }) => {
    const parts = SHOWN.map((part) => `${part.slice(0, -2)} ${String(stages[part])}`);
    return `${name} ${ms.toFixed(0)} ms${inCpu(cpu)} (${parts.join(', ')})`;
  });
  const yardsticks = Object.entries({ 'bulk load': bulk, 'own tables': ownBulk }).map(([name, load]) =>
    load === null ? '' : `${name} ${load.ms.toFixed(0)} ms${inCpu(load.cpu)}`,
  );
  return [...told, ...yardsticks].join('; ');
}

/** Ratios within each round; the middle one counts. */
function figuresOf({ name: store, bulk, limit }: Measured, results: readonly Round[]): Figure[] {
  const of = ({ runs }: Round, name: RunFigures['name']) => runs.find((run) => run.name === name);
  const against = (round: Round, load: BulkFigures | null, part: 'ms' | 'cpu') =>
    (of(round, 'first load')?.[part] ?? Number.NaN) / (load?.[part] ?? Number.NaN);
  const middle = (ratio: (round: Round) => number) => median(results.map(ratio));
  const later = (name: RunFigures['name']) =>
    middle((round) => (of(round, name)?.ms ?? Number.NaN) / (of(round, 'first load')?.ms ?? Number.NaN));

  const all = middle((round) => against(round, round.bulk, 'ms'));
  const own = middle((round) => against(round, round.ownBulk, 'ms'));
  const allCpu = middle((round) => against(round, round.bulk, 'cpu'));
  tell(`  ${store}: first load against ${bulk} of the account's own tables and the journal only: ${own.toFixed(2)}`);
  if (!Number.isNaN(allCpu))
    tell(`  ${store}: the processor time of the first load against ${bulk}'s: ${allCpu.toFixed(2)}`);
  return [
    ...(Number.isNaN(all)
      ? []
      : [{ name: `${store}: first load against ${bulk} of the same rows`, value: all, limit }]),
    { name: `${store}: nothing changed, against the first load`, value: later('nothing changed'), limit: 0.2 },
    { name: `${store}: 1 % changed, against the first load`, value: later('1 % changed'), limit: 1 / 3 },
  ];
}

function loopLine({ name, seconds, loopP999, loopMax, peakMegabytes }: LoopFigures): string {
  return `${name} ${seconds.toFixed(2)} s, loop delay p99.9 ${loopP999.toFixed(1)} ms, longest ${loopMax.toFixed(1)} ms, peak ${peakMegabytes.toFixed(0)} MB`;
}

/** The middle of the rounds counts here, too. */
function loopFigures(store: string, loop: readonly LoopFigures[]): Figure[] {
  return [...new Set(loop.map(({ name }) => name))].map((name) => ({
    name: `${store}, in Node-RED, ${name}: delay of the event loop, 99.9th percentile, ms`,
    value: median(loop.filter((one) => one.name === name).map(({ loopP999 }) => loopP999)),
    limit: 20,
  }));
}

/**
 * V8 lets a heap grow for as long as there is memory, whether it is needed or not: with a small one, what grows with the
 * directory shows.
 */
const SMALL_HEAP = ['--max-old-space-size=64', '--max-semi-space-size=4'];

/** Peak memory of a Node-RED that applies a first load, in megabytes. */
async function memoryBySize({ name, node }: Measured, full: boolean): Promise<Record<string, number>> {
  const peaks: Record<string, number> = {};
  for (const size of full ? [10_000, 100_000, 400_000] : [2_000, 10_000]) {
    const [first] = await applyInNodeRed({ people: size, store: node(), changes: [0], nodeArguments: SMALL_HEAP });
    peaks[String(size)] = first?.peakMegabytes ?? Number.NaN;
    tell(`  ${name}: memory at ${String(size)} people: ${(first?.peakMegabytes ?? Number.NaN).toFixed(0)} MB`);
  }
  return peaks;
}

function memoryFigure(store: string, memory: Readonly<Record<string, number>>): Figure {
  const peaks = Object.values(memory);
  return {
    name: `${store}: peak memory of Node-RED, largest to smallest of ${Object.keys(memory).join(', ')} people`,
    value: Math.max(...peaks) / Math.min(...peaks),
    limit: 1.2,
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

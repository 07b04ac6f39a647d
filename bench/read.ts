/**
 * `npm run bench:read [-- --people N --groups N --runs N --few --json --check]`: reads a large slapd with our reader and with
 * its peers, in turn within each round, and prints ratios. Asks for the same attributes and pages everywhere. `--few`: only
 * with those that there is a limit to.
 */
import { join } from 'node:path';
import { DOCUMENTED_FILTER } from '../engine/extract/extract.js';
import { ASKED } from './support/attributes.js';
import { type BigDirectory, startBigDirectory } from './support/big-slapd.js';
import { type NodeFigures, readInNodeRed } from './support/in-node-red.js';
import { type Measured, measure, median } from './support/measure.js';
import { SMALL_HEAP } from './support/small-heap.js';
import { benchOptions, conclude, numberOption } from './support/verdict.js';
import { type ClientFigures, JOB, type ReadJob } from './peers/job.js';
import { type Peer, peersOf } from './support/read-peers.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const groups = numberOption(argv, 'groups', 2_000);
const rounds = numberOption(argv, 'runs', 5);
/** With which there is a limit. */
const FEW = new Set(['ldapsearch', 'ours', 'ldapts searchPaginated']);
const few = argv.includes('--few');
const tell = (line: string) => console.log(line);

async function main(): Promise<void> {
  const directory = await startBigDirectory({ people, groups }, tell);
  try {
    const job = jobOf(directory);
    const peers = (await peersOf(job, join(__dirname, 'peers'))).filter(({ name }) => !few || FEW.has(name));
    const results = await race(peers, job);
    const inNodeRed = await readInNodeRed(job, rounds);
    for (const { wall, cpu, loopP999 } of inNodeRed) {
      tell(
        `  the node in Node-RED 5: ${wall.toFixed(2)} s, ${cpu.toFixed(2)} s of processor, loop delay ${loopP999.toFixed(1)} ms`,
      );
    }
    const memory = await memoryBySize(rounds > 1);
    report(results, inNodeRed, memory);
  } finally {
    await directory.stop();
  }
}

function jobOf({ host, port, base, user, password }: BigDirectory): ReadJob {
  return { host, port, base, user, password, filter: DOCUMENTED_FILTER, attributes: [...ASKED], pageSize: 1_000 };
}

type Results = Map<string, Measured[]>;

/** Every peer once per round, so that a drift of the machine meets all of them. */
async function race(peers: readonly Peer[], job: ReadJob): Promise<Results> {
  const results: Results = new Map();
  for (const peer of peers) {
    if (peer.command === null) tell(`  ${peer.name} is not on this machine: install ${peer.missing}`);
    else results.set(peer.name, []);
  }
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, command } of peers) {
      if (command === null) continue;
      const [program = '', ...args] = command;
      const measured = await measure(program, args, { [JOB]: JSON.stringify(job) });
      // The first round warms the server's caches and is not counted.
      if (round > 0) results.get(name)?.push(measured);
      tell(
        `  round ${String(round)}: ${name.padEnd(24)} ${measured.wall.toFixed(2)} s, ${measured.cpu.toFixed(2)} s of processor`,
      );
    }
  }
  return results;
}

/** What V8 takes if it is let is told beside what it needs. */
interface Peaks {
  /** Megabytes by number of people. */
  readonly smallHeap: Record<string, number>;
  readonly freeHeap: Record<string, number>;
}

/** Peak memory of our reader at three sizes; the largest group is the same in all. */
async function memoryBySize(full: boolean): Promise<Peaks> {
  const peaks: Peaks = { smallHeap: {}, freeHeap: {} };
  for (const size of full ? [10_000, 100_000, 400_000] : [2_000, 10_000]) {
    const directory = await startBigDirectory({ people: size, groups: Math.floor(size / 50), largest: 1_000 }, tell);
    const peak = async (...flags: string[]) => {
      const env = { [JOB]: JSON.stringify(jobOf(directory)) };
      const args = [...flags, join(__dirname, 'peers', 'ours.js')];
      return figuresOf(await measure(process.execPath, args, env)).peakMegabytes;
    };
    try {
      const small = [await peak(...SMALL_HEAP), await peak(...SMALL_HEAP), await peak(...SMALL_HEAP)];
      peaks.smallHeap[String(size)] = median(small);
      peaks.freeHeap[String(size)] = await peak();
      tell(
        `  memory at ${String(size)} people: ${median(small).toFixed(0)} MB, and ${String(peaks.freeHeap[String(size)]?.toFixed(0))} MB where V8 is let`,
      );
    } finally {
      await directory.stop();
    }
  }
  return peaks;
}

function figuresOf({ output }: Measured): ClientFigures {
  return JSON.parse(output.trim()) as ClientFigures;
}

function report(results: Results, inNodeRed: readonly NodeFigures[], memory: Peaks): void {
  const ratio = (name: string, to: string, part: 'wall' | 'cpu') =>
    median((results.get(name) ?? []).map((run, round) => run[part] / (results.get(to)?.[round]?.[part] ?? Number.NaN)));
  const delay = (name: string) => median((results.get(name) ?? []).map((run) => figuresOf(run).loopP999));
  tell('\n  client                     wall to ldapsearch   cpu to ldapsearch');
  for (const name of results.keys()) {
    tell(
      `  ${name.padEnd(26)} ${ratio(name, 'ldapsearch', 'wall').toFixed(2).padStart(18)} ${ratio(name, 'ldapsearch', 'cpu').toFixed(2).padStart(19)}`,
    );
  }
  const peaks = Object.values(memory.smallHeap);
  conclude(
    `Reading ${String(people)} people and ${String(groups)} groups, ${String(rounds)} rounds`,
    [
      { name: 'wall time against ldapsearch', value: ratio('ours', 'ldapsearch', 'wall'), limit: 1.1 },
      { name: 'processor time against ldapsearch', value: ratio('ours', 'ldapsearch', 'cpu'), limit: 1.5 },
      {
        name: 'processor time against plain ldapts',
        value: ratio('ours', 'ldapts searchPaginated', 'cpu'),
        limit: 0.25,
      },
      {
        name: `peak memory, largest to smallest of ${Object.keys(memory.smallHeap).join(', ')} people`,
        value: Math.max(...peaks) / Math.min(...peaks),
        limit: 1.2,
      },
      { name: 'delay of the event loop, 99.9th percentile, ms', value: delay('ours'), limit: 20 },
      { name: "the same against plain ldapts's", value: delay('ours') / delay('ldapts searchPaginated'), limit: 0.2 },
      {
        name: 'the node in Node-RED: wall time against ldapsearch',
        value:
          median(inNodeRed.map(({ wall }) => wall)) / median((results.get('ldapsearch') ?? []).map(({ wall }) => wall)),
        limit: 1.1,
      },
      {
        name: 'the node in Node-RED: delay of the event loop, 99.9th percentile, ms',
        value: median(inNodeRed.map(({ loopP999 }) => loopP999)),
        limit: 20,
      },
    ],
    {
      memory,
      medians: Object.fromEntries(
        [...results.keys()].map((name) => [
          name,
          { wall: ratio(name, 'ldapsearch', 'wall'), cpu: ratio(name, 'ldapsearch', 'cpu') },
        ]),
      ),
    },
    benchOptions(argv),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

/**
 * `npm run bench:enrich [-- --people N --groups N --runs N --json --check]`: what enriching adds to the read of a large slapd, which
 * gives members by name only, so that each has to be found: the worst case. Reads with and without it in turn, in processes of its own
 * and in a Node-RED; then its memory at three sizes.
 */
import { join } from 'node:path';
import { DOCUMENTED_FILTER, FILTER_PRESETS } from '../engine/extract/settings.js';
import type { EnrichSettings } from '../engine/enrich/settings.js';
import { type EnrichFigures, ENRICH } from './peers/enrich-job.js';
import { JOB, type ReadJob } from './peers/job.js';
import { ASKED } from './support/attributes.js';
import type { Size } from './support/big-directory.js';
import { type BigDirectory, startBigDirectory } from './support/big-slapd.js';
import { type NodeFigures, readInNodeRed } from './support/in-node-red.js';
import { measure, median } from './support/measure.js';
import { SMALL_HEAP } from './support/small-heap.js';
import { benchOptions, conclude, numberOption } from './support/verdict.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const groups = numberOption(argv, 'groups', 2_000);
const rounds = numberOption(argv, 'runs', 5);
const tell = (line: string) => console.log(line);

const CARRIED: EnrichSettings = { membersPerRecord: 1000, primaryGroups: true, dynamicLists: true, readable: true };
const FLATTENED: EnrichSettings = { ...CARRIED, nested: 'flattened' };
const WITH_FINDINGS: EnrichSettings = { ...CARRIED, findings: true };
/** A group is not read in one request where it has more members than this. */
const OBJECTS_PER_REQUEST = 200;
/** What flattening may take: bytes for a membership, and for each object that is a member or a group. */
const BYTES = { membership: 4, object: 64 };
/** Processes are compared by their peaks, which differ by this much for no reason. */
const NOISE_MEGABYTES = 4;
const MEMORY_ROUNDS = 3;

/** `groups`: only these are read; `looked-up`: and so none of their members, who all have to be looked up. */
type Variant = 'read' | 'carried' | 'flattened' | 'findings' | 'groups' | 'looked-up';
type Rows = Record<Variant, EnrichFigures[]>;
const SETTINGS: Record<Variant, EnrichSettings | null> = {
  read: null,
  carried: CARRIED,
  flattened: FLATTENED,
  findings: WITH_FINDINGS,
  groups: null,
  'looked-up': CARRIED,
};
const GROUPS_ONLY: ReadonlySet<Variant> = new Set(['groups', 'looked-up']);

async function main(): Promise<void> {
  const large = await rows(
    { people, groups },
    { count: rounds, names: ['read', 'carried', 'flattened', 'findings', 'groups', 'looked-up'], nodeOptions: [] },
  );
  const nodes = await inNodeRed();
  const of = (variant: Variant, figure: keyof EnrichFigures, from = large) =>
    median(from[variant].map((row) => row[figure]));
  const added = (variant: Variant) =>
    median(large[variant].map((row, at) => row.seconds / (large.read[at]?.seconds ?? Number.NaN) - 1));
  const memory = await memoryBySize(rounds > 1);
  const peaks = memory.map(({ carried }) => carried);
  const largest = memory.at(-1);
  tell('\n  peak memory against that of the smallest size, in a small heap');
  for (const one of memory) {
    const against = (variant: 'read' | 'carried') => (one[variant] / (memory[0]?.[variant] ?? Number.NaN)).toFixed(2);
    tell(`  ${String(one.size).padStart(8)} people: reading ${against('read')}, enriching, too, ${against('carried')}`);
  }
  for (const variant of ['carried', 'flattened', 'findings'] as const) {
    tell(`  time added to the read: ${variant.padEnd(10)} ${added(variant).toFixed(2)}`);
  }
  const lookedUp = of('looked-up', 'seconds') - of('groups', 'seconds');
  tell(
    `  where none of ${String(of('looked-up', 'memberships'))} members was read: ${String(of('looked-up', 'lookUpRequests'))} requests, ${(lookedUp / of('read', 'seconds')).toFixed(2)} of the whole read's time`,
  );
  const objects = of('carried', 'objects');
  const loop = median(nodes.enriching.map(({ loopP999 }) => loopP999));
  const beside = wallOf(nodes.enriching) / wallOf(nodes.reading) - 1;
  tell(
    `  in Node-RED, where batches are checked between the nodes: time added ${beside.toFixed(2)}, delay of the event loop ${loop.toFixed(1)} ms at the 99.9th percentile`,
  );
  conclude(
    `Enriching ${String(people)} people and ${String(groups)} groups, ${String(of('carried', 'memberships'))} memberships, ${String(rounds)} rounds`,
    [
      {
        name: `requests beyond the read's ${String(of('carried', 'readRequests'))}`,
        value: of('carried', 'lookUpRequests'),
        limit: Math.ceil(objects / OBJECTS_PER_REQUEST),
      },
      { name: 'time added to the read, as a part of it', value: added('carried'), limit: 0.5 },
      {
        name: `peak memory, largest to smallest of ${memory.map(({ size }) => size).join(', ')} people`,
        value: Math.max(...peaks) / Math.min(...peaks),
        limit: 1.2,
      },
      {
        name: `flattening: memory beyond that of carrying, against ${String(BYTES.membership)} bytes a membership and ${String(BYTES.object)} an object`,
        value: largest === undefined ? Number.NaN : (largest.flattened - largest.carried) / largest.allowed,
        limit: 1,
      },
    ],
    { large, nodes, memory },
    benchOptions(argv),
  );
}

function wallOf(figures: readonly NodeFigures[]): number {
  return median(figures.map(({ wall }) => wall));
}

/** The extract node alone, and with the enrich node behind it as it comes from the palette, with a server to ask. */
async function inNodeRed(): Promise<{ reading: NodeFigures[]; enriching: NodeFigures[] }> {
  const directory = await startBigDirectory({ people, groups }, tell);
  try {
    const job = jobFor(directory, 'read');
    const enrich = { type: 'directory-enrich', version: 2, server: 'server', ...CARRIED, nested: 'carried' };
    const reading = await readInNodeRed(job, rounds);
    const enriching = await readInNodeRed(job, rounds, [enrich]);
    for (const [name, figures] of Object.entries({ reading, enriching })) {
      for (const { wall, cpu } of figures) {
        tell(`  in Node-RED 5, ${name}: ${wall.toFixed(2)} s, ${cpu.toFixed(2)} s of processor`);
      }
    }
    return { reading, enriching };
  } finally {
    await directory.stop();
  }
}

interface MemoryRow {
  readonly size: number;
  /** Peaks in megabytes, and what flattening may take beyond carrying. */
  readonly read: number;
  readonly carried: number;
  readonly flattened: number;
  readonly allowed: number;
}

/** Peaks at three sizes; the largest group is the same in all. */
async function memoryBySize(full: boolean): Promise<MemoryRow[]> {
  const found: MemoryRow[] = [];
  for (const size of full ? [10_000, 100_000, 400_000] : [2_000, 10_000]) {
    const figures = await rows(
      { people: size, groups: Math.floor(size / 50), largest: 1_000 },
      { count: MEMORY_ROUNDS, names: ['read', 'carried', 'flattened'], nodeOptions: SMALL_HEAP },
    );
    const peak = (variant: Variant) => median(figures[variant].map(({ peakMegabytes }) => peakMegabytes));
    const { memberships = 0, objects = 0 } = figures.carried[0] ?? {};
    const allowed = (memberships * BYTES.membership + objects * BYTES.object) / 2 ** 20 + NOISE_MEGABYTES;
    found.push({ size, read: peak('read'), carried: peak('carried'), flattened: peak('flattened'), allowed });
  }
  return found;
}

/** How often each variant is run, by a Node.js with what options. */
interface Course {
  readonly count: number;
  readonly names: readonly Variant[];
  readonly nodeOptions: readonly string[];
}

async function rows(size: Size, { count, names, nodeOptions }: Course): Promise<Rows> {
  const directory = await startBigDirectory(size, tell);
  const figures: Rows = { read: [], carried: [], flattened: [], findings: [], groups: [], 'looked-up': [] };
  const script = [...nodeOptions, join(__dirname, 'peers', 'enriching.js')];
  try {
    for (let round = 0; round <= count; round += 1) {
      for (const name of names) {
        const settings = SETTINGS[name];
        const env = {
          [JOB]: JSON.stringify(jobFor(directory, name)),
          ...(settings === null ? {} : { [ENRICH]: JSON.stringify(settings) }),
        };
        const { output, cpu } = await measure(process.execPath, script, env);
        const row = JSON.parse(output.trim()) as EnrichFigures;
        // The first round warms the server's caches and is not counted.
        if (round > 0) figures[name].push(row);
        tell(
          `  ${String(size.people)} people, round ${String(round)}: ${name.padEnd(10)} ${row.seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of processor, ${String(row.lookUpRequests)} requests, ${row.peakMegabytes.toFixed(0)} MB`,
        );
      }
    }
  } finally {
    await directory.stop();
  }
  return figures;
}

function jobFor({ host, port, base, user, password }: BigDirectory, variant: Variant): ReadJob {
  const filter = GROUPS_ONLY.has(variant) ? FILTER_PRESETS.groups : DOCUMENTED_FILTER;
  return { host, port, base, user, password, filter, attributes: [...ASKED], pageSize: 1_000 };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

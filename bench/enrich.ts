/**
 * `npm run bench:enrich [-- --people N --groups N --runs N --json --check]`: what enriching adds to the read of a large slapd, which
 * gives members by name only, so that each has to be looked up: the worst case. Reads with and without it in turn.
 */
import { join } from 'node:path';
import { DOCUMENTED_FILTER } from '../engine/extract/extract.js';
import type { EnrichSettings } from '../engine/enrich/settings.js';
import { type EnrichFigures, ENRICH } from './peers/enrich-job.js';
import { JOB, type ReadJob } from './peers/job.js';
import { ASKED } from './support/attributes.js';
import { startBigDirectory } from './support/big-slapd.js';
import { measure, median } from './support/measure.js';
import { benchOptions, conclude, numberOption } from './support/verdict.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const groups = numberOption(argv, 'groups', 2_000);
const rounds = numberOption(argv, 'runs', 3);
const tell = (line: string) => console.log(line);

const CARRIED: EnrichSettings = { membersPerRecord: 1000, primaryGroups: true, dynamicLists: true, readable: true };
const FLATTENED: EnrichSettings = { ...CARRIED, nested: 'flattened' };
const WITH_FINDINGS: EnrichSettings = { ...CARRIED, findings: true };
/** A group is not read in one request where it has more members than this. */
const OBJECTS_PER_REQUEST = 200;
/** Bytes for a membership and for each object that is a member or a group; what flattening may take at most. */
const BYTES = { membership: 4, object: 1_000 };

type Variants = Record<'read' | 'carried' | 'flattened' | 'findings', EnrichFigures[]>;

async function main(): Promise<void> {
  const large = await rows(people, groups, rounds, ['read', 'carried', 'flattened', 'findings']);
  // The same largest groups, and four times as many objects: what is flat in their number stays.
  const larger = await rows(4 * people, 4 * groups, Math.min(rounds, 2), ['carried']);
  const of = (variant: keyof Variants, figure: keyof EnrichFigures, from = large) =>
    median(from[variant].map((row) => row[figure]));
  const added = median(large.carried.map((row, at) => row.seconds / (large.read[at]?.seconds ?? Number.NaN) - 1));
  const objects = of('carried', 'objects');
  const memberships = of('carried', 'memberships');
  const flattening = of('flattened', 'peakMegabytes') - of('carried', 'peakMegabytes');
  conclude(
    `Enriching ${String(people)} people and ${String(groups)} groups, ${String(memberships)} memberships, ${String(rounds)} rounds`,
    [
      {
        name: `requests beyond the read's ${String(of('carried', 'readRequests'))}`,
        value: of('carried', 'lookUpRequests'),
        limit: Math.ceil(objects / OBJECTS_PER_REQUEST),
      },
      { name: 'time added to the read, as a part of it', value: added, limit: 0.5 },
      {
        name: 'peak memory with four times as many objects, against this',
        value: of('carried', 'peakMegabytes', larger) / of('carried', 'peakMegabytes'),
        limit: 1.2,
      },
      {
        name: 'flattening: megabytes beyond those of carrying',
        value: flattening,
        limit: (memberships * BYTES.membership + objects * BYTES.object) / 2 ** 20,
      },
    ],
    { large, larger },
    benchOptions(argv),
  );
}

async function rows(
  size: number,
  groupCount: number,
  count: number,
  names: readonly (keyof Variants)[],
): Promise<Variants> {
  const directory = await startBigDirectory({ people: size, groups: groupCount }, tell);
  const { host, port, base, user, password } = directory;
  const job: ReadJob = {
    ...{ host, port, base, user, password },
    filter: DOCUMENTED_FILTER,
    attributes: [...ASKED],
    pageSize: 1_000,
  };
  const variants: Variants = { read: [], carried: [], flattened: [], findings: [] };
  const settings = { read: null, carried: CARRIED, flattened: FLATTENED, findings: WITH_FINDINGS };
  try {
    for (let round = 0; round <= count; round += 1) {
      for (const name of names) {
        const enrich = settings[name] === null ? {} : { [ENRICH]: JSON.stringify(settings[name]) };
        const env = { [JOB]: JSON.stringify(job), ...enrich };
        const { output, cpu } = await measure(process.execPath, [join(__dirname, 'peers', 'enriching.js')], env);
        const figures = JSON.parse(output.trim()) as EnrichFigures;
        // The first round warms the server's caches and is not counted.
        if (round > 0) variants[name].push(figures);
        tell(
          `  round ${String(round)}: ${name.padEnd(10)} ${figures.seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of processor, ${String(figures.lookUpRequests)} requests, ${figures.peakMegabytes.toFixed(0)} MB`,
        );
      }
    }
  } finally {
    await directory.stop();
  }
  return variants;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

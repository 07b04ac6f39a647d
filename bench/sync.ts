/**
 * `npm run bench:sync [-- --people N --groups N --runs N --json --check]`: a first whole sync of the directory of `bench:read`, slapd
 * → extract → enrich → transmit → receive → apply, by the example flow in one real Node-RED, against `ldapsearch` reading
 * the same attributes of the same objects, in turn within each round. Prints the stages and when they ran.
 */
import { DOCUMENTED_FILTER } from '../engine/extract/extract.js';
import { programPath } from '../test/support/programs.js';
import { ASKED } from './support/attributes.js';
import { type BigDirectory, startBigDirectory } from './support/big-slapd.js';
import { measure, median } from './support/measure.js';
import { benchOptions, conclude, numberOption } from './support/verdict.js';
import { type SyncFigures, firstSync } from './sync/in-node-red.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const groups = numberOption(argv, 'groups', Math.max(1, Math.floor(people / 50)));
const rounds = numberOption(argv, 'runs', 5);
const tell = (line: string) => console.log(line);

async function main(): Promise<void> {
  const ldapsearch = programPath('ldapsearch');
  if (ldapsearch === null) throw new Error('ldapsearch is not on this machine: install ldap-utils.');
  const directory = await startBigDirectory({ people, groups }, tell);
  try {
    await read(ldapsearch, directory);
    const results: { readonly ldapsearch: number; readonly ours: SyncFigures }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const result = { ldapsearch: await read(ldapsearch, directory), ours: await firstSync(directory) };
      results.push(result);
      tell(`  round ${String(round)}: ldapsearch ${result.ldapsearch.toFixed(2)} s; ${lineOf(result.ours)}`);
      for (const line of stageLines(result.ours)) tell(line);
    }
    const middle = (of: (result: (typeof results)[number]) => number) => median(results.map(of));
    conclude(
      `The first whole sync of ${String(people)} people and ${String(groups)} groups, ${String(rounds)} rounds`,
      [
        {
          name: 'wall time against ldapsearch reading the same',
          value: middle((result) => result.ours.seconds / result.ldapsearch),
          limit: 6,
        },
        {
          name: 'delay of the event loop, 99.9th percentile, ms',
          value: middle(({ ours }) => ours.loopP999),
          limit: 20,
        },
      ],
      { peakMegabytes: middle(({ ours }) => ours.peakMegabytes), results },
      benchOptions(argv),
    );
  } finally {
    await directory.stop();
  }
}

/** How long `ldapsearch` takes to read what extract reads, in seconds; what it prints is thrown away. */
async function read(ldapsearch: string, { host, port, base, user, password }: BigDirectory): Promise<number> {
  const logon = [
    '-x',
    '-LLL',
    '-o',
    'ldif-wrap=no',
    '-H',
    `ldap://${host}:${String(port)}`,
    '-D',
    user,
    '-w',
    password,
  ];
  const search = ['-b', base, '-E', 'pr=1000/noprompt', DOCUMENTED_FILTER, ...ASKED];
  return (await measure('bash', ['-c', '"$@" > /dev/null', 'read', ldapsearch, ...logon, ...search])).wall;
}

function lineOf({ seconds, cpu, loopP999, loopMax, peakMegabytes }: SyncFigures): string {
  return `ours ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of processor, loop delay p99.9 ${loopP999.toFixed(1)} ms, longest ${loopMax.toFixed(0)} ms, peak ${peakMegabytes.toFixed(0)} MB`;
}

function stageLines({ stages }: SyncFigures): string[] {
  return stages.map(({ stage, from, seconds, figures }) => {
    const told = Object.entries(figures).filter(([, value]) => typeof value === 'number');
    const numbers = told.map(([name, value]) => `${name} ${String(value)}`).join(', ');
    return `    ${stage.padEnd(9)} from ${from.toFixed(2).padStart(6)} to ${(from + seconds).toFixed(2).padStart(6)} s   ${numbers}`;
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

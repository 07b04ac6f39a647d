/**
 * `npm run mutants -- --count N --seed N --json --check`: changes one thing at a time in the code that decides what is taken from
 * an account, and runs the suites that must notice. Without `--count` all of them; `--file plan/limits,decide` only those of files
 * with one of these in their path, `--words TEXT` only those whose line has this text; `--from N` without the first N that are drawn;
 * `--at-once 2` in two processes; `--list` prints the survivors. Mutants of which somebody wrote down why they change nothing are in
 * `test/campaigns/mutation/explained.json`; an explanation that fits no mutant (any more) is told of.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../support/fault-proxy.js';
import { numberOption } from '../../bench/support/verdict.js';
import { verdict } from './campaign.js';
import { type Explanation, fits, readExplanations, unfitting } from './mutation/explained.js';
import { type Mutant, mutantsOf } from './mutation/mutants.js';
import { type Result, Runner } from './mutation/processes.js';
import { Suites } from './mutation/suites.js';
import { TARGETS, type Target } from './mutation/targets.js';

const DIST = join(__dirname, '..', '..');
/** Suites of random directories: they draw fewer at first, and as many as ever against a mutant that nothing else notices. */
const SLOW: ReadonlySet<string> = new Set(['unit/account/histories', 'unit/account/oracle']);

type Outcome = 'killed' | 'for ever' | 'invalid' | 'explained' | 'survived';

async function main(argv: readonly string[]): Promise<void> {
  const only = argv.includes('--file') ? (argv[argv.indexOf('--file') + 1] ?? '').split(',') : [''];
  const targets = TARGETS.filter(({ file }) => only.some((part) => file.includes(part)));
  const words = argv.includes('--words') ? (argv[argv.indexOf('--words') + 1] ?? '') : '';
  const inFiles = targets.flatMap(mutantsOf);
  const all = inFiles.filter(({ from }) => from.includes(words));
  const explanations = readExplanations().filter(({ file }) => targets.some((one) => one.file.endsWith(`/${file}`)));
  const unfit = unfitting(explanations, inFiles).map((one) => `${one.file} ${one.in}: ${one.from} => ${one.to}`);
  for (const one of unfit) console.log(`  warning: this explanation fits no mutant: ${one}`);
  const [count, seed] = [numberOption(argv, 'count', all.length), numberOption(argv, 'seed', 1)];
  const any = seeded(seed);
  const drawn = all.map((mutant) => ({ mutant, at: any(1_000_000_000) })).sort((left, right) => left.at - right.at);
  const from = numberOption(argv, 'from', 0);
  const chosen = drawn.slice(from, from + count).map(({ mutant }) => mutant);
  const counts: Record<Outcome, number> = { killed: 0, 'for ever': 0, invalid: 0, explained: 0, survived: 0 };
  const known = new Suites();
  const survivors: string[] = [];
  const forEver: string[] = [];
  let next = 0;
  let told = Date.now();

  const work = async (place: number) => {
    const runner = new Runner({ HISTORIES: '4' }, 25_000, (suite) => known.passed(suite));
    const thorough = new Runner({}, 90_000, () => undefined);
    // Once for all portions of a sample.
    if (from === 0 && place === 0) await control(runner, targets);
    for (let mutant = chosen[next++]; mutant; mutant = chosen[next++]) {
      const { target, from, to, line } = mutant;
      const result = await resultOf(mutant, { runner, thorough, known, explanations });
      const outcome: Outcome = typeof result === 'string' ? result : result.verdict;
      counts[outcome] += 1;
      if (typeof result !== 'string' && result.verdict === 'killed') known.killed(target.file, result.suite);
      if (outcome === 'survived') {
        survivors.push(`${target.file}:${String(line)}\n    - ${from}\n    + ${to}`);
        if (argv.includes('--list')) console.log(survivors.at(-1));
      }
      if (outcome === 'for ever') forEver.push(`${target.file}:${String(line)} ${from} => ${to}`);
      if (Date.now() - told < 5_000) continue;
      told = Date.now();
      console.log(`  mutants: ${String(next)} of ${String(chosen.length)} ${JSON.stringify(counts)}`);
    }
    runner.stop();
    thorough.stop();
    known.keep();
  };
  await Promise.all(Array.from({ length: numberOption(argv, 'at-once', 1) }, (_, place) => work(place)));

  const valid = chosen.length - counts.invalid;
  const share = valid === 0 ? 0 : (100 * counts.survived) / valid;
  verdict(
    'mutants of the plan, the limits and the proof',
    [{ name: 'percent of mutants that no test notices and nobody explained', value: share, limit: 10 }],
    { mutants: chosen.length, of: all.length, seed, from, counts, survivors, forEver, unfit },
    argv,
  );
}

/** Without a change everything passes, or the figures say nothing. */
async function control(runner: Runner, targets: readonly Target[]): Promise<void> {
  for (const target of targets.filter(({ suites }, at) => targets.findIndex((one) => one.suites === suites) === at)) {
    const source = readFileSync(join(DIST, target.file), 'utf8');
    const result = await runner.run({ file: target.file, source, suites: target.suites });
    if (result === 'for ever' || result.verdict !== 'survived') throw new Error(`unchanged: ${JSON.stringify(result)}`);
  }
}

interface Means {
  readonly runner: Runner;
  readonly thorough: Runner;
  readonly known: Suites;
  readonly explanations: readonly Explanation[];
}

async function resultOf(mutant: Mutant, { runner, thorough, known, explanations }: Means): Promise<Result | Outcome> {
  if (explanations.some((one) => fits(one, mutant))) return 'explained';
  const { target, source } = mutant;
  const job = { file: target.file, source, suites: known.inOrder(target) };
  const result = await runner.run(job);
  if (result === 'for ever' || result.verdict !== 'survived') return result;
  return thorough.run({ ...job, suites: target.suites.filter((suite) => SLOW.has(suite)) });
}

void main(process.argv.slice(2));

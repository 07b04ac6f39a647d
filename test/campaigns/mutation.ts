/**
 * `npm run mutants -- --count N --seed N --json --check`: changes one thing at a time in the code that decides what is taken from
 * an account, and runs the suites that must notice. Without `--count` all of them; `--file plan/limits` only those of files with
 * that in their path; `--list` prints the survivors. Mutants of which somebody wrote down why they change nothing are in
 * `test/campaigns/mutation/explained.json`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../support/fault-proxy.js';
import { numberOption } from '../../bench/support/verdict.js';
import { verdict } from './campaign.js';
import type { Job, Verdict } from './mutation/runner.js';
import { type Site, sitesOf } from './mutation/sites.js';
import { TARGETS, type Target } from './mutation/targets.js';

const ROOT = join(__dirname, '..', '..', '..');
const DIST = join(__dirname, '..', '..');
const RUNNER = join(__dirname, 'mutation', 'runner.js');
/** A mutant that takes longer for one suite goes round for ever. */
const PATIENCE_MS = 60_000;
/** Suites of random directories: they draw fewer at first, and as many as ever against a mutant that nothing else notices. */
const SLOW: ReadonlySet<string> = new Set(['unit/account/histories', 'unit/account/oracle']);

interface Mutant {
  readonly target: Target;
  readonly source: string;
  readonly line: number;
  /** The line as it was and as it is, and so the mutant's name. */
  readonly from: string;
  readonly to: string;
}
interface Explained {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}
type Outcome = 'killed' | 'for ever' | 'invalid' | 'explained' | 'survived';

const explained = JSON.parse(
  readFileSync(join(ROOT, 'test', 'campaigns', 'mutation', 'explained.json'), 'utf8'),
) as readonly Explained[];

function mutantsOf(target: Target): Mutant[] {
  const source = readFileSync(join(DIST, target.file), 'utf8');
  return sitesOf(source).map((site) => mutantAt(target, source, site));
}

function mutantAt(target: Target, source: string, { start, end, text }: Site): Mutant {
  const begin = source.lastIndexOf('\n', start - 1) + 1;
  const stop = source.indexOf('\n', end);
  const [head, tail] = [source.slice(begin, start), source.slice(end, stop < 0 ? undefined : stop)];
  const short = (line: string) => line.replaceAll(/\s+/g, ' ').trim();
  return {
    target,
    source: source.slice(0, start) + text + source.slice(end),
    line: source.slice(0, start).split('\n').length,
    from: short(head + source.slice(start, end) + tail),
    to: short(head + text + tail),
  };
}

/** A process that is warm, and started anew where a mutant keeps it. */
class Runner {
  #child: ChildProcess | null = null;

  /** `environment`: what its process has beside ours. */
  constructor(private readonly environment: NodeJS.ProcessEnv) {}

  async run(job: Job): Promise<Verdict | 'for ever'> {
    const child = (this.#child ??= await started(this.environment));
    return new Promise((resolve) => {
      const timer = setTimeout(() => over('for ever'), PATIENCE_MS);
      const over = (result: Verdict | 'for ever') => {
        clearTimeout(timer);
        child.removeAllListeners();
        if (result === 'for ever') this.stop();
        resolve(result);
      };
      child.on('message', (message) => {
        const said = message as Verdict | { verdict: 'going on' };
        if (said.verdict === 'going on') timer.refresh();
        else over(said);
      });
      child.once('exit', () => over('for ever'));
      child.send(job);
    });
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }
}

function started(environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const env = { ...process.env, ...environment };
  const child = fork(RUNNER, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env });
  return new Promise((resolve) => child.once('message', () => resolve(child)));
}

/** Suites that killed most mutants of the file go first, then those that killed most: most mutants die of the first. */
class Kills {
  readonly #counts = new Map<string, number>();

  add(file: string, suite: string): void {
    for (const key of [suite, `${file} ${suite}`]) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  inOrder({ file, suites }: Target): readonly string[] {
    const weight = (suite: string) =>
      1_000 * (this.#counts.get(`${file} ${suite}`) ?? 0) +
      (this.#counts.get(suite) ?? 0) -
      (SLOW.has(suite) ? 0.5 : 0);
    return [...suites].sort((left, right) => weight(right) - weight(left));
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const only = argv.includes('--file') ? (argv[argv.indexOf('--file') + 1] ?? '') : '';
  const all = TARGETS.filter(({ file }) => file.includes(only)).flatMap(mutantsOf);
  const [count, seed] = [numberOption(argv, 'count', all.length), numberOption(argv, 'seed', 1)];
  const any = seeded(seed);
  const drawn = all.map((mutant) => ({ mutant, at: any(1_000_000_000) })).sort((left, right) => left.at - right.at);
  const chosen = drawn.slice(0, count).map(({ mutant }) => mutant);
  const counts: Record<Outcome, number> = { killed: 0, 'for ever': 0, invalid: 0, explained: 0, survived: 0 };
  const kills = new Kills();
  const survivors: string[] = [];
  const [runner, thorough] = [new Runner({ HISTORIES: '4' }), new Runner({})];
  // Without a change everything passes, or the figures say nothing.
  const targets = TARGETS.filter(({ file }) => file.includes(only));
  for (const target of targets.filter(({ suites }, at) => targets.findIndex((one) => one.suites === suites) === at)) {
    const source = readFileSync(join(DIST, target.file), 'utf8');
    const control = await runner.run({ file: target.file, source, suites: target.suites });
    if (control === 'for ever' || control.verdict !== 'survived')
      throw new Error(`unchanged: ${JSON.stringify(control)}`);
  }
  let told = Date.now();
  for (const [done, mutant] of chosen.entries()) {
    const { target, source, from, to } = mutant;
    const known = explained.some((one) => target.file.endsWith(one.file) && one.from === from && one.to === to);
    const job = { file: target.file, source, suites: kills.inOrder(target) };
    let result: Verdict | Outcome = known ? 'explained' : await runner.run(job);
    if (typeof result !== 'string' && result.verdict === 'survived') {
      result = await thorough.run({ ...job, suites: target.suites.filter((suite) => SLOW.has(suite)) });
    }
    const outcome: Outcome = typeof result === 'string' ? result : result.verdict;
    counts[outcome] += 1;
    if (typeof result !== 'string' && result.verdict === 'killed') kills.add(target.file, result.suite);
    if (outcome === 'survived') {
      survivors.push(`${target.file}:${String(mutant.line)}\n    - ${from}\n    + ${to}`);
      if (argv.includes('--list')) console.log(survivors.at(-1));
    }
    if (Date.now() - told < 5_000) continue;
    told = Date.now();
    console.log(`  mutants: ${String(done + 1)} of ${String(chosen.length)} ${JSON.stringify(counts)}`);
  }
  runner.stop();
  thorough.stop();
  const valid = chosen.length - counts.invalid;
  const share = valid === 0 ? 0 : (100 * counts.survived) / valid;
  verdict(
    'mutants of the plan, the limits and the proof',
    [{ name: 'percent of mutants that no test notices and nobody explained', value: share, limit: 10 }],
    { mutants: chosen.length, of: all.length, seed, counts, survivors },
    argv,
  );
}

void main(process.argv.slice(2));

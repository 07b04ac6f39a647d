/** The processes in which mutants are run, each warm for the next one and started anew where a mutant keeps it. */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job, Passed, Verdict } from './runner.js';

const RUNNER = join(__dirname, 'runner.js');
/** How long one test may take, and a suite where nobody can say how much the process has worked, ms. */
const PATIENCE = { test: 8_000, suite: 180_000 };
/** A test that took longer waits for ever, or the machine is busy: the suite is run once more. */
const MORE_PATIENCE = { ...PATIENCE, test: 40_000 };
/** Where there is such a folder, accounts are kept in memory: to wait for the disk would take most of the time. */
const MEMORY = '/dev/shm';
/** In /proc/PID/stat, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. */
const TICK_MS = 10;

export type Result = Exclude<Verdict, { verdict: 'late' }> | 'for ever';
type Work = Omit<Job, 'timeout'>;

export class Runner {
  #child: ChildProcess | null = null;
  /** The suite that is being run. */
  #suite = '';

  /**
   * `environment`: what its process has beside ours; `most`: processor time for one suite, ms: with more it goes round for ever;
   * `passed` hears of each suite that noticed nothing.
   */
  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly most: number,
    private readonly passed: (suite: Passed) => void,
  ) {}

  async run(job: Work): Promise<Result> {
    const first = await this.#run(job, PATIENCE);
    if (first !== 'late') return first;
    const suites = job.suites.slice(job.suites.indexOf(this.#suite));
    const again = await this.#run({ ...job, suites }, MORE_PATIENCE);
    return again === 'late' ? 'for ever' : again;
  }

  async #run(job: Work, patience: typeof PATIENCE): Promise<Result | 'late'> {
    this.#suite = job.suites[0] ?? '';
    const child = (this.#child ??= await started(this.environment));
    return new Promise((resolve) => {
      let before = workedMs(child);
      const timer = setTimeout(() => over('for ever'), patience.suite);
      const watch = setInterval(() => {
        if (workedMs(child) - before > this.most) over('for ever');
      }, 1_000);
      const over = (result: Result | 'late') => {
        clearTimeout(timer);
        clearInterval(watch);
        child.removeAllListeners();
        if (result === 'for ever' || result === 'late') this.stop();
        resolve(result);
      };
      child.on('message', (message) => {
        const said = message as Verdict | Passed;
        if (said.verdict !== 'going on') {
          over(said.verdict === 'late' ? 'late' : said);
          return;
        }
        timer.refresh();
        before = workedMs(child);
        this.#suite = job.suites[job.suites.indexOf(said.suite) + 1] ?? '';
        this.passed(said);
      });
      child.once('exit', () => over('for ever'));
      child.send({ ...job, timeout: patience.test } satisfies Job);
    });
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }
}

function started(environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const env = { ...process.env, ...(existsSync(MEMORY) && { TMPDIR: MEMORY }), ...environment };
  const child = fork(RUNNER, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env });
  return new Promise((resolve) => child.once('message', () => resolve(child)));
}

/** Processor time of a process so far; 0 where the system does not say it. */
function workedMs({ pid }: ChildProcess): number {
  try {
    const fields =
      readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
        .split(') ')[1]
        ?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}

/**
 * Runs suites against one mutant after the other, in one warm process: a file of `dist/` is loaded with other text, and the
 * suites stop at their first failure. Accounts live in this thread, so that the mutant is what they run.
 */
import { createRequire, registerHooks } from 'node:module';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import Mocha from 'mocha';
// Property tests draw the same each time, or what they find by chance would be put down to the mutant.
import '../../support/seed.js';

/** What the process is told, and what it answers. */
export interface Job {
  /** The compiled file below dist/, and its text. */
  readonly file: string;
  readonly source: string;
  /** Suites in the order in which they are to be run, below dist/test/, without `.test.js`. */
  readonly suites: readonly string[];
  /** How long one test may take, ms. */
  readonly timeout: number;
}
export type Verdict =
  | { readonly verdict: 'survived' }
  /** A test took too long. */
  | { readonly verdict: 'late' }
  | { readonly verdict: 'killed' | 'invalid'; readonly suite: string; readonly by: string; readonly error: string };
/** A suite that noticed nothing, and how long it took, ms. */
export interface Passed {
  readonly verdict: 'going on';
  readonly suite: string;
  readonly took: number;
}

const DIST = join(__dirname, '..', '..', '..');
const load = createRequire(__filename);
let mutant: { url: string; source: string } | null = null;
let before = '';

registerHooks({
  load: (url, context, next) =>
    url === mutant?.url ? { format: 'commonjs', source: mutant.source, shortCircuit: true } : next(url, context),
});

/** SQL that is none proves nothing about the tests. */
const NO_SQL =
  /syntax error|no such (?:column|table|function)|ambiguous column|misuse of|has \d+ columns|values for \d+ columns|SyntaxError|incomplete input|near "/;

/** What mocha says of a test that is not over in time. */
const LATE = /^Timeout of \d+ms exceeded/;

async function run({ file, source, suites, timeout }: Job): Promise<Verdict> {
  const changed = join(DIST, file);
  // Of what was loaded for the mutant before, too, nothing is left.
  forget(new Set([changed, before]));
  before = changed;
  mutant = { url: pathToFileURL(changed).href, source };
  for (const suite of suites) {
    const began = performance.now();
    const mocha = new Mocha({ bail: true, timeout, reporter: 'dot', color: false });
    mocha.suite.emit('pre-require', globalThis, '', mocha);
    const failures: { by: string; error: string }[] = [];
    try {
      load(join(DIST, 'test', 'campaigns', 'mutation', 'without-threads.js'));
      mocha.addFile(join(DIST, 'test', `${suite}.test.js`));
      await new Promise<void>((resolve) => {
        const runner = mocha.run(() => resolve());
        runner.on('fail', (test, error: Error) => failures.push({ by: test.fullTitle(), error: error.message }));
      });
    } catch (error) {
      failures.push({ by: 'loading', error: error instanceof Error ? error.message : String(error) });
    }
    const [found] = failures;
    if (found && LATE.test(found.error)) return { verdict: 'late' };
    if (found === undefined) {
      process.send?.({ verdict: 'going on', suite, took: performance.now() - began } satisfies Passed);
      continue;
    }
    return {
      verdict: NO_SQL.test(found.error) ? 'invalid' : 'killed',
      suite,
      by: found.by,
      error: found.error.slice(0, 200),
    };
  }
  return { verdict: 'survived' };
}

/** These files, whatever has loaded them, and the suites are loaded anew; to load everything took longer than most suites. */
function forget(files: Set<string>): void {
  const loaded = Object.values(load.cache).flatMap((module) => module ?? []);
  const ours = loaded.filter(({ filename }) => filename.startsWith(DIST + sep) && filename !== __filename);
  for (let known = 0; known !== files.size;) {
    known = files.size;
    for (const { filename, children } of ours) {
      if (filename.endsWith('.test.js') || children.some((child) => files.has(child.filename))) files.add(filename);
    }
  }
  for (const file of files) Reflect.deleteProperty(load.cache, file);
}

// What a mutant leaves behind ends no other's run.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', () => undefined);
process.on('message', (job: Job) => {
  void run(job).then((verdict) => process.send?.(verdict));
});
process.send?.({ verdict: 'ready' });

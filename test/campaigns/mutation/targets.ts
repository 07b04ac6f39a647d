/** The code whose every rule must be held by a test, and the suites that hold it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const suitesIn = (folder: string): string[] =>
  readdirSync(join(__dirname, '..', '..', 'unit', folder))
    .flatMap((name) => /^(.*)\.test\.js$/.exec(name)?.[1] ?? [])
    .map((name) => `unit/${folder}/${name}`);

/** Those of the account, but for what needs processes of its own. */
const ACCOUNT = suitesIn('account').filter((suite) => !/\/(?:store|crash|io|portable|older-stores)$/.test(suite));
/** Those of the reading half, with the simulator. */
const EXTRACT = suitesIn('extract');

export interface Target {
  /** Below dist/. */
  readonly file: string;
  /** Below dist/test/, without `.test.js`. */
  readonly suites: readonly string[];
}

const account = (...files: readonly string[]): Target[] =>
  files.map((file) => ({ file: `engine/account/${file}.js`, suites: ACCOUNT }));
const extract = (...files: readonly string[]): Target[] =>
  files.map((file) => ({ file: `engine/extract/${file}.js`, suites: EXTRACT }));

export const TARGETS: readonly Target[] = [
  ...account(
    'plan/aliases',
    'plan/context',
    'plan/groups',
    'plan/leaving',
    'plan/limits',
    'plan/members',
    'plan/persons',
    'plan/plan',
    'plan/protect',
    'plan/rank',
    'plan/scope',
    'plan/set-aside',
    'plan/touched',
    'plan/twins',
    'plan/values',
    'plan/changes',
    'plan/change-queries',
    'rules',
    'apply',
    'commit',
    'decide',
    'held',
    'leavers',
    'outcome',
    'pause',
    'refuse',
    'run-row',
    'source/elsewhere',
    'source/members',
    'source/reading',
    'source/remember',
    'source/successors',
    'source/take-in',
  ),
  { file: 'engine/model/ledger.js', suites: ['unit/model/ledger', 'unit/model/contract', 'unit/runtime/stage'] },
  ...extract('extract', 'canaries', 'failures', 'sessions', 'source'),
];

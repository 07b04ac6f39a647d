/** What campaigns share: many cases from seeds, a few at a time, with progress, an end of their own and a verdict. */
import { type Figure, benchOptions, conclude, numberOption } from '../../bench/support/verdict.js';
import { startPostgres } from '../support/postgres.js';

export interface Campaign {
  readonly title: string;
  /** How many cases without `--count`. */
  readonly count: number;
  readonly atATime: number;
  /** One case. What it returns is counted, by name; what it throws ends the campaign. */
  readonly one: (seed: number) => Promise<string>;
}

/** Runs a campaign as the command line says, and returns how often each outcome came. */
export async function runCases({ title, count, atATime, one }: Campaign, argv: readonly string[]) {
  const cases = numberOption(argv, 'count', count);
  const from = numberOption(argv, 'seed', 1);
  const counts: Record<string, number> = {};
  const firstOf: Record<string, number> = {};
  let next = 0;
  let ended = 0;
  let told = Date.now();
  await Promise.all(
    Array.from({ length: Math.min(atATime, cases) }, async () => {
      while (next < cases) {
        const seed = from + next;
        next += 1;
        const outcome = await one(seed);
        ended += 1;
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        firstOf[outcome] ??= seed;
        if (Date.now() - told < 3_000) continue;
        told = Date.now();
        console.log(`  ${title}: ${String(ended)} of ${String(cases)} ${JSON.stringify(counts)}`);
      }
    }),
  );
  return { counts, firstOf, cases, seed: from };
}

/** Does the work with accounts in the store that `--store` names: `sqlite`, or `postgres`, which is started for it. */
export async function inStore(argv: readonly string[], work: () => Promise<void>): Promise<void> {
  const store = argv.includes('--store') ? argv[argv.indexOf('--store') + 1] : 'sqlite';
  if (store === 'sqlite') return work();
  if (store !== 'postgres') throw new Error('--store is sqlite or postgres.');
  const postgres = await startPostgres();
  process.env['ACCOUNT_STORE'] = postgres.url;
  try {
    await work();
  } finally {
    delete process.env['ACCOUNT_STORE'];
    await postgres.stop();
  }
}

/** Says how it went: `figures` must be as they are said to be. */
export function verdict(title: string, figures: readonly Figure[], details: object, argv: readonly string[]): void {
  conclude(title, figures, details, benchOptions(argv));
}

export function storeName(): 'sqlite' | 'postgres' {
  return (process.env['ACCOUNT_STORE'] ?? '') === '' ? 'sqlite' : 'postgres';
}

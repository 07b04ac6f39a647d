/**
 * `npm run histories -- --count N --seed N --store sqlite|postgres --json --check`: random histories of directories: of one source
 * against the oracle, incrementally, thoroughly and with batches in any order; against a new account in the end; of several
 * sources in any order; and of mailboxes with accounts elsewhere, incrementally and thoroughly.
 */
import { seeded } from '../support/fault-proxy.js';
import { inStore, runCases, storeName, verdict } from './campaign.js';
import { fresh } from './histories/fresh.js';
import { oneSource } from './histories/one-source.js';
import { pairs } from './histories/pairs.js';
import { severalSources } from './histories/several-sources.js';

export const AS_IT_SHOULD = 'as it should be';

/** Of six seeds, three are of the first kind. */
const KINDS = [oneSource, fresh, oneSource, severalSources, oneSource, pairs] as const;

/** The history of a seed; `AS_IT_SHOULD`, or what was not. */
export async function oneHistory(seed: number): Promise<string> {
  const history = KINDS[seed % KINDS.length] ?? oneSource;
  return (await history(seeded(seed))) ?? AS_IT_SHOULD;
}

async function main(argv: readonly string[]): Promise<void> {
  const { counts, firstOf, cases, seed } = await runCases(
    { title: 'histories', count: 200, atATime: 1, one: oneHistory },
    argv,
  );
  const wrong = cases - (counts[AS_IT_SHOULD] ?? 0);
  verdict(
    'histories of an account',
    [{ name: 'histories that end elsewhere', value: wrong, limit: 0 }],
    { cases, seed, store: storeName(), counts, firstOf },
    argv,
  );
}

if (require.main === module) void inStore(process.argv, () => main(process.argv.slice(2)));

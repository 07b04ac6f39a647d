/** Tells accounts of runs: each run gets a number and a time of its own, and its records come in batches. */
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import type { Report } from '../../../engine/model/report.js';
import { dropStore, newStore } from '../../support/account-store.js';
import { UNLIMITED, seal } from '../../unit/account/support.js';
import { openHere } from '../support/here.js';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);

export interface Told {
  readonly source?: string;
  /** As the batches come: in any order, and any of them again. Numbered as in `numbers`, else by their place. */
  readonly batches: readonly (readonly EnrichedRecord[])[];
  readonly numbers?: readonly number[];
  readonly complete: boolean;
  readonly day: number;
}

export interface Teller {
  readonly account: Account;
  apply(run: Told): Promise<Report>;
  /** The last run's batches and seal once more, under the same id. */
  repeat(): Promise<Report>;
}

/** An account with these rules, without limits and holds; in a store of its own, which goes with it, where none is given. */
export async function openTeller(rules: Partial<Rules>, rest: Partial<AccountSettings> = {}): Promise<Teller> {
  const store = rest.store ?? newStore(':memory:');
  const account = await openHere({
    name: 'history',
    store,
    domains: [],
    attributes: [],
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
    rules: { limits: UNLIMITED, holdUnusual: false, additionsWhileHeld: false, staleDays: 0, ...rules },
    ...rest,
  });
  let runs = 0;
  let last: Told = { batches: [], complete: true, day: 0 };
  const say = async ({ source = 'hq', batches, numbers, complete, day }: Told) => {
    const startedAt = new Date(START + runs * 60_000).toISOString();
    const run = { id: `run-${String(runs).padStart(5, '0')}`, source, mode: 'full' as const, startedAt, batch: 0 };
    for (const [place, records] of batches.entries()) await account.stage(run, numbers?.[place] ?? place, records);
    const count = new Set(numbers ?? batches.keys()).size;
    const at = new Date(START + day * DAY_MS).toISOString();
    return account.apply(run, seal(count, { complete }), { dryRun: false, at });
  };
  return {
    account: { ...account, close: () => account.close().then(() => (rest.store ? undefined : dropStore(store))) },
    apply(run) {
      runs += 1;
      last = run;
      return say(run);
    },
    repeat: () => say(last),
  };
}

/**
 * `npm run histories -- --count N --seed N --json --check`: random histories of directories, complete and cut, with another
 * source that is well or not, applied run by run; after each the account is what the oracle says, and after the last a second
 * look changes nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { openAccount } from '../../engine/account/account.js';
import type { Rules } from '../../engine/account/rules.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import { seeded } from '../support/fault-proxy.js';
import { AccountOracle, type RunNow } from '../support/oracle/history.js';
import { UNLIMITED, group, members, seal, user } from '../unit/account/support.js';
import { runCases, verdict } from './campaign.js';

const PEOPLE = ['p1', 'p2', 'p3', 'p4', 'p5'];
const GROUPS = ['g1', 'g2', 'g3'];
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

/** One history; `AS_IT_SHOULD` where the account was the oracle's after every run. */
export async function oneHistory(seed: number): Promise<string> {
  const any = seeded(seed);
  const some = <T>(list: readonly T[]): T[] => list.filter(() => any(3) > 0);
  const rules: Partial<Rules> = {
    userLeft: (['downgrade', 'disable', 'remove'] as const)[any(3)] ?? 'remove',
    graceDays: any(2) * 3,
    graceRuns: 1 + any(2),
    limits: UNLIMITED,
    holdUnusual: false,
    additionsWhileHeld: false,
    staleDays: 0,
  };
  const folder = mkdtempSync(join(tmpdir(), 'history-'));
  const account = await openAccount({
    name: 'history',
    store: { kind: 'sqlite', file: join(folder, 'account.sqlite') },
    domains: [],
    attributes: [],
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
    rules,
  });
  try {
    const oracle = new AccountOracle({ userLeft: 'downgrade', graceDays: 7, graceRuns: 2, ...rules });
    let runs = 0;
    const apply = async (source: string, records: readonly EnrichedRecord[], complete: boolean, day: number) => {
      runs += 1;
      const startedAt = new Date(START + runs * 60_000).toISOString();
      const run = { id: `run-${String(runs).padStart(5, '0')}`, source, mode: 'full' as const, startedAt, batch: 0 };
      const half = Math.ceil(records.length / 2);
      await account.stage(run, 1, records.slice(half));
      await account.stage(run, 0, records.slice(0, half));
      const at = new Date(START + day * DAY).toISOString();
      return account.apply(run, seal(2, { complete }), { dryRun: false, at });
    };
    let day = 0;
    let others = true;
    let last: RunNow | undefined;
    for (let step = 0; step < 2 + any(6); step += 1) {
      day += any(4);
      if (any(4) === 0) {
        others = !others;
        await apply('other', [], others, day);
      }
      const now: RunNow = {
        people: some(PEOPLE).map((id) => ({
          id,
          name: ['N', 'M'][any(2)] ?? 'N',
          enabled: any(4) > 0,
          aliases: some([`${id}-a@example.com`, `${id}-b@example.com`]),
        })),
        groups: some(GROUPS).map((id) => ({
          id,
          members: any(5) === 0 ? null : some([...PEOPLE, ...GROUPS]).slice(0, any(5)),
        })),
        complete: any(4) > 0,
        day,
        others,
      };
      last = now;
      await apply('hq', recordsOf(now), now.complete, day);
      oracle.run(now);
      if (!isDeepStrictEqual(await account.snapshot(), oracle.snapshot()))
        return `another account after run ${String(step)}`;
    }
    if (last) {
      const again = await apply('hq', recordsOf(last), last.complete, day);
      oracle.run(last);
      if (!isDeepStrictEqual(await account.snapshot(), oracle.snapshot())) return 'another account after a second look';
      const third = await apply('hq', recordsOf(last), last.complete, day);
      if (again.outcome === 'held' || third.outcome === 'held') return 'held without a limit';
    }
    return AS_IT_SHOULD;
  } finally {
    await account.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export const AS_IT_SHOULD = 'as it should be';

function recordsOf({ people, groups }: RunNow): EnrichedRecord[] {
  return [
    ...people.map(({ aliases, ...one }) => user(one.id, { ...one, aliases: [...aliases] })),
    ...groups.flatMap(({ id, members: list }) => [
      group(id),
      list === null ? members(id, [], { held: 'not whole' }) : members(id, list),
    ]),
  ];
}

async function main(argv: readonly string[]): Promise<void> {
  const { counts, firstOf, cases, seed } = await runCases(
    { title: 'histories', count: 200, atATime: 2, one: oneHistory },
    argv,
  );
  const wrong = cases - (counts[AS_IT_SHOULD] ?? 0);
  verdict(
    'histories of an account',
    [{ name: 'histories that end elsewhere', value: wrong, limit: 0 }],
    { cases, seed, counts, firstOf },
    argv,
  );
}

if (require.main === module) void main(process.argv.slice(2));

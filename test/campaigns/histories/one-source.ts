/**
 * A history of one source, complete and cut, with another that is well or not. Told to three accounts at once: one run by
 * run; one that looks at everything each time (a cut run without anything comes before each); one to which the batches come
 * in any order, twice, and with members in parts. All are the oracle's after every run, and plan the same.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { AccountOracle, type RunNow } from '../../support/oracle/history.js';
import { totalsIn } from '../../unit/account/support.js';
import { type Any, drawRun, inParts, oneOf, recordsOf, shuffled } from './drawing.js';
import { type Teller, openTeller } from './teller.js';

/** Null where everything was as it should be, else what was not. */
export async function oneSource(any: Any): Promise<string | null> {
  const rules = {
    userLeft: oneOf<Rules['userLeft']>(any, ['downgrade', 'disable', 'remove']),
    groupLeft: oneOf<Rules['groupLeft']>(any, ['remove', 'remove', 'keep']),
    groupWithoutMail: oneOf<Rules['groupWithoutMail']>(any, ['remove', 'remove', 'keep']),
    graceDays: any(2) * 3,
    graceRuns: 1 + any(2),
  };
  const oracle = new AccountOracle(rules);
  const [usual, thorough, jumbled] = [await openTeller(rules), await openTeller(rules), await openTeller(rules)];
  const all = [usual, thorough, jumbled];
  try {
    let day = 0;
    let others = true;
    const runs = 2 + any(6);
    for (let step = 0; step < runs; step += 1) {
      day += any(4);
      if (any(4) === 0) {
        others = !others;
        for (const teller of all) await teller.apply({ source: 'other', batches: [], complete: others, day });
      }
      const now = drawRun(any, { day, others });
      const wrong = (await told(any, all, now, oracle)) ?? (any(3) === 0 ? await told(any, all, now, oracle) : null);
      if (wrong !== null) return `${wrong}, run ${String(step)}`;
    }
    return await repeated(all);
  } finally {
    for (const { account } of all) await account.close();
  }
}

async function told(any: Any, [usual, thorough, jumbled]: Teller[], now: RunNow, oracle: AccountOracle) {
  if (!usual || !thorough || !jumbled) return 'no accounts';
  const records = recordsOf(now);
  const half = Math.ceil(records.length / 2);
  const batches = [records.slice(0, half), records.slice(half)];
  const { complete, day } = now;
  const report = await usual.apply({ batches, complete, day });
  oracle.run(now);
  const expected = oracle.snapshot();
  if (!isDeepStrictEqual(await usual.account.snapshot(), expected)) return 'another account than the oracle';
  if (!isDeepStrictEqual(report.totals, totalsIn(expected))) return 'other totals than there is in the account';

  await thorough.apply({ batches: [], complete: false, day });
  const everything = await thorough.apply({ batches, complete, day });
  if (!isDeepStrictEqual(await thorough.account.snapshot(), expected)) return 'another account, looking at everything';
  if (everything.plan !== report.plan) return 'another plan, looking at everything';

  await jumbled.apply({ ...jumble(any, records), complete, day });
  if (!isDeepStrictEqual(await jumbled.account.snapshot(), expected))
    return 'another account by another order of batches';
  return null;
}

/** In any order, over any number of batches, some of which come twice. */
function jumble(any: Any, records: readonly EnrichedRecord[]) {
  const batches: EnrichedRecord[][] = Array.from({ length: 1 + any(4) }, () => []);
  for (const record of shuffled(any, inParts(any, records))) batches[any(batches.length)]?.push(record);
  const places = [...batches.keys()];
  const numbers = shuffled(any, [...places, ...places.filter(() => any(3) === 0)]);
  return { batches: numbers.map((number) => batches[number] ?? []), numbers };
}

/** A run that is handed over again answers as then, and does nothing. */
async function repeated(all: readonly Teller[]): Promise<string | null> {
  for (const teller of all) {
    const { account } = teller;
    const before = await account.snapshot();
    const [newest] = await account.history(1);
    const report = await teller.repeat();
    if (report.run !== newest?.run || report.outcome !== newest.outcome) return 'another report of a run told again';
    if (!isDeepStrictEqual(await account.snapshot(), before)) return 'another account after a run told again';
  }
  return null;
}

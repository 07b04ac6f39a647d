/**
 * After any history, when every grace period is over, the account is the one that a new account becomes by the last
 * directory alone; beside what is left of leavers, by the rule for them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Rules } from '../../../engine/account/rules.js';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';
import { type Any, drawRun, oneOf, recordsOf } from './drawing.js';
import { openTeller } from './teller.js';

/** A group may end because one in it did, a grace period later, and so on. */
const ROUNDS = 14;

export async function fresh(any: Any): Promise<string | null> {
  const rules = {
    userLeft: oneOf<Rules['userLeft']>(any, ['downgrade', 'remove']),
    graceDays: any(2) * 3,
    graceRuns: 1 + any(2),
  };
  const [old, made] = [await openTeller(rules), await openTeller(rules)];
  try {
    let day = 0;
    const runs = 1 + any(5);
    for (let step = 0; step < runs; step += 1) {
      day += any(4);
      const now = drawRun(any, { day, others: true });
      await old.apply({ batches: [recordsOf(now)], complete: now.complete, day });
    }
    const drawn = drawRun(any, { day, others: true });
    const groups = drawn.groups.map((one) => ({ ...one, members: one.members ?? [] }));
    const last = [recordsOf({ people: drawn.people, groups })];
    for (let round = 0; round < ROUNDS; round += 1) {
      day += 4;
      await old.apply({ batches: last, complete: true, day });
    }
    await made.apply({ batches: last, complete: true, day });
    const expected = await made.account.snapshot();
    if (!isDeepStrictEqual(ofDirectory(await old.account.snapshot()), expected))
      return 'another account than a new one';
    const again = await old.apply({ batches: last, complete: true, day: day + 4 });
    return again.outcome === 'unchanged' ? null : `${again.outcome}, with nothing to do`;
  } finally {
    await old.account.close();
    await made.account.close();
  }
}

function ofDirectory(account: AccountSnapshot): AccountSnapshot {
  return { ...account, users: account.users.filter(({ origin }) => origin === 'directory') };
}

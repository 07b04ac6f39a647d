/**
 * Mailboxes and the accounts that they are linked to, in one source or two, with groups in which either may be under its id or
 * SID: told to an account that looks at what changed, and to one that looks at everything each time (it is made to forget that
 * the run before left it settled). Both plan the same, and are the same after every run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Rules } from '../../../engine/account/rules.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { askStore, dropStore, newStore } from '../../support/account-store.js';
import { group, members, quarantined, totalsIn, user } from '../../unit/account/support.js';
import { type Any, oneOf, some } from './drawing.js';
import { openTeller } from './teller.js';

const NAMES = ['a', 'b', 'c'] as const;
const sidOf = (name: string) => `S-1-5-21-7-7-7-${String(name.charCodeAt(0))}`;

export async function pairs(any: Any): Promise<string | null> {
  const rules = {
    userLeft: oneOf<Rules['userLeft']>(any, ['downgrade', 'disable', 'remove']),
    graceDays: any(2) * 2,
    graceRuns: 1 + any(2),
    precedence: oneOf<string[]>(any, [[], ['mail', 'people'], ['people', 'mail']]),
  };
  const folder = mkdtempSync(join(tmpdir(), 'pairs-'));
  const store = newStore(join(folder, 'thorough.sqlite'));
  const [usual, thorough] = [await openTeller(rules), await openTeller(rules, { store })];
  /** Where the accounts are. */
  const people = oneOf(any, ['mail', 'people']);
  try {
    const runs = 3 + any(8);
    let day = 0;
    let said = drawAll(any);
    for (let step = 0; step < runs; step += 1) {
      day += any(2);
      if (any(3) > 0) said = changed(any, said);
      const source = oneOf(any, ['mail', people]);
      const records = recordsOf(said, source, people);
      const complete = any(6) > 0;
      const run = { source, batches: [records], complete, day };
      const report = await usual.apply(run);
      await askStore(store, 'UPDATE source SET settled = NULL');
      const everything = await thorough.apply(run);
      const snapshot = await usual.account.snapshot();
      if (!isDeepStrictEqual(await thorough.account.snapshot(), snapshot))
        return 'another account, looking at everything';
      if (!isDeepStrictEqual(report.totals, totalsIn(snapshot))) return 'other totals than there is in the account';
      if (everything.plan !== report.plan) return 'another plan, looking at everything';
    }
    return null;
  } finally {
    for (const { account } of [usual, thorough]) await account.close();
    await dropStore(store);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What one name stands for: a mailbox, an account, either or neither; and in which groups they are. */
interface Pair {
  readonly box: EnrichedRecord | null;
  readonly own: EnrichedRecord | null;
  readonly boxIn: boolean;
  readonly ownIn: boolean;
  readonly sidIn: boolean;
}
type All = Readonly<Record<(typeof NAMES)[number], Pair>>;

function drawAll(any: Any): All {
  return { a: drawPair(any, 'a'), b: drawPair(any, 'b'), c: drawPair(any, 'c') };
}

function changed(any: Any, before: All): All {
  const name = oneOf(any, NAMES);
  return { ...before, [name]: drawPair(any, name) };
}

function drawPair(any: Any, name: string): Pair {
  const address = `${name}@example.com`;
  const masterSid = any(5) === 0 ? sidOf(oneOf(any, NAMES)) : any(5) === 0 ? undefined : sidOf(name);
  const linked = any(2) === 0;
  const box = user(`box-${name}`, {
    sid: `S-1-5-21-1-1-1-${String(name.charCodeAt(0))}`,
    primary: oneOf(any, [address, address, address, `other-${name}@example.com`, null]),
    aliases: some(any, [`alias-${name}@example.com`]),
    enabled: linked ? false : any(2) === 0,
    ...(masterSid !== undefined && { masterSid }),
    ...(linked && { linked }),
  });
  const own = user(`own-${name}`, {
    sid: any(6) === 0 ? `${sidOf(name)}9` : sidOf(name),
    primary: oneOf(any, [address, address, null, `alias-${name}@example.com`, `own-${name}@example.com`]),
    enabled: any(3) > 0,
  });
  const there = (one: EnrichedRecord, id: string) => (any(5) === 0 ? null : any(9) === 0 ? quarantined(id) : one);
  return {
    box: there(box, `box-${name}`),
    own: there(own, `own-${name}`),
    boxIn: any(2) === 0,
    ownIn: any(2) === 0,
    sidIn: any(3) === 0,
  };
}

/** What a source says: mailboxes, with a list of them and of accounts by SID; accounts, with a list of them. */
function recordsOf(said: All, source: string, people: string): EnrichedRecord[] {
  const names = [...NAMES];
  const records: EnrichedRecord[] = [];
  if (source === 'mail') {
    records.push(...names.flatMap((name) => said[name].box ?? []), group('mail'));
    const boxes = names.filter((name) => said[name].boxIn).map((name) => ({ id: `box-${name}` }));
    const sids = names.filter((name) => said[name].sidIn).map((name) => ({ sid: sidOf(name) }));
    records.push(members('mail', [...boxes, ...sids]));
  }
  if (source === people) {
    records.push(...names.flatMap((name) => said[name].own ?? []), group('team'));
    records.push(
      members(
        'team',
        names.filter((name) => said[name].ownIn).map((name) => `own-${name}`),
      ),
    );
  }
  return records;
}

/**
 * Two sources that know the same people, with precedence, told in any order in each round: when both have come once more, the
 * account is the same, and each person is of the source that the rules prefer.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';
import type { PersonNow } from '../../support/oracle/history.js';
import { type Any, PEOPLE, drawPeople, oneOf, recordsOf, shuffled } from './drawing.js';
import { type Teller, openTeller } from './teller.js';

const SOURCES = ['hq', 'branch', 'mill'] as const;
type Said = Readonly<Record<(typeof SOURCES)[number], readonly PersonNow[]>>;

export async function severalSources(any: Any): Promise<string | null> {
  const precedence = shuffled(any, SOURCES);
  const rules = { userLeft: oneOf(any, ['remove'] as const), graceDays: 0, graceRuns: 1, precedence };
  const all = [await openTeller(rules), await openTeller(rules)];
  try {
    const rounds = 1 + any(4);
    let said: Said = { hq: [], branch: [], mill: [] };
    let day = 0;
    for (let round = 0; round < rounds; round += 1) {
      said = { hq: told(any, 'hq'), branch: told(any, 'branch'), mill: told(any, 'mill') };
      day += 1;
      for (const teller of all) await roundOf(teller, shuffled(any, SOURCES), said, day);
    }
    const expected = expectedUsers(said, precedence);
    for (const teller of all) {
      for (let settle = 0; settle < 2; settle += 1) await roundOf(teller, shuffled(any, SOURCES), said, day + 1);
      const { users } = await teller.account.snapshot();
      if (!isDeepStrictEqual(users, expected)) return 'another account by another order of sources';
    }
    return null;
  } finally {
    for (const { account } of all) await account.close();
  }
}

/** The same people and addresses; aliases and names are each source's own. */
function told(any: Any, source: string): PersonNow[] {
  return drawPeople(any).map((one) => ({
    ...one,
    name: `${one.name} of ${source}`,
    aliases: one.aliases.map((alias) => `${source}-${alias}`),
  }));
}

async function roundOf(teller: Teller, order: readonly (keyof Said)[], said: Said, day: number): Promise<void> {
  for (const source of order) {
    await teller.apply({ source, batches: [recordsOf({ people: said[source], groups: [] })], complete: true, day });
  }
}

/** Enabled before disabled, then by precedence. */
function expectedUsers(said: Said, precedence: readonly (keyof Said)[]): AccountSnapshot['users'] {
  return PEOPLE.flatMap((id) => {
    const known = precedence.flatMap((source) => said[source].filter((one) => one.id === id));
    const best = known.find(({ enabled }) => enabled) ?? known[0];
    if (!best) return [];
    const { name, enabled, aliases } = best;
    const address = `${id}@example.com`;
    return [{ address, name, origin: 'directory' as const, enabled, aliases: [...aliases].sort(), attributes: {} }];
  });
}

/** Histories with few seeds, against the oracle; `npm run histories` has the full count. */
import assert from 'node:assert/strict';
import { AS_IT_SHOULD, oneHistory } from '../../campaigns/histories.js';
import { AccountOracle } from '../../support/oracle/history.js';

/** More in a long run: HISTORIES=1000. */
const SEEDS = 2 * Number(process.env['HISTORIES'] ?? 15);

describe('an account after any history of directories', function () {
  this.timeout(240_000);
  it('is what the oracle says', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1)
      assert.equal(await oneHistory(seed), AS_IT_SHOULD, `seed ${String(seed)}`);
  });

  it('negative control: an oracle that removes after an incomplete run says something else', () => {
    const rules = { userLeft: 'remove', graceDays: 0, graceRuns: 1 } as const;
    const [right, wrong] = [new AccountOracle(rules), new AccountOracle(rules)];
    const ann = { id: 'p1', name: 'N', enabled: true, aliases: [] };
    const run = { people: [ann], groups: [], complete: true, day: 0, others: true };
    for (const oracle of [right, wrong]) oracle.run(run);
    right.run({ ...run, people: [], complete: false });
    wrong.run({ ...run, people: [] });
    assert.equal(right.snapshot().users.length, 1);
    assert.equal(wrong.snapshot().users.length, 0);
  });
});

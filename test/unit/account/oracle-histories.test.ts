/** The campaign of histories with few of them; `npm run histories` has the full count. */
import assert from 'node:assert/strict';
import { oneCrash } from '../../campaigns/crash.js';
import { AS_IT_SHOULD, oneHistory } from '../../campaigns/histories.js';
import { AccountOracle } from '../../support/oracle/history.js';

describe('an account after any history of directories', () => {
  it('is what the oracle says', async function () {
    this.timeout(60_000);
    for (let seed = 1; seed <= 30; seed += 1)
      assert.equal(await oneHistory(seed), AS_IT_SHOULD, `seed ${String(seed)}`);
  });

  it('is that also where the process is killed while it applies', async function () {
    this.timeout(60_000);
    for (let seed = 1; seed <= 5; seed += 1) assert.equal(await oneCrash(seed), AS_IT_SHOULD, `seed ${String(seed)}`);
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

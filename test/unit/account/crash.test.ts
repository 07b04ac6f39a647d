/** The campaign of crashes with few of them; `npm run crash` has the full count. */
import assert from 'node:assert/strict';
import { AS_IT_SHOULD, oneCrash } from '../../campaigns/crash.js';

describe('an account whose process is killed while it applies', function () {
  this.timeout(60_000);
  it('is what the oracle says when it has been started again', async () => {
    for (let seed = 1; seed <= 4; seed += 1) assert.equal(await oneCrash(seed), AS_IT_SHOULD, `seed ${String(seed)}`);
  });

  it('negative control: without transactions it is half applied, and stays so', async () => {
    const at = 'account: addresses released';
    assert.equal(await oneCrash(1, { at }), AS_IT_SHOULD);
    assert.equal(await oneCrash(1, { at, transactions: false }), 'half applied');
  });
});

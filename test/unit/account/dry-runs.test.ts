/** Runs that are only looked at: which stay open, and for how long; and what a plain report does not say. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { Run } from '../../../engine/model/run.js';
import { UNLIMITED, Workshop, seal, sync, user } from './support.js';

describe('a run that is only looked at', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const staged = async (source: string, id: string) => {
    const run = workshop.run({ source });
    await account.stage(run, 0, [user(id)]);
    return run;
  };
  const apply = async (run: Run, dryRun = false) => (await account.apply(run, seal(1), { dryRun })).outcome;

  it('ends older ones of its source that were only looked at, and no other', async () => {
    const old = await staged('hq', 'old');
    const far = await staged('branch', 'far');
    const waiting = await staged('hq', 'waiting');
    const newest = await staged('hq', 'newest');
    for (const run of [old, far, newest, newest]) assert.equal(await apply(run, true), 'dry-run');
    assert.deepEqual((await account.snapshot()).users, []);
    await assert.rejects(apply(old), { code: 'RUN_ABANDONED' });
    for (const run of [far, waiting, newest]) assert.equal(await apply(run), 'committed');
    assert.deepEqual(
      (await account.snapshot()).users.map(({ name }) => name),
      ['far', 'newest', 'waiting'],
    );
  });

  it('a plain report says nothing of holds, pauses, warnings and what went ahead; one of a held run of holds only', async () => {
    const settings = workshop.settings({ rules: { holdUnusual: true, limits: UNLIMITED } });
    account = await workshop.open(settings);
    const seldom = ['holds', 'paused', 'warnings', 'wentAhead', 'findings'];
    for (const [people, expected] of [
      [[user('ann')], []],
      [[], ['holds']],
    ] as const) {
      const report = await sync(account, workshop.run(), people);
      assert.deepEqual(
        Object.keys(report).filter((key) => seldom.includes(key)),
        expected,
      );
    }
  });

  it('runs of one source that started at the same moment are applied in the order in which they come', async () => {
    const run = workshop.run();
    await sync(account, run, [user('ann')]);
    const { outcome } = await sync(account, { ...run, id: 'run-of-the-same-moment' }, [user('ann'), user('bob')]);
    assert.equal(outcome, 'committed');
  });
});

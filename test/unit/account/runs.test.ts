import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { askStore } from '../../support/account-store.js';
import { Workshop, changeLines, group, members, seal, sync, user } from './support.js';

const directory: EnrichedRecord[] = [
  user('ann', { aliases: ['a@example.com'] }),
  user('bob', { primary: 'ann@example.com' }),
  user('cas', { aliases: ['a@example.com'], enabled: false }),
  group('team'),
  members('team', ['ann', 'bob', 'cas']),
  group('outer'),
  members('outer', ['team']),
];
const inBatches = (records: readonly EnrichedRecord[], size: number): (EnrichedRecord[] | undefined)[] =>
  Array.from({ length: Math.ceil(records.length / size) }, (_, index) =>
    records.slice(index * size, (index + 1) * size),
  );

describe('runs of an account', () => {
  let workshop: Workshop;
  let settings: AccountSettings;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    settings = workshop.settings();
    account = await workshop.open(settings);
  });
  afterEach(() => workshop.close());

  it('say the second time that nothing changed, with everything that was set aside', async () => {
    const first = await sync(account, workshop.run(), directory);
    const second = await sync(account, workshop.run(), directory);
    assert.equal(second.outcome, 'unchanged');
    assert.deepEqual(new Set(Object.values(second.changes)), new Set([0]));
    assert.ok(first.setAsideCount > 0);
    const { setAside, setAsideCount, totals, groupsHeld, groupsWithoutMail } = first;
    const again = { setAside, setAsideCount, totals, groupsHeld, groupsWithoutMail };
    assert.deepEqual({ ...second, ...again }, second);
  });

  it('report what their stages did', async () => {
    const extract = {
      stage: 'extract',
      startedAt: '',
      milliseconds: 1,
      batches: 3,
      records: seal(0).records,
      figures: {},
    };
    const run = workshop.run();
    await account.stage(run, 0, directory);
    const report = await account.apply(run, seal(1, { stages: [{ ...extract, stage: 'extract' }] }), { dryRun: false });
    assert.deepEqual(
      report.stages.map(({ stage, batches }) => [stage, batches]),
      [
        ['extract', 3],
        ['apply', 1],
      ],
    );
    const apply = report.stages[1];
    assert.ok(apply);
    assert.deepEqual(apply.records, {
      user: 3,
      contact: 0,
      group: 2,
      'dynamic-group': 0,
      members: 2,
      quarantined: 0,
    });
    assert.deepEqual(Object.keys(apply.figures), ['stageMs', 'planMs', 'commitMs']);
  });

  it('applied a second time, answer with the report of the first', async () => {
    const run = workshop.run();
    const first = await sync(account, run, directory);
    const before = await changeLines(account, run.id);
    assert.deepEqual(await sync(account, run, directory), first);
    assert.deepEqual(await changeLines(account, run.id), before);
  });

  it('give the same plan, whatever the order in which batches arrive, and however often', async function () {
    this.timeout(120_000);
    const batches = inBatches(directory, 2);
    const reference = await sync(account, workshop.run(), directory, { batchSize: 2 });
    const expected = { plan: reference.plan, snapshot: await account.snapshot() };
    const arrivals = fc
      .array(fc.nat({ max: batches.length - 1 }), { maxLength: 6 })
      .chain((repeated) =>
        fc.shuffledSubarray([...batches.keys(), ...repeated], { minLength: batches.length + repeated.length }),
      );
    await fc.assert(
      fc.asyncProperty(arrivals, async (order) => {
        const other = await workshop.open();
        const run = workshop.run();
        await Promise.all(order.map((index) => other.stage(run, index, batches[index] ?? [])));
        const report = await other.apply(run, seal(batches.length), { dryRun: false });
        assert.deepEqual({ plan: report.plan, snapshot: await other.snapshot() }, expected);
        await other.close();
      }),
      { numRuns: 15 },
    );
  });

  it('take a batch that comes again in place of the first', async () => {
    const run = workshop.run();
    await account.stage(run, 0, [user('ann'), user('bob')]);
    await account.stage(run, 0, [user('cas')]);
    await account.apply(run, seal(1), { dryRun: false });
    assert.deepEqual(
      (await account.snapshot()).users.map(({ name }) => name),
      ['cas'],
    );
  });

  it('take the later of two records of one object', async () => {
    await sync(account, workshop.run(), [user('ann', { name: 'First' }), user('bob'), user('ann', { name: 'Last' })]);
    await sync(account, workshop.run(), [user('ann', { name: 'Second' }), user('bob'), user('ann', { name: 'Last' })]);
    assert.equal((await account.snapshot()).users[0]?.name, 'Last');
  });

  describe('that are not complete', () => {
    const smaller = [user('ann'), group('team'), members('team', ['ann']), group('outer'), members('outer', [])];
    const additions = [user('new'), group('more'), members('more', ['new'])];
    beforeEach(() => sync(account, workshop.run(), directory));

    it('add and update, and remove nothing', async () => {
      const before = await account.snapshot();
      const run = workshop.run();
      const report = await sync(account, run, [...smaller, ...additions], { complete: false });
      assert.deepEqual(await changeLines(account, run.id), ['added new', 'added more', 'member-added more new']);
      assert.equal(report.complete, false);
      assert.deepEqual(report.incomplete, [{ code: 'CUT', message: 'The read was cut.' }]);
      const after = await account.snapshot();
      assert.deepEqual(after.users.slice(0, 2), before.users);
      // negative control: the same, complete, takes members and aliases away
      const whole = workshop.run();
      await sync(account, whole, [...smaller, ...additions]);
      assert.deepEqual(
        (await changeLines(account, whole.id)).filter((line) => /removed|unlinked/.test(line)),
        ['alias-unlinked ann a@example.com', 'member-removed team cas', 'member-removed outer team'],
      );
    });

    it('include those of which a batch is missing', async () => {
      const run = workshop.run();
      const batches = inBatches([...smaller, ...additions], 2);
      for (const [index, batch] of batches.entries()) if (index !== 1) await account.stage(run, index, batch ?? []);
      const report = await account.apply(run, seal(batches.length), { dryRun: false });
      assert.equal(report.complete, false);
      assert.deepEqual(
        report.incomplete.map(({ code }) => code),
        ['BATCH_MISSING'],
      );
      assert.deepEqual(
        (await changeLines(account, run.id)).filter((line) => /removed|unlinked/.test(line)),
        [],
      );
    });

    it('include those whose seal counts more batches than there can be', async () => {
      const run = workshop.run();
      await account.stage(run, 0, [...smaller, ...additions]);
      const report = await account.apply(run, seal(2 ** 40), { dryRun: false });
      assert.deepEqual([report.outcome, report.complete], ['committed', false]);
      assert.match(report.incomplete[0]?.message ?? '', /^Of 1099511627776 batches 1099511627775 .*the first: 1\)/);
    });

    it('include those that bring nothing at all', async () => {
      const before = await account.snapshot();
      await sync(account, workshop.run(), [], { complete: false });
      await account.apply(workshop.run(), seal(5), { dryRun: false });
      assert.deepEqual(await account.snapshot(), before);
    });

    it('leave what they could not take away to the next complete run', async () => {
      await sync(account, workshop.run(), smaller, { complete: false });
      const run = workshop.run();
      await sync(account, run, smaller);
      assert.deepEqual(await changeLines(account, run.id), [
        'alias-unlinked ann a@example.com',
        'member-removed team cas',
        'member-removed outer team',
        'leaving cas absent',
        'leaving outer no-mail',
      ]);
    });
  });

  describe('that are dry', () => {
    it('plan what a real one does, and change nothing', async () => {
      await sync(account, workshop.run(), directory);
      const next = [...directory, user('new'), user('ann', { name: 'Ann' })];
      const before = await account.snapshot();
      const run = workshop.run();
      const dry = await sync(account, run, next, { dryRun: true });
      assert.equal(dry.outcome, 'dry-run');
      assert.deepEqual(await account.snapshot(), before);
      assert.deepEqual(await changeLines(account, run.id), []);
      const { totals } = dry;
      assert.equal(totals.users, before.users.length);
      const real = await sync(account, workshop.run(), next);
      assert.equal(real.outcome, 'committed');
      assert.deepEqual([real.plan, real.changes], [dry.plan, dry.changes]);
    });

    it('may be older than the last one, or newer, without superseding it', async () => {
      const early = workshop.run();
      await sync(account, workshop.run(), directory, { dryRun: true });
      assert.equal((await sync(account, early, directory)).outcome, 'committed');
    });
  });

  describe('of one source at a time', () => {
    it('the later start wins: an earlier run sealed after it is refused', async () => {
      const [early, late] = [workshop.run(), workshop.run()];
      await account.stage(early, 0, [user('ann', { name: 'Early' })]);
      await account.stage(late, 0, [user('ann', { name: 'Late' })]);
      await account.apply(late, seal(1), { dryRun: false });
      await assert.rejects(account.apply(early, seal(1), { dryRun: false }), {
        name: 'AccountError',
        code: 'RUN_SUPERSEDED',
      });
      assert.equal((await account.snapshot()).users[0]?.name, 'Late');
      // A receiver that was redeployed meanwhile hands it over again: the reason is the same.
      await assert.rejects(account.stage(early, 0, [user('ann')]), { code: 'RUN_SUPERSEDED' });
      await assert.rejects(account.apply(early, seal(1), { dryRun: false }), { code: 'RUN_SUPERSEDED' });
    });

    it('negative control: in their order both are applied', async () => {
      const [early, late] = [workshop.run(), workshop.run()];
      await account.stage(late, 0, [user('ann', { name: 'Late' })]);
      await account.stage(early, 0, [user('ann', { name: 'Early' })]);
      await account.apply(early, seal(1), { dryRun: false });
      await account.apply(late, seal(1), { dryRun: false });
      assert.equal((await account.snapshot()).users[0]?.name, 'Late');
    });

    it('runs of different sources do not supersede each other', async () => {
      const early = workshop.run();
      await sync(account, workshop.run({ source: 'branch' }), [user('bea')]);
      await sync(account, early, [user('ann')]);
      assert.equal((await account.snapshot()).users.length, 2);
    });

    it('several sources keep what is theirs', async () => {
      await sync(account, workshop.run(), [user('ann'), group('team'), members('team', ['ann'])]);
      const branch = workshop.run({ source: 'branch' });
      await sync(account, branch, [user('bea')]);
      assert.deepEqual(await changeLines(account, branch.id), ['added bea']);
      const again = await sync(account, workshop.run(), [user('ann'), group('team'), members('team', ['ann'])]);
      assert.deepEqual([again.outcome, again.absent], ['unchanged', { users: 0, contacts: 0, groups: 0 }]);
    });
  });

  it('have room for what is staged, however many there were before', async () => {
    await sync(account, workshop.run(), directory);
    const insert = (key: number, id: string, state: string) =>
      askStore(
        settings.store,
        `INSERT INTO run (key, id, source, mode, started_at, opened_at, touched_at, state)
         SELECT $1, $2, key, 'full', '2026-01-01', '2026-01-01', '2999-01-01', $3 FROM source`,
        [key, id, state],
      );
    // 2 ** 13 runs of 2 ** 40 keys are as many whole numbers as there are.
    await insert(20_000, 'the last', 'ended');
    await insert(20_001 - 2 ** 13, 'in the same room', 'open');
    if (settings.store.kind === 'postgres') {
      await askStore(settings.store, `SELECT setval(pg_get_serial_sequence('run', 'key'), 20000)`);
    }
    const report = await sync(account, workshop.run(), [...directory, user('dan')]);
    assert.deepEqual([report.outcome, report.complete, report.changes.usersAdded], ['committed', true, 1]);
    const old = { ...workshop.run(), id: 'in the same room' };
    await assert.rejects(account.apply(old, seal(0), { dryRun: false }), { code: 'RUN_ABANDONED' });
  });

  describe('that are given up', () => {
    it('leave nothing behind, and cannot be taken up again', async () => {
      const run = workshop.run();
      await account.stage(run, 0, directory);
      await account.abandon(run.id);
      await account.abandon('never-heard-of');
      assert.equal(await rowCount(settings, staged(settings)), 0);
      await assert.rejects(account.stage(run, 1, directory), { name: 'AccountError', code: 'RUN_ABANDONED' });
      await assert.rejects(account.apply(run, seal(1), { dryRun: false }), { code: 'RUN_ABANDONED' });
    });

    it('after a day without a sign of life', async () => {
      const [old, recent] = [workshop.run(), workshop.run()];
      await account.stage(old, 0, directory);
      await account.stage(recent, 0, [user('ann')]);
      await account.close();
      const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString();
      await askStore(settings.store, 'UPDATE run SET touched_at = $1 WHERE id = $2', [yesterday, old.id]);
      account = await workshop.open(settings);
      assert.equal(await rowCount(settings, staged(settings)), 1);
      await assert.rejects(account.apply(old, seal(1), { dryRun: false }), { code: 'RUN_ABANDONED' });
      await account.apply(recent, seal(1), { dryRun: false });
      assert.equal(await rowCount(settings, staged(settings)), 0);
    });
  });

  it('keep the token of a complete run with its data, and no other', async () => {
    const token = (usn: string) => ({ server: 'dc1', invocationId: 'i', usn });
    const stored = async () => {
      const [row] = await askStore(settings.store, 'SELECT token FROM source');
      return JSON.parse(String(row?.['token'])) as unknown;
    };
    const apply = async (usn: string, complete: boolean, dryRun: boolean) => {
      const run = workshop.run();
      await account.stage(run, 0, directory);
      await account.apply(run, seal(1, { complete, token: token(usn) }), { dryRun });
    };
    await apply('1', true, false);
    assert.deepEqual(await stored(), token('1'));
    await apply('2', false, false);
    await apply('3', true, true);
    assert.deepEqual(await stored(), token('1'));
    await apply('4', true, false);
    assert.deepEqual(await stored(), token('4'));
  });

  it('refuse a start that is no date', async () => {
    await assert.rejects(sync(account, workshop.run({ startedAt: 'soon' }), directory), {
      name: 'ContractError',
      code: 'NOT_AS_AGREED',
    });
  });

  it('do not count as another state what the account does not take', async () => {
    await sync(account, workshop.run(), [user('ann', { attributes: { whenChanged: ['1'] } })]);
    const report = await sync(account, workshop.run(), [user('ann', { attributes: { whenChanged: ['2'] } })]);
    assert.equal(report.outcome, 'unchanged');
  });

  it('that bring only what changed leave the rest as it is', async () => {
    await sync(account, workshop.run(), directory);
    const before = await account.snapshot();
    const run = workshop.run({ mode: 'delta' });
    const report = await sync(account, run, [user('new', { aliases: ['a@example.com'] })]);
    assert.deepEqual(await changeLines(account, run.id), ['added new']);
    assert.deepEqual(report.absent, { users: 0, contacts: 0, groups: 0 });
    assert.equal((await account.snapshot()).users.length, before.users.length + 1);
    const full = await sync(account, workshop.run(), directory);
    assert.deepEqual(
      full.absent,
      { users: 1, contacts: 0, groups: 0 },
      'negative control: a full run would have brought it',
    );
  });

  it('with other settings look at everything again', async () => {
    const quiet = [...directory, user('zoe')];
    await sync(account, workshop.run(), quiet);
    await account.close();
    account = await workshop.open({ ...settings, acknowledgeDisabled: false });
    await sync(account, workshop.run(), quiet);
    await account.close();
    account = await workshop.open({ ...settings, domains: ['example.org'] });
    const report = await sync(account, workshop.run(), quiet);
    assert.equal(report.setAside.filter(({ reason }) => reason === 'OUTSIDE_DOMAINS').length, 4);
  });

  it('survive closing and opening', async () => {
    const run = workshop.run();
    await account.stage(run, 0, directory);
    await account.close();
    account = await workshop.open(settings);
    const report = await account.apply(run, seal(1), { dryRun: false });
    await account.close();
    account = await workshop.open(settings);
    assert.equal((await account.snapshot()).users.length, report.totals.users);
    assert.equal((await sync(account, workshop.run(), directory)).outcome, 'unchanged');
  });
});

/** Where the store keeps batches that wait. */
const staged = ({ store }: AccountSettings) => (store.kind === 'postgres' ? 'staged_pack' : 'staged');

async function rowCount(settings: AccountSettings, table: string): Promise<number> {
  const [row] = await askStore(settings.store, `SELECT count(*) AS count FROM ${table}`);
  return Number(row?.['count']);
}

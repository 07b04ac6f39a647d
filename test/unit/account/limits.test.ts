/** Limits just below, at and above; what is unusual; approval. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import { type Rules, allowed, parseLimit } from '../../../engine/account/rules.js';
import { AccountError, SettingError } from '../../../engine/model/errors.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import type { Change, Report } from '../../../engine/model/report.js';
import { askStore } from '../../support/account-store.js';
import { UNLIMITED, Workshop, changeLines, group, members, seal, sync, user } from './support.js';

const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => user(`p${String(index + from)}`));
const ids = (count: number) => people(count).map(({ id }) => id);
const code = (expected: string) => (error: unknown) => error instanceof AccountError && error.code === expected;

describe('limits of an account', () => {
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  const only = (rules: Partial<Rules>) => workshop.settings({ rules: { holdUnusual: false, ...rules } });
  const whole = (account: Account, records: readonly EnrichedRecord[]) =>
    sync(account, workshop.run(), records, { batchSize: 500 });

  it('are written as a number, a percentage, both, or unlimited', () => {
    for (const step of [
      '0',
      '10',
      '20',
      '50',
      '100',
      '300',
      '500',
      '1,000',
      '2,000',
      '5,000',
      '10,000',
      '50,000',
      '100,000',
    ]) {
      assert.deepEqual(parseLimit(step, 'x'), { count: Number(step.replace(',', '')), percent: null });
    }
    assert.deepEqual(parseLimit('unlimited', 'x'), { count: null, percent: null });
    assert.deepEqual(parseLimit(' 500 / 5 %', 'x'), { count: 500, percent: 5 });
    assert.deepEqual(parseLimit('2.5%', 'x'), { count: null, percent: 2.5 });
    for (const wrong of ['', 'many', '-1', '1.5', 'unlimited / 5 %', '5 % 5']) {
      assert.throws(() => parseLimit(wrong, 'limitUsers'), SettingError);
    }
    const byDefault = { count: 500, percent: 5 };
    assert.deepEqual(
      [0, 100, 200, 201, 1_000, 10_000, 20_000].map((of) => allowed(byDefault, of)),
      [10, 10, 10, 10, 50, 500, 500],
    );
    assert.equal(allowed({ count: 0, percent: 5 }, 1_000), 0);
  });

  type Case = readonly [string, (taken: number) => EnrichedRecord[], number];
  const cases: readonly Case[] = [
    ['LIMIT_USERS', (taken) => people(300 - taken), 15],
    ['LIMIT_USERS', (taken) => people(300).map((one, index) => ({ ...one, enabled: index >= taken })), 15],
    ['LIMIT_GROUPS', (taken) => [user('a'), ...lists(220 - taken)], 11],
    ['LIMIT_MEMBERS', (taken) => [...people(300), group('t'), members('t', ids(300 - taken))], 15],
    ['LIMIT_ADDRESSES', (taken) => people(150).map((one, index) => (index < taken ? one : alias(one))), 15],
  ];
  const lists = (count: number) =>
    Array.from({ length: count }, (_, index) => `g${String(index)}`).flatMap((id) => [group(id), members(id, ['a'])]);
  const alias = (one: ReturnType<typeof user>) => ({ ...one, aliases: [`x-${one.id}@example.com`] });

  for (const [index, [limit, without, most]] of cases.entries()) {
    it(`${limit}: below and at it is done, above it is held (${String(index + 1)})`, async () => {
      for (const [taken, outcome] of [
        [most - 1, 'committed'],
        [most, 'committed'],
        [most + 1, 'held'],
      ] as const) {
        const account = await workshop.open(only({}));
        await whole(account, without(0));
        const before = await account.snapshot();
        const report = await whole(account, without(taken));
        assert.equal(report.outcome, outcome, `${String(taken)}: ${JSON.stringify(report.holds)}`);
        if (outcome === 'held') {
          assert.ok(report.holds?.some((hold) => hold.code === limit && hold.planned === taken && hold.limit === most));
          assert.deepEqual(await account.snapshot(), before);
        }
      }
      const account = await workshop.open(only({ limits: UNLIMITED }));
      await whole(account, without(0));
      assert.equal((await whole(account, without(most + 1))).outcome, 'committed', 'without limits it goes through');
    });
  }

  it('members of one group', async () => {
    const rest = [...people(2_000), group('big'), members('big', ids(2_000))];
    const little = (count: number) => [group('little'), members('little', ids(count))];
    const account = await workshop.open(only({}));
    await whole(account, [...rest, ...little(40)]);
    assert.equal((await whole(account, [...rest, ...little(30)])).outcome, 'committed');
    const held = await whole(account, [...rest, ...little(10)]);
    assert.deepEqual(
      held.holds?.map((hold) => hold.code),
      ['LIMIT_MEMBERS_PER_GROUP'],
    );
  });

  describe('what is unusual is held if it would take something away', () => {
    const start = people(5);
    const rules = (rest: Partial<Rules> = {}): Partial<Rules> => ({ holdUnusual: true, ...rest });

    it('a source that brings nothing', async () => {
      const account = await workshop.open(workshop.settings({ rules: rules() }));
      await whole(account, start);
      const report = await account.apply(workshop.run(), seal(0), { dryRun: false });
      assert.deepEqual([report.outcome, report.holds?.map((hold) => hold.code)], ['held', ['SOURCE_EMPTY']]);
      const off = await workshop.open(only({}));
      await whole(off, start);
      assert.equal(
        (await off.apply(workshop.run(), seal(0), { dryRun: false })).outcome,
        'committed',
        'marked, without the hold',
      );
    });

    it('a first complete run, and changed settings', async () => {
      const settings = workshop.settings({ rules: rules() });
      const account = await workshop.open(settings);
      await sync(account, workshop.run(), start, { complete: false });
      const first = await whole(account, start.slice(1));
      assert.deepEqual(
        first.holds?.map((hold) => hold.code),
        ['FIRST_RUN'],
      );
      await account.decide({ plan: first.plan, verdict: 'approve', by: 'ada' });
      await account.close();
      const changed = await workshop.open({ ...settings, rules: rules({ graceDays: 3 }) });
      assert.deepEqual(
        (await whole(changed, start.slice(2))).holds?.map((hold) => hold.code),
        ['CHANGED_SETTINGS'],
      );
      assert.equal((await whole(changed, start.slice(1))).outcome, 'unchanged', 'nothing to take away');
      assert.equal((await whole(changed, start.slice(2))).outcome, 'committed', 'the settings are known now');
    });
  });

  describe('a held plan', () => {
    let account: Account;
    let settings: AccountSettings;
    let held: Report;
    const next = [...people(20, 20).map((one) => ({ ...one, name: 'New' })), ...people(3, 100)];
    beforeEach(async () => {
      settings = only({});
      account = await workshop.open(settings);
      await whole(account, people(40));
      held = await whole(account, next);
      assert.equal(held.outcome, 'held');
    });
    const planned = async (plan: string) => {
      const all: Change[] = [];
      for await (const batch of account.planned(plan)) all.push(...batch);
      return all.map(({ change, id }) => `${change} ${id}`);
    };

    it('can be read, and is committed as it was shown', async () => {
      assert.equal((await account.snapshot()).users.length, 40);
      assert.deepEqual(await changeLines(account, held.run), []);
      const [waiting] = await account.heldPlans();
      assert.deepEqual([waiting?.plan, waiting?.run, waiting?.changes], [held.plan, held.run, 43]);
      const shown = await planned(held.plan);
      const report = await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' });
      assert.deepEqual([report.outcome, report.plan, report.decidedBy], ['committed', held.plan, 'ada']);
      const made = (await changeLines(account, held.run)).map((line) => line.split(' ').slice(0, 2).join(' '));
      assert.deepEqual(made, shown);
      assert.deepEqual([await account.heldPlans(), (await whole(account, next)).outcome], [[], 'unchanged']);
      await assert.rejects(account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' }), code('PLAN_DECIDED'));
    });

    it('is shown step by step, with the names of those in the account', async () => {
      const counted = (await account.plannedSteps(held.plan)).map(({ kind, change, count }) => [kind, change, count]);
      assert.deepEqual(counted, [
        ['user', 'added', 3],
        ['user', 'updated', 20],
        ['user', 'leaving', 20],
      ]);
      const leaving = { kind: 'user', change: 'leaving', limit: 12 };
      const first = await account.shownChanges(held.plan, { ...leaving, after: 0 });
      const second = await account.shownChanges(held.plan, { ...leaving, after: first.at(-1)?.seq ?? 0 });
      assert.deepEqual([first.length, second.length], [12, 8]);
      const shown = [...first, ...second];
      assert.ok(shown.every(({ change, name, address }) => change === 'leaving' && name !== null && address !== null));
      assert.equal(new Set(shown.map(({ id }) => id)).size, 20);
      const [added] = await account.shownChanges(held.plan, { change: 'added', after: 0, limit: 1 });
      assert.deepEqual([added?.name, added?.address], ['p100', 'p100@example.com']);
      assert.equal((await account.shownChanges(held.plan, { after: 0, limit: 1_000 })).length, 43);
      await account.decide({ plan: held.plan, verdict: 'reject', by: 'ada' });
      assert.deepEqual(await account.plannedSteps(held.plan), []);
    });

    it('is forgotten when it is rejected, and held again by the next run', async () => {
      const before = await account.snapshot();
      assert.equal((await account.decide({ plan: held.plan, verdict: 'reject', by: 'ada' })).outcome, 'rejected');
      await assert.rejects(account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' }), code('PLAN_DECIDED'));
      assert.deepEqual(await account.snapshot(), before);
      const again = await whole(account, next);
      assert.deepEqual([again.outcome, again.plan], ['held', held.plan]);
    });

    it('is made again where the account changed: the approval does not fit it', async () => {
      await account.addKnown([{ address: 'p100@example.com', origin: 'manual' }]);
      const report = await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' });
      assert.deepEqual([report.outcome, report.holds?.[0]?.code], ['held', 'PLAN_CHANGED']);
      assert.notEqual(report.plan, held.plan);
      assert.equal((await account.snapshot()).users.length, 41);
      await assert.rejects(account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' }), code('PLAN_UNKNOWN'));
      assert.equal((await account.decide({ plan: report.plan, verdict: 'approve', by: 'ada' })).outcome, 'committed');
    });

    it('ends when a newer run of its source comes', async () => {
      await whole(account, people(40));
      await assert.rejects(account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' }), code('PLAN_DECIDED'));
    });

    it('survives a restart, and is unknown under another digest', async () => {
      await account.close();
      account = await workshop.open(settings);
      await assert.rejects(account.decide({ plan: 'sha-256:0', verdict: 'approve', by: 'ada' }), code('PLAN_UNKNOWN'));
      assert.equal((await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' })).outcome, 'committed');
    });
  });

  it('additions go ahead where that is the setting, and what is left waits', async () => {
    const account = await workshop.open(only({ additionsWhileHeld: true }));
    await whole(account, people(40));
    const run = workshop.run();
    const held = await sync(account, run, [...people(20), ...people(3, 100)], { batchSize: 500 });
    assert.deepEqual([held.outcome, held.wentAhead, held.changes.usersLeaving], ['held', 3, 20]);
    assert.deepEqual(await changeLines(account, run.id), ['added p100', 'added p101', 'added p102']);
    const report = await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' });
    assert.deepEqual([report.outcome, report.changes.usersLeaving, report.changes.usersAdded], ['committed', 20, 0]);
  });

  it('an older instance is refused, at every write; without the lease both write', async () => {
    const settings = { ...workshop.settings(), exclusive: true };
    const old = await workshop.open(settings);
    const run = workshop.run();
    await old.stage(run, 0, people(1));
    const newer = await workshop.open(settings);
    await assert.rejects(old.stage(run, 1, []), code('FENCED'));
    await assert.rejects(old.apply(run, seal(1), { dryRun: false }), code('FENCED'));
    await assert.rejects(old.addKnown([{ address: 'a@example.com', origin: 'manual' }]), code('FENCED'));
    assert.equal((await sync(newer, run, people(1))).outcome, 'committed');
    const shared = { ...workshop.settings(), exclusive: false };
    const [one, other] = [await workshop.open(shared), await workshop.open(shared)];
    await whole(other, people(1));
    assert.equal((await whole(one, people(2))).outcome, 'committed');
  });

  it('remembers runs for as long as it is to, and no longer', async () => {
    const settings = only({ keepDays: 30 });
    const account = await workshop.open(settings);
    const at = (day: number) => ({ dryRun: false, at: new Date(Date.now() + day * 86_400_000).toISOString() });
    await account.apply(workshop.run(), seal(0), at(0));
    await account.apply(workshop.run(), seal(0), at(29));
    assert.equal((await account.history(10)).length, 2);
    await account.apply(workshop.run(), seal(0), at(31));
    const left = await account.history(10);
    assert.deepEqual(
      left.map(({ outcome, complete }) => [outcome, complete]),
      [
        ['unchanged', true],
        ['unchanged', true],
      ].slice(0, left.length),
    );
    assert.ok(left.length < 3);
    await account.close();
    const [row] = await askStore(settings.store, 'SELECT count(*) AS count FROM journal');
    assert.equal(Number(row?.['count']), 0);
  });

  it('exports as CSV, NDJSON and LDIF', async () => {
    const account = await workshop.open(workshop.settings({ attributes: ['title'] }));
    const ann = user('ann', { name: '=Ann, "A"', aliases: ['a@example.com'], attributes: { title: ['Gräfin'] } });
    await whole(account, [ann, group('team', { name: 'R&D, all' }), members('team', ['ann']), ...people(1_200)]);
    const text = async (format: 'csv' | 'ndjson' | 'ldif') => {
      const pieces: string[] = [];
      for await (const piece of account.export(format)) pieces.push(piece);
      return pieces.join('');
    };
    const csv = (await text('csv')).split('\r\n');
    assert.equal(csv.length, 1 + 1_202 + 1);
    assert.equal(
      csv[1],
      `user,ann,ann@example.com,"'=Ann, ""A""",directory,true,a@example.com,"{""title"":""Gräfin""}",`,
    );
    const lines = (await text('ndjson'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; members: string[] });
    assert.deepEqual(lines.find(({ kind }) => kind === 'group')?.members, ['user:ann@example.com']);
    const ldif = await text('ldif');
    assert.match(ldif, /\ndn: mail=ann@example\.com,o=account\nobjectClass: inetOrgPerson\n/);
    assert.match(ldif, /\ntitle:: R3LDpGZpbg==\n/);
    assert.match(
      ldif,
      /\ndn: cn=R&D\\, all,o=account\nobjectClass: groupOfNames\ncn: R&D, all\nuid: team\nmember: mail=ann@example\.com,o=account\n/,
    );
  });
});

/** Edges of the rules, one thing at a time: what no other test would miss, if it were otherwise. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { Limits, Rules } from '../../../engine/account/rules.js';
import type { Contact, EnrichedRecord } from '../../../engine/model/records.js';
import { openHere } from '../../campaigns/support/here.js';
import {
  UNLIMITED,
  Workshop,
  asideLines,
  changeLines,
  contact,
  dynamicGroup,
  group,
  members,
  seal,
  sync,
  user,
} from './support.js';

const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => user(`p${String(index + from)}`));
const ids = (count: number, from = 0) => people(count, from).map(({ id }) => id);
const codes = (list: readonly { code: string }[] | undefined) => (list ?? []).map(({ code }) => code);
const AT_ONCE: Partial<Rules> = { graceDays: 0, graceRuns: 1, userLeft: 'remove' };

describe('edges of the rules of an account', () => {
  let workshop: Workshop;
  const opened: Account[] = [];
  beforeEach(() => (workshop = new Workshop()));
  afterEach(async () => {
    for (const account of opened.splice(0)) await account.close();
    await workshop.close();
  });

  /** In this thread: there are many. */
  const open = async (rules: Partial<Rules> = {}, rest: Partial<AccountSettings> = {}): Promise<Account> => {
    const settings = { rules: { holdUnusual: false, limits: UNLIMITED, ...rules }, ...rest };
    const account = await openHere(workshop.settings(settings));
    opened.push(account);
    return account;
  };
  const whole = (account: Account, records: readonly EnrichedRecord[], source = 'hq') =>
    sync(account, workshop.run({ source }), records, { batchSize: 500 });
  const aliasesOf = async (account: Account, id: string) =>
    (await account.snapshot()).users.find(({ address }) => address === `${id}@example.com`)?.aliases;

  describe('limits: 0, a number, a percentage, both, unlimited', () => {
    type Kind = keyof Limits;
    const listed = (index: number) => `g${String(index)}`;
    const lists = (count: number) =>
      Array.from({ length: count }, (_, index) => listed(index)).flatMap((id) => [group(id), members(id, ['p0'])]);
    const withAliases = (without: number) =>
      people(100).map((one, index) => (index < without ? one : { ...one, aliases: [`x-${one.id}@example.com`] }));
    const withTitles = (without: number) =>
      people(200).map((one, index) => (index < without ? one : { ...one, attributes: { title: ['A'] } }));
    /** What is read when so many are taken away, of two hundred. */
    const takes: Readonly<Record<Kind, (taken: number) => EnrichedRecord[]>> = {
      users: (taken) => people(200 - taken),
      groups: (taken) => [user('p0'), ...lists(200 - taken)],
      members: (taken) => [...people(200), group('g'), members('g', ids(200 - taken))],
      membersPerGroup: (taken) => [...people(200), group('g'), members('g', ids(200 - taken))],
      addresses: (taken) => withAliases(taken),
      values: (taken) => withTitles(taken),
    };
    const limits = [
      { limit: { count: 0, percent: null }, most: 0 },
      { limit: { count: 3, percent: null }, most: 3 },
      { limit: { count: null, percent: 10 }, most: 20 },
      { limit: { count: 30, percent: 10 }, most: 20 },
      { limit: { count: 12, percent: 10 }, most: 12 },
      { limit: { count: 0, percent: 10 }, most: 0 },
    ];
    for (const kind of Object.keys(takes) as Kind[]) {
      it(kind, async () => {
        for (const { limit, most } of limits) {
          for (const [taken, outcome] of [
            [most, most === 0 ? 'unchanged' : 'committed'],
            [most + 1, 'held'],
          ] as const) {
            const account = await open({ limits: { ...UNLIMITED, [kind]: limit } }, { attributes: ['title'] });
            await whole(account, takes[kind](0));
            const report = await whole(account, takes[kind](taken));
            assert.equal(report.outcome, outcome, `${JSON.stringify(limit)}: ${String(taken)}`);
          }
        }
        const account = await open({}, { attributes: ['title'] });
        await whole(account, takes[kind](0));
        assert.equal((await whole(account, takes[kind](90))).outcome, 'committed', 'unlimited');
      });
    }

    it('who ends at once, without a mark before, counts: users, contacts and groups', async () => {
      const few = { count: 2, percent: null };
      const account = await open({ ...AT_ONCE, limits: { ...UNLIMITED, users: few, groups: few } });
      const contacts = Array.from({ length: 5 }, (_, index): Contact => contact(`c${String(index)}`));
      const all = [
        ...people(9),
        ...contacts,
        ...['g', 'h', 'i', 'j'].flatMap((id) => [group(id), members(id, ['p0'])]),
      ];
      await whole(account, all);
      const without = (...gone: string[]) =>
        all.filter((one) => !gone.includes(one.kind === 'members' ? one.group : one.id));
      assert.deepEqual(codes((await whole(account, without('p6', 'p7', 'p8'))).holds), ['LIMIT_USERS']);
      assert.deepEqual(codes((await whole(account, without('c1', 'c2', 'p8'))).holds), ['LIMIT_USERS']);
      assert.deepEqual(codes((await whole(account, without('g', 'h', 'i'))).holds), ['LIMIT_GROUPS']);
      assert.equal((await whole(account, without('p8', 'c1', 'g', 'h'))).outcome, 'committed');
    });

    it('who comes to the end of the grace period was counted when they were marked, and not again', async () => {
      const account = await open({
        ...AT_ONCE,
        graceRuns: 2,
        limits: { ...UNLIMITED, users: { count: 2, percent: null } },
      });
      await whole(account, people(6));
      for (const left of [4, 2]) assert.equal((await whole(account, people(left))).outcome, 'committed', String(left));
      assert.equal((await account.snapshot()).users.length, 4);
    });

    it('whom a preferred source replaces is counted against what the other source has', async () => {
      const limits = { ...UNLIMITED, users: { count: null, percent: 5 } };
      for (const [count, outcome] of [
        [15, 'committed'],
        [16, 'held'],
      ] as const) {
        const account = await open({ precedence: ['hq', 'branch'], limits });
        await whole(account, people(300), 'branch');
        assert.equal((await whole(account, people(count))).outcome, outcome, String(count));
      }
    });
  });

  describe('what is unusual is held for a single thing that would be taken away', () => {
    const all = [...people(4), group('g'), members('g', ids(4)), group('h'), members('h', ['p0'])];
    const first = all.map((one) =>
      one.kind === 'user' && one.id === 'p3' ? { ...one, aliases: ['x@example.com'] } : one,
    );
    const cases: readonly (readonly [string, readonly EnrichedRecord[]])[] = [
      ['a group', first.slice(0, -2)],
      ['a member', first.map((one) => (one.kind === 'members' && one.group === 'g' ? members('g', ids(3)) : one))],
      ['an address', all],
      ['a user', first.map((one) => (one.kind === 'user' && one.id === 'p2' ? { ...one, enabled: false } : one))],
      [
        'a user and a group',
        first.slice(0, -2).map((one) => (one.kind === 'user' && one.id === 'p2' ? { ...one, enabled: false } : one)),
      ],
    ];
    for (const [what, next] of cases) {
      it(what, async () => {
        const settings = workshop.settings({ rules: { holdUnusual: true, limits: UNLIMITED } });
        const before = await workshop.open(settings);
        await whole(before, first);
        await before.close();
        const account = await workshop.open({ ...settings, rules: { ...settings.rules, graceDays: 3 } });
        assert.deepEqual(codes((await whole(account, next)).holds), ['CHANGED_SETTINGS']);
      });
    }

    it('the end of a grace period', async () => {
      const settings = workshop.settings({
        rules: { holdUnusual: true, limits: UNLIMITED, graceDays: 0, graceRuns: 2 },
      });
      const before = await workshop.open(settings);
      await whole(before, people(3));
      await whole(before, people(2));
      await before.close();
      const account = await workshop.open({ ...settings, rules: { ...settings.rules, userLeft: 'disable' } });
      assert.deepEqual(codes((await whole(account, people(2))).holds), ['CHANGED_SETTINGS']);
    });
  });

  it('two complete runs: the first without somebody marks, whatever the days', async () => {
    const account = await open({ graceDays: 0, graceRuns: 2 });
    await whole(account, people(2));
    const marked = await whole(account, people(1));
    assert.deepEqual([marked.changes.usersLeaving, marked.changes.usersDowngraded], [1, 0]);
    assert.equal((await whole(account, people(1))).changes.usersDowngraded, 1);
  });

  it('who is renamed counts against no limit of who is disabled', async () => {
    const account = await open({ limits: { ...UNLIMITED, users: { count: 0, percent: null } } });
    await whole(account, people(3));
    const renamed = await whole(
      account,
      people(3).map((one) => ({ ...one, name: 'Other' })),
    );
    assert.deepEqual([renamed.outcome, renamed.changes.usersUpdated], ['committed', 3]);
  });

  it('three complete runs: the second counts, though nothing changes in it', async () => {
    const account = await open({ graceDays: 0, graceRuns: 3 });
    await whole(account, people(2));
    const runs = [await whole(account, people(1)), await whole(account, people(1)), await whole(account, people(1))];
    assert.deepEqual(
      runs.map(({ outcome, changes }) => [outcome, changes.usersLeaving, changes.usersDowngraded]),
      [
        ['committed', 1, 0],
        ['unchanged', 0, 0],
        ['committed', 0, 1],
      ],
    );
  });

  it('a group in which only somebody absent is left stays until that one has ended', async () => {
    const account = await open({ graceDays: 0, graceRuns: 2, userLeft: 'remove' });
    const list = [group('g'), members('g', ['p0'])];
    await whole(account, [...people(2), ...list]);
    assert.deepEqual((await whole(account, [...people(1, 1), ...list])).changes.groupsLeaving, 0);
    const ended = await whole(account, [...people(1, 1), ...list]);
    assert.deepEqual([ended.changes.usersRemoved, ended.changes.groupsLeaving], [1, 0]);
    assert.equal((await whole(account, [...people(1, 1), ...list])).changes.groupsLeaving, 1);
  });

  it('a group that becomes a dynamic list, and nothing else, is told', async () => {
    const account = await open();
    const rest = { primary: 'g@example.com' };
    await whole(account, [user('p0'), group('g', rest), members('g', ['p0'])]);
    const run = workshop.run();
    const report = await sync(account, run, [user('p0'), dynamicGroup('g', rest), members('g', ['p0'])]);
    assert.equal(report.changes.groupsUpdated, 1);
    assert.ok((await changeLines(account, run.id)).includes('updated g kind'));
    assert.equal((await account.snapshot()).groups[0]?.kind, 'dynamic-group');
  });

  it('additions that go ahead disable nobody, and enable nobody who is disabled', async () => {
    const account = await open({
      additionsWhileHeld: true,
      limits: { ...UNLIMITED, users: { count: 3, percent: null } },
    });
    const all = people(30).map((one) => (one.id === 'p1' ? { ...one, enabled: false } : one));
    await whole(account, all);
    const next = all.slice(0, 20).map((one) => (one.id === 'p0' ? { ...one, enabled: false } : one));
    const held = await whole(account, [...next, user('new', { enabled: false })]);
    assert.equal(held.outcome, 'held');
    const enabled = async () => {
      const { users } = await account.snapshot();
      return ['p0', 'p1', 'new'].map((id) => users.find(({ address }) => address === `${id}@example.com`)?.enabled);
    };
    assert.deepEqual(await enabled(), [true, false, false]);
    await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' });
    assert.deepEqual(await enabled(), [false, false, false]);
  });

  describe('of several aliases only the disputed one is refused', () => {
    it('because it is a primary address', async () => {
      const account = await open();
      const report = await whole(account, [
        user('ann'),
        user('bob', { aliases: ['ann@example.com', 'free@example.com'] }),
      ]);
      assert.deepEqual(
        [await aliasesOf(account, 'bob'), asideLines(report)],
        [['free@example.com'], ['ALIAS_CLASH bob']],
      );
    });

    it('because somebody has it', async () => {
      const account = await open();
      const ann = user('ann', { aliases: ['x@example.com'] });
      await whole(account, [ann]);
      await whole(account, [ann, user('bob', { aliases: ['free@example.com', 'x@example.com'] })]);
      assert.deepEqual(await aliasesOf(account, 'bob'), ['free@example.com']);
    });

    it('because another gets it', async () => {
      const account = await open();
      await whole(account, [
        user('ann', { aliases: ['x@example.com'] }),
        user('bob', { aliases: ['free@example.com', 'x@example.com'] }),
      ]);
      assert.deepEqual(
        [await aliasesOf(account, 'ann'), await aliasesOf(account, 'bob')],
        [['x@example.com'], ['free@example.com']],
      );
    });
  });

  it('of several who want the address that somebody keeps, all are told who has it', async () => {
    const account = await open();
    const ann = user('ann');
    await whole(account, [ann]);
    const wanting = ['bob', 'cyd'].map((id) => user(id, { primary: 'ann@example.com' }));
    const report = await whole(account, [ann, ...wanting]);
    const details = report.setAside.map(({ id, detail }) => [id, detail.includes('is that of object ann')]);
    assert.deepEqual(details, [
      ['bob', true],
      ['cyd', true],
    ]);
  });

  it('an object that became another kind keeps what it has, and takes nothing from others', async () => {
    const account = await open({}, { attributes: ['title'] });
    const ann = user('ann', { aliases: ['x@example.com'] });
    await whole(account, [ann, contact('bob', { attributes: { title: ['A'] } })]);
    const before = await account.snapshot();
    const report = await whole(account, [ann, user('bob', { primary: 'x@example.com', name: 'New' })]);
    assert.deepEqual([report.outcome, asideLines(report)], ['unchanged', ['KIND_CHANGED bob']]);
    assert.deepEqual(await account.snapshot(), before);
  });

  it('a protected group loses members, but not the last; it may get others in their place', async () => {
    const account = await open({ protect: ['g'] });
    const list = (...who: string[]) => [...people(4), group('g'), members('g', who)];
    const left = async () => (await account.snapshot()).groups[0]?.members;
    await whole(account, list('p0', 'p1', 'p2'));
    await whole(account, list('p1', 'p2'));
    assert.deepEqual(await left(), ['user:p1@example.com', 'user:p2@example.com']);
    await whole(account, list('p3'));
    assert.deepEqual(await left(), ['user:p3@example.com']);
    await whole(account, list());
    assert.deepEqual(await left(), ['user:p3@example.com']);
  });

  describe('times, to the moment', () => {
    const DAY = 86_400_000;
    const START = Date.UTC(2026, 0, 1);
    const at = (
      account: Account,
      ms: number,
      records: readonly EnrichedRecord[],
      { source = 'hq', complete = true } = {},
    ) => {
      const run = workshop.run({ source });
      return account
        .stage(run, 0, records)
        .then(() =>
          account.apply(run, seal(1, { complete }), { dryRun: false, at: new Date(START + ms).toISOString() }),
        );
    };

    it('the grace period is over when its days are', async () => {
      for (const [ms, ended] of [
        [3 * DAY - 1, 0],
        [3 * DAY, 1],
      ] as const) {
        const account = await open({ graceDays: 3, graceRuns: 1, userLeft: 'remove' });
        await at(account, 0, people(2));
        await at(account, 0, people(1));
        assert.equal((await at(account, ms, people(1))).changes.usersRemoved, ended, String(ms));
      }
    });

    it('a source is silent when more than its days are over', async () => {
      for (const [ms, paused] of [
        [2 * DAY, 0],
        [2 * DAY + 1, 1],
      ] as const) {
        const account = await open({ staleDays: 2 });
        await at(account, 0, people(1, 10), { source: 'branch' });
        await at(account, 0, people(2));
        const report = await at(account, ms, people(1));
        assert.deepEqual([report.paused?.length ?? 0, report.changes.usersLeaving], [paused, 1 - paused], String(ms));
      }
    });

    it('a source that has only begun, and brought nothing yet, pauses nothing', async () => {
      const account = await open({ staleDays: 1 });
      await account.stage(workshop.run({ source: 'branch' }), 0, people(1, 10));
      await at(account, 0, people(2));
      assert.equal((await at(account, 9 * DAY, people(1))).changes.usersLeaving, 1);
    });

    it('a run may have started a day ahead of the clock here, and not more', async () => {
      const account = await open();
      const started = (ms: number) => workshop.run({ startedAt: new Date(START + ms).toISOString() });
      const apply = (ms: number) =>
        account.apply(started(ms), seal(0), { dryRun: false, at: new Date(START).toISOString() });
      assert.equal((await apply(DAY)).outcome, 'unchanged');
      await assert.rejects(apply(DAY + 1), { code: 'RUN_FROM_THE_FUTURE' });
    });

    it('who ended is purged when they ended before that moment', async () => {
      const account = await open(AT_ONCE);
      await at(account, 0, people(2));
      await at(account, 0, people(1));
      assert.deepEqual(await account.purge(new Date(START)), { purged: 0 });
      assert.deepEqual(await account.purge(new Date(START + 1)), { purged: 1 });
    });
  });

  it('sources that are not named in the order follow in that of their first run', async () => {
    const account = await open({ precedence: ['first'] });
    const one = (name: string) => [user('p0', { name })];
    for (const source of ['third', 'second', 'first']) await whole(account, one(source), source);
    for (const source of ['third', 'second', 'first']) await whole(account, one(source), source);
    assert.equal((await account.snapshot()).users[0]?.name, 'first');
    await whole(account, [], 'first');
    await whole(account, one('second'), 'second');
    await whole(account, one('third'), 'third');
    assert.equal((await account.snapshot()).users[0]?.name, 'third', 'it came before "second"');
  });

  it('whatever signs are in a value, it comes as it was, beside others of its batch', async () => {
    const account = await open({}, { attributes: ['title'] });
    const odd = [
      'two\nlines',
      '\u0001',
      '\u001f',
      '',
      '\\N',
      '\\.',
      '[1]',
      '{"a":"b"}',
      'tab\there',
      '"quoted"\r\n',
      'Ä😀',
    ];
    const records = [
      ...odd.map((name, index) =>
        user(`p${String(index)}`, { name, dn: `CN=${name},DC=example`, attributes: { title: [name] } }),
      ),
      user('p90', { sid: null }),
      group('g0', { name: 'two\nlines' }),
      members('g0', ['p0', 'p90']),
    ];
    await whole(account, records);
    const { users, groups } = await account.snapshot();
    const named = (from: string[]) => [...from].sort();
    assert.deepEqual(
      named(users.map(({ name }) => name)),
      named([...odd, users.find((one) => one.address === 'p90@example.com')?.name ?? '']),
    );
    for (const one of users) {
      if (odd.includes(one.name)) assert.equal(Object.values(one.attributes)[0], one.name);
    }
    assert.deepEqual(
      groups.map(({ name }) => name),
      ['two\nlines'],
    );
    assert.equal((await whole(account, records)).outcome, 'unchanged');
    const changed = records.map((one) => (one.kind === 'user' ? { ...one, name: `${one.name}\n\u0001` } : one));
    assert.equal((await whole(account, changed)).changes.usersUpdated, odd.length + 1);
    const after = await account.snapshot();
    assert.ok(after.users.every(({ name }) => name.endsWith('\n\u0001')));
  });

  it('an empty name comes as it was, alone in its batch, too', async () => {
    const account = await open();
    const run = workshop.run();
    await sync(account, run, [user('p0', { name: '' }), group('g0', { name: '' }), members('g0', ['p0'])], {
      batchSize: 1,
    });
    const { users, groups } = await account.snapshot();
    assert.deepEqual(
      [...users, ...groups].map(({ name }) => name),
      ['', ''],
    );
  });

  it('history gives as many as were asked for, the newest first', async () => {
    const account = await open();
    const runs = [workshop.run(), workshop.run(), workshop.run()];
    for (const run of runs) await sync(account, run, people(1));
    assert.deepEqual(
      (await account.history(2)).map(({ run }) => run),
      [runs[2]?.id, runs[1]?.id],
    );
  });
});

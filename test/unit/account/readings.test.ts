/** What was read, compared with the last run: attributes that vanish or were not asked for, other scopes, two readers. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { Rules } from '../../../engine/account/rules.js';
import { digestOf } from '../../../engine/model/canonical.js';
import type { EnrichedRecord, User } from '../../../engine/model/records.js';
import type { Report } from '../../../engine/model/report.js';
import type { ReadScope } from '../../../engine/model/run.js';
import { askStore } from '../../support/account-store.js';
import { seeded } from '../../support/fault-proxy.js';
import { type ReadingNow, ReadingOracle } from '../../support/oracle/reading.js';
import { UNLIMITED, Workshop, changeLines, group, members, seal, user } from './support.js';

const SIZE = 40;
const person = (index: number, rest: Partial<User> = {}): User => {
  const id = `p${String(index)}`;
  return user(id, { aliases: [`${id}-a@example.com`], attributes: { title: ['Analyst'] }, ...rest });
};
const people = (count = SIZE, rest: Partial<User> = {}) =>
  Array.from({ length: count }, (_, index) => person(index, rest));
const codes = (list: readonly { code: string }[] | undefined) => (list ?? []).map(({ code }) => code);

function scopeOf(rest: Partial<ReadScope> = {}): ReadScope {
  const scope = {
    bases: ['dc=example,dc=com'],
    exclude: [],
    filter: '(mail=*)',
    kinds: ['user', 'group'],
    emailDomains: [],
    attributes: ['title'],
    ...rest,
  };
  return { ...scope, digest: digestOf(scope) };
}

describe('what was read, compared with the last run', () => {
  let workshop: Workshop;
  let account: Account;
  const ALL = { mail: SIZE, proxyAddresses: SIZE, title: SIZE };
  const HELD: Partial<Rules> = { holdUnusual: true, limits: UNLIMITED };
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());
  const open = async (rules: Partial<Rules> = HELD, rest: Partial<AccountSettings> = {}) => {
    account = await workshop.open(workshop.settings({ attributes: ['title'], rules, ...rest }));
  };

  async function read(
    records: readonly EnrichedRecord[],
    values: Record<string, number> | null = ALL,
    { scope = scopeOf(), objects = records.length, complete = true } = {},
  ): Promise<Report> {
    const run = workshop.run();
    await account.stage(run, 0, records);
    const said = values === null ? {} : { scope, brought: { objects, attributes: values } };
    return account.apply(run, seal(1, { complete, ...said }), { dryRun: false });
  }
  const aliasesLeft = async () =>
    (await account.snapshot()).users.filter(({ aliases, origin }) => origin === 'directory' && aliases.length > 0)
      .length;
  const titlesLeft = async () =>
    (await account.snapshot()).users.filter(({ attributes }) => attributes['title']).length;

  describe('an attribute that vanishes', () => {
    it('is lost: the run is held, nothing is unlinked, and the report says so', async () => {
      await open();
      await read(people());
      const report = await read(people(SIZE, { aliases: [] }), { ...ALL, proxyAddresses: 0 });
      assert.deepEqual(
        [report.outcome, codes(report.holds), codes(report.warnings)],
        ['held', ['ATTRIBUTE_LOST'], ['ATTRIBUTE_LOST']],
      );
      assert.match(report.warnings?.[0]?.message ?? '', /proxyAddresses came with a value for 0 of 40 objects/);
      assert.equal(await aliasesLeft(), SIZE);
      assert.equal((await read(people())).outcome, 'unchanged', 'the right is there again');
    });

    it('negative control: from a sender that does not say what it read, it is believed', async () => {
      await open();
      await read(people(), null);
      assert.equal((await read(people(SIZE, { aliases: [] }), null)).outcome, 'committed');
      assert.equal(await aliasesLeft(), 0);
    });

    it('is lost below a tenth, not at it', async () => {
      await open();
      await read(people());
      const few = (count: number) =>
        people().map((one, index) => (index < count ? one : { ...one, attributes: { title: [] } }));
      assert.deepEqual(codes((await read(few(3), { ...ALL, title: 3 })).holds), ['ATTRIBUTE_LOST']);
      assert.equal((await read(few(4), { ...ALL, title: 4 })).outcome, 'committed');
    });

    it('is not lost where fewer than ten had it, nor where the source shrinks or grows as a whole', async () => {
      await open({ ...HELD, graceDays: 0, graceRuns: 1 });
      await read(people(), { ...ALL, title: 9 });
      assert.deepEqual(codes((await read(people(), { ...ALL, title: 0 })).warnings), []);
      await read(people(), { ...ALL, title: 10 });
      assert.deepEqual(
        codes((await read(people(), { ...ALL, title: 0 })).warnings),
        ['ATTRIBUTE_LOST'],
        'ten are enough',
      );
      await read(people(), { ...ALL, title: 30 });
      assert.deepEqual(codes((await read(people(4), { mail: 4, proxyAddresses: 4, title: 2 })).warnings), []);
      await read(people(), { ...ALL, title: 30 });
      assert.deepEqual(codes((await read(people(), { ...ALL, title: 29 }, { objects: 4_000 })).warnings), []);
    });

    it('is lost below a tenth of the share of objects that had it, not at it', async () => {
      await open(HELD);
      for (const [objects, warnings] of [
        [20, []],
        [21, ['ATTRIBUTE_LOST']],
      ] as const) {
        await read(people(), { ...ALL, title: 20 });
        assert.deepEqual(codes((await read(people(), { ...ALL, title: 1 }, { objects })).warnings), warnings);
      }
    });

    it('what is known is kept also from overwriting: an address, a state, a name', async () => {
      await open();
      const off = people().map((one) => ({ ...one, enabled: false }));
      await read(off, { ...ALL, userAccountControl: SIZE });
      const report = await read(people(), { ...ALL, userAccountControl: 0 });
      assert.deepEqual([report.outcome, report.changes.usersEnabled], ['held', SIZE]);
      assert.ok((await account.snapshot()).users.every(({ enabled }) => !enabled));
    });

    it('what only adds is committed all the same', async () => {
      await open();
      // A value and a SID where there was none take nothing away either.
      const others = people().slice(1);
      await read([person(0, { attributes: {} }), ...others]);
      const more = [person(0, { sid: 'S-1-5-21-1' }), ...others, user('new', { attributes: {} })];
      const report = await read(more, { ...ALL, proxyAddresses: 0 });
      assert.deepEqual([report.outcome, report.changes.usersAdded], ['committed', 1]);
      assert.deepEqual(codes(report.warnings), ['ATTRIBUTE_LOST']);
    });

    it('approved, it is as it is: done as shown, and not asked again', async () => {
      await open();
      await read(people());
      const without = people(SIZE, { aliases: [] });
      const held = await read(without, { ...ALL, proxyAddresses: 0 });
      const done = await account.decide({ plan: held.plan, verdict: 'approve', by: 'ada' });
      assert.deepEqual([done.outcome, done.changes.aliasesUnlinked], ['committed', SIZE]);
      const next = await read(without, { ...ALL, proxyAddresses: 0 });
      assert.deepEqual([next.outcome, codes(next.warnings)], ['unchanged', []]);
    });

    it('where unusual runs are not held, such a run adds and updates only', async () => {
      await open({ ...HELD, holdUnusual: false });
      await read(
        people().map((one, index) => ({ ...one, enabled: index > 0 })),
        { ...ALL, userAccountControl: SIZE },
      );
      const poor = people().map((one) => ({ ...one, aliases: [], primary: `x-${one.id}@example.com`, name: 'New' }));
      const report = await read([...poor, user('new')], { ...ALL, proxyAddresses: 0, userAccountControl: 0 });
      assert.deepEqual([report.outcome, report.complete, report.changes.usersAdded], ['committed', false, 1]);
      assert.deepEqual(codes(report.incomplete), ['ATTRIBUTE_LOST', 'ATTRIBUTE_LOST']);
      const { users } = await account.snapshot();
      assert.deepEqual([await aliasesLeft(), users.filter(({ enabled }) => !enabled).length], [SIZE, 1]);
      assert.equal(users.find(({ address }) => address === 'p1@example.com')?.name, 'New');
    });

    it('in a run that was cut, or lacks what a canary must have, people keep addresses and states', async () => {
      const asked = { ...ALL, userAccountControl: SIZE };
      const poor = people().map((one) => ({ ...one, primary: `x-${one.id}@example.com`, name: 'New', enabled: true }));
      const start = people(SIZE, { enabled: false });
      const after = async (values: Record<string, number>, code: string) => {
        await open();
        await read(start, asked);
        const run = workshop.run();
        await account.stage(run, 0, poor);
        const incomplete = [{ code, message: 'The read was cut.' }];
        const said = { scope: scopeOf(), brought: { objects: SIZE, attributes: values } };
        await account.apply(run, seal(1, { complete: false, incomplete, ...said }), { dryRun: false });
        const { users } = await account.snapshot();
        assert.ok(
          users.every(({ name }) => name === 'New'),
          'it updates',
        );
        return users.filter(({ address, enabled }) => enabled || address.startsWith('x-')).length;
      };
      assert.equal(await after({ ...asked, userAccountControl: 0 }, 'CUT'), 0);
      assert.equal(await after(asked, 'CANARY_ATTRIBUTE_MISSING'), 0);
      assert.equal(await after(asked, 'CUT'), SIZE, 'negative control: cut only, what came is believed');
    });

    it('while additions go ahead, people keep addresses and states', async () => {
      await open({ ...HELD, additionsWhileHeld: true });
      await read(people());
      const poor = people().map((one) => ({ ...one, aliases: [], primary: `x-${one.id}@example.com` }));
      const report = await read([...poor, user('new')], { ...ALL, proxyAddresses: 0 });
      assert.deepEqual([report.outcome, report.wentAhead], ['held', 1]);
      assert.equal(await aliasesLeft(), SIZE);
      const held = await account.decide({ plan: report.plan, verdict: 'approve', by: 'ada' });
      assert.deepEqual([held.outcome, held.changes.usersReaddressed], ['committed', SIZE]);
    });

    it('members: groups that all come empty', async () => {
      await open({ ...HELD, groupWithoutMail: 'keep' });
      const groups = (has: readonly string[]) =>
        Array.from({ length: 12 }, (_, index) => `g${String(index)}`).flatMap((id) => [group(id), members(id, has)]);
      await read([...people(), ...groups(['p1'])], { ...ALL, member: 12 });
      const report = await read([...people(), ...groups([])], { ...ALL, member: 0 });
      assert.deepEqual([report.outcome, codes(report.holds)], ['held', ['ATTRIBUTE_LOST']]);
      assert.ok((await account.snapshot()).groups.every((one) => one.members.length === 1));
    });
  });

  describe('an attribute that was not asked for', () => {
    const untitled = people(SIZE, { attributes: {} });
    const rest = { mail: SIZE, proxyAddresses: SIZE };

    it('keeps the values that the account has, and the report says so', async () => {
      await open();
      await read(people());
      const report = await read(untitled, rest);
      assert.deepEqual([report.outcome, codes(report.warnings)], ['unchanged', ['ATTRIBUTE_NOT_READ']]);
      assert.equal(await titlesLeft(), SIZE);
    });

    it('negative control: asked for, and empty for a good reason, it is cleared', async () => {
      await open({ ...HELD, holdUnusual: true });
      await read(people(), { ...rest, title: 9 });
      assert.equal((await read(untitled, { ...rest, title: 0 })).outcome, 'committed');
      assert.equal(await titlesLeft(), 0);
    });

    it('is cleared where a flow brings it for others', async () => {
      await open();
      await read(people(), rest);
      const one = people().map((each, index) => (index > 0 ? each : { ...each, attributes: {} }));
      assert.equal((await read(one, rest)).outcome, 'committed');
      assert.equal(await titlesLeft(), SIZE - 1);
    });

    it('is not cleared because somebody had it who has left', async () => {
      await open();
      await read(people(), rest);
      const none = people(SIZE - 1, { attributes: {} });
      const report = await read(none, rest, { objects: SIZE });
      assert.deepEqual(codes(report.warnings), ['ATTRIBUTE_NOT_READ']);
      assert.equal(await titlesLeft(), SIZE);
    });

    it('is cleared when it is asked for again, though the records are the same', async () => {
      await open();
      await read(people());
      await read(untitled, rest, { scope: scopeOf({ attributes: [] }) });
      const report = await read(untitled, { ...rest, title: 0 });
      assert.equal(report.outcome, 'held');
      await account.decide({ plan: report.plan, verdict: 'approve', by: 'ada' });
      assert.equal(await titlesLeft(), 0);
    });
  });

  it('LIMIT_VALUES: below and at it is done, above it is held: rights lost on a part of the directory', async () => {
    const all = people(300);
    for (const [cleared, outcome] of [
      [14, 'committed'],
      [15, 'committed'],
      [16, 'held'],
    ] as const) {
      await open({ holdUnusual: false });
      await read(all, null);
      const report = await read(
        all.map((one, index) => (index < cleared ? { ...one, attributes: {} } : one)),
        null,
      );
      assert.equal(report.outcome, outcome);
      if (outcome === 'held') {
        assert.deepEqual(
          report.holds?.map(({ code, planned, limit }) => [code, planned, limit]),
          [['LIMIT_VALUES', 16, 15]],
        );
      }
    }
    await open({ holdUnusual: false, limits: UNLIMITED });
    await read(all, null);
    assert.equal((await read(people(300, { attributes: {} }), null)).outcome, 'committed', 'without the limit it goes');
  });

  describe('the scope', () => {
    const half = people().slice(0, SIZE / 2);
    const other = people().slice(SIZE / 2);
    const values = { mail: SIZE / 2, proxyAddresses: SIZE / 2, title: SIZE / 2 };
    const staff = scopeOf({ bases: ['ou=staff,dc=example,dc=com'] });
    const sales = scopeOf({ bases: ['ou=sales,dc=example,dc=com'] });

    for (const [what, scope] of [
      ['"base" or "include"', staff],
      ['"exclude"', scopeOf({ exclude: ['ou=x,dc=example,dc=com'] })],
      ['"filter"', scopeOf({ filter: '(cn=*)' })],
      ['"contacts" or "publicFolders"', scopeOf({ kinds: ['user'] })],
      ['"emailDomains"', scopeOf({ emailDomains: ['example.com'] })],
      ['"attributes"', scopeOf({ attributes: [] })],
    ] as const) {
      it(`another ${what} is changed configuration: held when anything would be removed`, async () => {
        await open();
        await read(people());
        const report = await read(half, values, { scope });
        assert.deepEqual([report.outcome, codes(report.holds)], ['held', ['CHANGED_SETTINGS']]);
        assert.ok(report.holds?.[0]?.message.includes(`(${what})`), report.holds?.[0]?.message);
        assert.equal((await read(people(), ALL, { scope })).outcome, 'unchanged', 'nothing to take away');
        assert.equal((await read(half, values, { scope })).outcome, 'committed', 'it is known now');
      });
    }

    it('two readers that take turns under one name are named, and remove nothing of each other', async () => {
      await open();
      await read(half, values, { scope: staff });
      assert.deepEqual(codes((await read(other, values, { scope: sales })).holds), ['CHANGED_SETTINGS']);
      const again = await read(half, values, { scope: staff });
      assert.deepEqual([again.outcome, codes(again.warnings)], ['unchanged', ['SOURCE_SHARED']]);
      const third = await read(other, values, { scope: sales });
      assert.deepEqual([third.outcome, codes(third.holds)], ['held', ['CHANGED_SETTINGS', 'SOURCE_SHARED']]);
      assert.match(
        third.warnings?.[0]?.message ?? '',
        /Another directory-extract uses the same source name "hq".*"base"/,
      );
      assert.equal((await account.snapshot()).users.length, SIZE / 2);
    });

    it('a reader is remembered while three others came after it, and no longer', async () => {
      for (const [others, codesOfLast] of [
        [3, ['SOURCE_SHARED']],
        [4, []],
      ] as const) {
        await open();
        const scopes = Array.from({ length: others + 1 }, (_, index) => scopeOf({ filter: `(cn=${String(index)})` }));
        for (const scope of scopes) await read(people(), ALL, { scope });
        const last = await read(people(), ALL, { scope: scopeOf({ filter: '(cn=0)' }) });
        assert.deepEqual(codes(last.warnings), codesOfLast, String(others));
      }
    });

    it('also where unusual runs are not held; negative control: without scopes they remove each other', async () => {
      const rules = { ...HELD, holdUnusual: false, graceDays: 0, graceRuns: 1, userLeft: 'remove' as const };
      const count = async () => (await account.snapshot()).users.length;
      await open(rules);
      for (const [records, scope] of [
        [half, staff],
        [[...half, ...other], scopeOf()],
        [half, staff],
        [other, scopeOf()],
      ] as const) {
        await read(records, values, { scope });
      }
      assert.equal(await count(), SIZE);
      await open(rules);
      for (const records of [half, people(), half, other]) await read(records, null);
      assert.equal(await count(), SIZE / 2);
    });
  });

  it('says of 25 random histories what the oracle says', async () => {
    const any = seeded(20_261_125);
    for (let history = 0; history < 25; history += 1) {
      await open();
      const oracle = new ReadingOracle();
      for (let step = 0; step < 6; step += 1) {
        const objects = 5 + any(60);
        const values = Object.fromEntries(
          ['mail', 'title', 'info'].flatMap((name) =>
            any(8) === 0 ? [] : [[name, any(3) === 0 ? any(5) : any(objects)]],
          ),
        );
        const now: ReadingNow = { scope: 'ABC'[any(3)] ?? 'A', objects, values };
        const title = any(2) === 0 ? ['Analyst'] : ['Engineer'];
        const records = people(12 - any(2), { attributes: { title } });
        const said = oracle.judge(now);
        const report = await read(records, values, { scope: scopeOf({ filter: now.scope }), objects });
        const warned = codes(report.warnings).filter((code) => code !== 'ATTRIBUTE_NOT_READ');
        assert.deepEqual(warned, [...said.lost.map(() => 'ATTRIBUTE_LOST'), ...(said.shared ? ['SOURCE_SHARED'] : [])]);
        for (const code of codes(report.holds)) {
          if (code === 'ATTRIBUTE_LOST') assert.ok(said.lost.length > 0);
          if (code === 'CHANGED_SETTINGS') assert.ok(said.changed);
          if (code === 'SOURCE_SHARED') assert.ok(said.shared);
        }
        const taken = report.changes.usersLeaving ?? 0;
        if (taken > 0 && (said.changed || said.shared)) assert.equal(report.outcome, 'held');
        if (said.lost.length > 0 && report.changes.attributesUpdated > 0) assert.equal(report.outcome, 'held');
        oracle.took(now, report.outcome !== 'held');
      }
    }
  });
});

describe('a held plan leaves the account untouched', () => {
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  /** Every row of the account, as the database has it. */
  const rowsOf = ({ store }: AccountSettings) =>
    Promise.all(
      ['entry', 'address', 'attribute', 'member', 'leaving', 'removed'].map((table) =>
        askStore(store, `SELECT * FROM ${table} ORDER BY 1, 2`),
      ),
    );

  const as = (id: string) => user(id, { primary: 'ann@example.com', aliases: ['a@example.com'], dn: 'CN=Ann' });
  const rest = Array.from({ length: 30 }, (_, index) => user(`p${String(index)}`));
  const team = (id: string) => [group('team'), members('team', [id, 'p1'])];
  const start = [as('old'), ...rest, ...team('old')];
  const next = [as('new'), ...rest.slice(0, 5), ...team('new')];

  for (const additionsWhileHeld of [false, true]) {
    it(`also where somebody was created anew${additionsWhileHeld ? ', and additions went ahead' : ''}`, async () => {
      const settings = workshop.settings({ rules: { holdUnusual: false, additionsWhileHeld } });
      const account = await workshop.open(settings);
      const sync = async (records: readonly EnrichedRecord[]) => {
        const run = workshop.run();
        await account.stage(run, 0, records);
        return account.apply(run, seal(1), { dryRun: false });
      };
      await sync(start);
      const before = await rowsOf(settings);
      const held = await sync(next);
      assert.equal(held.outcome, 'held');
      assert.deepEqual(await rowsOf(settings), before);
      await account.decide({ plan: held.plan, verdict: 'reject', by: 'ada' });
      assert.equal((await sync(start)).outcome, 'unchanged', 'the old one is there again');
      const again = await sync(next);
      assert.equal(again.plan, held.plan);
      const done = await account.decide({ plan: again.plan, verdict: 'approve', by: 'ada' });
      assert.deepEqual([done.outcome, done.plan], ['committed', again.plan]);
      assert.ok((await changeLines(account, again.run)).includes('updated new id'));
      const found = await account.find({ address: 'a@example.com' });
      assert.equal(found?.id, 'new');
      assert.equal((await sync(next)).outcome, 'unchanged');
    });
  }

  it('who is replaced within a source counts against the limit of users', async () => {
    const replaced = (count: number) => [
      ...Array.from({ length: count }, (_, index) => user(`p${String(index)}`, { primary: null })),
      ...rest.slice(count),
      ...Array.from({ length: count }, (_, index) =>
        user(`n${String(index)}`, { primary: `p${String(index)}@example.com` }),
      ),
    ];
    for (const [count, outcome] of [
      [10, 'committed'],
      [11, 'held'],
    ] as const) {
      const account = await workshop.open(workshop.settings({ rules: { holdUnusual: false } }));
      const sync = async (records: readonly EnrichedRecord[]) => {
        const run = workshop.run();
        await account.stage(run, 0, records);
        return account.apply(run, seal(1), { dryRun: false });
      };
      await sync(rest);
      const report = await sync(replaced(count));
      assert.deepEqual([report.outcome, report.changes.usersReplaced], [outcome, count]);
      if (outcome === 'held') assert.equal(report.holds?.[0]?.code, 'LIMIT_USERS');
    }
    const account = await workshop.open(workshop.settings({ rules: { holdUnusual: false, limits: UNLIMITED } }));
    const run = workshop.run();
    await account.stage(run, 0, rest);
    await account.apply(run, seal(1), { dryRun: false });
    const more = workshop.run();
    await account.stage(more, 0, replaced(30));
    assert.equal(
      (await account.apply(more, seal(1), { dryRun: false })).outcome,
      'committed',
      'without limits it goes',
    );
  });

  it('an alias that was linked before aliases were switched off keeps nobody from an own address', async () => {
    const settings = workshop.settings();
    const linked = await workshop.open(settings);
    const apply = async (
      account: Awaited<ReturnType<Workshop['open']>>,
      records: readonly EnrichedRecord[],
      complete = true,
    ) => {
      const run = workshop.run();
      await account.stage(run, 0, records);
      const report = await account.apply(run, seal(1, { complete }), { dryRun: false });
      return { report, lines: await changeLines(account, run.id) };
    };
    const ann = user('ann', { aliases: ['info@example.com', 'sales@example.com'] });
    await apply(linked, [ann]);
    await linked.close();
    const off = await workshop.open({ ...settings, linkAliases: false });
    assert.deepEqual((await apply(off, [user('ann')])).lines, [], 'what was linked stays');
    const desk = user('desk', { primary: 'info@example.com' });
    const cut = await apply(off, [user('ann'), desk], false);
    assert.deepEqual(
      [cut.lines, codes(cut.report.setAside.map(({ reason }) => ({ code: reason })))],
      [[], ['ADDRESS_CLASH']],
    );
    assert.deepEqual((await apply(off, [user('ann'), desk])).lines, [
      'added desk',
      'alias-unlinked ann info@example.com',
    ]);
    const { users } = await off.snapshot();
    assert.deepEqual(users.find(({ address }) => address === 'ann@example.com')?.aliases, ['sales@example.com']);
  });
});

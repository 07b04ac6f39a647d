/** Databases of older versions: brought up to date when they are opened, and the account goes on as if nothing had been. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountSettings } from '../../../engine/account/account.js';
import { EMBEDDED_MIGRATIONS, MIGRATIONS } from '../../../engine/account/store/schema.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { makeOlder } from '../../support/account-store.js';
import { Workshop, changeLines, group, members, seal, user } from './support.js';

const OLD_NAME = 'DC=Example,DC=Com';
const NAME = 'dc=example,dc=com';
const IDS = Array.from({ length: 30 }, (_, index) => `p${String(index)}`);
const company = (count = IDS.length): EnrichedRecord[] => [
  ...IDS.slice(0, count).map((id) =>
    user(id, { aliases: [`${id}-a@example.com`], attributes: { title: ['Analyst'] } }),
  ),
  group('team'),
  members('team', IDS.slice(0, count)),
];

/** What the first version wrote of that company, under the name that a source without one had then. */
const FIRST_RUN = `
INSERT INTO source (key, name, started_at, last_run, settled) VALUES (1, '${OLD_NAME}', '2026-01-01T00:00:00.000Z', 1, 'settings');
INSERT INTO run (key, id, source, mode, started_at, opened_at, touched_at, ended_at, state, report)
  VALUES (1, 'run-of-then', 1, 'full', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:10.000Z', 'ended', '{}');
${IDS.map(
  (id, index) => `
INSERT INTO object (key, source, id, kind, digest, present, dn, name, address, enabled, aliases, attributes, problems)
  VALUES (${String(index + 1)}, 1, '${id}', 'user', 'of then', 1, 'CN=${id},DC=example,DC=com', '${id}', '${id}@example.com', 1,
    '["${id}-a@example.com"]', '{"title":"Analyst"}', '{}');
INSERT INTO entry (key, kind, address, name, origin, enabled, dn)
  VALUES (${String(index + 1)}, 'user', '${id}@example.com', '${id}', 'directory', 1, 'CN=${id},DC=example,DC=com');
INSERT INTO address VALUES ('user', '${id}@example.com', ${String(index + 1)}, 1), ('user', '${id}-a@example.com', ${String(index + 1)}, 0);
INSERT INTO attribute VALUES (${String(index + 1)}, 'title', 'title', 'Analyst');`,
).join('')}
INSERT INTO object (key, source, id, kind, digest, present, dn, name, scope, type, member_digest, members)
  VALUES (100, 1, 'team', 'group', 'of then', 1, 'CN=team,DC=example,DC=com', 'team', 'universal', 'security', 'of then', 'whole');
INSERT INTO entry (key, kind, name, origin, enabled, dn, scope, type)
  VALUES (100, 'group', 'team', 'directory', 1, 'CN=team,DC=example,DC=com', 'universal', 'security');
${IDS.map((_, index) => `INSERT INTO object_member VALUES (100, ${String(index + 1)}, 0); INSERT INTO member VALUES (100, ${String(index + 1)});`).join('\n')}
`;

describe('an account of an older version', () => {
  let workshop: Workshop;
  beforeEach(() => (workshop = new Workshop()));
  afterEach(() => workshop.close());

  /** As version `version` left it. */
  async function olderStore(version: number): Promise<AccountSettings> {
    const settings = workshop.settings({ attributes: ['title'], rules: {} });
    const { store } = settings;
    if (store.kind === 'postgres') {
      // What was written under given keys has not moved the sequences.
      const keys = ['source', 'run', 'object'].map(
        (table) => `SELECT setval(pg_get_serial_sequence('${table}', 'key'), (SELECT max(key) FROM ${table}));`,
      );
      await makeOlder(store, MIGRATIONS.slice(0, version), FIRST_RUN + keys.join(''));
      return settings;
    }
    const database = new DatabaseSync(store.file);
    for (const [index, migration] of EMBEDDED_MIGRATIONS.slice(0, version).entries()) {
      database.exec(migration);
      if (index === 0) database.exec(FIRST_RUN);
    }
    database.exec(`PRAGMA user_version=${String(version)}`);
    database.close();
    return settings;
  }

  for (let version = 1; version <= MIGRATIONS.length; version += 1) {
    it(`version ${String(version)}: the same company changes nothing, and a leaver is one`, async () => {
      const account = await workshop.open(await olderStore(version));
      const apply = async (records: readonly EnrichedRecord[], source = NAME) => {
        const run = workshop.run({
          source,
          startedAt: new Date(Date.UTC(2026, 1, 1) + (day += 1) * 60_000).toISOString(),
        });
        await account.stage(run, 0, records);
        return { report: await account.apply(run, seal(1), { dryRun: false }), run };
      };
      let day = 0;
      const first = await apply(company());
      assert.deepEqual(await changeLines(account, first.run.id), []);
      const { outcome, paused, setAsideCount, totals } = first.report;
      assert.deepEqual([outcome, paused, setAsideCount], ['unchanged', undefined, 0]);
      assert.deepEqual(totals, { users: 30, contacts: 0, groups: 1, members: 30, aliases: 30 });
      const next = await apply(company(29));
      // The first complete run of a version that remembers its settings is a first run to it.
      if (next.report.outcome === 'held')
        await account.decide({ plan: next.report.plan, verdict: 'approve', by: 'ada' });
      assert.ok((await changeLines(account, next.run.id)).includes('leaving p29 absent'));
      const anew = [...company(29), user('new', { primary: 'p29@example.com' })];
      assert.ok((await changeLines(account, (await apply(anew)).run.id)).includes('updated new id'));
    });
  }

  it('of the embedded store: a run that waited for its seal goes on, with records that were JSON', async () => {
    const file = join(workshop.folder, 'waiting.db');
    const database = new DatabaseSync(file);
    for (const migration of EMBEDDED_MIGRATIONS.slice(0, 12)) database.exec(migration);
    const ann = `{"dn":"CN=ann,DC=example,DC=com","sid":null,"name":"Ann","address":"ann@example.com","enabled":0,"aliases":["a@example.com"],"attributes":{"title":"Head"},"problems":{}}`;
    database.exec(`
      INSERT INTO source (key, name) VALUES (1, 'hq');
      INSERT INTO run (key, id, source, mode, started_at, opened_at, touched_at, state)
        VALUES (1, 'run-of-then', 1, 'full', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2999-01-01', 'open');
      INSERT INTO staged_batch VALUES (1, 0);
      INSERT INTO staged VALUES (1 << 40, 'user', 'ann', NULL, NULL, 0, 'of then', '${ann}');
      PRAGMA user_version=12`);
    database.close();
    const account = await workshop.open(workshop.settings({ attributes: ['title'], store: { kind: 'sqlite', file } }));
    const run = { ...workshop.run(), id: 'run-of-then' };
    await account.stage(run, 1, [user('bob', { attributes: { title: ['Clerk'] } }), group('team')]);
    await account.stage(run, 2, [members('team', ['ann', 'bob'])]);
    const report = await account.apply(run, seal(3), { dryRun: false });
    assert.deepEqual([report.outcome, report.complete], ['committed', true]);
    const { user: people, group: lists, members: parts } = report.stages.at(-1)?.records ?? {};
    assert.deepEqual([people, lists, parts], [2, 1, 1]);
    const { users, groups } = await account.snapshot();
    assert.deepEqual(
      users.map(({ name, aliases, attributes, enabled }) => [name, aliases, attributes, enabled]),
      [
        ['Ann', ['a@example.com'], { title: 'Head' }, false],
        ['bob', [], { title: 'Clerk' }, true],
      ],
    );
    assert.equal(groups[0]?.members.length, 2);
  });

  it('is one source in every spelling of the name that its base gave it', async () => {
    const settings = await olderStore(MIGRATIONS.length);
    const rules = { precedence: ['dc=EXAMPLE, dc=com', 'other'], retired: ['DC=old, DC=com'], staleDays: 5 };
    const account = await workshop.open({ ...settings, rules: { ...settings.rules, ...rules } });
    let minute = 0;
    const apply = async (source: string, records: readonly EnrichedRecord[], day: number) => {
      const startedAt = new Date(Date.UTC(2026, 1, day, 0, (minute += 1))).toISOString();
      const run = workshop.run({ source, startedAt });
      await account.stage(run, 0, records);
      return account.apply(run, seal(1), { dryRun: false, at: startedAt });
    };
    await apply('dc=old,dc=com', [user('x')], 1);
    await apply('other', [user('twin', { primary: 'p1@example.com' })], 10);
    const report = await apply('dc=example, DC=com', company(), 11);
    assert.deepEqual([report.outcome, report.paused], ['unchanged', undefined]);
    assert.equal((await account.find({ address: 'p1@example.com' }))?.id, 'p1');
    const sources = new Set((await account.history(10)).map(({ source }) => source));
    assert.deepEqual([...sources].sort(), ['dc=example, DC=com', 'dc=old,dc=com', 'other']);
  });

  it('negative control: under a name that is no distinguished name, another spelling is another source', async () => {
    const account = await workshop.open();
    const apply = async (source: string) => {
      const run = workshop.run({ source });
      await account.stage(run, 0, [user('ann')]);
      return account.apply(run, seal(1), { dryRun: false });
    };
    await apply('HQ');
    const report = await apply('hq');
    assert.equal(report.setAside[0]?.reason, 'ADDRESS_CLASH');
  });
});

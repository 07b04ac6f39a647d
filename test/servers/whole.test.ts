/**
 * The whole sync on real input: the same company in the simulator, in Samba's domain controller and in OpenLDAP's slapd
 * makes the same account, which is the one that the oracle computes from the LDIF.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, openAccount } from '../../engine/account/account.js';
import { digestOf } from '../../engine/model/canonical.js';
import type { Change } from '../../engine/model/report.js';
import { knownAddresses } from '../../sample/known.js';
import { companyEntries, companySettings, startSimulator } from '../support/company.js';
import { type LdifEntry, valuesOf } from '../support/ldif.js';
import { type Expected, expectedAccount } from '../support/oracle/index.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { startSlapd } from '../support/slapd.js';
import { type Synced, settingsFor, syncInto } from '../support/whole-sync.js';

interface Server {
  readonly name: string;
  readonly start: (entries: readonly LdifEntry[]) => Promise<TestDirectory>;
  /** Groups that every domain has beside those of the LDIF (Domain Users and so on): none has a member that bears mail. */
  readonly groupsOfItsOwn: number;
}
const SERVERS: readonly Server[] = [
  { name: 'the simulator', start: startSimulator, groupsOfItsOwn: 36 },
  { name: 'Samba', start: startSamba, groupsOfItsOwn: 36 },
  { name: 'slapd', start: startSlapd, groupsOfItsOwn: 0 },
];

describe('the whole sync', function () {
  this.timeout(120_000);
  const entries = companyEntries();
  const known = knownAddresses();
  const settings = companySettings('');
  const expected = expectedAccount(entries, { settings, known });
  const digests = new Map<string, string>();
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whole-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const { name, start, groupsOfItsOwn } of SERVERS) {
    describe(`from ${name}`, () => {
      let directory: TestDirectory;
      let account: Account;
      let first: Synced;
      const cleanUp: (() => Promise<void>)[] = [];

      before(async () => {
        directory = await start(entries);
        cleanUp.push(() => directory.stop());
        account = await openAccount(companySettings(join(folder, `${name}.sqlite`)));
        cleanUp.push(() => account.close());
        await account.addKnown(known);
        first = await syncInto(account, settingsFor(directory), settings.attributes);
      });
      after(() => Promise.all(cleanUp.map((clean) => clean())));

      it('reads everything, with proof', () => {
        assert.equal(first.failure, null);
        assert.deepEqual(first.seal.incomplete, []);
        assert.equal(first.seal.complete, true);
      });

      it('makes the account that the oracle computes', async () => {
        const snapshot = await account.snapshot();
        assert.deepEqual(snapshot, expected.snapshot);
        assert.equal(digestOf(snapshot), digestOf(expected.snapshot));
        digests.set(name, digestOf(snapshot));
      });

      it('reports what the oracle counts', () => {
        assertCounts(first, expected, groupsOfItsOwn);
      });

      it('has nothing to do the second time', async () => {
        const second = await syncInto(account, settingsFor(directory), settings.attributes);
        assert.equal(second.report.outcome, 'unchanged');
        assert.deepEqual(await changesOf(account, second), []);
        assert.deepEqual(new Set(Object.values(second.report.changes)), new Set([0]));
        assert.equal(digestOf(await account.snapshot()), digestOf(expected.snapshot));
      });
    });
  }

  it('makes exactly one change of one change in the directory', async () => {
    const account = await openAccount(companySettings(join(folder, 'edited.sqlite')));
    await account.addKnown(known);
    await syncFrom(account, entries);
    const edited = withTitle(entries, 'Okafor, Chidi', 'Chief of sales');
    const again = await syncFrom(account, edited);
    const changes = await changesOf(account, again);
    const snapshot = await account.snapshot();
    await account.close();

    assert.equal(again.report.outcome, 'committed');
    assert.deepEqual(
      changes.map(({ kind, change, what, before, after }) => ({ kind, change, what, before, after })),
      [
        {
          kind: 'user',
          change: 'attribute',
          what: 'title',
          before: 'Sales director, West Africa',
          after: 'Chief of sales',
        },
      ],
    );
    assert.deepEqual(snapshot, expectedAccount(edited, { settings, known }).snapshot);
  });

  it('would notice: another alias, another state or another member gives another digest', () => {
    const digest = digestOf(expected.snapshot);
    const variants = [
      changed(entries, 'Maryna Many', (attributes) => ({
        ...attributes,
        proxyAddresses: ['SMTP:maryna.many@example.com'],
      })),
      changed(entries, 'Clash Delta', (attributes) => ({ ...attributes, userAccountControl: ['514'] })),
      changed(entries, 'Cycle C', (attributes) => ({ ...attributes, member: [] })),
      entries.filter((entry) => valuesOf(entry, 'cn')[0] !== 'Landlord'),
    ].map((variant) => digestOf(expectedAccount(variant, { settings, known }).snapshot));
    assert.equal(new Set([digest, ...variants]).size, variants.length + 1);
  });

  // In a block of its own, because blocks run after the tests beside them.
  describe('from all three', () => {
    it('makes one and the same account', () => {
      assert.equal(digests.size, SERVERS.length);
      assert.equal(new Set(digests.values()).size, 1);
    });
  });

  /** Syncs from a simulator that lives for one run; the same names have the same ids in each. */
  async function syncFrom(account: Account, content: readonly LdifEntry[]): Promise<Synced> {
    const directory = await startSimulator(content);
    try {
      return await syncInto(account, settingsFor(directory), settings.attributes);
    } finally {
      await directory.stop();
    }
  }
});

function assertCounts({ report, seal }: Synced, { counts, snapshot }: Expected, groupsMore: number): void {
  const { user, contact, group } = seal.records;
  assert.deepEqual(
    { user, contact, group, 'dynamic-group': seal.records['dynamic-group'] },
    { ...counts.records, group: counts.records.group + groupsMore },
  );
  const { usersAdded, usersLinked, usersDisabled, contactsAdded, groupsAdded, membersAdded, aliasesLinked } =
    report.changes;
  assert.deepEqual(
    { usersAdded, usersLinked, usersDisabled, contactsAdded, groupsAdded, membersAdded, aliasesLinked },
    {
      usersAdded: counts.usersAdded,
      usersLinked: counts.usersLinked,
      usersDisabled: counts.usersDisabled,
      contactsAdded: counts.contactsAdded,
      groupsAdded: counts.groupsAdded,
      membersAdded: counts.membersAdded,
      aliasesLinked: counts.aliasesLinked,
    },
  );
  assert.equal(report.outcome, 'committed');
  assert.equal(report.groupsWithoutMail, counts.groupsWithoutMail + groupsMore);
  assert.equal(report.groupsHeld, 0, 'a dynamic list has no members to be held');
  assert.deepEqual(reasons(report.setAside), counts.setAside);
  assert.equal(report.totals.users, snapshot.users.length);
  assert.equal(report.totals.contacts, snapshot.contacts.length);
  assert.equal(report.totals.groups, snapshot.groups.length);
}

function reasons(setAside: Synced['report']['setAside']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of setAside) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

async function changesOf(account: Account, { run }: Synced): Promise<Change[]> {
  const all: Change[] = [];
  for await (const some of account.changes(run.id)) all.push(...some);
  return all;
}

function withTitle(entries: readonly LdifEntry[], cn: string, title: string): LdifEntry[] {
  return changed(entries, cn, (attributes) => ({ ...attributes, title: [title] }));
}

/** The entries, one of them with other attributes. */
function changed(
  entries: readonly LdifEntry[],
  cn: string,
  change: (attributes: LdifEntry['attributes']) => LdifEntry['attributes'],
): LdifEntry[] {
  let found = 0;
  const all = entries.map((entry) => {
    if (valuesOf(entry, 'cn')[0] !== cn) return entry;
    found += 1;
    return { dn: entry.dn, attributes: change(entry.attributes) };
  });
  assert.equal(found, 1, cn);
  return all;
}

/** Who is in which group, from real servers: Samba for all that it has, slapd for members given by name only. */
import assert from 'node:assert/strict';
import type { EnrichSettings } from '../../engine/enrich/settings.js';
import { companyEntries } from '../support/company.js';
import { enrichedRun, inOneSpelling, membersByName, onlyOf } from '../support/enriched.js';
import type { LdifEntry } from '../support/ldif.js';
import { expectedMembers } from '../support/oracle/records.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { startSlapd } from '../support/slapd.js';
import { settingsFor } from '../support/whole-sync.js';

const SERVERS = [
  { name: 'Samba', start: startSamba, domainUsers: 'CN=Domain Users,CN=Users,DC=example,DC=test' },
  { name: 'slapd', start: startSlapd, domainUsers: null },
] as const;

for (const { name, start, domainUsers } of SERVERS) {
  describe(`enriching from ${name}`, function () {
    this.timeout(120_000);
    const entries = companyEntries();
    let directory: TestDirectory;
    before(async () => {
      directory = await start(entries);
    });
    after(() => directory.stop());

    for (const flattened of [false, true]) {
      it(`members are those of the oracle, groups ${flattened ? 'flattened' : 'carried'}`, async () => {
        const settings: EnrichSettings = {
          membersPerRecord: 30,
          primaryGroups: true,
          dynamicLists: true,
          nested: flattened ? 'flattened' : 'carried',
        };
        const run = await enrichedRun({ ...settingsFor(directory), pageSize: 500 }, settings);
        assert.deepEqual([run.seal.complete, run.incomplete], [true, []]);
        const rules = { primaryGroups: domainUsers !== null, dynamicLists: true, flattened, domainUsers };
        const expected = inOneSpelling(expectedMembers(entries, rules));
        assert.deepEqual(onlyOf(expected, inOneSpelling(membersByName(run.records, flattened))), expected);
        assert.ok(Number(run.figures['requests']) < 30, `${String(run.figures['requests'])} requests`);
      });
    }

    it('finds members by name in one request for many', async () => {
      // Only groups are read, so that every member has to be looked up where names are all that there is.
      const run = await enrichedRun(
        { ...settingsFor(directory), pageSize: 500 },
        { membersPerRecord: 1000 },
        { filter: '(|(objectClass=group)(objectClass=groupOfNames))' },
      );
      const members = run.records.flatMap((record) => (record.kind === 'members' ? record.add : []));
      assert.ok(members.length > 100);
      const nameless = members.filter(({ id }) => id === undefined);
      assert.deepEqual(nameless, []);
      assert.ok(Number(run.figures['requests'] ?? 0) < 15, `${String(run.figures['requests'])} requests`);
    });
  });
}

describe('enriching from Samba: what memberships may be', function () {
  this.timeout(120_000);
  const PEOPLE = 'DC=example,DC=test';
  const STRANGER = 'S-1-5-21-77-88-99-1201';
  const entries: LdifEntry[] = [
    ...['Ada', 'Bob'].map((name) => ({
      dn: `CN=${name},CN=Users,${PEOPLE}`,
      attributes: {
        objectClass: ['user'],
        sAMAccountName: [name.toLowerCase()],
        userAccountControl: ['544'],
        mail: [`${name.toLowerCase()}@example.test`],
      },
    })),
    ...Object.entries({
      // In itself, in a circle of three, and with somebody of another forest, whom the server makes a place holder for.
      Alone: ['CN=Alone', 'CN=Ada'],
      First: ['CN=Second', 'CN=Ada'],
      Second: ['CN=Third'],
      Third: ['CN=First', 'CN=Bob'],
      Strangers: ['CN=Bob', `<SID=${STRANGER}>`],
    }).map(([name, members]) => ({
      dn: `CN=${name},CN=Users,${PEOPLE}`,
      attributes: {
        objectClass: ['group'],
        sAMAccountName: [name],
        groupType: ['-2147483644'],
        member: members.map((one) => (one.startsWith('<') ? one : `${one},CN=Users,${PEOPLE}`)),
      },
    })),
  ];
  let directory: TestDirectory;
  before(async () => {
    directory = await startSamba(entries);
  });
  after(() => directory.stop());

  for (const flattened of [false, true]) {
    it(`a group in itself, a circle and a stranger by SID, ${flattened ? 'flattened' : 'carried'}`, async () => {
      const { records, incomplete, figures } = await enrichedRun(
        { ...settingsFor(directory), pageSize: 500 },
        { membersPerRecord: 2, primaryGroups: true, nested: flattened ? 'flattened' : 'carried' },
        { filter: '(|(mail=*)(objectClass=group))' },
      );
      assert.deepEqual(incomplete, []);
      const own = entries.filter(({ attributes }) => attributes['objectClass']?.includes('group'));
      const known = entries.map((one) => ({
        ...one,
        attributes: {
          ...one.attributes,
          member: (one.attributes['member'] ?? []).filter((name) => !String(name).startsWith('<')),
        },
      }));
      const rules = { primaryGroups: false, dynamicLists: false, flattened, domainUsers: null };
      const expected = inOneSpelling(expectedMembers(known, rules));
      assert.equal(Object.keys(expected).length, own.length);
      assert.deepEqual(onlyOf(expected, inOneSpelling(membersByName(records, true))), expected);
      const strangers = records.flatMap((record) =>
        record.kind === 'members' ? record.add.filter(({ external }) => external === true) : [],
      );
      assert.deepEqual([strangers.map(({ sid }) => sid), figures['foreignExternal']], [[STRANGER], 1]);
    });
  }
});

/** Who is in which group, from real servers: Samba for all that it has, slapd for members given by name only. */
import assert from 'node:assert/strict';
import type { EnrichSettings } from '../../engine/enrich/settings.js';
import { companyEntries } from '../support/company.js';
import { enrichedRun, inOneSpelling, membersByName, onlyOf } from '../support/enriched.js';
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

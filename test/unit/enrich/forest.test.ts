/** Memberships across the domains of a forest, and people of another forest. */
import assert from 'node:assert/strict';
import type { EnrichSettings } from '../../../engine/enrich/settings.js';
import type { DirectorySettings } from '../../../engine/ldap/settings.js';
import type { Member } from '../../../engine/model/records.js';
import { type SampleForest, startForest } from '../../support/directory/forest.js';
import { startDirectory } from '../../support/directory/index.js';
import { enrichedRun, membersByName, onlyOf } from '../../support/enriched.js';
import { parseLdif } from '../../support/ldif.js';
import { expectedMembers } from '../../support/oracle/records.js';
import { settingsFor } from '../ldap/reading.js';

const ROOT = 'DC=example,DC=test';
const USERS = { 'reader@example.test': 'secret' };
const FOREIGN = 'S-1-5-21-77-88-99-1201';
const UNKNOWN = 'S-1-5-21-77-88-99-1999';
const settings: EnrichSettings = { membersPerRecord: 2, primaryGroups: true, dynamicLists: true };

const DOMAINS = {
  [ROOT]: parseLdif(`dn: CN=Ada,CN=Users,DC=example,DC=test
objectClass: user
cn: Ada
mail: ada@example.test

dn: CN=${FOREIGN},CN=ForeignSecurityPrincipals,DC=example,DC=test
objectClass: foreignSecurityPrincipal
objectSid: ${FOREIGN}

dn: CN=${UNKNOWN},CN=ForeignSecurityPrincipals,DC=example,DC=test
objectClass: foreignSecurityPrincipal
objectSid: ${UNKNOWN}

dn: CN=Everywhere,CN=Users,DC=example,DC=test
objectClass: group
cn: Everywhere
groupType: -2147483640
member: CN=Ada,CN=Users,DC=example,DC=test
member: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
member: CN=Sellers,CN=Users,DC=sales,DC=example,DC=test

dn: CN=Local,CN=Users,DC=example,DC=test
objectClass: group
cn: Local
groupType: -2147483644
member: CN=Eve,CN=Users,DC=lab,DC=example,DC=test
member: CN=Everywhere,CN=Users,DC=example,DC=test

dn: CN=With strangers,CN=Users,DC=example,DC=test
objectClass: group
cn: With strangers
groupType: -2147483644
member: CN=${FOREIGN},CN=ForeignSecurityPrincipals,DC=example,DC=test
member: CN=${UNKNOWN},CN=ForeignSecurityPrincipals,DC=example,DC=test
`),
  [`DC=sales,${ROOT}`]: parseLdif(`dn: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
objectClass: user
cn: Bob
mail: bob@example.test

dn: CN=Sellers,CN=Users,DC=sales,DC=example,DC=test
objectClass: group
cn: Sellers
groupType: -2147483646
member: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
`),
  [`DC=lab,${ROOT}`]: parseLdif(`dn: CN=Eve,CN=Users,DC=lab,DC=example,DC=test
objectClass: user
cn: Eve
mail: eve@example.test

dn: CN=Lab list,CN=Users,DC=lab,DC=example,DC=test
objectClass: msExchDynamicDistributionList
cn: Lab list
mail: lab@example.test
msExchDynamicDLFilter: (mail=*)
msExchDynamicDLBaseDN: DC=lab,DC=example,DC=test
`),
};
const ENTRIES = Object.values(DOMAINS).flat();

async function withForest(test: (directory: DirectorySettings, forest: SampleForest) => Promise<void>): Promise<void> {
  const [root, ...others] = Object.entries(DOMAINS).map(([base, entries]) => ({ base, entries }));
  assert.ok(root);
  const forest = await startForest({ domains: [root, ...others], users: USERS });
  try {
    await test(
      {
        ...settingsFor(1),
        servers: [],
        discovery: { domain: 'example.test', site: null },
        resolveSrv: forest.resolveSrv,
        user: 'reader@example.test',
        base: null,
        pageSize: 100,
        globalCatalog: true,
      },
      forest,
    );
  } finally {
    await forest.close();
  }
}

describe('enriching a forest', function () {
  this.timeout(30_000);

  for (const flattened of [false, true]) {
    it(`members of three domains are those of the oracle, ${flattened ? 'flattened' : 'carried'}`, () =>
      withForest(async (directory) => {
        const run = await enrichedRun(
          directory,
          { ...settings, nested: flattened ? 'flattened' : 'carried' },
          {
            filter: '(|(mail=*)(objectClass=group))',
          },
        );
        assert.deepEqual([run.seal.complete, run.incomplete], [true, []]);
        const expected = expectedMembers(ENTRIES, {
          primaryGroups: false,
          dynamicLists: true,
          flattened,
          domainUsers: null,
        });
        assert.deepEqual(onlyOf(expected, membersByName(run.records, flattened)), expected);
        const users = membersByName(run.records)['cn=domain users,cn=users,dc=sales,dc=example,dc=test'];
        assert.deepEqual(
          users,
          ['cn=bob,cn=users,dc=sales,dc=example,dc=test'],
          'each domain has its own Domain Users',
        );
      }));
  }

  it('a foreign security principal is found by its SID in the other forest; one that nobody knows stays, as external', () =>
    withForest(async (directory) => {
      const stranger = `CN=Zoe,CN=Users,DC=other,DC=test`;
      const other = await startDirectory({
        base: 'DC=other,DC=test',
        users: { 'reader@other.test': 'secret' },
        entries: parseLdif(
          `dn: ${stranger}\nobjectClass: user\ncn: Zoe\nmail: zoe@other.test\nobjectSid: ${FOREIGN}\n`,
        ),
      });
      try {
        const ask = { other: settingsFor(other.port, { user: 'reader@other.test', base: null, pageSize: 100 }) };
        const run = await enrichedRun(
          directory,
          { ...settings, findings: true },
          { filter: '(objectClass=group)', ask },
        );
        const members = strangersIn(run);
        const [found, unknown] = [
          members.find(({ sid }) => sid === FOREIGN),
          members.find(({ sid }) => sid === UNKNOWN),
        ];
        assert.equal(members.length, 2);
        assert.deepEqual([found?.dn, found?.external], [stranger, undefined]);
        assert.equal(unknown?.external, true);
        assert.deepEqual([run.figures['foreignFound'], run.figures['foreignExternal']], [1, 1]);
        assert.deepEqual(run.findings?.codes['EXTERNAL_MEMBER'], 1);

        const alone = await enrichedRun(directory, settings, { filter: '(objectClass=group)' });
        assert.deepEqual(
          strangersIn(alone).map(({ external }) => external),
          [true, true],
          'kept and named, never dropped',
        );
      } finally {
        await other.close();
      }
    }));
});

function strangersIn({ records }: Awaited<ReturnType<typeof enrichedRun>>): Member[] {
  const group = records.flatMap((record) =>
    record.kind === 'group' && record.name === 'With strangers' ? record.id : [],
  );
  return records.flatMap((record) => (record.kind === 'members' && group.includes(record.group) ? record.add : []));
}

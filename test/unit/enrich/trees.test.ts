/** A forest of two trees, which have no base in common: who is in the other tree is found all the same. */
import assert from 'node:assert/strict';
import type { EnrichSettings } from '../../../engine/enrich/settings.js';
import { Lookup } from '../../../engine/enrich/lookup.js';
import type { DirectorySettings } from '../../../engine/ldap/settings.js';
import { type SampleForest, startForest } from '../../support/directory/forest.js';
import { enrichedRun, membersByName, onlyOf } from '../../support/enriched.js';
import { parseLdif } from '../../support/ldif.js';
import { expectedMembers } from '../../support/oracle/records.js';
import { settingsFor } from '../ldap/reading.js';

const FIRST = 'DC=example,DC=test';
const SECOND = 'DC=sample,DC=net';
const BELOW = `DC=lab,${SECOND}`;
const SID = 'S-1-5-21-5-6-7-1234';
const settings: EnrichSettings = { membersPerRecord: 2, primaryGroups: true, dynamicLists: true, managers: true };
const DOMAINS = {
  [FIRST]: parseLdif(`dn: CN=Ada,CN=Users,${FIRST}
objectClass: user
cn: Ada
mail: ada@example.test
manager: CN=Eve,CN=Users,${BELOW}

dn: CN=Everywhere,CN=Users,${FIRST}
objectClass: group
cn: Everywhere
groupType: -2147483640
member: CN=Ada,CN=Users,${FIRST}
member: CN=Bob,CN=Users,${SECOND}
member: CN=Eve,CN=Users,${BELOW}

dn: CN=Lab list,CN=Users,${FIRST}
objectClass: msExchDynamicDistributionList
cn: Lab list
mail: lab@example.test
msExchDynamicDLFilter: (mail=*)
msExchDynamicDLBaseDN: ${BELOW}
`),
  [SECOND]: parseLdif(`dn: CN=Bob,CN=Users,${SECOND}
objectClass: user
cn: Bob
mail: bob@example.net
objectSid: ${SID}
manager: CN=Ada,CN=Users,${FIRST}
`),
  [BELOW]: parseLdif(`dn: CN=Eve,CN=Users,${BELOW}
objectClass: user
cn: Eve
mail: eve@example.net

dn: CN=Below,CN=Users,${BELOW}
objectClass: group
cn: Below
groupType: -2147483644
member: CN=Everywhere,CN=Users,${FIRST}
`),
};

async function withTrees(test: (directory: DirectorySettings, forest: SampleForest) => Promise<void>): Promise<void> {
  const [root, ...others] = Object.entries(DOMAINS).map(([base, entries]) => ({ base, entries }));
  assert.ok(root);
  const forest = await startForest({ domains: [root, ...others], users: { 'reader@example.test': 'secret' } });
  const { resolveSrv } = forest;
  try {
    const discovery = { domain: 'example.test', site: null };
    const own = { servers: [], discovery, resolveSrv, user: 'reader@example.test', base: null, pageSize: 100 };
    await test({ ...settingsFor(1), ...own, globalCatalog: true }, forest);
  } finally {
    await forest.close();
  }
}

describe('enriching a forest of two trees', function () {
  this.timeout(30_000);

  for (const nested of ['carried', 'flattened'] as const) {
    it(`members, a dynamic list below the other tree and managers are those of the oracle, ${nested}`, () =>
      withTrees(async (directory) => {
        const filter = '(|(mail=*)(objectClass=group))';
        const run = await enrichedRun(directory, { ...settings, nested }, { filter, attributes: ['manager'] });
        assert.deepEqual([run.seal.complete, run.incomplete], [true, []]);
        const flattened = nested === 'flattened';
        const want = { primaryGroups: false, dynamicLists: true, flattened, domainUsers: null };
        const expected = expectedMembers(Object.values(DOMAINS).flat(), want);
        assert.equal(Object.keys(expected).length, 3);
        assert.deepEqual(onlyOf(expected, membersByName(run.records, flattened)), expected);
        const managers = run.records.flatMap((record) =>
          record.kind === 'user' && record.attributes['manager'] ? [[record.name, record.attributes['manager']]] : [],
        );
        assert.deepEqual(managers.sort(), [
          ['Ada', ['eve@example.net']],
          ['Bob', ['ada@example.test']],
        ]);
      }));
  }

  it('by name, id and SID, each is found in the tree that it is in', () =>
    withTrees(async (directory) => {
      const lookup = new Lookup(directory, new AbortController().signal);
      try {
        const names = [`CN=Ada,CN=Users,${FIRST}`, `CN=Bob,CN=Users,${SECOND}`, `CN=Eve,CN=Users,${BELOW}`];
        const found = await lookup.byNames([...names, `CN=Nobody,CN=Users,${SECOND}`], 'addresses');
        assert.deepEqual(
          names.map((name) => found.get(name)?.primary),
          ['ada@example.test', 'bob@example.net', 'eve@example.net'],
        );
        const ids = [...found.values()].flatMap(({ id }) => id ?? []);
        assert.equal((await lookup.byIds(ids, 'ids')).size, 3);
        assert.equal((await lookup.bySids([SID], 'ids')).get(SID)?.dn, names[1]);
      } finally {
        await lookup.close();
      }
    }));

  it('negative control: without the catalog, only those of the own tree are', () =>
    withTrees(async (directory) => {
      const lookup = new Lookup({ ...directory, globalCatalog: false }, new AbortController().signal);
      try {
        const names = [`CN=Ada,CN=Users,${FIRST}`, `CN=Bob,CN=Users,${SECOND}`];
        assert.deepEqual([...(await lookup.byNames(names, 'ids')).keys()], names.slice(0, 1));
      } finally {
        await lookup.close();
      }
    }));
});

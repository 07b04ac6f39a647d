import assert from 'node:assert/strict';
import { DOCUMENTED_FILTER } from '../../../engine/extract/extract.js';
import type { DirectorySettings } from '../../../engine/ldap/settings.js';
import type { DirectoryObject, ExtractedRecord } from '../../../engine/model/records.js';
import { type ForestOptions, type SampleForest, startForest } from '../../support/directory/forest.js';
import { parseLdif } from '../../support/ldif.js';
import { readAll, settingsFor } from '../ldap/reading.js';

const ROOT = 'DC=example,DC=test';
const SALES = `DC=sales,${ROOT}`;
const USERS = { 'reader@example.test': 'secret' };
/** What the catalog can answer in any forest, and what it cannot without Exchange. */
const BY_MAIL = '(|(mail=*)(objectClass=group))';

const ROOT_ENTRIES = parseLdif(String.raw`
dn: OU=Staff,DC=example,DC=test
objectClass: organizationalUnit

dn: CN=Ada,OU=Staff,DC=example,DC=test
objectClass: user
mail: ada@example.test
title: Analyst
proxyAddresses: SMTP:ada@example.test
proxyAddresses: smtp:countess@example.test

dn: CN=Only alias,OU=Staff,DC=example,DC=test
objectClass: user
proxyAddresses: SMTP:alias@example.test

dn: CN=Everywhere,OU=Staff,DC=example,DC=test
objectClass: group
groupType: 8
member: CN=Ada,OU=Staff,DC=example,DC=test
member: CN=Bob,CN=Users,DC=sales,DC=example,DC=test

dn: CN=Local,OU=Staff,DC=example,DC=test
objectClass: group
groupType: 4
member: CN=Ada,OU=Staff,DC=example,DC=test
`);
const SALES_ENTRIES = parseLdif(String.raw`
dn: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
objectClass: user
mail: bob@example.test
title: Seller
proxyAddresses: SMTP:bob@example.test

dn: CN=Sellers,CN=Users,DC=sales,DC=example,DC=test
objectClass: group
groupType: 2
member: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
`);

async function withForest(
  test: (forest: SampleForest, settings: DirectorySettings) => Promise<void>,
  options: Partial<ForestOptions> = {},
): Promise<void> {
  const forest = await startForest({
    domains: [
      { base: ROOT, entries: ROOT_ENTRIES },
      { base: SALES, entries: SALES_ENTRIES },
    ],
    users: USERS,
    ...options,
  });
  try {
    await test(forest, {
      ...settingsFor(1),
      servers: [],
      discovery: { domain: 'example.test', site: null },
      resolveSrv: forest.resolveSrv,
      user: 'reader@example.test',
      base: null,
      globalCatalog: true,
    });
  } finally {
    await forest.close();
  }
}

const named = (records: readonly ExtractedRecord[], name: string): DirectoryObject => {
  const found = records.find(({ dn }) => dn.startsWith(`CN=${name},`));
  assert.ok(found && found.kind !== 'quarantined', name);
  return found;
};
const cns = (records: readonly ExtractedRecord[]) => records.map(({ dn }) => /^CN=([^,]+)/.exec(dn)?.[1] ?? dn);
const members = (records: readonly ExtractedRecord[], name: string) =>
  (named(records, name).attributes['member'] ?? []).length;
const figures = ({ seal }: Awaited<ReturnType<typeof readAll>>) => seal.stages[0]?.figures ?? {};

describe('Global Catalog', () => {
  it('reads every domain of the forest, whole: attributes and members come from each object’s own domain', () =>
    withForest(async (forest, settings) => {
      const read = await readAll(settings, { filter: BY_MAIL, attributes: ['title'] });
      const { records, seal, failure } = read;
      assert.equal(failure, null);
      assert.equal(seal.complete, true);
      for (const [name, title, address] of [
        ['Ada', 'Analyst', 'SMTP:ada@example.test'],
        ['Bob', 'Seller', 'SMTP:bob@example.test'],
      ] as const) {
        assert.deepEqual(named(records, name).attributes['title'], [title]);
        assert.equal(named(records, name).attributes['proxyAddresses']?.[0], address);
      }
      assert.deepEqual(
        [members(records, 'Everywhere'), members(records, 'Local'), members(records, 'Sellers')],
        [2, 1, 1],
      );
      assert.equal(new Set(records.map((record) => record.id)).size, records.length, 'each object once');
      assert.equal(figures(read)['domains'], 2);
      const asked = forest.controllers.filter(({ catalog }) =>
        catalog?.transcript.some(({ kind }) => kind === 'search'),
      );
      assert.equal(asked.length, 1, 'found through one catalog');
      for (const { directory } of forest.controllers) {
        assert.ok(
          directory.transcript.some(({ kind }) => kind === 'search'),
          'completed at its domain',
        );
      }
    }));

  it('negative control: the catalog read as if it were a directory empties groups and loses addresses', () =>
    withForest(async (forest, settings) => {
      const catalog = forest.controllers[0]?.catalog;
      assert.ok(catalog);
      const { host, port } = catalog;
      const { discovery, ...rest } = settings;
      assert.ok(discovery);
      const plain = { ...rest, servers: [{ host, port }], base: ROOT, globalCatalog: false };
      const { records, seal } = await readAll(plain, { filter: BY_MAIL, attributes: ['title'] });
      assert.equal(seal.complete, true, 'nothing says that something is missing');
      assert.deepEqual([members(records, 'Local'), members(records, 'Sellers')], [0, 0]);
      assert.equal(named(records, 'Ada').attributes['proxyAddresses'], undefined);
    }));

  it('a filter on what the catalog does not hold is asked of the domains', () =>
    withForest(async (forest, settings) => {
      const read = await readAll(settings, { filter: DOCUMENTED_FILTER });
      assert.ok(cns(read.records).includes('Only alias'));
      assert.equal(read.seal.complete, true);
      assert.match(String(figures(read)['filterBeyondCatalog']), /^yes/);
      for (const { catalog } of forest.controllers) assert.deepEqual(catalog?.transcript, []);
    }));

  it('negative control: the catalog does not find what only such a filter finds', () =>
    withForest(async (forest, settings) => {
      const catalog = forest.controllers[0]?.catalog;
      assert.ok(catalog);
      const { host, port } = catalog;
      const plain = { ...settings, servers: [{ host, port }], base: ROOT, globalCatalog: false };
      const { records } = await readAll(plain, { filter: DOCUMENTED_FILTER });
      assert.ok(!cns(records).includes('Only alias'));
    }));

  it('where Exchange has put proxyAddresses into the catalog, the filter is asked of the catalog', () =>
    withForest(
      async (_forest, settings) => {
        const read = await readAll(settings, { filter: DOCUMENTED_FILTER });
        assert.equal(figures(read)['filterBeyondCatalog'], 'no');
        assert.ok(cns(read.records).includes('Only alias'));
        assert.equal(read.seal.complete, true);
      },
      {
        configuration: [
          {
            dn: `CN=proxyAddresses,CN=Schema,CN=Configuration,${ROOT}`,
            attributes: { objectClass: ['attributeSchema'], isMemberOfPartialAttributeSet: ['TRUE'] },
          },
        ],
      },
    ));

  it('a domain that does not answer: what the catalog has of it is held, and nobody leaves', () =>
    withForest(async (forest, settings) => {
      await forest.controllers[1]?.directory.close();
      const read = await readAll(settings, { filter: BY_MAIL });
      assert.equal(read.failure?.code, 'DOMAIN_UNANSWERED');
      assert.equal(read.seal.complete, false);
      assert.equal(read.seal.proof, null);
      const sellers = named(read.records, 'Sellers');
      assert.match(sellers.held?.['member'] ?? '', /Global Catalog/);
      assert.match(named(read.records, 'Bob').held?.['proxyAddresses'] ?? '', /Global Catalog/);
      assert.equal(members(read.records, 'Local'), 1, 'the other domain is whole');
    }));

  it('a domain that stops answering on the way', () =>
    withForest(async (forest, settings) => {
      forest.controllers[1]?.directory.setQuirks({ disconnectAfter: 0 });
      const read = await readAll(settings, { filter: BY_MAIL });
      assert.equal(read.seal.complete, false);
      assert.equal(read.seal.incomplete[0]?.code, 'DOMAIN_UNANSWERED');
    }));

  it('a domain that refuses on the way is given up, and its connection is closed', () =>
    withForest(async (forest, settings) => {
      const sales = forest.controllers[1]?.directory;
      sales?.setQuirks({ timeLimitExceededAfter: 0 });
      const { seal } = await readAll(settings, { filter: BY_MAIL });
      // And nothing is asked of it any more, which would be a failure of its own.
      assert.deepEqual(
        seal.incomplete.map(({ code }) => code),
        ['DOMAIN_UNANSWERED'],
      );
      assert.equal(sales?.transcript.at(-1)?.kind, 'unbind');
    }));

  for (const [where, after] of [
    ['the catalog', 1],
    ['another domain', 1],
    ['another domain', null],
  ] as const) {
    const name = after === null ? 'nobody else bound at the end of it' : 'somebody else bound at its end is no proof';
    it(`${where}: ${name}`, () =>
      withForest(async (forest, settings) => {
        const [root, sales] = forest.controllers;
        assert.ok(root && sales);
        const servers = where === 'the catalog' ? [root.catalog, sales.catalog] : [sales.directory];
        for (const server of servers) server?.setQuirks({ identityChangesAfter: after });
        const { seal, failure } = await readAll(settings, { filter: BY_MAIL });
        const code = after === null ? undefined : 'IDENTITY_CHANGED';
        assert.deepEqual([failure?.code, seal.complete, seal.proof === null], [code, after === null, after !== null]);
      }));
  }

  it('a catalog that lags behind: what the domain has is read, what it has no more is not', () =>
    withForest(async (forest, settings) => {
      const [root] = forest.controllers;
      assert.ok(root);
      for (const { catalog } of forest.controllers) catalog?.setQuirks({ hideBelow: [`CN=Bob,CN=Users,${SALES}`] });
      root.directory.setQuirks({ hideBelow: [`CN=Ada,OU=Staff,${ROOT}`] });
      const read = await readAll(settings, { filter: BY_MAIL });
      assert.ok(cns(read.records).includes('Bob'));
      assert.ok(!cns(read.records).includes('Ada'));
      assert.equal(read.seal.complete, true);
      assert.deepEqual([figures(read)['missedByCatalog'], figures(read)['onlyInCatalog']], [1, 1]);
    }));

  describe('canaries', () => {
    const ada = `CN=Ada,OU=Staff,${ROOT}: title`;
    const bob = `CN=Bob,CN=Users,${SALES}: title, proxyAddresses`;
    const read = async (settings: DirectorySettings, canaries: readonly string[]) => {
      const { seal, failure } = await readAll(settings, { filter: BY_MAIL, canaries });
      return [failure?.code, failure?.params['number'], seal.complete];
    };

    it('of every domain are looked for where their domain is', () =>
      withForest(async (_forest, settings) => {
        assert.deepEqual(await read(settings, [ada, bob]), [undefined, undefined, true]);
        assert.deepEqual(await read(settings, [ada, `CN=Nobody,${SALES}`]), ['CANARY_MISSING', 2, false]);
        assert.deepEqual(await read(settings, [`${bob}, mobile`]), ['CANARY_ATTRIBUTE_MISSING', 1, false]);
      }));

    for (const [name, canary, index] of [
      ['the own domain', ada, 0],
      ['another domain', bob, 1],
    ] as const) {
      it(`that cannot be seen in ${name} any more are missing, though the catalog has them`, () =>
        withForest(async (forest, settings) => {
          const [dn = ''] = canary.split(':');
          forest.controllers[index]?.directory.setQuirks({ hideBelow: [dn] });
          assert.deepEqual(await read(settings, [canary]), ['CANARY_MISSING', 1, false]);
          assert.deepEqual(await read(settings, []), [undefined, undefined, true], 'negative control: nobody tells');
        }));
    }
  });

  it('a catalog that cannot be reached is a failed read', () =>
    withForest(async (forest, settings) => {
      await forest.controllers[0]?.catalog?.close();
      await forest.controllers[1]?.catalog?.close();
      const { seal, failure } = await readAll(settings, { filter: BY_MAIL });
      assert.equal(seal.complete, false);
      assert.ok(failure);
    }));

  it('octet strings that only the schema knows are base64, in every domain, though their bytes are text', () => {
    const badge = (name: string, base: string) => ({
      dn: `CN=${name},${base}`,
      attributes: {
        objectClass: ['user'],
        mail: [`${name}@example.test`],
        exampleBadge: ['abc'],
        exampleText: ['abc'],
      },
    });
    const attribute = (name: string, syntax: string) => ({
      dn: `CN=${name},CN=Schema,CN=Configuration,${ROOT}`,
      attributes: { objectClass: ['attributeSchema'], lDAPDisplayName: [name], attributeSyntax: [syntax] },
    });
    return withForest(
      async (_forest, settings) => {
        const wanted = { filter: '(mail=*)', attributes: ['exampleBadge', 'exampleText'] };
        for (const globalCatalog of [true, false]) {
          const { records, seal } = await readAll({ ...settings, globalCatalog }, wanted);
          assert.equal(seal.complete, true);
          for (const name of globalCatalog ? ['Zoe', 'Yan'] : ['Zoe']) {
            assert.deepEqual(named(records, name).attributes['exampleBadge'], [{ base64: 'YWJj' }]);
            assert.deepEqual(named(records, name).attributes['exampleText'], ['abc']);
          }
        }
      },
      {
        domains: [
          { base: ROOT, entries: [badge('Zoe', ROOT)] },
          { base: SALES, entries: [badge('Yan', SALES)] },
        ],
        configuration: [attribute('exampleBadge', '2.5.5.10'), attribute('exampleText', '2.5.5.12')],
      },
    );
  });

  it('below a base: the domain that it is in, and those below it', () =>
    withForest(async (_forest, settings) => {
      const staff = await readAll({ ...settings, base: `OU=Staff,${ROOT}` }, { filter: '(mail=*)' });
      assert.deepEqual(cns(staff.records), ['Ada']);
      const sales = await readAll({ ...settings, base: SALES }, { filter: '(mail=*)' });
      assert.deepEqual(cns(sales.records), ['Bob']);
      const both = await readAll({ ...settings, base: ROOT }, { filter: '(mail=*)' });
      assert.deepEqual(cns(both.records).sort(), ['Ada', 'Bob']);
      assert.equal(both.seal.complete, true);
    }));

  it('gives no token: the numbers of several servers are not one number', () =>
    withForest(async (_forest, settings) => {
      assert.equal((await readAll(settings, { filter: BY_MAIL })).seal.token, null);
      assert.notEqual((await readAll({ ...settings, globalCatalog: false }, { filter: BY_MAIL })).seal.token, null);
    }));

  it('to replicate a different domain, its controller is the server', () =>
    withForest(async (forest, settings) => {
      const sales = forest.controllers[1]?.directory;
      assert.ok(sales);
      const { host, port } = sales;
      const directory = { ...settings, servers: [{ host, port }], globalCatalog: false };
      const { records, seal } = await readAll(directory, { filter: BY_MAIL });
      assert.deepEqual(
        cns(records).filter((cn) => ['Ada', 'Bob'].includes(cn)),
        ['Bob'],
      );
      assert.equal(seal.proof?.server.namingContext, SALES);
    }));

  it('no sign of another domain is followed without the catalog: references are counted', () =>
    withForest(async (forest, settings) => {
      const read = await readAll({ ...settings, globalCatalog: false }, { filter: BY_MAIL });
      assert.equal(figures(read)['referencesNotFollowed'], 2);
      assert.deepEqual(forest.controllers[1]?.directory.transcript, []);
      assert.ok(!cns(read.records).includes('Bob'));
    }));
});

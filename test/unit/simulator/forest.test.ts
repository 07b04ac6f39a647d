/** Several domains with one configuration, their Global Catalog, and how they are found. */
import assert from 'node:assert/strict';
import { type ForestOptions, type SampleForest, startForest } from '../../support/directory/forest.js';
import type { SampleDirectory } from '../../support/directory/index.js';
import { parseLdif } from '../../support/ldif.js';
import { Asker, texts } from './asker.js';

const ROOT = 'DC=example,DC=test';
const SALES = `DC=sales,${ROOT}`;
const READER = { user: 'reader@example.test', password: 'reader-secret' };

const ROOT_ENTRIES = parseLdif(String.raw`
dn: CN=Ada,CN=Users,DC=example,DC=test
objectClass: user
mail: ada@example.test
title: Analyst
proxyAddresses: SMTP:ada@example.test

dn: CN=Everywhere,CN=Users,DC=example,DC=test
objectClass: group
groupType: 8
member: CN=Ada,CN=Users,DC=example,DC=test
member: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
`);
const SALES_ENTRIES = parseLdif(String.raw`
dn: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
objectClass: user
mail: bob@example.test
title: Seller
proxyAddresses: SMTP:bob@example.test

dn: CN=Here,CN=Users,DC=sales,DC=example,DC=test
objectClass: group
groupType: 2
member: CN=Bob,CN=Users,DC=sales,DC=example,DC=test
`);

async function withForest(
  options: Partial<ForestOptions>,
  test: (forest: SampleForest, ask: (directory: SampleDirectory | null | undefined) => Promise<Asker>) => Promise<void>,
): Promise<void> {
  const forest = await startForest({
    domains: [
      { base: ROOT, entries: ROOT_ENTRIES },
      { base: SALES, entries: SALES_ENTRIES },
    ],
    users: { [READER.user]: READER.password },
    ...options,
  });
  const askers: Asker[] = [];
  try {
    await test(forest, async (directory) => {
      assert.ok(directory);
      const asker = await Asker.to(directory, READER);
      askers.push(asker);
      return asker;
    });
  } finally {
    for (const asker of askers) asker.close();
    await forest.close();
  }
}

const domains = (forest: SampleForest) => {
  const [root, sales] = forest.controllers;
  assert.ok(root && sales);
  return { root, sales };
};

describe('the simulator: a forest', () => {
  it('lists its domains under Partitions, on each controller alike', () =>
    withForest({}, async (forest, ask) => {
      for (const { directory } of forest.controllers) {
        const asker = await ask(directory);
        const { entries } = await asker.search({
          base: `CN=Partitions,CN=Configuration,${ROOT}`,
          filter: '(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=3))',
          attributes: ['nCName', 'dnsRoot', 'nETBIOSName', 'systemFlags'],
        });
        const of = (name: string) => entries.map((entry) => texts(entry, name)[0]).sort();
        assert.deepEqual(of('nCName'), [ROOT, SALES]);
        assert.deepEqual(of('dnsRoot'), ['example.test', 'sales.example.test']);
        assert.deepEqual(of('nETBIOSName'), ['EXAMPLE', 'SALES']);
      }
    }));

  it('each controller holds its own domain and refers to the others', () =>
    withForest({}, async (forest, ask) => {
      const { root, sales } = domains(forest);
      const rootAsker = await ask(root.directory);
      const all = await rootAsker.search({ base: ROOT, filter: '(mail=*)', attributes: ['cn'] });
      assert.deepEqual(
        all.entries.map(({ dn }) => dn),
        [`CN=Ada,CN=Users,${ROOT}`],
      );
      assert.deepEqual(all.references, [
        `ldap://sales.example.test/${SALES}`,
        `ldap://example.test/CN=Configuration,${ROOT}`,
      ]);
      const elsewhere = await rootAsker.search({ base: SALES, filter: '(mail=*)' });
      assert.equal(elsewhere.code, 10);
      assert.deepEqual(elsewhere.referrals, [`ldap://sales.example.test/${SALES}`]);
      const salesAsker = await ask(sales.directory);
      assert.equal((await salesAsker.search({ base: SALES, filter: '(mail=*)' })).entries.length, 1);
      assert.equal((await salesAsker.search({ base: ROOT, filter: '(mail=*)' })).code, 10);
    }));

  it('an account of one domain logs on in the other, under its own name', () =>
    withForest({ users: { 'EXAMPLE\\Ada': 'secret' } }, async (forest) => {
      const { sales } = domains(forest);
      const asker = await Asker.to(sales.directory, { user: 'EXAMPLE\\Ada', password: 'secret' });
      await asker.search({ base: SALES, filter: '(cn=none)' });
      asker.close();
      assert.equal(sales.directory.transcript.at(-1)?.boundAs, 'u:EXAMPLE\\Ada');
    }));

  it('each controller has an invocation id and update sequence numbers of its own', () =>
    withForest({}, async (forest, ask) => {
      const seen = new Set<string>();
      for (const { directory } of forest.controllers) {
        const asker = await ask(directory);
        const dse = (await asker.search({ base: '', scope: 'base' })).entries[0];
        const [settings = '', usn = ''] = [texts(dse, 'dsServiceName')[0], texts(dse, 'highestCommittedUSN')[0]];
        const own = await asker.search({ base: settings, scope: 'base', attributes: ['invocationId'] });
        seen.add(usn).add(own.entries[0]?.attributes['invocationId']?.[0]?.toString('hex') ?? '');
      }
      assert.equal(seen.size, 4);
    }));
});

describe('the simulator: the Global Catalog', () => {
  it('finds the objects of every domain, from the empty base and from the root, without references', () =>
    withForest({}, async (forest, ask) => {
      const asker = await ask(domains(forest).root.catalog);
      for (const base of ['', ROOT]) {
        const { entries, references } = await asker.search({ base, filter: '(mail=*)', attributes: ['mail'] });
        assert.deepEqual(entries.map((entry) => texts(entry, 'mail')[0]).sort(), [
          'ada@example.test',
          'bob@example.test',
        ]);
        assert.deepEqual(references, []);
      }
      assert.equal((await asker.search({ base: SALES, filter: '(mail=*)' })).entries.length, 1);
    }));

  it('shows the partial attribute set only, also to filters', () =>
    withForest({}, async (forest, ask) => {
      const asker = await ask(domains(forest).root.catalog);
      const { entries } = await asker.search({
        base: '',
        filter: '(cn=Ada)',
        attributes: ['mail', 'title', 'proxyAddresses', 'objectGUID'],
      });
      assert.deepEqual(Object.keys(entries[0]?.attributes ?? {}).sort(), ['mail', 'objectGUID']);
      assert.equal((await asker.search({ base: '', filter: '(proxyAddresses=*)' })).entries.length, 0);
      const whole = await ask(domains(forest).root.directory);
      assert.equal((await whole.search({ base: ROOT, filter: '(proxyAddresses=*)' })).entries.length, 1);
    }));

  it('what the schema says is what it holds', () => {
    const schema = `CN=Schema,CN=Configuration,${ROOT}`;
    const attributes = { objectClass: ['attributeSchema'], isMemberOfPartialAttributeSet: ['TRUE'] };
    const configuration = [{ dn: `CN=proxyAddresses,${schema}`, attributes }];
    return withForest({ configuration }, async (forest, ask) => {
      const asker = await ask(domains(forest).sales.catalog);
      assert.equal((await asker.search({ base: '', filter: '(proxyAddresses=*)' })).entries.length, 2);
      const reader = await ask(domains(forest).sales.directory);
      const held = await reader.search({
        base: schema,
        filter: '(&(objectClass=attributeSchema)(isMemberOfPartialAttributeSet=TRUE))',
        attributes: ['lDAPDisplayName'],
        page: { size: 1000 },
      });
      const names = held.entries.map((entry) => texts(entry, 'lDAPDisplayName')[0]);
      assert.ok(names.includes('proxyAddresses') && names.includes('mail') && !names.includes('title'));
    });
  });

  it('has the members of universal groups only, and memberOf accordingly', () =>
    withForest({}, async (forest, ask) => {
      const members = async (asker: Asker, cn: string) =>
        texts((await asker.search({ base: cn === 'Here' ? SALES : ROOT, filter: `(cn=${cn})` })).entries[0], 'member')
          .length;
      const catalog = await ask(domains(forest).root.catalog);
      assert.equal(await members(catalog, 'Everywhere'), 2);
      assert.equal(await members(catalog, 'Here'), 0);
      assert.equal(await members(await ask(domains(forest).sales.directory), 'Here'), 1);
    }));

  it('a change is seen by all', () =>
    withForest({}, async (forest, ask) => {
      forest.reload([...ROOT_ENTRIES, ...SALES_ENTRIES.slice(1)].filter(({ dn }) => !dn.startsWith('CN=Ada')));
      const asker = await ask(domains(forest).sales.catalog);
      assert.equal((await asker.search({ base: '', filter: '(mail=*)' })).entries.length, 0);
    }));
});

describe('the simulator: DNS records', () => {
  it('of domain, site and catalog, each with port, priority and weight', async () => {
    const controllers = [
      { site: 'Berlin', priority: 0, weight: 60 },
      { hostName: 'dc2.example.test', site: 'Vienna', priority: 10, catalog: false },
    ];
    await withForest({ domains: [{ base: ROOT, entries: ROOT_ENTRIES, controllers }] }, async (forest) => {
      const [berlin, vienna] = forest.controllers;
      const all = await forest.resolveSrv('_ldap._tcp.dc._msdcs.example.test');
      assert.deepEqual(all, [
        { name: '127.0.0.1', port: berlin?.directory.port, priority: 0, weight: 60 },
        { name: '127.0.0.1', port: vienna?.directory.port, priority: 10, weight: 100 },
      ]);
      const inVienna = await forest.resolveSrv('_ldap._tcp.Vienna._sites.dc._msdcs.example.test');
      assert.deepEqual(inVienna, [all[1]]);
      const catalogs = await forest.resolveSrv('_gc._tcp.example.test');
      assert.deepEqual(catalogs, [{ name: '127.0.0.1', port: berlin?.catalog?.port, priority: 0, weight: 60 }]);
      await assert.rejects(forest.resolveSrv('_ldap._tcp.nowhere.test'), { code: 'ENOTFOUND' });
      assert.equal(forest.lookups.length, 4);
    });
  });
});

describe('the simulator: one server, several views', () => {
  it('permissions: what one identity may not see, another sees', () =>
    withForest({ users: { [READER.user]: READER.password, 'EXAMPLE\\Ada': 'secret' } }, async (forest, ask) => {
      const { directory } = domains(forest).root;
      const hideBelow = [`CN=Everywhere,CN=Users,${ROOT}`];
      directory.setQuirks({ permissions: { 'u:example\\reader': { hideBelow, hideAttributes: ['Title'] } } });
      const look = async (asker: Asker) => {
        const ada = await asker.search({ base: ROOT, filter: '(cn=Ada)', attributes: ['title'] });
        const groups = await asker.search({ base: ROOT, filter: '(cn=Everywhere)', attributes: ['cn'] });
        return [texts(ada.entries[0], 'title').length, groups.entries.length];
      };
      assert.deepEqual(await look(await ask(directory)), [0, 0]);
      const other = await Asker.to(directory, { user: 'EXAMPLE\\Ada', password: 'secret' });
      assert.deepEqual(await look(other), [1, 1]);
      other.close();
    }));

  it('invocationId and usnShift: a database restored from a backup', () =>
    withForest({}, async (forest, ask) => {
      const { directory } = domains(forest).root;
      const asker = await ask(directory);
      const look = async () => {
        const dse = (await asker.search({ base: '', scope: 'base' })).entries[0];
        const settings = texts(dse, 'dsServiceName')[0] ?? '';
        const own = await asker.search({ base: settings, scope: 'base', attributes: ['invocationId'] });
        const ada = await asker.search({ base: ROOT, filter: '(cn=Ada)', attributes: ['uSNChanged'] });
        return {
          usn: Number(texts(dse, 'highestCommittedUSN')[0]),
          id: own.entries[0]?.attributes['invocationId']?.[0]?.toString('hex'),
          changed: Number(texts(ada.entries[0], 'uSNChanged')[0]),
        };
      };
      const before = await look();
      directory.setQuirks({ invocationId: '11111111-2222-3333-4444-555555555555', usnShift: -500 });
      const after = await look();
      assert.deepEqual([after.usn - before.usn, after.changed - before.changed], [-500, -500]);
      assert.notEqual(after.id, before.id);
      const since = await asker.search({ base: ROOT, filter: `(&(cn=Ada)(uSNChanged>=${before.changed}))` });
      assert.equal(since.entries.length, 0);
    }));
});

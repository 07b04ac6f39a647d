/** The Global Catalog of a real controller: read through it, a forest of one domain gives what its directory gives. */
import assert from 'node:assert/strict';
import { DOCUMENTED_FILTER, extract } from '../../engine/extract/extract.js';
import { readCatalogAttributes, readDomains } from '../../engine/ldap/forest.js';
import { openSession } from '../../engine/ldap/session.js';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import type { ExtractedRecord } from '../../engine/model/records.js';
import type { Seal } from '../../engine/model/run.js';
import { companyEntries } from '../support/company.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { settingsFor } from '../support/whole-sync.js';

/** Each search makes its lists of attributes of a class of its own; as JSON they are equal. */
const asJson = (records: readonly ExtractedRecord[]): unknown => JSON.parse(JSON.stringify(records));
const BY_MAIL = '(|(mail=*)(objectClass=group))';

describe("the Global Catalog, in Samba's domain controller", function () {
  this.timeout(120_000);
  let directory: TestDirectory;
  let settings: DirectorySettings;

  before(async () => {
    directory = await startSamba(companyEntries());
    settings = { ...settingsFor(directory), base: null };
  });
  after(() => directory.stop());

  async function read(filter: string, globalCatalog: boolean): Promise<{ records: ExtractedRecord[]; seal: Seal }> {
    const wanted = { filter, attributes: ['title'], batchSize: 100, contacts: true };
    const batches = extract({ ...settings, globalCatalog }, wanted, AbortSignal.timeout(60_000));
    const records: ExtractedRecord[] = [];
    for (;;) {
      const next = await batches.next();
      if (next.done === true) {
        assert.deepEqual(next.value.seal.incomplete, []);
        return {
          records: records.sort((one, other) => (String(one.id) < String(other.id) ? -1 : 1)),
          seal: next.value.seal,
        };
      }
      records.push(...next.value);
    }
  }

  it('the Partitions container names the one domain', async () => {
    const session = await openSession(settings, AbortSignal.timeout(10_000));
    try {
      assert.deepEqual(await readDomains(session), [{ dn: 'DC=example,DC=test', dnsName: 'example.test' }]);
      const held = await readCatalogAttributes(session, [
        'mail',
        'member',
        'proxyAddresses',
        'title',
        'noSuchAttribute',
      ]);
      assert.deepEqual(Object.fromEntries(held), { mail: true, member: true, proxyaddresses: false, title: false });
    } finally {
      await session.close();
    }
  });

  it('read through the catalog and completed at the domain, it is what the domain gives', async () => {
    const [catalog, plain] = [await read(BY_MAIL, true), await read(BY_MAIL, false)];
    assert.equal(catalog.seal.complete, true);
    assert.ok(catalog.records.length > 200);
    assert.deepEqual(asJson(catalog.records), asJson(plain.records));
    const figures = catalog.seal.stages[0]?.figures ?? {};
    assert.deepEqual([figures['missedByCatalog'], figures['onlyInCatalog'], figures['domains']], [0, 0, 1]);
    assert.ok(Number(figures['completedAtTheirDomain']) > 200);
  });

  it('a filter on what the catalog does not hold is asked of the domain', async () => {
    const [catalog, plain] = [await read(DOCUMENTED_FILTER, true), await read(DOCUMENTED_FILTER, false)];
    assert.deepEqual(asJson(catalog.records), asJson(plain.records));
    assert.match(String(catalog.seal.stages[0]?.figures['filterBeyondCatalog']), /^yes/);
  });
});

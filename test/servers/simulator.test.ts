/** Does the simulator tell the truth? The same questions to it and to Samba's domain controller, asked by OpenLDAP's client. */
import assert from 'node:assert/strict';
import { EXTENDED_DN, type SearchRequest, ldapsearch } from '../support/ldapsearch.js';
import { type LdifEntry, valuesOf } from '../support/ldif.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { companyEntries, startSimulator } from '../support/company.js';

const PEOPLE = 'OU=People,DC=example,DC=test';
const ROBOT = String.raw`CN=\#Robot \+ Co \= \<Test\>\; \\o/,OU=Q\=A\; \<audit\>,OU=People,DC=example,DC=test`;
const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** What a record is made of, without what each server makes for itself. */
const COMPARED = [
  ...['objectClass', 'cn', 'displayName', 'mail', 'proxyAddresses', 'targetAddress', 'userAccountControl', 'groupType'],
  ...['msExchRecipientTypeDetails', 'member', 'msExchDynamicDLFilter', 'msExchDynamicDLBaseDN', 'title', 'department'],
  ...['telephoneNumber', 'sAMAccountName'],
];

/** Filters of every kind, some with values that must be escaped. */
const FILTERS: Readonly<Record<string, string>> = {
  documented: '(|(mail=*)(proxyaddresses=*)(objectclass=group)(objectclass=msExchDynamicDistributionList))',
  'equality, other case': '(MAIL=Chidi.Okafor@EXAMPLE.com)',
  'equality of an integer': '(userAccountControl=514)',
  'equality of a name': `(member=${ROBOT.replaceAll('\\', '\\5c')})`,
  presence: '(title=*)',
  'beginning, middle and end': '(proxyAddresses=smtp:*example*org)',
  'other scripts': '(displayName=*太郎*)',
  'escaped characters': String.raw`(cn=Okafor\2c Chi*)`,
  'and, or, not': '(&(objectClass=user)(|(department=R+D)(department=Finance))(!(mail=*)))',
  'not, of an absent attribute': '(&(objectClass=contact)(!(title=Supplier)))',
  'greater or equal': '(&(objectClass=user)(userAccountControl>=514))',
  'less or equal': '(&(objectClass=group)(groupType<=-2147483644)(mail=*))',
  'bits, all of them': '(&(objectClass=user)(userAccountControl:1.2.840.113556.1.4.803:=2))',
  'bits, any of them': '(&(objectClass=group)(groupType:1.2.840.113556.1.4.804:=12)(cn=N*))',
  'in chain': `(memberOf:1.2.840.113556.1.4.1941:=CN=Nested level 2,OU=Groups,DC=example,DC=test)`,
  'an unknown attribute': '(noSuchAttribute=1)',
  'always true': '(&(cn=Okafor*)(&))',
};

const FINDS_NOTHING: ReadonlySet<string> = new Set(['an unknown attribute']);

describe('the simulator, held against Samba', function () {
  this.timeout(120_000);
  const company = companyEntries();
  const names = new Set(company.map(({ dn }) => dnText(dn)));
  const started: TestDirectory[] = [];
  let samba: TestDirectory;
  let simulator: TestDirectory;

  before(async () => {
    started.push((samba = await startSamba(company)));
    started.push((simulator = await startSimulator(company)));
  });
  after(() => Promise.all(started.map((directory) => directory.stop())));

  /** What a server answers, of the company only: Samba has groups of its own beside it. */
  async function answer(directory: TestDirectory, request: SearchRequest) {
    const { code, entries } = await ldapsearch(directory, { attributes: COMPARED, page: 100, ...request });
    const ours = entries.filter(({ dn }) => names.has(dnText(dn)));
    return { code, entries: ours.map(comparable).sort((left, right) => (left.dn < right.dn ? -1 : 1)) };
  }

  for (const [what, filter] of Object.entries(FILTERS)) {
    it(`finds the same with ${what}: ${filter}`, async () => {
      const expected = await answer(samba, { filter });
      assert.deepEqual(await answer(simulator, { filter }), expected);
      assert.equal(expected.entries.length === 0, FINDS_NOTHING.has(what));
    });
  }

  // MS-ADTS 3.1.1.3.1.3.1: undefined, and so is its negation. Samba takes it for false, and its negation for true.
  it('finds nothing with the negation of an unknown attribute, as Windows does and Samba does not', async () => {
    const filter = '(&(cn=Okafor*)(!(noSuchAttribute=1)))';
    assert.deepEqual((await answer(simulator, { filter })).entries, []);
    assert.equal((await answer(samba, { filter })).entries.length, 1);
  });

  it('finds the same below a base with an odd name, at each scope', async () => {
    for (const scope of ['base', 'one', 'sub'] as const) {
      for (const base of [
        PEOPLE,
        'OU=Q\\=A\\; \\<audit\\>,OU=People,DC=example,DC=test',
        ROBOT,
        `ou=\\20Archive, ${PEOPLE}`,
      ]) {
        assert.deepEqual(
          await answer(simulator, { base, scope }),
          await answer(samba, { base, scope }),
          `${scope} ${base}`,
        );
      }
    }
  });

  it('says that a base which does not exist does not exist', async () => {
    const base = 'OU=Nowhere,DC=example,DC=test';
    const [there, here] = [await ldapsearch(samba, { base }), await ldapsearch(simulator, { base })];
    assert.deepEqual([here.code, there.code], [32, 32]);
  });

  it('gives the same items in the RootDSE', async () => {
    const items = async (directory: TestDirectory) => {
      const [root] = (await ldapsearch(directory, { base: '', scope: 'base', attributes: ['*', '+'] })).entries;
      assert.ok(root);
      const one = (name: string) => valuesOf(root, name).map(String);
      return {
        defaultNamingContext: one('defaultNamingContext').map(dnText),
        hasContext: one('namingContexts').map(dnText).includes('dc=example,dc=test'),
        configuration: one('configurationNamingContext').map(dnText),
        version: one('supportedLDAPVersion').includes('3'),
        controls: ['1.2.840.113556.1.4.319', '1.2.840.113556.1.4.529'].map((id) =>
          one('supportedControl').includes(id),
        ),
        usn: one('highestCommittedUSN').map((usn) => /^[0-9]+$/.test(usn)),
        host: one('dnsHostName').map((host) => /^[a-z0-9-]+\.example\.test$/i.test(host)),
        service: one('dsServiceName').map((name) => /^CN=NTDS Settings,CN=/i.test(name)),
        globalCatalog: one('isGlobalCatalogReady'),
        synchronized: one('isSynchronized'),
      };
    };
    assert.deepEqual(await items(simulator), await items(samba));
  });

  it('shows GUID and SID before each name when asked to, and they are those of the object', async () => {
    for (const directory of [samba, simulator]) {
      const filter = '(|(cn=External, and "internal" auditors)(cn=Newsletter))';
      const { entries } = await ldapsearch(directory, { filter, attributes: ['member'], options: EXTENDED_DN });
      const groups = entries.filter(({ dn }) => /external|newsletter/i.test(dn));
      assert.equal(groups.length, 2);
      for (const group of groups) {
        assert.match(group.dn, new RegExp(`^<GUID=${GUID}>;<SID=S-1-5-21(?:-[0-9]+){4}>;CN=`));
        for (const value of valuesOf(group, 'member').map(String)) await checkMember(directory, value);
      }
    }
  });

  it('pages: the same number of pages, nobody lost and nobody twice', async () => {
    const request = { base: PEOPLE, filter: '(objectClass=user)', attributes: ['cn'], page: 37 };
    const [there, here] = [await ldapsearch(samba, request), await ldapsearch(simulator, request)];
    assert.equal(here.pages, there.pages);
    assert.equal(new Set(here.entries.map(({ dn }) => dnText(dn))).size, here.entries.length);
    assert.deepEqual(here.entries.map(({ dn }) => dnText(dn)).sort(), there.entries.map(({ dn }) => dnText(dn)).sort());
  });

  it('refuses a wrong password with code 49 and the text that Windows gives', async () => {
    for (const directory of [samba, simulator]) {
      const { code, info } = await ldapsearch(directory, { password: 'wrong' });
      assert.equal(code, 49);
      assert.match(
        info,
        /^80090308: LdapErr: DSID-[0-9A-F]{8}, comment: AcceptSecurityContext error, data 52e, v[0-9a-f]+/,
      );
    }
  });

  it('refuses a simple bind without encryption with code 8', async () => {
    for (const directory of [samba, simulator]) {
      const { code, info, entries } = await ldapsearch(directory, { plain: true });
      assert.equal(code, 8);
      assert.notEqual(info, '');
      assert.deepEqual(entries, []);
    }
  });

  it('refuses to search for somebody who has not logged on', async () => {
    for (const directory of [samba, simulator]) {
      const { code, entries } = await ldapsearch(directory, { user: '', password: '', filter: '(mail=*)' });
      assert.equal(code, 1);
      assert.deepEqual(entries, []);
    }
  });
});

/** Is the id in an extended name the id of the object of that name? A contact has no SID. */
async function checkMember(directory: TestDirectory, value: string): Promise<void> {
  const parts = new RegExp(`^<GUID=(${GUID})>;(?:<SID=(S-1-[0-9-]+)>;)?([^<].*)$`).exec(value);
  assert.ok(parts, value);
  const [, guid, sid, dn] = parts;
  const attributes = ['objectGUID', 'objectClass'];
  const [entry] = (await ldapsearch(directory, { base: dn ?? '', scope: 'base', attributes })).entries;
  assert.ok(entry, dn);
  assert.equal(sid === undefined, valuesOf(entry, 'objectClass').includes('contact'));
  const bytes = Buffer.from(valuesOf(entry, 'objectGUID')[0] ?? '');
  const [data1, data2, data3] = [bytes.readUInt32LE(0), bytes.readUInt16LE(4), bytes.readUInt16LE(6)];
  const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');
  const rest = bytes.subarray(8).toString('hex');
  assert.equal(guid, `${hex(data1, 8)}-${hex(data2, 4)}-${hex(data3, 4)}-${rest.slice(0, 4)}-${rest.slice(4)}`);
}

/** An entry with its names in one spelling and its values in one order, without the classes' order. */
function comparable(entry: LdifEntry): { dn: string; attributes: Record<string, string[]> } {
  const pairs = COMPARED.map((name) => {
    const values = valuesOf(entry, name).map(String);
    const named = ['member', 'msExchDynamicDLBaseDN'].includes(name);
    return [name, (named ? values.map(dnText) : values).sort()] as const;
  });
  return { dn: dnText(entry.dn), attributes: Object.fromEntries(pairs.filter(([, values]) => values.length > 0)) };
}

/** One spelling of a name: in lower case, every escape as the character alone with a backslash. */
function dnText(dn: string): string {
  return dn
    .replace(/(?:\\[0-9a-f]{2})+/gi, (pairs) =>
      Buffer.from(pairs.replaceAll('\\', ''), 'hex')
        .toString('utf8')
        .replace(/[\\",+;<>= #]/g, '\\$&'),
    )
    .replace(/\\([ =#])/g, '$1')
    .replace(/,\s+(?=[A-Za-z]+=)/g, ',')
    .toLowerCase();
}

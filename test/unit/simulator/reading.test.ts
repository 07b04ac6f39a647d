/** Binding and reading as a domain controller does it; every quirk off. */
import assert from 'node:assert/strict';
import { Control } from 'ldapts';
import { startDirectory } from '../../support/directory/index.js';
import { guidText, sidText } from '../../support/directory/ids.js';
import { parseLdif } from '../../support/ldif.js';
import { Asker, ExtendedDn, Notice, texts } from './asker.js';
import { BASE, LITTLE_COMPANY, READER, crowd, withDirectory } from './little-company.js';

const ADA = `CN=Ada,OU=People,${BASE}`;
const BOB = `CN=Smith\\, Bob,OU=People,${BASE}`;

describe('the simulator, binding', () => {
  it('tells what it is before anybody binds, and nothing else', () =>
    withDirectory({}, async (_bound, directory) => {
      const asker = await Asker.to(directory);
      const root = await asker.search({ base: '', scope: 'base' });
      assert.deepEqual(texts(root.entries[0], 'defaultNamingContext'), [BASE]);
      assert.ok(texts(root.entries[0], 'supportedCapabilities').includes('1.2.840.113556.1.4.800'));
      const refused = await asker.search({ base: BASE });
      assert.equal(refused.code, 1);
      assert.match(refused.diagnostic, /^000004DC: LdapErr: .*a successful bind must be completed/);
      assert.deepEqual(refused.entries, []);
      asker.close();
    }));

  it('takes a distinguished name, a user principal name, account@domain and DOMAIN\\account', () =>
    withDirectory({ entries: enabledBob() }, async (_bound, directory) => {
      for (const name of [BOB, 'robert@example.test', 'BOB@example.test', 'example\\bob']) {
        const asker = await Asker.to(directory, { user: name, password: 'secret' });
        assert.equal((await asker.extended('1.3.6.1.4.1.4203.1.11.3')).value, 'u:EXAMPLE\\bob', name);
        asker.close();
      }
    }));

  for (const [why, name, password, data] of [
    ['a wrong password', ADA, 'wrong', '52e'],
    ['nobody of that name', `CN=Nobody,${BASE}`, 'secret', '525'],
    ['a disabled account', BOB, 'secret', '533'],
    ['a disabled account with a wrong password', BOB, 'wrong', '52e'],
    ['a password that must be changed', `CN=山田太郎,OU=People,${BASE}`, 'secret', '773'],
  ] as const) {
    it(`refuses ${why}: code 49, data ${data}`, () =>
      withDirectory({}, async (asker) => {
        const { code, diagnostic } = await asker.bind(name, password);
        assert.equal(code, 49);
        assert.equal(
          diagnostic,
          `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, v4563\0`,
        );
        // Who was bound before is not any more.
        assert.equal((await asker.search({ base: BASE, scope: 'base' })).code, 1);
      }));
  }

  it('lets a bind with an empty password succeed and be nobody, as Windows does', () =>
    withDirectory({}, async (asker) => {
      assert.equal((await asker.bind(ADA, '')).code, 0);
      assert.equal((await asker.extended('1.3.6.1.4.1.4203.1.11.3')).value, '');
      assert.equal((await asker.search({ base: BASE, scope: 'base' })).code, 1);
    }));

  it('ends the connection with a notice when it gets what is not LDAP', () =>
    withDirectory({}, async (asker) => {
      asker.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await assert.rejects(
        asker.search({ base: BASE }),
        (error) => error instanceof Notice && error.message === '2 1.3.6.1.4.1.1466.20036',
      );
    }));
});

describe('the simulator, reading', () => {
  it('gives what Active Directory computes', () =>
    withDirectory({}, async (asker) => {
      const { entries } = await asker.search({ base: ADA.toLowerCase(), scope: 'base' });
      const [ada] = entries;
      assert.equal(ada?.dn, ADA);
      assert.deepEqual(texts(ada, 'objectClass'), ['top', 'person', 'organizationalPerson', 'user']);
      assert.deepEqual(texts(ada, 'objectCategory'), [`CN=Person,CN=Schema,CN=Configuration,${BASE}`]);
      assert.deepEqual(texts(ada, 'memberOf'), [`CN=Inner,OU=Groups,${BASE}`]);
      assert.deepEqual(texts(ada, 'manager'), [BOB]);
      for (const [name, value] of [
        ['distinguishedName', ADA],
        ['name', 'Ada'],
        ['cn', 'Ada'],
        ['primaryGroupID', '513'],
        ['sAMAccountName', 'Ada'],
        ['sAMAccountType', '805306368'],
      ] as const) {
        assert.deepEqual(texts(ada, name), [value], name);
      }
      assert.equal(ada.attributes['objectGUID']?.[0]?.length, 16);
      assert.match(sidText(ada.attributes['objectSid']?.[0] ?? Buffer.alloc(8)), /^S-1-5-21(-\d+){4}$/);
      assert.equal(ada.attributes['userPassword'], undefined);
    }));

  it('gives ids that depend on names alone', async () => {
    const ids = async (entries: typeof LITTLE_COMPANY) => {
      let found: unknown;
      await withDirectory({ entries }, async (asker) => {
        const page = await asker.search({ base: `OU=People,${BASE}`, attributes: ['objectGUID', 'objectSid'] });
        found = page.entries.filter(({ dn }) => !dn.includes('Newcomer'));
      });
      return found;
    };
    const [people, ...others] = LITTLE_COMPANY;
    assert.ok(people);
    const newcomer = { dn: `CN=Newcomer,OU=People,${BASE}`, attributes: { objectClass: ['user'] } };
    assert.deepEqual(await ids([people, newcomer, ...others]), await ids(LITTLE_COMPANY));
  });

  it('keeps ids that the file gives', () =>
    withDirectory(
      {
        entries: parseLdif(
          `dn: CN=A,${BASE}\nobjectClass: user\nobjectGUID:: RJq+48HA+Ei1ChttCsot4A==\nobjectSid: S-1-5-21-1-2-3-1234`,
        ),
      },
      async (asker) => {
        const { entries } = await asker.search({
          base: '<GUID=e3be9a44-c0c1-48f8-b50a-1b6d0aca2de0>',
          scope: 'base',
          attributes: ['objectSid'],
        });
        assert.equal(entries[0]?.dn, `CN=A,${BASE}`);
        const bySid = await asker.search({ base: '<SID=S-1-5-21-1-2-3-1234>', scope: 'base' });
        assert.equal(bySid.entries[0]?.dn, `CN=A,${BASE}`);
      },
    ));

  it('returns the attributes asked for, spelled as the schema does', () =>
    withDirectory({}, async (asker) => {
      const names = async (attributes: string[]) => {
        const { entries } = await asker.search({ base: ADA, scope: 'base', attributes });
        return Object.keys(entries[0]?.attributes ?? {});
      };
      assert.deepEqual(await names(['MAIL', 'noSuch', 'department', 'title']), ['mail', 'title']);
      assert.deepEqual(await names(['1.1']), []);
      assert.deepEqual(await names([]), await names(['*']));
      assert.ok((await names(['*', 'canonicalName'])).includes('canonicalName'));
      assert.ok(!(await names(['*'])).includes('canonicalName'));
      assert.ok((await names(['+'])).includes('canonicalName'));
      const { entries } = await asker.search({ base: ADA, scope: 'base', attributes: ['mail'], typesOnly: true });
      assert.deepEqual(entries[0]?.attributes, { mail: [] });
    }));

  it('knows the three scopes, and stays in its naming context', () =>
    withDirectory({}, async (asker) => {
      const found = async (base: string, scope: 'base' | 'one' | 'sub') =>
        (await asker.search({ base, scope, attributes: ['1.1'] })).entries.map(({ dn }) => dn);
      const groups = `OU=Groups,${BASE}`;
      assert.deepEqual(await found(groups, 'base'), [groups]);
      assert.equal((await found(groups, 'one')).length, 3);
      assert.equal((await found(groups, 'sub')).length, 4);
      assert.ok((await found(BASE, 'sub')).every((dn) => !dn.includes('CN=Configuration')));
    }));

  it('ends a search of the whole domain with a reference to the configuration, unless told not to', () =>
    withDirectory({}, async (asker) => {
      const url = `ldap://example.test/CN=Configuration,${BASE}`;
      assert.deepEqual((await asker.search({ filter: '(cn=Ada)' })).references, [url]);
      assert.deepEqual((await asker.search({ filter: '(cn=Users)', scope: 'one' })).references, [`${url}??base`]);
      assert.deepEqual((await asker.search({ base: `OU=People,${BASE}` })).references, []);
      const domainScope = new Control('1.2.840.113556.1.4.1339', { critical: true });
      assert.deepEqual((await asker.search({ controls: [domainScope] })).references, []);
    }));

  it('says where a name ends that it does not have, and who has a domain that it has not', () =>
    withDirectory({}, async (asker) => {
      const missing = await asker.search({ base: `CN=X,OU=None,OU=People,${BASE}` });
      assert.equal(missing.code, 32);
      assert.equal(missing.matchedDn, `OU=People,${BASE}`);
      const elsewhere = await asker.search({ base: 'OU=People,DC=other,DC=test' });
      assert.equal(elsewhere.code, 10);
      assert.deepEqual(elsewhere.referrals, ['ldap://other.test/OU=People,DC=other,DC=test']);
      assert.equal((await asker.search({ base: 'nonsense' })).code, 34);
    }));

  it('puts ids before names when asked to, in entries and in values', () =>
    withDirectory({}, async (asker) => {
      const filter = '(cn=Outer)';
      const attributes = ['member', 'objectGUID'];
      const read = async (flag: 0 | 1 | null) =>
        (await asker.search({ filter, attributes, controls: [new ExtendedDn(flag)] })).entries[0];
      const text = await read(1);
      const guid = text?.attributes['objectGUID']?.[0];
      assert.ok(guid);
      const own = new RegExp(`^<GUID=${guidText(guid)}>;<SID=S-1-5-21(-\\d+){4}>;CN=Outer,OU=Groups,${BASE}$`);
      assert.match(text.dn, own);
      const [inner, supplier] = texts(text, 'member');
      assert.match(inner ?? '', /^<GUID=[0-9a-f-]{36}>;<SID=S-1-5-21(-\d+){4}>;CN=Inner,OU=Groups,DC=example,DC=test$/);
      // A contact has no SID.
      assert.match(supplier ?? '', /^<GUID=[0-9a-f-]{36}>;CN=Supplier,OU=People,DC=example,DC=test$/);
      for (const flag of [0, null] as const) {
        const hex = await read(flag);
        assert.match(hex?.dn ?? '', new RegExp(`^<GUID=${guid.toString('hex')}>;<SID=0105[0-9a-f]{52}>;CN=Outer,`));
      }
    }));

  it('refuses a critical control that it does not know, and overlooks another', () =>
    withDirectory({}, async (asker) => {
      const search = (critical: boolean) => asker.search({ controls: [new Control('1.2.3.4', { critical })] });
      assert.equal((await search(true)).code, 12);
      assert.equal((await search(false)).code, 0);
    }));

  it('keeps the limits that the client sets', () =>
    withDirectory({}, async (asker, directory) => {
      const base = `OU=People,${BASE}`;
      const few = await asker.search({ base, sizeLimit: 2 });
      assert.equal(few.code, 4);
      assert.equal(few.entries.length, 2);
      assert.equal((await asker.search({ base, sizeLimit: 5 })).code, 0);
      directory.setQuirks({ delayPerPageMs: 1100 });
      assert.equal((await asker.search({ base, timeLimit: 1 })).code, 3);
      assert.equal((await asker.search({ base, timeLimit: 5 })).code, 0);
    }));

  it('has an object for its controller, with the invocation id, and one for each attribute of the schema', () =>
    withDirectory({}, async (asker) => {
      const root = await asker.search({ base: '', scope: 'base', attributes: ['dsServiceName'] });
      const base = texts(root.entries[0], 'dsServiceName')[0] ?? '';
      const settings = await asker.search({ base, scope: 'base', attributes: ['invocationId'] });
      assert.equal(settings.entries[0]?.attributes['invocationId']?.[0]?.length, 16);
      const catalog = async (name: string) =>
        (
          await asker.search({
            base: `CN=Schema,CN=Configuration,${BASE}`,
            filter: `(&(lDAPDisplayName=${name})(isMemberOfPartialAttributeSet=TRUE))`,
          })
        ).entries.length;
      assert.equal(await catalog('mail'), 1);
      assert.equal(await catalog('proxyAddresses'), 0);
    }));

  it('gives what changed a higher update sequence number, and nothing else', async () =>
    withDirectory({}, async (asker, directory) => {
      const usns = async () => {
        const { entries } = await asker.search({ attributes: ['uSNChanged'] });
        return new Map(entries.map((entry) => [entry.dn, Number(texts(entry, 'uSNChanged')[0])]));
      };
      const before = await usns();
      const highest = Math.max(...before.values());
      directory.reload(
        LITTLE_COMPANY.map((entry) =>
          entry.dn === ADA ? { ...entry, attributes: { ...entry.attributes, title: ['Countess'] } } : entry,
        ),
      );
      const changed = [...(await usns())].filter(([dn, usn]) => usn !== before.get(dn));
      assert.deepEqual(
        changed.map(([dn]) => dn),
        [ADA],
      );
      assert.ok((changed[0]?.[1] ?? 0) > highest);
      const root = await asker.search({ base: '', scope: 'base', attributes: ['highestCommittedUSN'] });
      assert.deepEqual(texts(root.entries[0], 'highestCommittedUSN'), [String(changed[0]?.[1])]);
    }));

  it('refuses entries that make no tree', async () => {
    const orphan = { dn: `CN=A,OU=None,${BASE}`, attributes: { objectClass: ['user'] } };
    await assert.rejects(startDirectory({ entries: [orphan], base: BASE }), /has no parent here/);
  });

  it('writes down what it was asked, but no password', () =>
    withDirectory({}, async (asker, directory) => {
      await asker.search({ filter: '(|(cn=Ada)(mail=*))', attributes: ['cn'], page: { size: 2 } });
      const [bind, search] = directory.transcript;
      assert.ok(bind?.kind === 'bind' && search?.kind === 'search');
      assert.equal(bind.name, READER.user);
      assert.equal(bind.result, 0);
      assert.equal(search.filter, '(|(cn=Ada)(mail=*))');
      assert.deepEqual(search.page, { size: 2, continued: false });
      assert.equal(search.entries, 2);
      assert.equal(search.boundAs, 'u:EXAMPLE\\reader');
      assert.ok(!JSON.stringify(directory.transcript).includes(READER.password));
    }));

  it('is quick with 20,000 people', async function () {
    this.timeout(20_000);
    const started = performance.now();
    await withDirectory({ entries: crowd(20_000) }, async (asker) => {
      const pages = await asker.pages({
        filter: '(&(objectClass=user)(employeeID=*))',
        attributes: ['employeeID', 'objectGUID', 'memberOf'],
        page: { size: 1000 },
      });
      assert.equal(pages.flatMap(({ entries }) => entries).length, 20_000);
    });
    assert.ok(performance.now() - started < 15_000);
  });
});

/** The little company with Bob's account enabled. */
function enabledBob(): typeof LITTLE_COMPANY {
  return LITTLE_COMPANY.map((entry) =>
    entry.dn === BOB ? { ...entry, attributes: { ...entry.attributes, userAccountControl: ['512'] } } : entry,
  );
}

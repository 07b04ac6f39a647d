import assert from 'node:assert/strict';
import { FILTER_PRESETS, type ExtractSettings } from '../../../engine/extract/settings.js';
import { isBelow, searchBases } from '../../../engine/extract/scope.js';
import { attributesOf, parseFilter } from '../../../engine/ldap/filter.js';
import { startDirectory } from '../../support/directory/index.js';
import type { Quirks } from '../../support/directory/index.js';
import { parseLdif } from '../../support/ldif.js';
import { codeOf, readAll, settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const STAFF = `OU=Staff,${BASE}`;
const LEAVERS = `OU=Leavers,${STAFF}`;
const COMMA = `OU=Sales\\, OU\\=Leavers,${STAFF}`;

const ENTRIES = parseLdif(String.raw`
dn: OU=Staff,DC=example,DC=test
objectClass: organizationalUnit

dn: OU=Leavers,OU=Staff,DC=example,DC=test
objectClass: organizationalUnit

dn: OU=Sales\, OU\=Leavers,OU=Staff,DC=example,DC=test
objectClass: organizationalUnit

dn: OU=Lists,DC=example,DC=test
objectClass: organizationalUnit

dn: CN=Ada,OU=Staff,DC=example,DC=test
objectClass: user
mail: ada@example.test

dn: CN=Bob,OU=Leavers,OU=Staff,DC=example,DC=test
objectClass: user
mail: bob@example.test
userAccountControl: 514

dn: CN=Cleo,OU=Sales\, OU\=Leavers,OU=Staff,DC=example,DC=test
objectClass: user
mail: cleo@example.test
proxyAddresses: SMTP:cleo@Other.test

dn: CN=Dora,OU=Lists,DC=example,DC=test
objectClass: contact
mail: dora@elsewhere.test

dn: CN=Folder,OU=Lists,DC=example,DC=test
objectClass: publicFolder
mail: folder@example.test

dn: CN=All,OU=Lists,DC=example,DC=test
objectClass: group
mail: all@example.test
member: CN=Ada,OU=Staff,DC=example,DC=test
`);

async function read(settings: Partial<ExtractSettings>, quirks: Partial<Quirks> = {}, base: string | null = null) {
  const directory = await startDirectory({ entries: ENTRIES, base: BASE, users: { reader: 'secret' }, quirks });
  try {
    const given = { ...settingsFor(directory.port), user: 'reader', base };
    const { records, seal, failure } = await readAll(given, { filter: '(mail=*)', ...settings });
    const names = records.map(({ dn }) => /^CN=([^,]+)/.exec(dn)?.[1]).sort();
    return { names: names.join(' '), records, seal, failure, figures: seal.stages[0]?.figures ?? {} };
  } finally {
    await directory.close();
  }
}

describe('scope: bases and branches', () => {
  it('several names to read below, each object once though one lies below another', async () => {
    const { names, seal } = await read({ include: [`OU=Lists,${BASE}`, LEAVERS, STAFF] });
    assert.equal(names, 'Ada All Bob Cleo Dora Folder');
    assert.deepEqual(
      seal.proof?.searches.map(({ base, ended }) => [base, ended]),
      [
        [`OU=Lists,${BASE}`, true],
        [STAFF, true],
      ],
    );
  });

  it('one of several that does not exist makes the read incomplete', async () => {
    const { names, seal, failure } = await read({ include: [STAFF, `OU=Gone,${BASE}`] });
    assert.equal(names, 'Ada Bob Cleo');
    assert.equal(failure?.code, 'BASE_NOT_FOUND');
    assert.equal(seal.complete, false);
  });

  it('names below which nothing is sent: part by part, not by their text', async () => {
    const { names, figures, seal } = await read({ exclude: [LEAVERS.toLowerCase(), `CN=Dora,OU=Lists,${BASE}`] });
    assert.equal(names, 'Ada All Cleo Folder');
    assert.equal(figures['excluded'], 2);
    assert.equal(seal.complete, true);
  });

  it('an escaped comma does not end a part', () => {
    assert.equal(isBelow(`CN=x,${COMMA}`, LEAVERS), false);
    assert.equal(isBelow(`CN=x,${COMMA}`, COMMA.toUpperCase()), true);
    assert.equal(isBelow('CN=a\\,OU=Leavers,DC=test', 'OU=Leavers,DC=test'), false);
    assert.equal(isBelow('cn=x, ou = leavers ,dc=test', 'OU=Leavers,DC=test'), true);
    assert.equal(isBelow('OU=Leavers,DC=test', 'OU=Leavers,DC=test'), true);
    assert.equal(isBelow('DC=test', 'OU=Leavers,DC=test'), false);
  });

  it('an escaped comma, negative control: compared as text, the name is below what it is not below', () => {
    assert.ok('CN=a\\,OU=Leavers,DC=test'.endsWith(',OU=Leavers,DC=test'));
  });

  it('what lies outside of the base is a setting to correct', async () => {
    assert.deepEqual(searchBases(BASE, []), [BASE]);
    assert.throws(() => searchBases(STAFF, [`OU=Lists,${BASE}`]), { code: 'INCLUDE_OUTSIDE' });
    assert.equal(await codeOf(read({ include: [BASE] }, {}, STAFF)), 'INCLUDE_OUTSIDE');
  });

  for (const [setting, settings] of [
    ['include', { include: ['Staff'] }],
    ['exclude', { exclude: ['OU=a', ''] }],
    ['exclude', { include: [STAFF], exclude: [STAFF.toLowerCase()] }],
    ['emailDomains', { emailDomains: ['@example.test'] }],
    ['canaries', { canaries: ['somebody'] }],
  ] as const) {
    it(`a wrong ${setting} is refused before anything is asked: ${JSON.stringify(settings)}`, async () => {
      const wrong = readAll(settingsFor(1), settings);
      await assert.rejects(wrong, (error: { code?: string; params?: object }) => {
        assert.equal(error.code, 'SETTING_INVALID');
        assert.deepEqual(error.params, { setting });
        return true;
      });
    });
  }
});

describe('scope: whose addresses count', () => {
  it('people with an address in the domains; groups always', async () => {
    const { names, figures } = await read({ emailDomains: ['OTHER.test'] });
    assert.equal(names, 'All Cleo Folder');
    assert.equal(figures['otherDomainsLeftOut'], 3);
    assert.equal(
      (await read({ emailDomains: ['example.test', 'elsewhere.test'] })).names,
      'Ada All Bob Cleo Dora Folder',
    );
    assert.equal((await read({ emailDomains: ['ample.test'] })).names, 'All Folder');
  });

  it('a mail-enabled public folder is set aside under its own reason, and counts as there', async () => {
    const { records } = await read({});
    const folder = records.find(({ dn }) => dn.startsWith('CN=Folder'));
    assert.ok(folder?.kind === 'quarantined' && folder.reason === 'PUBLIC_FOLDER' && folder.id !== null);
  });

  it('a mail-enabled public folder is passed on as a contact where folders are wanted, contacts or not', async () => {
    const { records, figures } = await read({ publicFolders: true, contacts: false });
    assert.equal(records.find(({ dn }) => dn.startsWith('CN=Folder'))?.kind, 'contact');
    assert.ok(Number(figures['contactsLeftOut']) > 0, 'while contacts are left out');
  });
});

describe('filter presets', () => {
  const EXPECTED = {
    documented: 'Ada Bob Cleo Dora Folder',
    people: 'Ada Bob Cleo Dora',
    exchange: '',
    groups: '',
    enabled: 'Ada Cleo Dora Folder',
  } as const;
  for (const [name, filter] of Object.entries(FILTER_PRESETS)) {
    it(name, async () => {
      const { names } = await read({
        filter,
        exclude: [`CN=Users,${BASE}`, `CN=Builtin,${BASE}`, `CN=All,OU=Lists,${BASE}`],
      });
      assert.equal(names, EXPECTED[name as keyof typeof EXPECTED]);
    });
  }

  it('the attributes that a filter asks about are told', () => {
    const of = (text: string) => attributesOf(parseFilter(text));
    assert.deepEqual(of('mail=*'), ['mail']);
    assert.deepEqual(of('(&(Mail=a)(!( cn>=b ))(|(mail~=c)(x;lang-de<=d)))'), ['mail', 'cn', 'x']);
    assert.deepEqual(of('(userAccountControl:1.2.840.113556.1.4.803:=2)'), ['useraccountcontrol']);
    assert.deepEqual(of('(:dn:2.5.13.2:=x)'), [null]);
    assert.deepEqual(of('(2.5.4.3=\\28title=x\\29)'), ['2.5.4.3']);
  });
});

describe('canaries', () => {
  const canaries = [`CN=Bob,${LEAVERS}`];
  const hideBelow = [LEAVERS];

  it('that can be read prove nothing less', async () => {
    const { seal, failure } = await read({ canaries });
    assert.equal(failure, null);
    assert.equal(seal.complete, true);
  });

  it('2.2 ACL filtering: a branch that may not be seen any more makes the read incomplete', async () => {
    const { seal, failure, names } = await read({ canaries }, { hideBelow });
    assert.equal(failure?.code, 'CANARY_MISSING');
    assert.equal(seal.complete, false);
    assert.equal(seal.proof, null);
    assert.equal(names, 'Ada All Cleo Dora Folder', 'what can be seen is read all the same');
    assert.ok(!failure.message.includes('Bob'));
  });

  it('2.2 ACL filtering, negative control: without a canary it looks like people who left', async () => {
    const { seal } = await read({}, { hideBelow });
    assert.equal(seal.complete, true);
  });

  it('also by objectGUID', async () => {
    const id = (await read({})).records.find(({ dn }) => dn.startsWith('CN=Bob'))?.id ?? '';
    assert.equal((await read({ canaries: [id] })).seal.complete, true);
    assert.equal((await read({ canaries: [id] }, { hideBelow })).failure?.code, 'CANARY_MISSING');
  });
});

/** Every kind of filter against the little company: what is found, and what must not be. */
import assert from 'node:assert/strict';
import { EqualityFilter, type Filter } from 'ldapts';
import { type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { guidText, sidText } from '../../support/directory/ids.js';
import { Asker } from './asker.js';
import { BASE, LITTLE_COMPANY, READER } from './little-company.js';

const PEOPLE = `OU=People,${BASE}`;

/** Filter → common names found below OU=People. */
const BELOW_PEOPLE: Readonly<Record<string, readonly string[]>> = {
  '(objectClass=*)': ['People', 'Ada', 'Smith, Bob', '山田太郎', 'Supplier'],
  '(objectClass=USER)': ['Ada', 'Smith, Bob', '山田太郎'],
  '(objectClass=organizationalPerson)': ['Ada', 'Smith, Bob', '山田太郎', 'Supplier'],
  '(objectCategory=person)': ['Ada', 'Smith, Bob', '山田太郎', 'Supplier'],
  '(objectCategory=CN=Person,CN=Schema,CN=Configuration,DC=example,DC=test)': [
    'Ada',
    'Smith, Bob',
    '山田太郎',
    'Supplier',
  ],
  '(mail=ada@EXAMPLE.test)': ['Ada'],
  '(mail~=ada@example.test)': ['Ada'],
  '(MAIL=*)': ['Ada', '山田太郎', 'Supplier'],
  '(mail=*@example.test)': ['Ada', '山田太郎'],
  '(proxyaddresses=smtp:*@example*test)': ['Ada'],
  '(proxyaddresses=SMTP:countess*)': ['Ada'],
  '(title=analyst*of*everything)': ['Smith, Bob'],
  '(title=*analyst*analyst*)': [],
  '(title=analyst)': ['Ada'],
  '(cn=*太*)': ['山田太郎'],
  '(cn=smith\\2c bob)': ['Smith, Bob'],
  '(badPwdCount=3)': ['Ada'],
  '(badPwdCount=03)': ['Ada'],
  '(badPwdCount>=4)': ['Smith, Bob'],
  '(badPwdCount<=12)': ['Ada', 'Smith, Bob'],
  '(badPwdCount>=four)': [],
  '(!(badPwdCount>=four))': [],
  '(whenCreated>=20250101000000.0Z)': ['山田太郎'],
  '(title>=analyst o)': ['Smith, Bob'],
  '(userAccountControl:1.2.840.113556.1.4.803:=2)': ['Smith, Bob'],
  '(userAccountControl:1.2.840.113556.1.4.803:=66048)': ['山田太郎'],
  '(userAccountControl:1.2.840.113556.1.4.804:=65538)': ['Smith, Bob', '山田太郎'],
  '(!(userAccountControl:1.2.840.113556.1.4.803:=2))': ['People', 'Ada', '山田太郎', 'Supplier'],
  '(&(objectClass=user)(!(title=*)))': ['山田太郎'],
  '(|(title=analyst)(mail=taro*))': ['Ada', '山田太郎'],
  '(&(objectClass=user)(|(title=*)(mail=*))(!(mail=ada*)))': ['Smith, Bob', '山田太郎'],
  '(manager=cn=smith\\5c, bob, ou=PEOPLE,dc=example,dc=test)': ['Ada'],
  '(manager=*bob*)': [],
  '(directReports=CN=Ada,OU=People,DC=example,DC=test)': ['Smith, Bob'],
  '(distinguishedName=cn=ada,ou=people,dc=example,dc=test)': ['Ada'],
  '(memberOf=CN=Inner,OU=Groups,DC=example,DC=test)': ['Ada'],
  '(memberOf=CN=Outer,OU=Groups,DC=example,DC=test)': ['Supplier'],
  '(memberOf:1.2.840.113556.1.4.1941:=CN=Outer,OU=Groups,DC=example,DC=test)': ['Ada', 'Supplier'],
  '(memberOf:1.2.840.113556.1.4.1941:=CN=Circle,OU=Groups,DC=example,DC=test)': ['Ada', 'Supplier'],
  '(anr=ada)': ['Ada'],
  // An attribute that the schema lacks is neither there nor absent (MS-ADTS 3.1.1.3.1.3.1).
  '(noSuchAttribute=1)': [],
  '(!(noSuchAttribute=1))': [],
  '(|(noSuchAttribute=1)(mail=ada*))': ['Ada'],
  '(userPassword=secret)': [],
  '(thumbnailPhoto=*)': ['Ada'],
};

/** The same below OU=Groups. */
const BELOW_GROUPS: Readonly<Record<string, readonly string[]>> = {
  '(groupType:1.2.840.113556.1.4.803:=2147483648)': ['Inner', 'Circle'],
  '(groupType=-2147483640)': ['Inner'],
  '(member=CN=Ada,OU=People,DC=example,DC=test)': ['Inner'],
  '(member:1.2.840.113556.1.4.1941:=CN=Ada,OU=People,DC=example,DC=test)': ['Inner', 'Outer', 'Circle'],
  '(objectCategory=group)': ['Inner', 'Outer', 'Circle'],
};

describe('filters of the simulator', () => {
  let directory: SampleDirectory;
  let asker: Asker;

  before(async () => {
    const users = { [READER.user]: READER.password };
    directory = await startDirectory({ entries: LITTLE_COMPANY, base: BASE, users });
    asker = await Asker.to(directory, READER);
  });
  after(async () => {
    asker.close();
    await directory.close();
  });

  async function found(base: string, filter: string | Filter): Promise<string[]> {
    const { code, entries } = await asker.search({ base, filter, attributes: ['name'] });
    assert.equal(code, 0);
    return entries.map(({ attributes }) => String(attributes['name']?.[0])).sort();
  }

  for (const [base, table] of [
    [PEOPLE, BELOW_PEOPLE],
    [`OU=Groups,${BASE}`, BELOW_GROUPS],
  ] as const) {
    for (const [filter, names] of Object.entries(table)) {
      it(`${filter} finds ${names.join(' | ') || 'nothing'}`, async () => {
        assert.deepEqual(await found(base, filter), [...names].sort());
      });
    }
  }

  it('finds by objectGUID and objectSid, as bytes and as text', async () => {
    const ada = await asker.search({ base: PEOPLE, filter: '(cn=Ada)', attributes: ['objectGUID', 'objectSid'] });
    for (const [attribute, textOf] of [
      ['objectGUID', guidText],
      ['objectSid', sidText],
    ] as const) {
      const bytes = ada.entries[0]?.attributes[attribute]?.[0];
      assert.ok(bytes);
      for (const value of [bytes, textOf(bytes)]) {
        assert.deepEqual(await found(PEOPLE, new EqualityFilter({ attribute, value })), ['Ada'], attribute);
      }
    }
  });
});

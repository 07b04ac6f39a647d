/** A dozen objects for the simulator's own tests, and a simulator with them. */
import { type DirectoryOptions, type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { type LdifEntry, parseLdif } from '../../support/ldif.js';
import { Asker } from './asker.js';

export const BASE = 'DC=example,DC=test';
export const READER = { user: 'reader@example.test', password: 'reader-secret' };

export const LITTLE_COMPANY = parseLdif(String.raw`
dn: OU=People,DC=example,DC=test
objectClass: organizationalUnit

dn: OU=Groups,DC=example,DC=test
objectClass: organizationalUnit

dn: CN=Ada,OU=People,DC=example,DC=test
objectClass: user
mail: Ada@example.test
proxyAddresses: SMTP:ada@example.test
proxyAddresses: smtp:countess@example.test
title: Analyst
badPwdCount: 3
userAccountControl: 512
userPassword: secret
manager: cn=smith\2c bob,ou=people,dc=example,dc=test
thumbnailPhoto:: /9j/4AAQ

dn: CN=Smith\, Bob,OU=People,DC=example,DC=test
objectClass: user
sAMAccountName: bob
userPrincipalName: robert@example.test
userPassword: secret
userAccountControl: 514
title: Analyst of everything
badPwdCount: 12

dn: CN=山田太郎,OU=People,DC=example,DC=test
objectClass: inetOrgPerson
mail: taro@example.test
userAccountControl: 66048
whenCreated: 20260101000000.0Z
userPassword: secret
pwdLastSet: 0

dn: CN=Supplier,OU=People,DC=example,DC=test
objectClass: contact
mail: sales@supplier.test

dn: CN=Inner,OU=Groups,DC=example,DC=test
objectClass: group
groupType: -2147483640
member: CN=Ada,OU=People,DC=example,DC=test

dn: CN=Outer,OU=Groups,DC=example,DC=test
objectClass: group
groupType: 8
member: CN=Inner,OU=Groups,DC=example,DC=test
member: CN=Supplier,OU=People,DC=example,DC=test

dn: CN=Circle,OU=Groups,DC=example,DC=test
objectClass: group
member: CN=Circle,OU=Groups,DC=example,DC=test
member: CN=Outer,OU=Groups,DC=example,DC=test
`);

/** Entries with `count` people in OU=Many, and a group of all of them. */
export function crowd(count: number): LdifEntry[] {
  const parent = `OU=Many,${BASE}`;
  const names = Array.from({ length: count }, (_, index) => `CN=Person ${index},${parent}`);
  return [
    { dn: parent, attributes: { objectClass: ['organizationalUnit'] } },
    ...names.map((dn, index) => ({ dn, attributes: { objectClass: ['user'], employeeID: [String(index)] } })),
    { dn: `CN=Everybody,${BASE}`, attributes: { objectClass: ['group'], member: names } },
  ];
}

/** Runs `test` against a simulator, with a client that is bound, and closes both. */
export async function withDirectory(
  options: Partial<DirectoryOptions>,
  test: (asker: Asker, directory: SampleDirectory) => Promise<void>,
): Promise<void> {
  const users = { [READER.user]: READER.password, ...options.users };
  const directory = await startDirectory({ entries: LITTLE_COMPANY, base: BASE, ...options, users });
  try {
    const asker = await Asker.to(directory, READER);
    await test(asker, directory).finally(() => asker.close());
  } finally {
    await directory.close();
  }
}

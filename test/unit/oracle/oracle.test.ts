/** The oracle on a company of a few people, where everything can be counted by hand. */
import assert from 'node:assert/strict';
import { companySettings } from '../../support/company.js';
import { parseLdif } from '../../support/ldif.js';
import { expectedAccount } from '../../support/oracle/index.js';

const PEOPLE = parseLdif(`dn: CN=Ada,DC=example,DC=test
objectClass: user
cn: Ada
displayName: Ada L.
mail: ada@example.org
proxyAddresses: SMTP:Ada@Example.com
proxyAddresses: smtp:a@example.com
proxyAddresses: smtp:a@elsewhere.test
proxyAddresses: SIP:ada@example.com
title: Countess

dn: CN=Bob,DC=example,DC=test
objectClass: user
cn: Bob
userAccountControl: 514
proxyAddresses: smtp:z@example.com
proxyAddresses: smtp:a@example.com
proxyAddresses: smtp:bob@example.com

dn: CN=Cy,DC=example,DC=test
objectClass: user
cn: Cy
mail: ada@example.com
proxyAddresses: smtp:cy@example.com

dn: CN=Room,DC=example,DC=test
objectClass: user
cn: Room
userAccountControl: 514
msExchRecipientTypeDetails: 16
mail: room@example.com

dn: CN=Nobody,DC=example,DC=test
objectClass: user
cn: Nobody

dn: CN=Supplier,DC=example,DC=test
objectClass: contact
cn: Supplier
mail: x@elsewhere.test

dn: CN=Inner,DC=example,DC=test
objectClass: group
cn: Inner
member: CN=Outer,DC=example,DC=test
member: cn=cy,dc=example,dc=test

dn: CN=Outer,DC=example,DC=test
objectClass: group
cn: Outer
mail: outer@example.com
member: CN=Inner,DC=example,DC=test
member: CN=Supplier,DC=example,DC=test
member: CN=Bob,DC=example,DC=test

dn: CN=Silent,DC=example,DC=test
objectClass: group
cn: Silent
mail: silent@example.com
member: CN=Nobody,DC=example,DC=test

dn: CN=Dynamic,DC=example,DC=test
objectClass: msExchDynamicDistributionList
cn: Dynamic
mail: dynamic@example.com
`);
const KNOWN = [
  { address: 'Ada@example.ORG', origin: 'mail-flow' },
  { address: 'web@example.com', name: 'Web', origin: 'manual' },
] as const;
const user = (address: string, name: string, more: object = {}) => ({
  address,
  name,
  origin: 'directory',
  enabled: true,
  aliases: [],
  attributes: {},
  ...more,
});

describe('the oracle', () => {
  const { snapshot, counts } = expectedAccount(PEOPLE, { settings: companySettings(''), known: KNOWN });

  it('computes the account that one computes by hand', () => {
    assert.deepEqual(snapshot, {
      users: [
        // Bob has no SMTP: and no mail, and of his addresses the first in the alphabet is a@, which is Ada's alias: a primary
        // address beats it.
        user('a@example.com', 'Bob', { enabled: false, aliases: ['bob@example.com', 'z@example.com'] }),
        user('ada@example.com', 'Ada L.', { aliases: ['ada@example.org'], attributes: { title: 'Countess' } }),
        user('room@example.com', 'Room'),
        user('web@example.com', 'Web', { origin: 'manual' }),
      ],
      contacts: [{ address: 'x@elsewhere.test', name: 'Supplier', aliases: [], attributes: {} }],
      groups: [
        { name: 'Dynamic', address: 'dynamic@example.com', kind: 'dynamic-group', members: [] },
        { name: 'Inner', address: null, kind: 'group', members: ['group:Outer'] },
        {
          name: 'Outer',
          address: 'outer@example.com',
          kind: 'group',
          members: ['contact:x@elsewhere.test', 'group:Inner', 'user:a@example.com'],
        },
      ],
    });
  });

  it('counts what one counts by hand', () => {
    assert.deepEqual(counts, {
      records: { user: 4, contact: 1, group: 3, 'dynamic-group': 1 },
      // Ada is linked: one of her aliases was known from mail flow.
      usersAdded: 2,
      usersLinked: 1,
      usersDisabled: 1,
      contactsAdded: 1,
      groupsAdded: 3,
      membersAdded: 4,
      aliasesLinked: 3,
      groupsWithoutMail: 1,
      setAside: { ADDRESS_CLASH: 1, ALIAS_CLASH: 1, ALIAS_OUTSIDE_DOMAINS: 1 },
    });
  });

  it('leaves out what the settings leave out', () => {
    const settings = { ...companySettings(''), linkAliases: false, acknowledgeDisabled: false, contacts: false };
    const other = expectedAccount(PEOPLE, { settings, known: [] }).snapshot;
    assert.deepEqual(other.contacts, []);
    assert.deepEqual(new Set(other.users.flatMap(({ aliases, enabled }) => [...aliases, enabled])), new Set([true]));
  });
});

/**
 * What every domain has before anybody adds to it: containers, built-in accounts and groups, the configuration and the
 * schema. Names, ids and members are those of a newly made domain.
 */
import type { LdifEntry } from '../ldif.js';
import { sidBytes } from './ids.js';
import { type AttributeFact, type Syntax, allAttributeFacts } from './schema.js';
import { type Controller, type Domain, FIRST_SITE, type Forest } from './topology.js';

type Attributes = Record<string, readonly (string | Buffer)[]>;

const GLOBAL = '-2147483646';
const LOCAL = '-2147483644';
const UNIVERSAL = '-2147483640';
const BUILT_IN = '-2147483643';

/** Groups in CN=Users: name, relative id, type, members there. */
const DOMAIN_GROUPS: readonly (readonly [string, number, string, ...string[]])[] = [
  ['Domain Users', 513, GLOBAL],
  ['Domain Guests', 514, GLOBAL],
  ['Domain Computers', 515, GLOBAL],
  ['Domain Controllers', 516, GLOBAL],
  ['Domain Admins', 512, GLOBAL, 'Administrator'],
  ['Group Policy Creator Owners', 520, GLOBAL, 'Administrator'],
  ['Read-only Domain Controllers', 521, GLOBAL],
  ['Protected Users', 525, GLOBAL],
  ['Schema Admins', 518, UNIVERSAL, 'Administrator'],
  ['Enterprise Admins', 519, UNIVERSAL, 'Administrator'],
  ['Enterprise Read-only Domain Controllers', 498, UNIVERSAL],
  ['Cert Publishers', 517, LOCAL],
  ['RAS and IAS Servers', 553, LOCAL],
  ['Allowed RODC Password Replication Group', 571, LOCAL],
  [
    'Denied RODC Password Replication Group',
    572,
    LOCAL,
    'krbtgt',
    'Enterprise Admins',
    'Domain Controllers',
    'Group Policy Creator Owners',
    'Schema Admins',
    'Read-only Domain Controllers',
    'Cert Publishers',
    'Domain Admins',
  ],
];

/** Groups in CN=Builtin: name, relative id, members in CN=Users. */
const BUILT_IN_GROUPS: readonly (readonly [string, number, ...string[]])[] = [
  ['Administrators', 544, 'Enterprise Admins', 'Administrator', 'Domain Admins'],
  ['Users', 545, 'Domain Users'],
  ['Guests', 546, 'Domain Guests', 'Guest'],
  ['Account Operators', 548],
  ['Server Operators', 549],
  ['Print Operators', 550],
  ['Backup Operators', 551],
  ['Replicator', 552],
  ['Pre-Windows 2000 Compatible Access', 554],
  ['Remote Desktop Users', 555],
  ['Network Configuration Operators', 556],
  ['Incoming Forest Trust Builders', 557],
  ['Performance Monitor Users', 558],
  ['Performance Log Users', 559],
  ['Windows Authorization Access Group', 560],
  ['Terminal Server License Servers', 561],
  ['Distributed COM Users', 562],
  ['IIS_IUSRS', 568],
  ['Cryptographic Operators', 569],
  ['Event Log Readers', 573],
  ['Certificate Service DCOM Access', 574],
];

/** Accounts in CN=Users: name, relative id, userAccountControl. */
const ACCOUNTS: readonly (readonly [string, number, string])[] = [
  ['Administrator', 500, '512'],
  ['Guest', 501, '66082'],
  ['krbtgt', 502, '514'],
];

/** Objects of a new forest, parents first. */
export function furniture(forest: Forest, controllers: readonly Controller[]): LdifEntry[] {
  return [...forest.domains.flatMap(domainEntries), ...configurationEntries(forest, controllers)];
}

function domainEntries({ dn: base, sid }: Domain): LdifEntry[] {
  const users = `CN=Users,${base}`;
  const critical: Attributes = { isCriticalSystemObject: ['TRUE'] };
  const sidOf = (domain: string, rid: number) => [sidBytes(`${domain}-${rid}`) ?? Buffer.alloc(0)];
  const group = (name: string, container: string, groupType: string, id: Buffer[], members: readonly string[]) =>
    entry(`CN=${name},${container}`, 'group', {
      ...critical,
      groupType: [groupType],
      objectSid: id,
      ...(members.length > 0 ? { member: members.map((member) => `CN=${member},${users}`) } : {}),
    });
  return [
    entry(base, 'domainDNS', { objectSid: [sidBytes(sid) ?? Buffer.alloc(0)] }),
    entry(`CN=Builtin,${base}`, 'builtinDomain', { objectSid: [sidBytes('S-1-5-32') ?? Buffer.alloc(0)] }),
    ...['Computers', 'ForeignSecurityPrincipals', 'Managed Service Accounts', 'Program Data', 'System', 'Users'].map(
      (name) => entry(`CN=${name},${base}`, 'container'),
    ),
    entry(`CN=LostAndFound,${base}`, 'lostAndFound'),
    entry(`CN=Infrastructure,${base}`, 'infrastructureUpdate'),
    entry(`OU=Domain Controllers,${base}`, 'organizationalUnit'),
    ...ACCOUNTS.map(([name, rid, userAccountControl]) =>
      entry(`CN=${name},${users}`, 'user', {
        ...critical,
        userAccountControl: [userAccountControl],
        objectSid: sidOf(sid, rid),
      }),
    ),
    ...DOMAIN_GROUPS.map(([name, rid, type, ...members]) => group(name, users, type, sidOf(sid, rid), members)),
    ...BUILT_IN_GROUPS.map(([name, rid, ...members]) =>
      group(name, `CN=Builtin,${base}`, BUILT_IN, sidOf('S-1-5-32', rid), members),
    ),
  ];
}

function configurationEntries(forest: Forest, controllers: readonly Controller[]): LdifEntry[] {
  const configuration = forest.configuration.dn;
  const sites = `CN=Sites,${configuration}`;
  const partitions = `CN=Partitions,${configuration}`;
  const crossRef = (name: string, context: string, dnsName: string, systemFlags: string, more: Attributes = {}) =>
    entry(`CN=${name},${partitions}`, 'crossRef', {
      nCName: [context],
      dnsRoot: [dnsName],
      systemFlags: [systemFlags],
      ...more,
    });
  return [
    entry(configuration, 'configuration'),
    entry(sites, 'sitesContainer'),
    ...[...new Set([FIRST_SITE, ...controllers.map(({ site }) => site)])].flatMap((site) => [
      entry(`CN=${site},${sites}`, 'site'),
      entry(`CN=Servers,CN=${site},${sites}`, 'serversContainer'),
    ]),
    ...controllers.flatMap(({ serverDn, settingsDn, hostName, invocationId, contexts, catalog }) => [
      entry(serverDn, 'server', { dNSHostName: [hostName] }),
      entry(settingsDn, 'nTDSDSA', {
        invocationId: [invocationId],
        hasMasterNCs: contexts.map(({ dn }) => dn),
        options: [catalog ? '1' : '0'],
      }),
    ]),
    entry(partitions, 'crossRefContainer'),
    crossRef('Enterprise Configuration', configuration, forest.root.dnsName, '1'),
    crossRef('Enterprise Schema', forest.schema.dn, forest.root.dnsName, '1'),
    ...forest.domains.map(({ netbiosName, dn, dnsName }) =>
      crossRef(netbiosName, dn, dnsName, '3', { nETBIOSName: [netbiosName] }),
    ),
    entry(forest.schema.dn, 'dMD', { objectVersion: ['87'] }),
    ...[...allAttributeFacts()].map((fact) => attributeEntry(fact, forest.schema.dn)),
  ];
}

/** attributeSyntax and oMSyntax by our names for them. */
const SYNTAX_OIDS: Readonly<Record<Syntax, readonly [string, string]>> = {
  text: ['2.5.5.12', '64'],
  dn: ['2.5.5.1', '127'],
  integer: ['2.5.5.9', '2'],
  boolean: ['2.5.5.8', '1'],
  time: ['2.5.5.11', '24'],
  octets: ['2.5.5.10', '4'],
  guid: ['2.5.5.10', '4'],
  sid: ['2.5.5.17', '4'],
  class: ['2.5.5.2', '6'],
};

function attributeEntry({ name, syntax, single, catalog }: AttributeFact, schemaDn: string): LdifEntry {
  const [attributeSyntax, oMSyntax] = SYNTAX_OIDS[syntax];
  return entry(`CN=${name},${schemaDn}`, 'attributeSchema', {
    lDAPDisplayName: [name],
    attributeSyntax: [attributeSyntax],
    oMSyntax: [oMSyntax],
    isSingleValued: [single ? 'TRUE' : 'FALSE'],
    ...(catalog ? { isMemberOfPartialAttributeSet: ['TRUE'] } : {}),
  });
}

function entry(dn: string, objectClass: string, attributes: Attributes = {}): LdifEntry {
  return { dn, attributes: { objectClass: [objectClass], ...attributes } };
}

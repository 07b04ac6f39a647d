/**
 * Facts of Active Directory's schema: how an attribute's values compare, whether the Global Catalog holds it, and from
 * which classes a class inherits. Taken from the Windows Server 2016 schema, and Exchange's where the name says so.
 */

/** How values of an attribute look and compare. `text` is a string without regard to case. */
export type Syntax = 'text' | 'dn' | 'integer' | 'boolean' | 'time' | 'octets' | 'guid' | 'sid' | 'class';

/** One attribute. `name` is its lDAPDisplayName, as the server spells it in answers. */
export interface AttributeFact {
  readonly name: string;
  readonly syntax: Syntax;
  readonly single: boolean;
  /** Whether the Global Catalog holds it (isMemberOfPartialAttributeSet). */
  readonly catalog: boolean;
  /** Computed when asked for by name, and only then. */
  readonly constructed: boolean;
}

/** Names of attributes by syntax: single-valued ones, then multi-valued ones. A star: held by the Global Catalog. */
const FACTS: readonly (readonly [Syntax, string, string])[] = [
  [
    'text',
    `cn* name* dc* displayName* givenName* sn* mail* sAMAccountName* userPrincipalName* telephoneNumber* homePhone* ipPhone*
     l* st* street* c* legacyExchangeDN* dNSHostName* lDAPDisplayName* displayNamePrintable title department division company
     employeeID employeeNumber employeeType mobile pager facsimileTelephoneNumber physicalDeliveryOfficeName streetAddress
     postalCode co info comment notes initials middleName personalTitle generationQualifier preferredLanguage wWWHomePage
     textEncodedORAddress operatingSystem nETBIOSName attributeID attributeSyntax scriptPath homeDirectory homeDrive
     mailNickname* targetAddress* msExchDynamicDLFilter* msExchHomeServerName*
     extensionAttribute1* extensionAttribute2* extensionAttribute3* extensionAttribute4* extensionAttribute5*
     extensionAttribute6* extensionAttribute7* extensionAttribute8* extensionAttribute9* extensionAttribute10*
     extensionAttribute11* extensionAttribute12* extensionAttribute13* extensionAttribute14* extensionAttribute15*`,
    `description* o* ou* servicePrincipalName* proxyAddresses postalAddress postOfficeBox otherTelephone otherMobile
     otherMailbox otherHomePhone url uid carLicense houseIdentifier roomNumber dnsRoot extensionName`,
  ],
  [
    'dn',
    `distinguishedName* manager* objectCategory* managedBy assistant lastKnownParent serverReference nCName fSMORoleOwner
     trustParent msExchDynamicDLBaseDN* homeMDB* altRecipient*`,
    `member* memberOf directReports managedObjects secretary uniqueMember hasMasterNCs showInAddressBook* authOrig*
     unauthOrig* publicDelegates*`,
  ],
  [
    'integer',
    `userAccountControl* groupType* sAMAccountType* primaryGroupID* instanceType* uSNCreated* uSNChanged*
     lastLogonTimestamp* pwdLastSet accountExpires lockoutTime lastLogon lastLogoff badPasswordTime badPwdCount logonCount
     adminCount codePage countryCode systemFlags searchFlags oMSyntax linkID objectVersion uidNumber gidNumber nTMixedDomain
     msDS-Behavior-Version msDS-SupportedEncryptionTypes msExchRecipientTypeDetails* msExchRecipientDisplayType*
     msExchVersion* options`,
    '',
  ],
  [
    'boolean',
    `isDeleted* isRecycled* isCriticalSystemObject showInAdvancedViewOnly isSingleValued isMemberOfPartialAttributeSet
     msExchHideFromAddressLists*`,
    '',
  ],
  ['time', 'whenCreated* whenChanged*', ''],
  ['guid', 'objectGUID* msExchMailboxGuid* msExchArchiveGUID', ''],
  ['sid', 'objectSid* msExchMasterAccountSid*', 'sIDHistory*'],
  [
    'octets',
    'thumbnailPhoto unicodePwd invocationId nTSecurityDescriptor* mS-DS-ConsistencyGuid',
    'userCertificate* userSMIMECertificate* jpegPhoto photo userPassword',
  ],
  ['class', '', 'objectClass*'],
];

/** Those that exist only when asked for by name. */
const CONSTRUCTED: readonly (readonly [string, Syntax])[] = [
  ['canonicalName', 'text'],
  ['parentGUID', 'guid'],
  ['primaryGroupToken', 'integer'],
  ['createTimeStamp', 'time'],
  ['modifyTimeStamp', 'time'],
  ['structuralObjectClass', 'class'],
  ['msDS-PrincipalName', 'text'],
  ['msDS-User-Account-Control-Computed', 'integer'],
];

/** Attributes nobody can read. */
export const SECRET = new Set(['userpassword', 'unicodepwd']);

/** Backlinks and the attributes that they mirror, in lower case. */
export const BACKLINKS = new Map([
  ['memberof', 'member'],
  ['directreports', 'manager'],
  ['managedobjects', 'managedby'],
]);

const facts = new Map<string, AttributeFact>();
for (const [syntax, single, multiple] of FACTS) {
  for (const [names, one] of [
    [single, true],
    [multiple, false],
  ] as const) {
    for (const word of names.split(/\s+/).filter(Boolean)) {
      const name = word.replace('*', '');
      facts.set(name.toLowerCase(), { name, syntax, single: one, catalog: word.endsWith('*'), constructed: false });
    }
  }
}
for (const [name, syntax] of CONSTRUCTED) {
  facts.set(name.toLowerCase(), { name, syntax, single: true, catalog: false, constructed: true });
}

/** What is known of an attribute by its name in lower case, without options. */
export function attributeFact(lowerName: string): AttributeFact | undefined {
  return facts.get(lowerName);
}

export function allAttributeFacts(): Iterable<AttributeFact> {
  return facts.values();
}

/** One class: what it inherits from, the common name of its objectCategory, and whether its objects have a SID. */
export interface ClassFact {
  readonly parent: string | null;
  readonly category: string;
  readonly sid: boolean;
}

const CLASSES: Readonly<Record<string, readonly [parent: string | null, category: string, sid?: true]>> = {
  top: [null, 'Top'],
  person: ['top', 'Person'],
  organizationalPerson: ['person', 'Person'],
  user: ['organizationalPerson', 'Person', true],
  inetOrgPerson: ['user', 'Person', true],
  computer: ['user', 'Computer', true],
  'msDS-ManagedServiceAccount': ['computer', 'ms-DS-Managed-Service-Account', true],
  'msDS-GroupManagedServiceAccount': ['computer', 'ms-DS-Group-Managed-Service-Account', true],
  contact: ['organizationalPerson', 'Person'],
  group: ['top', 'Group', true],
  groupOfNames: ['top', 'Group-Of-Names'],
  groupOfUniqueNames: ['top', 'groupOfUniqueNames'],
  msExchDynamicDistributionList: ['top', 'ms-Exch-Dynamic-Distribution-List'],
  publicFolder: ['top', 'ms-Exch-Public-Folder'],
  foreignSecurityPrincipal: ['top', 'Foreign-Security-Principal', true],
  organizationalUnit: ['top', 'Organizational-Unit'],
  container: ['top', 'Container'],
  domain: ['top', 'Domain-DNS'],
  domainDNS: ['domain', 'Domain-DNS', true],
  builtinDomain: ['top', 'Builtin-Domain', true],
  lostAndFound: ['top', 'Lost-And-Found'],
  infrastructureUpdate: ['top', 'Infrastructure-Update'],
  configuration: ['top', 'Configuration'],
  sitesContainer: ['top', 'Sites-Container'],
  site: ['top', 'Site'],
  serversContainer: ['top', 'Servers-Container'],
  server: ['top', 'Server'],
  applicationSettings: ['top', 'Application-Settings'],
  nTDSDSA: ['applicationSettings', 'NTDS-DSA'],
  crossRefContainer: ['top', 'Cross-Ref-Container'],
  crossRef: ['top', 'Cross-Ref'],
  dMD: ['top', 'DMD'],
  attributeSchema: ['top', 'Attribute-Schema'],
};

const classes = new Map(
  Object.entries(CLASSES).map(([name, [parent, category, sid]]) => [
    name.toLowerCase(),
    { name, parent, category, sid: sid ?? false },
  ]),
);

export function classFact(name: string): ClassFact | undefined {
  return classes.get(name.toLowerCase());
}

/** The class and all that it inherits from, `top` first; unknown classes inherit from `top`. */
export function classChain(name: string): string[] {
  const known = classes.get(name.toLowerCase());
  if (!known) return ['top', name];
  return known.parent === null ? [known.name] : [...classChain(known.parent), known.name];
}

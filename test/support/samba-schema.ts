/** The part of Exchange's schema that the sample company needs and Samba's base schema lacks, as LDIF in two steps. */

const SCHEMA = 'CN=Schema,CN=Configuration,DC=example,DC=test';
/** As the classes of the base schema: everything to administrators and the system, reading to whoever has logged on. */
const READABLE = 'D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;AU)';
const UNICODE_STRING = ['2.5.5.12', '64'] as const;
const DISTINGUISHED_NAME = ['2.5.5.1', '127'] as const;
const LARGE_INTEGER = ['2.5.5.16', '65'] as const;
const SID = ['2.5.5.17', '4'] as const;

/** The attributes. They must be in the schema before the classes that name them: a step of its own. */
export const SCHEMA_ATTRIBUTES = [
  attribute('ms-Exch-Dynamic-DL-Filter', 'msExchDynamicDLFilter', '1.2.840.113556.1.4.7000.102.50120', UNICODE_STRING),
  attribute(
    'ms-Exch-Dynamic-DL-BaseDN',
    'msExchDynamicDLBaseDN',
    '1.2.840.113556.1.4.7000.102.50121',
    DISTINGUISHED_NAME,
  ),
  attribute(
    'ms-Exch-Recipient-Type-Details',
    'msExchRecipientTypeDetails',
    '1.2.840.113556.1.4.7000.102.50806',
    LARGE_INTEGER,
  ),
  attribute('ms-Exch-Target-Address', 'targetAddress', '1.2.840.113556.1.2.352', UNICODE_STRING),
  attribute('ms-Exch-Master-Account-Sid', 'msExchMasterAccountSid', '1.2.840.113556.1.4.7000.102.50284', SID),
  attribute(
    'ms-Exch-Shadow-Proxy-Addresses',
    'msExchShadowProxyAddresses',
    '1.2.840.113556.1.4.7000.102.50863',
    UNICODE_STRING,
    false,
  ),
].join('\n');

/** The class of dynamic distribution lists, and the new attributes for people and contacts. */
export const SCHEMA_CLASSES = `dn: CN=ms-Exch-Dynamic-Distribution-List,${SCHEMA}
changetype: add
objectClass: classSchema
cn: ms-Exch-Dynamic-Distribution-List
governsID: 1.2.840.113556.1.5.7000.62.50009
lDAPDisplayName: msExchDynamicDistributionList
subClassOf: top
objectClassCategory: 1
defaultSecurityDescriptor: ${READABLE}
possSuperiors: organizationalUnit
possSuperiors: container
mayContain: mail
mayContain: proxyAddresses
mayContain: displayName
mayContain: msExchDynamicDLFilter
mayContain: msExchDynamicDLBaseDN
defaultObjectCategory: CN=ms-Exch-Dynamic-Distribution-List,${SCHEMA}

dn: CN=Mail-Recipient,${SCHEMA}
changetype: modify
add: mayContain
mayContain: msExchRecipientTypeDetails
mayContain: targetAddress
mayContain: msExchMasterAccountSid
mayContain: msExchShadowProxyAddresses
-
`;

function attribute(
  cn: string,
  name: string,
  id: string,
  [syntax, omSyntax]: readonly [string, string],
  isSingle = true,
): string {
  return `dn: CN=${cn},${SCHEMA}
changetype: add
objectClass: attributeSchema
cn: ${cn}
attributeID: ${id}
attributeSyntax: ${syntax}
oMSyntax: ${omSyntax}
isSingleValued: ${isSingle ? 'TRUE' : 'FALSE'}
lDAPDisplayName: ${name}
searchFlags: 0
`;
}

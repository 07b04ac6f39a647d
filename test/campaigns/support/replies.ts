/** What a small Active Directory answers to a read of a few objects: each kind of message that a read can meet. */
import { entry, integer, message, pageEnd, reference, result, tlv } from '../../unit/ldap/ber-text.js';
import { BIND, EXTENDED, type Request } from '../../unit/ldap/scripted-server.js';

export const BASE = 'DC=example,DC=test';
const SETTINGS = `CN=NTDS Settings,CN=DC1,CN=Servers,CN=Configuration,${BASE}`;
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

/** The answer to a request, well-formed: two pages of a search, a group in ranges, a reference. */
export function replyTo({ id, operation, base, cookie, bytes }: Request): Buffer {
  if (operation === BIND) return result(id, 0x61, 0);
  if (operation === EXTENDED) {
    return message(id, tlv(0x78, integer(0, 0x0a), tlv(4), tlv(4), tlv(0x8b, 'u:EXAMPLE\\reader')));
  }
  if (base === '') return Buffer.concat([rootDse(id), result(id, 0x65, 0)]);
  if (base === SETTINGS)
    return Buffer.concat([entry(id, SETTINGS, [['invocationId', [Buffer.alloc(16, 7)]]]), result(id, 0x65, 0)]);
  if (bytes.includes('member;range=2-*')) return Buffer.concat([group(id, 'member;range=2-*', 1), result(id, 0x65, 0)]);
  if (cookie === '') return searchPage(id);
  return Buffer.concat([person(id, 3), pageEnd(id, '')]);
}

/** The first page: people, a group of which a part came, a reference, the end with a cookie. */
export function searchPage(id: number): Buffer {
  const group1 = group(id, 'member;range=0-1', 2);
  return Buffer.concat([
    person(id, 1),
    group1,
    person(id, 2),
    reference(id, 'ldap://other.test/DC=other'),
    pageEnd(id, 'next'),
  ]);
}

function rootDse(id: number): Buffer {
  return entry(id, '', [
    ['defaultNamingContext', [BASE]],
    ['namingContexts', [BASE, `CN=Configuration,${BASE}`]],
    ['supportedControl', ['1.2.840.113556.1.4.319', '1.2.840.113556.1.4.529']],
    ['supportedExtension', [WHO_AM_I]],
    ['supportedCapabilities', ['1.2.840.113556.1.4.800']],
    ['dsServiceName', [SETTINGS]],
    ['dnsHostName', ['dc1.example.test']],
    ['highestCommittedUSN', ['4711']],
  ]);
}

function person(id: number, number: number): Buffer {
  return entry(id, `<GUID=00000000-0000-0000-0000-00000000000${number}>;CN=Person ${number},${BASE}`, [
    ['objectClass', ['top', 'person', 'user']],
    ['objectGUID', [Buffer.alloc(16, number)]],
    ['objectSid', [Buffer.from('010500000000000515000000010000000200000003000000f4010000', 'hex')]],
    ['displayName', ['Zoë “Ω” 山田']],
    ['mail', [`person${number}@example.test`]],
    ['proxyAddresses', [`SMTP:person${number}@example.test`, 'smtp:other@example.test', 'X400:c=x']],
    ['userAccountControl', ['512']],
    ['thumbnailPhoto', [Buffer.alloc(300, 0xd8)]],
    ['description', []],
    ['uSNChanged', ['17']],
  ]);
}

function group(id: number, attribute: string, members: number): Buffer {
  return entry(id, `CN=Group,${BASE}`, [
    ['objectClass', ['top', 'group']],
    ['objectGUID', [Buffer.alloc(16, 9)]],
    ['groupType', ['-2147483640']],
    ['uSNChanged', ['18']],
    [attribute, Array.from({ length: members }, (_, index) => `CN=Person ${index + 1},${BASE}`)],
  ]);
}

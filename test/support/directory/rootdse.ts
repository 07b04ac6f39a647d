/** The RootDSE (RFC 4512 section 5.1, MS-ADTS 3.1.1.3.2): what a server says of itself before anybody binds. */
import type { LdifValue } from '../ldif.js';
import { ControlOid } from './controls.js';
import { generalizedTime } from './load.js';
import type { Controller, Forest } from './topology.js';

export const ExtensionOid = {
  startTls: '1.3.6.1.4.1.1466.20037',
  whoAmI: '1.3.6.1.4.1.4203.1.11.3',
  noticeOfDisconnection: '1.3.6.1.4.1.1466.20036',
} as const;

/** Active Directory, its signing, its version 2003 and later, 2008 and later, 2012 and later. */
const CAPABILITIES = ['800', '1670', '1791', '1935', '2080', '2237'].map((arc) => `1.2.840.113556.1.4.${arc}`);

/** AD LDS, its signing, its version 2003 and later (MS-ADTS 3.1.1.3.4.3). */
const LIGHTWEIGHT = ['1851', '1670', '1791'].map((arc) => `1.2.840.113556.1.4.${arc}`);

export function rootDse(
  forest: Forest,
  controller: Controller,
  highestCommittedUsn: number,
  lightweight: boolean,
): [string, LdifValue[]][] {
  const { domain, hostName, serverDn, settingsDn, contexts } = controller;
  const shortName = hostName.split('.')[0] ?? hostName;
  return [
    ['domainFunctionality', ['7']],
    ['forestFunctionality', ['7']],
    ['domainControllerFunctionality', ['7']],
    ['rootDomainNamingContext', [forest.root.dn]],
    ['ldapServiceName', [`${forest.root.dnsName}:${shortName}$@${domain.dnsName.toUpperCase()}`]],
    ['isGlobalCatalogReady', [controller.catalog ? 'TRUE' : 'FALSE']],
    ['supportedLDAPVersion', ['3', '2']],
    ['supportedControl', Object.values(ControlOid)],
    ['supportedCapabilities', lightweight ? LIGHTWEIGHT : CAPABILITIES],
    ['supportedExtension', [ExtensionOid.startTls, ExtensionOid.whoAmI]],
    ['subschemaSubentry', [`CN=Aggregate,${forest.schema.dn}`]],
    ['serverName', [serverDn]],
    ['schemaNamingContext', [forest.schema.dn]],
    ['namingContexts', contexts.map(({ dn }) => dn)],
    ['isSynchronized', ['TRUE']],
    ['highestCommittedUSN', [String(highestCommittedUsn)]],
    ['dsServiceName', [settingsDn]],
    ['dnsHostName', [hostName]],
    ['defaultNamingContext', [domain.dn]],
    ['currentTime', [generalizedTime(new Date())]],
    ['configurationNamingContext', [forest.configuration.dn]],
  ];
}

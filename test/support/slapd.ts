/**
 * OpenLDAP's slapd in a scratch folder on a port of its own, for tests: a directory that is not Active Directory. It holds
 * the same people under the same names, with entryUUID for objectGUID and without extended distinguished names.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.js';
import { type LdifEntry, formatLdif } from './ldif.js';
import { type TestDirectory, freePort, programPaths, run, serve } from './programs.js';

const HOST = '127.0.0.1';
const BASE = 'DC=example,DC=test';
const READER = { dn: `CN=Sync Reader,${BASE}`, password: 'reader-secret' };
/** Compiled tests run from dist/; the schema stays with the sources. */
const SCHEMA = join(__dirname, '..', '..', '..', 'test', 'support', 'active-directory.schema');

/** Starts a slapd that holds `entries`, translated; ready in about a second. */
export async function startSlapd(entries: readonly LdifEntry[]): Promise<TestDirectory> {
  const programs = programPaths(['slapd', 'slapadd'], 'slapd');
  const folder = await mkdtemp(join(tmpdir(), 'slapd-'));
  try {
    const certificates = await makeCertificates(join(folder, 'certificates'), { hosts: [HOST] });
    const settings = join(folder, 'slapd.conf');
    await mkdir(join(folder, 'database'));
    await writeFile(settings, settingsText(folder, certificates));
    // slapadd takes no version line.
    const content = formatLdif([ROOT_ENTRY, ...entries.map(translated)]).replace(/^version: 1\n+/, '');
    await run(programs.slapadd, ['-q', '-f', settings], content);
    const [port, plainPort] = [await freePort(HOST), await freePort(HOST)];
    const urls = `ldaps://${HOST}:${String(port)} ldap://${HOST}:${String(plainPort)}`;
    const service = serve(programs.slapd, ['-h', urls, '-f', settings, '-d', '0']);
    const stop = async () => {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    };
    try {
      await service.listening(HOST, [port, plainPort]);
    } catch (failure) {
      await stop();
      throw failure;
    }
    const account = { user: READER.dn, password: READER.password, base: BASE };
    return { host: HOST, port, plainPort, ca: certificates.ca, ...account, stop };
  } catch (failure) {
    await rm(folder, { recursive: true, force: true });
    throw failure;
  }
}

function settingsText(folder: string, files: { caFile: string; certFile: string; keyFile: string }): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include ${SCHEMA}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${join(folder, 'slapd.pid')}
TLSCACertificateFile ${files.caFile}
TLSCertificateFile ${files.certFile}
TLSCertificateKeyFile ${files.keyFile}
sizelimit unlimited
database mdb
suffix "${BASE}"
rootdn "${READER.dn}"
rootpw ${READER.password}
directory ${join(folder, 'database')}
index objectClass eq
`;
}

const ROOT_ENTRY: LdifEntry = {
  dn: BASE,
  attributes: { objectClass: ['dcObject', 'organization'], dc: ['example'], o: ['Example'] },
};

/** Active Directory's classes under OpenLDAP's schema. A person must have a surname there: the common name stands in. */
function translated({ dn, attributes }: LdifEntry): LdifEntry {
  const classes = new Set((attributes['objectClass'] ?? []).map(String));
  const surname = attributes['sn'] ?? attributes['cn'] ?? [];
  if (classes.has('user'))
    return { dn, attributes: { ...attributes, objectClass: ['inetOrgPerson', 'user'], sn: surname } };
  if (classes.has('contact')) return { dn, attributes: { ...attributes, objectClass: ['contact'], sn: surname } };
  return { dn, attributes };
}

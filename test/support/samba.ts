/**
 * Samba's Active Directory domain controller in a scratch folder, for tests: the check that the simulator tells the truth.
 * It wants root, because a domain controller listens below port 1024.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.js';
import { type LdifEntry, formatLdif, valuesOf } from './ldif.js';
import { type TestDirectory, hold, isFree, programPaths, run, serve } from './programs.js';
import { SCHEMA_ATTRIBUTES, SCHEMA_CLASSES } from './samba-schema.js';

const PACKAGES =
  'samba samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldb-tools python3-samba (and run as root)';
const PROGRAMS = ['samba', 'samba-tool', 'ldbadd', 'ldbmodify'] as const;
const BASE = 'DC=example,DC=test';
const READER = { dn: `CN=Sync Reader,CN=Users,${BASE}`, password: 'Reader-Passw0rd!' };
/** Each controller takes a loopback address of its own; the first that is free. */
const ADDRESSES = Array.from({ length: 10 }, (_, at) => `127.0.0.${String(11 + at)}`);
const PORTS = [389, 636, 3268, 3269];
/** Whoever listens here has the address: Samba itself shares its ports without a word. */
const CLAIM_PORT = 47636;

type Programs = Record<(typeof PROGRAMS)[number], string>;

/** Starts a domain controller that holds `entries`; ready in about a second, the first time for these entries in about 6 s. */
export async function startSamba(entries: readonly LdifEntry[]): Promise<TestDirectory> {
  const programs = programPaths(PROGRAMS, PACKAGES);
  const claim = await claimAddress();
  const { host } = claim;
  const folder = await mkdtemp(join(tmpdir(), 'samba-'));
  try {
    await cp(await template(programs, entries), folder, { recursive: true });
    await moveSettings(folder, host);
    const certificates = await makeCertificates(join(folder, 'certificates'), { hosts: [host] });
    const service = serve(programs.samba, [
      ...['-F', '--no-process-group', '-M', 'single', '-s', join(folder, 'etc', 'smb.conf')],
      '--option=server services=ldap',
      `--option=log file=${join(folder, 'log')}`,
      `--option=pid directory=${folder}`,
      `--option=tls cafile=${certificates.caFile}`,
      `--option=tls certfile=${certificates.certFile}`,
      `--option=tls keyfile=${certificates.keyFile}`,
    ]);
    const stop = async () => {
      await service.stop();
      await claim.release();
      await rm(folder, { recursive: true, force: true });
    };
    try {
      await service.listening(host, PORTS);
    } catch (failure) {
      await stop();
      throw failure;
    }
    const account = { user: READER.dn, password: READER.password, base: BASE };
    return { host, port: 636, plainPort: 389, ca: certificates.ca, ...account, stop };
  } catch (failure) {
    await claim.release();
    await rm(folder, { recursive: true, force: true });
    throw failure;
  }
}

/** An address on which nobody else listens, kept from other test processes until `release`. */
async function claimAddress(): Promise<{ host: string; release: () => Promise<void> }> {
  for (const host of ADDRESSES) {
    const release = await hold(host, CLAIM_PORT);
    if (release === null) continue;
    const free = await Promise.all(PORTS.map((port) => isFree(host, port)));
    if (free.every(Boolean)) return { host, release };
    await release();
  }
  throw new Error(
    `None of ${String(ADDRESSES[0])} to ${String(ADDRESSES.at(-1))} is free on the ports ${PORTS.join(', ')}, or this user may not listen there: a domain controller wants root.`,
  );
}

/** A folder with a provisioned and filled controller, kept in the system's folder for temporary files. */
async function template(programs: Programs, entries: readonly LdifEntry[]): Promise<string> {
  const version = await run(programs.samba, ['--version']);
  const content = contentText(entries);
  const members = memberText(entries);
  const parts = [version, SCHEMA_ATTRIBUTES, SCHEMA_CLASSES, content, members, readerText(), 'layout 1'];
  const key = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
  const ready = join(tmpdir(), `samba-template-${key}`);
  if (await exists(join(ready, 'etc', 'smb.conf'))) return ready;

  const making = await mkdtemp(`${ready}-`);
  try {
    await provision(programs, making);
    await fill(programs, making, content, members);
    // Fails where another test process was quicker: its template is as good.
    await rename(making, ready).catch(() => undefined);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return ready;
}

async function provision(programs: Programs, folder: string): Promise<void> {
  await writeFile(join(folder, 'empty.conf'), '');
  await mkdir(join(folder, 'certificates'));
  await run(programs['samba-tool'], [
    ...['domain', 'provision', `--configfile=${join(folder, 'empty.conf')}`, `--targetdir=${folder}`],
    ...['--realm=EXAMPLE.TEST', '--domain=EXAMPLE', '--server-role=dc', '--adminpass=Administr4tor!'],
    ...['--dns-backend=NONE', '--host-name=dc1', '--host-ip=127.0.0.11'],
    ...['--option=interfaces=127.0.0.11/8', '--option=bind interfaces only=yes', '--option=vfs objects='],
    `--option=posix:eadb=${join(folder, 'eadb.tdb')}`,
  ]);
}

/** Fills the database while no server uses it: quicker than over LDAP, and accounts need no password this way. */
async function fill(programs: Programs, folder: string, content: string, members: string): Promise<void> {
  const database = ['-H', join(folder, 'private', 'sam.ldb')];
  const extend = [...database, '--option=dsdb:schema update allowed=yes'];
  await run(programs.ldbmodify, extend, SCHEMA_ATTRIBUTES);
  await run(programs.ldbmodify, extend, SCHEMA_CLASSES);
  await run(programs.ldbadd, database, readerText());
  await run(programs.ldbadd, database, content);
  await run(programs.ldbmodify, database, members);
}

/** The account that the sync logs on with: an ordinary user, as the documentation recommends. */
function readerText(): string {
  return ldbText([
    {
      dn: READER.dn,
      attributes: {
        objectClass: ['user'],
        sAMAccountName: ['sync-reader'],
        userAccountControl: ['66048'],
        unicodePwd: [Buffer.from(`"${READER.password}"`, 'utf16le')],
      },
    },
  ]);
}

/** LDIF as Samba's tools take it: without the version line. */
function ldbText(entries: readonly LdifEntry[]): string {
  return formatLdif(entries).replace(/^version: 1\n+/, '');
}

/** The entries without their members: Samba takes no member that is not there yet, and the company has cycles. */
function contentText(entries: readonly LdifEntry[]): string {
  const withoutMembers = (attributes: LdifEntry['attributes']) =>
    Object.fromEntries(Object.entries(attributes).filter(([name]) => name.toLowerCase() !== 'member'));
  return ldbText(entries.map(({ dn, attributes }) => ({ dn, attributes: withoutMembers(attributes) })));
}

/** Changes that add the members of every group. */
function memberText(entries: readonly LdifEntry[]): string {
  return entries
    .filter((entry) => valuesOf(entry, 'member').length > 0)
    .map((entry) => {
      const text = ldbText([{ dn: entry.dn, attributes: { member: valuesOf(entry, 'member') } }]);
      const [dnLine, ...memberLines] = text.split(/\n(?! )/);
      return [dnLine, 'changetype: modify', 'add: member', ...memberLines.filter(Boolean), '-'].join('\n');
    })
    .join('\n\n')
    .concat('\n');
}

/** The template's settings name its folder and its address; here they are another. */
async function moveSettings(folder: string, host: string): Promise<void> {
  const file = join(folder, 'etc', 'smb.conf');
  const settings = await readFile(file, 'utf8');
  const was = /^\s*private dir = (.*)[\\/]private$/m.exec(settings)?.[1];
  if (was === undefined) throw new Error(`${file} does not say where its private folder is.`);
  await writeFile(file, settings.replaceAll(was, folder).replaceAll('127.0.0.11/8', `${host}/8`));
}

async function exists(file: string): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch {
    return false;
  }
}

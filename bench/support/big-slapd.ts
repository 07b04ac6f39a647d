/** A slapd that holds a large company, loaded once into `.bench/` and used again by later runs. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, programPaths, run, serve } from '../../test/support/programs.js';
import { BASE, type Size, writeBigDirectory } from './big-directory.js';

const ROOT = join(__dirname, '..', '..', '..');
const SCHEMA = join(ROOT, 'test', 'support', 'active-directory.schema');
const READER = { user: `CN=Sync Reader,${BASE}`, password: 'reader-secret' };

/** A running slapd without encryption on loopback: the server's own TLS would only blur a comparison of clients. */
export interface BigDirectory {
  readonly host: string;
  readonly port: number;
  readonly base: string;
  readonly user: string;
  readonly password: string;
  stop(): Promise<void>;
}

/** Starts it; loading 100,000 people takes a minute or so the first time. `tell` says what takes long. */
export async function startBigDirectory(size: Size, tell: (line: string) => void): Promise<BigDirectory> {
  const programs = programPaths(['slapd', 'slapadd'], 'slapd');
  const schema = `${await readFile(SCHEMA, 'utf8')}\n${MORE_SCHEMA}`;
  const made = createHash('sha256')
    .update(schema)
    .update(JSON.stringify(size))
    .update(await ownSource())
    .digest('hex');
  const folder = join(ROOT, '.bench', `slapd-${size.people}-${size.groups}-${made.slice(0, 8)}`);
  const settings = join(folder, 'slapd.conf');
  if (!existsSync(folder)) {
    tell(`loading slapd with ${String(size.people)} people and ${String(size.groups)} groups`);
    await load(programs.slapadd, `${folder}.loading`, schema, size);
    await rename(`${folder}.loading`, folder);
    await writeFile(settings, settingsText(folder));
  }
  const host = '127.0.0.1';
  const port = await freePort(host);
  const service = serve(programs.slapd, ['-h', `ldap://${host}:${String(port)}`, '-f', settings, '-d', '0']);
  await service.listening(host, [port]);
  return { host, port, base: BASE, ...READER, stop: () => service.stop() };
}

async function load(slapadd: string, folder: string, schema: string, size: Size): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'database'), { recursive: true });
  await writeFile(join(folder, 'more.schema'), schema);
  await writeFile(join(folder, 'slapd.conf'), settingsText(folder));
  const ldif = join(folder, 'company.ldif');
  await writeBigDirectory(ldif, size);
  await run(slapadd, ['-q', '-f', join(folder, 'slapd.conf'), '-l', ldif]);
  await rm(ldif);
}

function ownSource(): Promise<Buffer> {
  return readFile(join(__dirname, 'big-directory.js'));
}

const MORE_SCHEMA = `
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID'
  EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.67 NAME 'identified' SUP top AUXILIARY MAY objectGUID )
`;

function settingsText(folder: string): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include ${join(folder, 'more.schema')}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${join(folder, 'slapd.pid')}
sizelimit unlimited
threads 4
database mdb
maxsize 17179869184
suffix "${BASE}"
rootdn "${READER.user}"
rootpw ${READER.password}
directory ${join(folder, 'database')}
index objectClass eq
index mail pres
index proxyAddresses pres
`;
}

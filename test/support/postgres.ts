/**
 * PostgreSQL in a scratch folder on a port of its own, for tests. Its databases sort by the rules of a language, and a
 * user who may do little owns one: what works here needs no superuser and no special collation.
 */
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.js';
import { freePort, outcomeOf, programPath, run, serve } from './programs.js';

const HOST = '127.0.0.1';
const PASSWORD = 'owner-secret: @/?';
const ADMIN_PASSWORD = 'admin-secret';
/** Debian keeps each version's programs in a folder of its own. */
const DEBIAN = '/usr/lib/postgresql';

/** Names a folder with the `initdb` and `postgres` of another version than the one that is installed, whose `psql` is used. */
const SERVER = 'POSTGRES_PROGRAMS';

/** A running server. */
export interface TestPostgres {
  readonly host: string;
  readonly port: number;
  /** The authority of its certificate, PEM. */
  readonly ca: string;
  /** Of the user who owns the database `accounts`, and of nobody else's. */
  readonly url: string;
  /** Of the superuser, in the same database. */
  readonly adminUrl: string;
  /** Where its programs are. */
  readonly bin: string;
  stop(): Promise<void>;
}

/** Starts it; ready in some two seconds. `durable`: commits are on the disk, for those who measure; tests do not wait for it. */
export async function startPostgres({ durable = false } = {}): Promise<TestPostgres> {
  const bin = programFolder();
  const server = process.env[SERVER] ?? bin;
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const owner = await serverUser();
  const as = (program: string, args: readonly string[]): [string, string[]] =>
    owner === null
      ? [join(server, program), [...args]]
      : ['/usr/bin/setpriv', [...asUser(owner), join(server, program), ...args]];
  try {
    const data = join(folder, 'data');
    const certificates = await makeCertificates(join(folder, 'certificates'), { hosts: [HOST, 'localhost'] });
    const secret = join(folder, 'password');
    await writeFile(secret, ADMIN_PASSWORD);
    if (owner !== null) {
      await chmod(join(folder, 'certificates'), 0o755);
      for (const path of [folder, secret, certificates.keyFile]) await chown(path, owner.uid, owner.gid);
    }
    await chmod(certificates.keyFile, 0o600);
    await run(
      ...as('initdb', [
        '-D',
        data,
        '-U',
        'admin',
        '-A',
        'scram-sha-256',
        `--pwfile=${secret}`,
        '-E',
        'UTF8',
        ...(await languageOf(join(server, 'initdb'))),
      ]),
    );
    const port = await freePort(HOST);
    const conf = join(data, 'postgresql.conf');
    await appendFile(conf, settingsText({ port, durable, ...certificates }));
    const service = serve(...as('postgres', ['-D', data]));
    const stop = async () => {
      await service.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    try {
      await service.listening(HOST, [port]);
      const admin = (database: string) => `postgresql://admin:${ADMIN_PASSWORD}@${HOST}:${String(port)}/${database}`;
      const psql = (database: string, sql: string) =>
        run(join(bin, 'psql'), ['-X', '-q', '-v', 'ON_ERROR_STOP=1', admin(database), '-c', sql]);
      await ready(() => psql('postgres', 'SELECT 1'));
      await psql('postgres', `CREATE ROLE owner LOGIN PASSWORD '${PASSWORD}'`);
      await psql('postgres', 'CREATE DATABASE accounts OWNER owner');
      const url = `postgresql://owner:${encodeURIComponent(PASSWORD)}@${HOST}:${String(port)}/accounts`;
      return { host: HOST, port, ca: certificates.ca, url, adminUrl: admin('accounts'), bin, stop };
    } catch (failure) {
      await stop();
      throw failure;
    }
  } catch (failure) {
    await rm(folder, { recursive: true, force: true });
    throw failure;
  }
}

/** In the file, so that ALTER SYSTEM can say something else. */
function settingsText({
  port,
  durable,
  certFile,
  keyFile,
}: {
  port: number;
  durable: boolean;
  certFile: string;
  keyFile: string;
}): string {
  const settings = {
    port: String(port),
    listen_addresses: HOST,
    unix_socket_directories: '',
    ssl: 'on',
    ssl_cert_file: certFile,
    ssl_key_file: keyFile,
    max_connections: '60',
    log_min_messages: 'fatal',
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join('');
}

/** Words are sorted as in English: `a B c`, and not by their bytes. Before version 15 only what the system has can say so. */
async function languageOf(initdb: string): Promise<string[]> {
  const { stdout } = await outcomeOf(initdb, ['--version']);
  const version = Number(/(\d+)\./.exec(stdout)?.[1]);
  return version < 15 ? ['--locale=C.UTF-8'] : ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en'];
}

/** The programs of the newest version that is installed. */
function programFolder(): string {
  const installed = ((): string[] => {
    try {
      return readdirSync(DEBIAN).sort((left, right) => Number(right) - Number(left));
    } catch {
      return [];
    }
  })();
  const folders = installed.map((version) => join(DEBIAN, version, 'bin'));
  const found = folders.find((folder) => programPath('initdb', [folder]) !== null);
  if (found !== undefined) return found;
  throw new Error('This test needs initdb and postgres. On Debian: apt-get install --no-install-recommends postgresql');
}

/** The server does not run as root: then it runs as Debian's user for it. Null: as who we are. */
async function serverUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const { stdout } = await outcomeOf('/usr/bin/getent', ['passwd', 'postgres']);
  const [, , uid, gid] = stdout.split(':');
  if (uid === undefined || gid === undefined)
    throw new Error('There is no user "postgres" that the server could run as.');
  return { uid: Number(uid), gid: Number(gid) };
}

const asUser = ({ uid, gid }: { uid: number; gid: number }) => [
  `--reuid=${String(uid)}`,
  `--regid=${String(gid)}`,
  '--clear-groups',
];

async function ready(ask: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

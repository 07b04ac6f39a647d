/** The programs that read beside ours, as commands: those that this machine has, and what would bring the others. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { programPath, run } from '../../test/support/programs.js';
import type { ReadJob } from '../peers/job.js';

export interface Peer {
  readonly name: string;
  /** Null where this machine does not have it; then `missing` says what brings it. */
  readonly command: readonly string[] | null;
  readonly missing: string;
}

const SOURCES = join(__dirname, '..', '..', '..', 'bench', 'peers');
/** Where Debian puts the sources of Go packages. */
const GO_PATH = '/usr/share/gocode';
const PYTHON = '/usr/bin/python3';

/** Those of the comparison, ldapsearch first. What has to be compiled is compiled into `built`, where our own are. */
export async function peersOf(job: ReadJob, built: string): Promise<Peer[]> {
  const own = (name: string) => ({ command: [process.execPath, join(built, name)], missing: '' });
  return [
    { name: 'ldapsearch', command: ldapsearch(job), missing: 'ldap-utils' },
    { name: 'ours', ...own('ours.js') },
    { name: 'ldapts searchPaginated', ...own('ldapts.js') },
    { name: 'ldapjs', command: [process.execPath, join(SOURCES, 'ldapjs.mjs')], missing: '' },
    { name: 'JNDI', command: await jndi(job, built), missing: 'a JDK' },
    { name: 'python-ldap', command: await pythonLdap(), missing: 'python3-ldap' },
    { name: 'go-ldap', command: await goLdap(built), missing: 'golang-go and golang-github-go-ldap-ldap-dev' },
  ];
}

function ldapsearch({ host, port, user, password, base, filter, attributes, pageSize }: ReadJob): string[] | null {
  const program = programPath('ldapsearch');
  if (program === null) return null;
  const where = ['-H', `ldap://${host}:${String(port)}`, '-D', user, '-w', password, '-b', base];
  const how = ['-x', '-LLL', '-o', 'ldif-wrap=no', '-E', `pr=${String(pageSize)}/noprompt`];
  return ['bash', '-c', '"$@" > /dev/null', 'read', program, ...where, ...how, filter, ...attributes];
}

async function jndi(job: ReadJob, built: string): Promise<string[] | null> {
  const javac = programPath('javac');
  if (javac === null) return null;
  await run(javac, ['-d', built, join(SOURCES, 'Jndi.java')]);
  const { host, port, user, password, base, filter, attributes, pageSize } = job;
  const asked = [host, String(port), user, password, base, filter, attributes.join(','), String(pageSize)];
  return ['java', '-cp', built, 'Jndi', ...asked];
}

async function pythonLdap(): Promise<string[] | null> {
  if (!existsSync(PYTHON) || !(await works(PYTHON, ['-c', 'import ldap']))) return null;
  return [PYTHON, join(SOURCES, 'python_ldap.py')];
}

async function goLdap(built: string): Promise<string[] | null> {
  const go = programPath('go');
  if (go === null || !existsSync(join(GO_PATH, 'src', 'github.com', 'go-ldap', 'ldap'))) return null;
  const program = join(built, 'go-ldap');
  const env = ['GO111MODULE=off', `GOPATH=${GO_PATH}`, `GOCACHE=${join(built, 'go-cache')}`];
  await run('/usr/bin/env', [...env, go, 'build', '-o', program, join(SOURCES, 'go_ldap.go')]);
  return [program];
}

function works(program: string, args: string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}

/** Changes a directory with OpenLDAP's command, as a program would that shares no code with ours. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestDirectory, programPaths, run } from './programs.js';

const ADMINISTRATOR = { user: 'Administrator@example.test', password: 'Administr4tor!' };

/** Applies `changes`, which are LDIF change records, as Samba's administrator. Throws where the server refuses one. */
export async function ldapmodify(directory: TestDirectory, changes: string): Promise<void> {
  const { ldapmodify: program } = programPaths(['ldapmodify'], 'ldap-utils');
  const folder = await mkdtemp(join(tmpdir(), 'ldapmodify-'));
  try {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, directory.ca);
    await run(
      program,
      [
        ...['-x', '-o', `TLS_CACERT=${caFile}`, '-H', `ldaps://${directory.host}:${String(directory.port)}`],
        ...['-D', ADMINISTRATOR.user, '-w', ADMINISTRATOR.password],
      ],
      changes,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Searches with OpenLDAP's command, a client that shares no code with ours: what it sees is what a server says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LdifEntry, parseLdif } from './ldif.js';
import { type TestDirectory, outcomeOf, programPaths } from './programs.js';

export interface SearchRequest {
  readonly filter?: string;
  readonly attributes?: readonly string[];
  readonly base?: string;
  readonly scope?: 'base' | 'one' | 'sub';
  /** Reads in pages of so many entries. */
  readonly page?: number;
  /** Further arguments, such as `-E` with a control. */
  readonly options?: readonly string[];
  readonly user?: string;
  readonly password?: string;
  /** Without encryption, at `plainPort`. */
  readonly plain?: boolean;
}

export interface SearchAnswer {
  /** The LDAP result code. */
  readonly code: number;
  readonly entries: LdifEntry[];
  /** The diagnostic text of an error. */
  readonly info: string;
  /** How many pages were read. */
  readonly pages: number;
}

/** The control that asks for GUID and SID before each name; flag 1: the GUID with dashes (MS-ADTS 3.1.1.3.4.1.5). */
export const EXTENDED_DN = ['-E', '!1.2.840.113556.1.4.529=::MAMCAQE='];

/** One search, from a connection of its own. */
export async function ldapsearch(directory: TestDirectory, request: SearchRequest): Promise<SearchAnswer> {
  const { ldapsearch: program } = programPaths(['ldapsearch'], 'ldap-utils');
  const folder = await mkdtemp(join(tmpdir(), 'ldapsearch-'));
  try {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, directory.ca);
    const env = { ...process.env, LDAPTLS_CACERT: caFile };
    const ended = await outcomeOf(program, argumentsFor(directory, request), { env });
    return {
      code: ended.code ?? -1,
      entries: parseLdif(withoutReferences(ended.stdout)),
      info: /additional info: (.*)/i.exec(ended.stderr)?.[1] ?? ended.stderr.trim(),
      pages: ended.stdout.match(/^# pagedresults:/gm)?.length ?? 0,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function argumentsFor(directory: TestDirectory, request: SearchRequest): string[] {
  const url =
    request.plain === true
      ? `ldap://${directory.host}:${String(directory.plainPort)}`
      : `ldaps://${directory.host}:${String(directory.port)}`;
  return [
    ...['-x', '-LLL', '-o', 'ldif-wrap=no', '-o', 'nettimeout=10', '-H', url],
    ...['-D', request.user ?? directory.user, '-w', request.password ?? directory.password],
    ...['-b', request.base ?? directory.base, '-s', request.scope ?? 'sub'],
    ...(request.page === undefined ? [] : ['-E', `!pr=${String(request.page)}/noprompt`]),
    ...(request.options ?? []),
    request.filter ?? '(objectClass=*)',
    ...(request.attributes ?? []),
  ];
}

/** Search references stand in the output as comments with -LLL, or as `ref:` without a name: neither is an entry. */
function withoutReferences(text: string): string {
  return text
    .split(/\n\n+/)
    .filter((block) => /^dn:/m.test(block))
    .join('\n\n');
}

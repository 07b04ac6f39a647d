/**
 * A small Active Directory over TCP and TLS, filled from LDIF entries and scripted by switches: the sample's directory, and
 * the one against which reading is tested. It reads only; it answers as a domain controller does, or as a switch says.
 */
import type { SecureContextOptions } from 'node:tls';
import type { LdifEntry } from '../ldif.js';
import type { Users } from './bind.js';
import { Loader } from './load.js';
import { DEFAULT_QUIRKS, type Quirks } from './quirks.js';
import { Holdings } from './holdings.js';
import { listen } from './server.js';
import { ServerState } from './state.js';
import { controllerOf, forestOf } from './topology.js';
import type { Operation } from './transcript.js';

export type { LdifEntry } from '../ldif.js';
export type { Quirks } from './quirks.js';
export type { Operation, SearchOperation } from './transcript.js';

export interface DirectoryOptions {
  /** Parents before children. What every domain has (CN=Users, Domain Users …) is there without being listed. */
  readonly entries: readonly LdifEntry[];
  /** `DC=example,DC=test` */
  readonly base: string;
  /** Distinguished name, user principal name or `DOMAIN\user` → password, beside the userPassword of entries. */
  readonly users?: Readonly<Record<string, string>>;
  /** 127.0.0.1 where none is given. */
  readonly host?: string;
  /** A free one where none is given. */
  readonly port?: number;
  /** Certificate and key: for `encryption: 'ldaps'`, else for StartTLS. */
  readonly tls?: SecureContextOptions;
  readonly encryption?: 'ldaps' | 'plain';
  readonly quirks?: Partial<Quirks>;
  /** What it calls itself: `dc1.` and the domain where none is given. */
  readonly hostName?: string;
}

export interface SampleDirectory {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Every operation asked, oldest first. */
  readonly transcript: readonly Operation[];
  /** Replaces the entries. Ids stay with names; what changed gets a higher uSNChanged. Searches under way go on. */
  reload(entries: readonly LdifEntry[]): void;
  /** Sets these switches and leaves the others. */
  setQuirks(quirks: Partial<Quirks>): void;
  /** Stops listening and drops the connections. */
  close(): Promise<void>;
}

/** Starts a directory. Rejects where the entries make no tree below `base`, or the port is taken. */
export async function startDirectory(options: DirectoryOptions): Promise<SampleDirectory> {
  const encrypted = options.encryption === 'ldaps';
  if (encrypted && !options.tls) throw new Error("A directory with encryption 'ldaps' needs a certificate in tls.");
  const forest = forestOf(options.base);
  const controller = controllerOf(forest, forest.root, options.hostName);
  const holdings = new Holdings(new Loader(forest, [controller]), options.entries);
  const users: Users = options.users ?? {};
  const state = new ServerState(forest, controller, users, options.tls ?? null, holdings);
  state.quirks = { ...DEFAULT_QUIRKS, ...options.quirks };
  return serve(state, { host: options.host ?? '127.0.0.1', port: options.port ?? 0, encrypted });
}

/** Listens for a server's state, and gives what tests do with it. */
export async function serve(
  state: ServerState,
  at: { host: string; port: number; encrypted: boolean },
): Promise<SampleDirectory> {
  const server = await listen(state, at);
  return {
    url: `${at.encrypted ? 'ldaps' : 'ldap'}://${server.host}:${server.port}`,
    host: server.host,
    port: server.port,
    transcript: state.transcript,
    reload: (entries) => state.load(entries),
    setQuirks: (quirks) => {
      state.quirks = { ...state.quirks, ...quirks };
    },
    close: () => server.close(),
  };
}

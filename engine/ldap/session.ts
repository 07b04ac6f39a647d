/** A session: connected to one server, encrypted, bound, and what is known of that server. Kept for the whole run. */
import { DirectoryError, SettingError, StoppedError } from '../model/errors.js';
import { noServer } from './connect-errors.js';
import { Connection } from './connection.js';
import type { Entry } from './entry.js';
import { parseFilter } from './filter.js';
import { locateServers } from './locate.js';
import { type RangeCounts, type RangesLeft, completeRanges } from './ranges.js';
import { type RootDse, readInvocationId, readRootDse } from './rootdse.js';
import { type SearchOptions, type SearchOutcome, readObject, search } from './search.js';
import { type DirectorySettings, checkDirectorySettings } from './settings.js';
import type { Syntaxes } from './syntax.js';
import type { Server, TlsFacts } from './transport.js';

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';
const ANY = parseFilter('(objectClass=*)');
const EXTENDED_DN = '1.2.840.113556.1.4.529';
/** With these the next server may do better. A refused logon is never tried elsewhere: that would lock the account. */
const TRY_NEXT = new Set([
  'CONNECTION_REFUSED',
  'HOST_NOT_FOUND',
  'HOST_UNREACHABLE',
  'CONNECT_TIMEOUT',
  'CONNECTION_LOST',
  'CLOSED_UNANSWERED',
  'SERVER_SILENT',
  'SERVER_BUSY',
  'SERVER_NOT_TLS',
  'DISCONNECTED_BY_SERVER',
]);

/**
 * Connects to the first server that answers, encrypts, binds and reads its RootDSE. Throws `SettingError` for settings that
 * cannot work, `DirectoryError` for what the directory does, `StoppedError` when aborted. Always `close()` the session.
 */
export async function openSession(settings: DirectorySettings, signal: AbortSignal): Promise<Session> {
  checkDirectorySettings(settings);
  const failures: { server: Server; error: DirectoryError }[] = [];
  for (const server of await serversOf(settings, signal)) {
    if (signal.aborted) throw new StoppedError(signal.reason);
    try {
      return await openAt(settings, server, signal);
    } catch (error) {
      if (!(error instanceof DirectoryError) || !TRY_NEXT.has(error.code)) throw error;
      failures.push({ server, error });
    }
  }
  const [only] = failures;
  throw failures.length === 1 && only ? only.error : noServer(failures);
}

/** Those of the settings, or those that DNS gives for the domain. */
async function serversOf(settings: DirectorySettings, signal: AbortSignal): Promise<readonly Server[]> {
  const { servers, discovery, encryption, resolveSrv } = settings;
  if (servers.length > 0 || discovery === undefined) return servers;
  const milliseconds = settings.timeouts.connect;
  const deadline = { at: Date.now() + milliseconds, milliseconds, signal };
  return locateServers({ ...discovery, service: 'controllers', encryption }, deadline, resolveSrv);
}

async function openAt(settings: DirectorySettings, server: Server, signal: AbortSignal): Promise<Session> {
  const milliseconds = settings.timeouts.connect;
  const deadline = { at: Date.now() + milliseconds, milliseconds, signal };
  const connection = await Connection.open(settings, server, deadline);
  try {
    await connection.bind(settings.user, settings.password, deadline);
    const rootDse = await readRootDse(connection);
    const invocationId = await readInvocationId(connection, rootDse.dsServiceName);
    return new Session(settings, connection, rootDse, invocationId);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

export class Session {
  /** What the schema says of attributes, for all that is read from now on. */
  syntaxes: Syntaxes = new Map();
  readonly #runTimer: NodeJS.Timeout;

  constructor(
    private readonly settings: DirectorySettings,
    private readonly connection: Connection,
    readonly rootDse: RootDse,
    /** The id of the server's database; null where it cannot be read. */
    readonly invocationId: string | null,
  ) {
    const { run } = settings.timeouts;
    this.#runTimer = setTimeout(() => connection.fail(runTooLong(run)), run);
  }

  /** Such as `ldaps://dc1.example.test:636`. */
  get url(): string {
    const { host, port } = this.connection.server;
    const scheme = this.settings.encryption === 'ldaps' ? 'ldaps' : 'ldap';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  get tls(): TlsFacts | null {
    return this.connection.tls;
  }

  /** The server that this session is with, and stays with. */
  get server(): Server {
    return this.connection.server;
  }

  /** Whether the connection has ended. */
  get failed(): boolean {
    return this.connection.failure !== null;
  }

  /** Requests sent and bytes of answers received so far. */
  get traffic(): { requests: number; bytes: number } {
    return { requests: this.connection.requests, bytes: this.connection.bytes };
  }

  get pageSize(): number {
    return this.settings.pageSize;
  }

  /** Does the server put GUID and SID before names when asked to? */
  get knowsExtendedDn(): boolean {
    return this.rootDse.supportedControls.has(EXTENDED_DN);
  }

  /**
   * Who is bound, as the server says it. Where it cannot say, the user of the settings: the connection is the one that was
   * bound, for it is never made again.
   */
  async identity(): Promise<string> {
    const told = this.rootDse.supportedExtensions.has(WHO_AM_I) ? await this.connection.whoAmI() : null;
    return told ?? `bound as ${this.settings.user}`;
  }

  /** The base of searches: that of the settings, else the server's default. Throws `SettingError` where there is none. */
  base(): string {
    if (this.settings.base !== null) return this.settings.base;
    const { defaultNamingContext, namingContexts } = this.rootDse;
    const base = defaultNamingContext ?? (namingContexts.length === 1 ? namingContexts[0] : undefined);
    if (base !== undefined) return base;
    throw new SettingError('BASE_MISSING', {
      message: `The directory server has no default naming context (it names ${namingContexts.length}). Fill in "base" of the directory server, for example dc=example,dc=com.`,
      status: 'base missing',
      params: { setting: 'base', namingContexts: namingContexts.length },
    });
  }

  /** Which of the attributes have a value at the object of this name, or `<GUID=…>`; null where it may not be seen. */
  async sees(base: string, attributes: readonly string[]): Promise<string[] | null> {
    const object = { filter: ANY, attributes: ['objectClass', ...attributes], extendedDn: false, marks: false };
    const entry = await readObject(this.connection, base, object);
    if (entry === null) return null;
    const some = Object.entries(entry.attributes).filter(([, values]) => values.length > 0);
    return [...some.map(([name]) => name), ...entry.ranges.map(({ key }) => key)];
  }

  /** The highest update sequence number now, as decimal text; null where the server keeps none. */
  async highestUsn(): Promise<string | null> {
    return (await readRootDse(this.connection)).highestCommittedUsn;
  }

  /** Reads a search whole, in slices. See `search`. */
  search(options: SearchOptions): AsyncGenerator<Entry[], SearchOutcome> {
    return search(this.connection, { ...options, syntaxes: this.syntaxes });
  }

  /** Completes the attributes of an entry that are left. See `completeRanges`. */
  completeRanges(
    object: { dn: string; guid: string | null },
    entry: Entry,
    left: RangesLeft,
    counts: RangeCounts,
  ): Promise<void> {
    const how = { extendedDn: this.knowsExtendedDn, syntaxes: this.syntaxes };
    return completeRanges(this.connection, { ...object, ...how }, entry, left, counts);
  }

  /** Unbinds and closes. Harmless when the connection has ended already. */
  async close(): Promise<void> {
    clearTimeout(this.#runTimer);
    await this.connection.close();
  }
}

function runTooLong(milliseconds: number): DirectoryError {
  return new DirectoryError('RUN_TOO_LONG', {
    message: `Reading the directory took longer than the time limit of a run (${milliseconds} ms). Nothing is removed. Raise the limit ("timeouts"), or narrow "base" or "filter".`,
    status: 'run too long',
    params: { milliseconds },
    transient: true,
  });
}

/**
 * One LDAP connection: the client library behind the wire. Connects and encrypts, binds, asks who is bound, searches.
 * It is never made again silently: when it ends, everything on it fails with the reason.
 */
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Control, ResultCodeError } from 'ldapts';
import { type DirectorySyncError, StoppedError, asDirectorySyncError } from '../model/errors.js';
import { malformed } from './ber.js';
import { connectTimeout } from './connect-errors.js';
import { EncodedFilter, type ParsedFilter } from './filter.js';
import { bindError, startTlsError } from './result-errors.js';
import { OPERATION, type Result } from './result.js';
import type { DirectorySettings } from './settings.js';
import { type Deadline, type Server, type TlsFacts, connectPlain, connectTls, encrypt, tlsFacts } from './transport.js';
import { type Responder, Wire } from './wire.js';

const START_TLS = '1.3.6.1.4.1.1466.20037';
const FAREWELL_MS = 500;
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

/** What one search request asks for. */
export interface SearchRequest {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: ParsedFilter;
  readonly attributes: readonly string[];
}

export class Connection {
  requests = 0;
  readonly #client: Client;
  readonly #onAbort = () => this.wire.fail(new StoppedError(this.signal.reason));

  private constructor(
    private readonly wire: Wire,
    readonly server: Server,
    public tls: TlsFacts | null,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', this.#onAbort);
    if (signal.aborted) this.#onAbort();
    const stream: Duplex = wire;
    let taken = false;
    this.#client = new Client({
      url: `ldap://${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`,
      // The library would make a lost connection anew, without a bind: it gets this one, once.
      createConnection: () => {
        if (taken) throw wire.failure ?? new Error('the connection has ended');
        taken = true;
        // The library uses nothing of a socket but what every Duplex has, and whether it is connected.
        // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
        return stream as net.Socket;
      },
    });
  }

  /** Connects and encrypts as the settings say. Nothing is sent of user or password. */
  static async open(settings: DirectorySettings, server: Server, deadline: Deadline): Promise<Connection> {
    const limits = { maxMessageBytes: settings.maxMessageBytes, idle: settings.timeouts.idle };
    const link =
      settings.encryption === 'ldaps'
        ? await connectTls(server, settings.tls, deadline)
        : await connectPlain(server, deadline, settings.encryption === 'starttls');
    const connection = new Connection(new Wire(link, limits), server, tlsFacts(link), deadline.signal);
    try {
      if (settings.encryption === 'starttls') await connection.#startTls(settings, deadline);
    } catch (error) {
      connection.fail(asDirectorySyncError(error));
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** Bytes of the server's answers, after decryption. */
  get bytes(): number {
    return this.wire.bytesReceived;
  }

  get failure(): DirectorySyncError | null {
    return this.wire.failure;
  }

  /** A simple bind. Throws `DirectoryError` (see `bindError`), and is never tried again. */
  async bind(user: string, password: string, deadline: Deadline): Promise<void> {
    const result = await this.#ask(OPERATION.bindRequest, () => this.#client.bind(user, password), 'bind', deadline);
    if (result.code !== 0) throw bindError(result);
  }

  /** The authorization identity (RFC 4532), such as `u:EXAMPLE\svc` or `dn:cn=…`; null where the server does not tell. */
  async whoAmI(): Promise<string | null> {
    const result = await this.#ask(OPERATION.extendedRequest, () => this.#client.exop(WHO_AM_I), 'Who am I?');
    return result.code === 0 ? (result.value?.toString('utf8') ?? '') : null;
  }

  /** Sends a search; `responder` takes all of its answer. Never throws: a failure goes to the responder. */
  search(request: SearchRequest, controls: readonly Control[], responder: Responder): void {
    if (this.wire.failure) {
      responder.failed(this.wire.failure);
      return;
    }
    this.requests += 1;
    let announced = false;
    const filter = new EncodedFilter(request.filter, () => {
      announced = true;
      this.wire.expect(OPERATION.searchRequest, responder);
    });
    this.#client
      .search(
        request.base,
        {
          scope: request.scope,
          filter,
          attributes: [...request.attributes],
          // No limit of ours: while we hold back because the flow is slow, a healthy page would run into it. The idle limit
          // watches the server, and Active Directory has a limit of its own, which it answers with a cookie.
          timeLimit: 0,
        },
        [...controls],
      )
      .catch((error: unknown) => {
        // A result code is what the responder has been told already.
        if (!announced) responder.failed(this.wire.failure ?? asDirectorySyncError(error));
      });
  }

  pauseFor(responder: Responder): void {
    this.wire.pauseFor(responder);
  }

  resumeFor(responder: Responder): void {
    this.wire.resumeFor(responder);
  }

  /** Ends the connection because of `error`. */
  fail(error: DirectorySyncError): void {
    this.wire.fail(error);
  }

  /** Says goodbye and closes; does not wait long for a server that does not listen any more. */
  async close(): Promise<void> {
    this.signal.removeEventListener('abort', this.#onAbort);
    if (!this.wire.failure) {
      const waited = new AbortController();
      await Promise.race([this.#client.unbind(), sleep(FAREWELL_MS, null, waited)]).catch(() => undefined);
      waited.abort();
    }
    this.wire.destroy();
  }

  async #startTls(settings: DirectorySettings, deadline: Deadline): Promise<void> {
    const result = await this.#ask(OPERATION.extendedRequest, () => this.#client.exop(START_TLS), 'StartTLS', deadline);
    if (result.code !== 0) throw startTlsError(result);
    const secure = await encrypt(this.wire.detach(), this.server, settings.tls, deadline);
    this.tls = tlsFacts(secure);
    this.wire.attach(secure);
  }

  /** Sends a request that has one result. Under `deadline` if given, else under the idle limit alone. */
  #ask(operation: number, send: () => Promise<unknown>, step: string, deadline?: Deadline): Promise<Result> {
    if (this.wire.failure) return Promise.reject(this.wire.failure);
    this.requests += 1;
    return new Promise((resolve, reject) => {
      const timer = deadline
        ? setTimeout(
            () => this.wire.fail(connectTimeout(this.server, step, deadline.milliseconds)),
            Math.max(0, deadline.at - Date.now()),
          )
        : undefined;
      const unexpected = () => {
        throw malformed(`an entry as the answer to ${step}`, 0);
      };
      this.wire.expect(operation, {
        expectsMany: false,
        entry: unexpected,
        reference: unexpected,
        done: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        failed: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      send().catch((error: unknown) => {
        // A result code other than 0: told by `done`. Anything else means that the request was not sent.
        if (!(error instanceof ResultCodeError)) this.wire.fail(asDirectorySyncError(error));
      });
    });
  }
}

/**
 * The sessions of one read, each with one server and kept for the read. One that is cut is opened again with the same server, a
 * few times in all; another server, another database or another user would be another read.
 */
import { readSyntaxes } from '../ldap/schema.js';
import { type Session, openSession } from '../ldap/session.js';
import type { DirectorySettings } from '../ldap/settings.js';
import type { Syntaxes } from '../ldap/syntax.js';
import { DirectoryError } from '../model/errors.js';
import { identityChanged } from './failures.js';

/** How often a read begins something again, in all. */
const MOST_RESTARTS = 2;
/** The connection was cut, or the server forgot the cookie. With anything else, to ask again would only be to insist. */
const RESTARTABLE = new Set(['CONNECTION_LOST', 'PAGING_LOST']);

interface Kept {
  session: Session;
  /** Who was bound at the beginning. */
  readonly identity: string;
}

export class Sessions {
  /** How often something was begun again. */
  restarts = 0;
  readonly #kept: Kept[] = [];
  /** The session that was opened in place of one that is gone. */
  readonly #successors = new Map<Session, Session>();
  readonly #startedAt = Date.now();
  /** What the schema says of the attributes: one for all servers of a forest. */
  #syntaxes: Syntaxes | null = null;

  constructor(
    private readonly settings: DirectorySettings,
    private readonly signal: AbortSignal,
    /** Those that nobody but the schema knows. */
    private readonly attributes: readonly string[],
  ) {}

  /** Keeps a session, and notes who is bound on it. */
  async keep(session: Session): Promise<Session> {
    try {
      session.syntaxes = this.#syntaxes ??= await readSyntaxes(session, this.attributes);
      this.#kept.push({ session, identity: await session.identity() });
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /** Who was bound on it at the beginning. */
  identityOf(session: Session): string {
    return this.#keptAs(this.now(session))?.identity ?? '';
  }

  /** The session in place of this one: itself, or the one that was opened after a cut. */
  now(session: Session): Session {
    const successor = this.#successors.get(session);
    return successor === undefined ? session : this.now(successor);
  }

  /**
   * Does `work`, which may be done again, with the session or its successor, until it is not cut. Throws what the work throws
   * where that is no cut, and where there were too many.
   */
  async again<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
    for (;;) {
      const current = this.now(session);
      try {
        return await work(current);
      } catch (error) {
        await this.afterCut(current, error);
      }
    }
  }

  /** The session with which to begin again what `error` ended. Throws `error` where that is no cut, or one too many. */
  async afterCut(session: Session, error: unknown): Promise<Session> {
    if (!(error instanceof DirectoryError) || !RESTARTABLE.has(error.code)) throw error;
    const current = this.now(session);
    // Somebody else has come upon the same cut before.
    if (current !== session && !current.failed) return current;
    if (this.restarts === MOST_RESTARTS) throw error;
    this.restarts += 1;
    return current.failed ? this.#reopened(current, error) : current;
  }

  /** Throws where somebody else is bound on one of them than at its beginning. */
  async checkIdentities(): Promise<void> {
    for (const { session, identity } of this.#kept) {
      if ((await session.identity()) !== identity) throw identityChanged();
    }
  }

  /** Closes one that is of no more use, and asks nothing of it any more. */
  async drop(session: Session): Promise<void> {
    const current = this.now(session);
    const at = this.#kept.findIndex((kept) => kept.session === current);
    if (at >= 0) this.#kept.splice(at, 1);
    await current.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#kept.map(({ session }) => session.close()));
  }

  /** A new session to the server of the old one. Throws `failure` where it is not the same server, database and user. */
  async #reopened(before: Session, failure: DirectoryError): Promise<Session> {
    const kept = this.#keptAs(before);
    if (kept === undefined) throw failure;
    await before.close();
    const { timeouts } = this.settings;
    const left = Math.max(1, timeouts.run - (Date.now() - this.#startedAt));
    const same = { ...this.settings, servers: [before.server], timeouts: { ...timeouts, run: left } };
    const session = await openSession(same, this.signal);
    session.syntaxes = before.syntaxes;
    kept.session = session;
    this.#successors.set(before, session);
    const sameDatabase =
      session.invocationId === before.invocationId && session.rootDse.dnsHostName === before.rootDse.dnsHostName;
    if (!sameDatabase || (await session.identity()) !== kept.identity) throw failure;
    return session;
  }

  #keptAs(session: Session): Kept | undefined {
    return this.#kept.find((kept) => kept.session === session);
  }
}

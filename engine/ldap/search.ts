/**
 * Reads a search page by page: it goes on while the server's cookie is not empty, whatever a page held. Entries are handed
 * out in slices as they arrive; the next page is asked for while the last is being worked on, and reading stops while more
 * than enough is waiting. References to other servers are collected, never followed.
 */
import type { Control } from 'ldapts';
import { DirectoryError, type DirectorySyncError, StoppedError } from '../model/errors.js';
import type { Connection, SearchRequest } from './connection.js';
import { cookieOf, extendedDn, notPaged, pagedResults } from './controls.js';
import { type Entry, EntryDecoder, type EntryPlace } from './entry.js';
import { searchError } from './result-errors.js';
import type { Result } from './result.js';
import { AttributeNames, CHANGE_MARKS, type Syntaxes } from './syntax.js';
import type { Responder } from './wire.js';

export interface SearchOptions extends SearchRequest {
  /** Entries in a page; null for a search that is not paged, of one object. */
  readonly pageSize: number | null;
  /** Ask for names with GUID and SID before them. */
  readonly extendedDn: boolean;
  /** Ask for change marks, too: what tells that an object changed while it was read in several requests. */
  readonly marks: boolean;
  /** What the server's schema says of attributes. */
  readonly syntaxes?: Syntaxes;
}

/** What a finished search says of itself. Only a search that reached an empty cookie gives one. */
export interface SearchOutcome {
  readonly pages: number;
  readonly entries: number;
  /** URIs of the references that came, at most 1,000 different ones. */
  readonly references: readonly string[];
}

const SLICE_ENTRIES = 100;
const SLICE_BYTES = 256 * 1024;
/**
 * Reading stops while this much waits to be taken: more waits better in the socket, as bytes, than here as objects, of which each
 * is looked at whenever garbage is collected.
 */
const MOST_WAITING_BYTES = 384 * 1024;
const MOST_REFERENCES = 1_000;
const MOST_EMPTY_PAGES = 10_000;

/** Reads the search whole. Throws `DirectoryError` where it could not; leaving it early ends the connection. */
export async function* search(connection: Connection, options: SearchOptions): AsyncGenerator<Entry[], SearchOutcome> {
  const pages = new PagedSearch(connection, options);
  pages.start();
  try {
    for (;;) {
      const slice = await pages.next();
      if (slice === null) return pages.outcome();
      yield slice;
    }
  } finally {
    pages.leave();
  }
}

/**
 * Reads one object; null where it does not exist, may not be seen, or the server will not say. Throws only where the
 * connection has ended.
 */
export async function readObject(
  connection: Connection,
  base: string,
  request: Omit<SearchOptions, 'base' | 'scope' | 'pageSize'>,
): Promise<Entry | null> {
  let found: Entry | null = null;
  try {
    const slices = search(connection, { ...request, base, scope: 'base', pageSize: null });
    for await (const slice of slices) found = slice[0] ?? found;
  } catch (error) {
    if (connection.failure !== null || !(error instanceof DirectoryError)) throw error;
    return null;
  }
  return found;
}

class PagedSearch implements Responder {
  readonly #decoder: EntryDecoder;
  readonly #references = new Set<string>();
  #slices: Entry[][] = [];
  #slice: Entry[] = [];
  #sliceBytes = 0;
  #waitingBytes = 0;
  #pages = 0;
  #entries = 0;
  #pageEntries = 0;
  #emptyPages = 0;
  /** The cookie of the page to ask for next; null while a page is under way or after the last. */
  #cookie: Buffer | null = Buffer.alloc(0);
  #ended = false;
  #failure: DirectorySyncError | null = null;
  #wake: (() => void) | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: SearchOptions,
  ) {
    this.#decoder = new EntryDecoder(new AttributeNames(options.attributes, options.syntaxes));
  }

  start(): void {
    this.#askForPage();
  }

  /** The next slice of entries, or null after the last. */
  async next(): Promise<Entry[] | null> {
    for (;;) {
      const slice = this.#slices.shift();
      if (slice !== undefined) {
        this.#taken(slice);
        return slice;
      }
      if (this.#failure) throw this.#failure;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** From the first slice of a page until shortly before its end, for which the next page waits. */
  get expectsMany(): boolean {
    const left = (this.options.pageSize ?? 0) - this.#pageEntries;
    return this.#pageEntries >= SLICE_ENTRIES && left >= SLICE_ENTRIES;
  }

  outcome(): SearchOutcome {
    return { pages: this.#pages, entries: this.#entries, references: [...this.#references] };
  }

  /** Called at the end, however it came. A search left half-read would go on filling the connection. */
  leave(): void {
    if (!this.#ended && !this.#failure) this.connection.fail(new StoppedError());
  }

  entry(bytes: Buffer, place: EntryPlace): void {
    if (this.options.pageSize !== null && this.#pageEntries >= this.options.pageSize) throw notPaged();
    const entry = this.#decoder.decode(bytes, place);
    this.#pageEntries += 1;
    this.#slice.push(entry);
    this.#sliceBytes += entry.bytes;
    if (this.#slice.length >= SLICE_ENTRIES || this.#sliceBytes >= SLICE_BYTES) this.#handOut();
  }

  reference(uris: readonly string[]): void {
    for (const uri of uris) if (this.#references.size < MOST_REFERENCES) this.#references.add(uri);
  }

  done(result: Result): void {
    this.#pages += 1;
    this.#entries += this.#pageEntries;
    this.#emptyPages = this.#pageEntries === 0 ? this.#emptyPages + 1 : 0;
    this.#pageEntries = 0;
    this.#handOut();
    try {
      this.#turnPage(result);
    } catch (error) {
      // An answer that is LDAP but not what was asked: the search fails, and with it the run.
      if (!(error instanceof DirectoryError)) throw error;
      this.failed(error);
      if (error.code === 'MALFORMED_REPLY') throw error;
    }
  }

  failed(error: DirectorySyncError): void {
    this.#failure ??= error;
    this.#slice = [];
    this.#wakeUp();
  }

  #turnPage(result: Result): void {
    if (result.code !== 0) throw searchError(result);
    const cookie = this.options.pageSize === null ? Buffer.alloc(0) : cookieOf(result);
    if (cookie.length === 0) {
      this.#ended = true;
      this.#wakeUp();
      return;
    }
    if (this.#emptyPages > MOST_EMPTY_PAGES) throw notPaged();
    this.#cookie = cookie;
    if (this.#slices.length * SLICE_ENTRIES <= (this.options.pageSize ?? 0)) this.#askForPage();
  }

  #askForPage(): void {
    const { pageSize } = this.options;
    const controls: Control[] = [];
    if (pageSize !== null) controls.push(pagedResults(pageSize, this.#cookie ?? Buffer.alloc(0)));
    if (this.options.extendedDn) controls.push(extendedDn());
    this.#cookie = null;
    const { attributes, marks } = this.options;
    const asked = marks ? [...attributes, ...CHANGE_MARKS] : attributes;
    this.connection.search({ ...this.options, attributes: asked }, controls, this);
  }

  #handOut(): void {
    if (this.#slice.length === 0) return;
    this.#slices.push(this.#slice);
    this.#waitingBytes += this.#sliceBytes;
    this.#slice = [];
    this.#sliceBytes = 0;
    if (this.#waitingBytes > MOST_WAITING_BYTES) this.connection.pauseFor(this);
    this.#wakeUp();
  }

  #taken(slice: readonly Entry[]): void {
    for (const entry of slice) this.#waitingBytes -= entry.bytes;
    if (this.#waitingBytes <= MOST_WAITING_BYTES / 2) this.connection.resumeFor(this);
    const waiting = this.#slices.length * SLICE_ENTRIES;
    if (this.#cookie !== null && waiting <= (this.options.pageSize ?? 0)) this.#askForPage();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

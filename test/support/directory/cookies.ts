/** Paged searches of one connection, by the cookie that the client was given last. */
import { randomBytes } from 'node:crypto';
import type { Quirks } from './quirks.js';
import type { ResultSet } from './resultset.js';

/** How often the server has discarded a cookie because a quirk said so; shared by its connections. */
export interface Discards {
  count: number;
}

/** A cookie is good once, on the connection that it was given on. */
export class Cookies {
  readonly #sets = new Map<string, ResultSet>();

  constructor(private readonly discards: Discards) {}

  /** Keeps the set and gives the cookie to go on with. The oldest set goes where there are too many. */
  give(set: ResultSet, { maxResultSets, cookieDiscarded }: Quirks): Buffer {
    const cookie = randomBytes(16);
    if (cookieDiscarded && set.pages >= cookieDiscarded.afterPages && this.discards.count < cookieDiscarded.times) {
      this.discards.count += 1;
      return cookie;
    }
    for (const oldest of this.#sets.keys()) {
      if (this.#sets.size < maxResultSets) break;
      this.#sets.delete(oldest);
    }
    this.#sets.set(cookie.toString('hex'), set);
    return cookie;
  }

  take(cookie: Buffer): ResultSet | undefined {
    const key = cookie.toString('hex');
    const set = this.#sets.get(key);
    this.#sets.delete(key);
    return set;
  }
}

/**
 * The nonces of requests, each taken once. Looked up in memory, so that a request needs no write of its own to be refused;
 * written with what the request does, in the same transaction, so that what had an effect can never be had again.
 */

/** A nonce as it is kept: `key` is the id of the key it was signed with, `until` milliseconds since 1970. */
export interface Nonce {
  readonly key: string;
  readonly nonce: string;
  readonly until: number;
}

export class NonceBook {
  readonly #known = new Map<string, number>();
  #unwritten: Nonce[] = [];

  /** `kept`: those that were written before the receiver was started. */
  constructor(kept: readonly Nonce[]) {
    for (const { key, nonce, until } of kept) this.#known.set(nameOf(key, nonce), until);
  }

  /** Remembers a nonce. False if it was taken before. */
  take(taken: Nonce): boolean {
    const name = nameOf(taken.key, taken.nonce);
    if (this.#known.has(name)) return false;
    this.#known.set(name, taken.until);
    this.#unwritten.push(taken);
    return true;
  }

  /** Those that are not written yet: write them with whatever is written next. */
  unwritten(): readonly Nonce[] {
    const nonces = this.#unwritten;
    this.#unwritten = [];
    return nonces;
  }

  /** Forgets those whose time is over: a request that bears one is too old anyhow. */
  sweep(now = Date.now()): void {
    for (const [name, until] of this.#known) if (until < now) this.#known.delete(name);
  }

  get size(): number {
    return this.#known.size;
  }
}

function nameOf(key: string, nonce: string): string {
  return `${key} ${nonce}`;
}

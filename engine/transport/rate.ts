/** How often something may happen: so many times a minute, with a tenth of that at once. */

/** After so long without use a bucket is full again, and forgotten. */
const FULL_AFTER_MS = 60_000;
const LEAST_AT_ONCE = 10;

interface Bucket {
  left: number;
  at: number;
}

/** Token buckets by name, such as the id of a sender or the address of a peer. */
export class Rates {
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = 0;

  /** Takes one. 0: go on; else in how many milliseconds there will be one. */
  take(name: string, perMinute: number, now = Date.now()): number {
    this.#sweep(now);
    const atOnce = Math.max(LEAST_AT_ONCE, Math.floor(perMinute / 10));
    const perMs = perMinute / 60_000;
    const bucket = this.#buckets.get(name) ?? { left: atOnce, at: now };
    bucket.left = Math.min(atOnce, bucket.left + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    this.#buckets.set(name, bucket);
    if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perMs);
    bucket.left -= 1;
    return 0;
  }

  /** So that addresses that never come again take no memory. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < FULL_AFTER_MS) return;
    this.#sweptAt = now;
    for (const [name, { at }] of this.#buckets) if (now - at > FULL_AFTER_MS) this.#buckets.delete(name);
  }
}

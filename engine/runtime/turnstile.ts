/**
 * One at a time, and at most one behind: whoever comes while somebody waits already is coalesced with it. Node-RED has no
 * queue, so a thousand triggers in a second would start a thousand runs (hazard N4).
 */
export class Turnstile {
  #current: Promise<unknown> | undefined;
  #next: AbortController | undefined;

  /** Does the work now, or after the one at hand. `coalesced`: it was not done, because another waits to be. */
  async pass(work: () => Promise<void>): Promise<'done' | 'coalesced'> {
    if (this.#next) return 'coalesced';
    if (this.#current) {
      const turn = (this.#next = new AbortController());
      await this.#current.catch(() => undefined);
      if (turn.signal.aborted) return 'coalesced';
      this.#next = undefined;
    }
    const current = (this.#current = work());
    try {
      await current;
      return 'done';
    } finally {
      if (this.#current === current) this.#current = undefined;
    }
  }

  /** Sends away the one that waits. The one at hand is not stopped. */
  cancelNext(): void {
    this.#next?.abort();
    // Whoever comes from now on was not sent away: it is the next.
    this.#next = undefined;
  }
}

/** One piece of work in each turn of the event loop: several that came together would keep everybody else waiting for all of them. */
import { setImmediate as soon } from 'node:timers/promises';

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn of its own, in the order in which it was asked for. */
  next(): Promise<void> {
    return (this.#last = this.#last.then(() => soon()));
  }
}

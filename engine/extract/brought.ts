/**
 * Counts of how many objects each attribute brought a value. A directory leaves out what the reader may not see and says
 * nothing of it, so a right that was lost on one attribute looks like values that were taken away. These counts tell.
 */
import type { DirectoryObject } from '../model/records.js';
import type { Brought } from '../model/run.js';

export class BroughtCounts {
  #objects = 0;
  readonly #counts = new Map<string, { values: number }>();

  /** `asked`: the names that were asked for, as they are spelled in the records. */
  constructor(asked: readonly string[]) {
    for (const name of asked) this.#counts.set(name, { values: 0 });
  }

  /** Counts an object. This is done for every value of a directory's attributes: it has to be cheap. */
  add({ attributes }: DirectoryObject): void {
    this.#objects += 1;
    for (const name in attributes) {
      if (attributes[name]?.length === 0) continue;
      const count = this.#counts.get(name);
      if (count !== undefined) count.values += 1;
    }
  }

  /** The counts so far, by name in the order of names. */
  toJSON(): Brought {
    const inOrder = [...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1));
    return {
      objects: this.#objects,
      attributes: Object.fromEntries(inOrder.map(([name, { values }]) => [name, values])),
    };
  }
}

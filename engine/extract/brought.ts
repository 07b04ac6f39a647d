/**
 * Counts of how many objects each attribute brought a value. A directory leaves out what the reader may not see and says
 * nothing of it, so a right that was lost on one attribute looks like values that were taken away. These counts tell.
 */
import type { Entry } from '../ldap/entry.js';
import { EntryShape } from '../ldap/shapes.js';
import type { Brought } from '../model/run.js';

export class BroughtCounts {
  #objects = 0;
  readonly #counts = new Map<string, { values: number }>();
  /** How many objects had each shape: not counted by attribute before somebody wants to know. */
  readonly #shapes = new Map<EntryShape, { objects: number }>();

  /** `asked`: the names that were asked for, as they are spelled in the records. */
  constructor(asked: readonly string[]) {
    for (const name of asked) this.#counts.set(name, { values: 0 });
  }

  /** Counts an object. */
  add({ attributes, shape }: Entry): void {
    this.#objects += 1;
    if (shape === null) {
      for (const [name, values] of Object.entries(attributes)) if (values.length > 0) this.#count(name, 1);
      return;
    }
    const known = this.#shapes.get(shape);
    if (known === undefined) this.#shapes.set(shape, { objects: 1 });
    else known.objects += 1;
  }

  #count(name: string, objects: number): void {
    const count = this.#counts.get(name);
    if (count !== undefined) count.values += objects;
  }

  /** The counts so far, by name in the order of names. */
  toJSON(): Brought {
    for (const [shape, { objects }] of this.#shapes)
      for (const key of EntryShape.keysOf(shape)) this.#count(key, objects);
    this.#shapes.clear();
    const inOrder = [...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1));
    return {
      objects: this.#objects,
      attributes: Object.fromEntries(inOrder.map(([name, { values }]) => [name, values])),
    };
  }
}

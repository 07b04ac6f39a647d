/** Which attributes entries bring: most entries of a directory bring the same in the same order, and are counted as one thing. */

/** What a server that invents ever new sequences may fill. */
const MOST_SHAPES = 10_000;

/** The attributes of an entry that have a value, in the order of the server. One object for all entries with the same. */
export class EntryShape {
  /** The one that followed last time; others are in a map. */
  #key = '';
  #next: EntryShape | null = null;
  #others: Map<string, EntryShape> | null = null;

  private constructor(
    private readonly before: EntryShape | null,
    private readonly last: string,
    private readonly made: { count: number },
  ) {}

  /** Of an entry of which no attribute has been seen yet. One for each search. */
  static first(): EntryShape {
    return new EntryShape(null, '', { count: 0 });
  }

  /** The names of the attributes, the last one first. */
  static keysOf(shape: EntryShape): string[] {
    const keys: string[] = [];
    for (let at = shape; at.before !== null; at = at.before) keys.push(at.last);
    return keys;
  }

  /** With one attribute more; null where there are too many of them to be kept apart. */
  and(key: string): EntryShape | null {
    if (this.#next !== null && this.#key === key) return this.#next;
    const next = this.#others?.get(key) ?? this.#another(key);
    if (next === null) return null;
    this.#key = key;
    this.#next = next;
    return next;
  }

  #another(key: string): EntryShape | null {
    if (this.made.count === MOST_SHAPES) return null;
    this.made.count += 1;
    const next = new EntryShape(this, key, this.made);
    this.#others ??= new Map();
    this.#others.set(key, next);
    return next;
  }
}

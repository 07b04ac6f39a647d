/** A map that forgets what was added longest ago, so that it helps and does not grow: in two generations, of which the older goes. */
export class Recent<Value> {
  #values = new Map<string, Value>();
  #older = new Map<string, Value>();

  /** Keeps the last `most` values, and at most twice as many. */
  constructor(private readonly most: number) {}

  get(key: string): Value | undefined {
    return this.#values.get(key) ?? this.#older.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.set(key, value);
    if (this.#values.size < this.most) return;
    this.#older = this.#values;
    this.#values = new Map();
  }
}

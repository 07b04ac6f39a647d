/**
 * What an account must say of readings, by the words of docs/messages.md on plain lists: lost attributes, another scope, two
 * readers under one name. A second opinion that shares no code with the engine.
 */
export interface ReadingNow {
  /** A letter for each scope. */
  readonly scope: string;
  readonly objects: number;
  /** Of how many objects each attribute brought a value; those that were asked for. */
  readonly values: Readonly<Record<string, number>>;
}

/** Takes one complete run after the other. */
export class ReadingOracle {
  #committed: ReadingNow | null = null;
  /** The scopes of all runs so far, repetitions in a row left out. */
  readonly #scopes: string[] = [];

  /** What has to be said of this run, before it is known whether it is committed. */
  judge(now: ReadingNow): { lost: string[]; shared: boolean; changed: boolean } {
    const before = this.#committed;
    const lost = Object.keys(before?.values ?? {}).filter((name) => {
      if (!(name in now.values)) return false;
      const had = before?.values[name] ?? 0;
      const has = now.values[name] ?? 0;
      if (had < 10) return false;
      const lessInNumber = has < had / 10;
      const lessAsShare = has / now.objects < had / (before?.objects ?? 1) / 10;
      return lessInNumber && lessAsShare;
    });
    const newest = this.#scopes.at(-1);
    const shared = newest !== undefined && newest !== now.scope && this.#scopes.slice(-4).includes(now.scope);
    return { lost, shared, changed: before !== null && before.scope !== now.scope };
  }

  /** Call it after `judge`. `committed`: the account took the run whole. */
  took(now: ReadingNow, committed: boolean): void {
    if (this.#scopes.at(-1) !== now.scope) this.#scopes.push(now.scope);
    // Of an attribute that was not asked for, what was known of it stays.
    if (committed) this.#committed = { ...now, values: { ...this.#committed?.values, ...now.values } };
  }
}

/** Which suites are run first against a mutant: those most likely to notice a change of its file in the least time. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Passed } from './runner.js';
import type { Target } from './targets.js';

/** What was learnt is kept for the next portion. It changes how long that takes, and nothing else. */
const KEPT = join(__dirname, '..', '..', '..', '..', 'coverage', 'mutants.json');

export class Suites {
  /** How many mutants each suite has killed, by `suite` and by `file suite`; and the least time it took, ms. */
  readonly #kills: Record<string, number>;
  readonly #took: Record<string, number>;

  constructor() {
    const { kills, took } = learnt();
    this.#kills = kills;
    this.#took = took;
  }

  killed(file: string, suite: string): void {
    for (const key of [suite, `${file} ${suite}`]) this.#kills[key] = (this.#kills[key] ?? 0) + 1;
  }

  passed({ suite, took }: Passed): void {
    this.#took[suite] = Math.min(took, this.#took[suite] ?? Infinity);
  }

  inOrder({ file, suites }: Target): readonly string[] {
    const weight = (suite: string) =>
      (1 + 10 * (this.#kills[`${file} ${suite}`] ?? 0) + (this.#kills[suite] ?? 0)) /
      ((this.#took[suite] ?? 1_000) + 50);
    return [...suites].sort((left, right) => weight(right) - weight(left));
  }

  keep(): void {
    mkdirSync(dirname(KEPT), { recursive: true });
    writeFileSync(KEPT, JSON.stringify({ kills: this.#kills, took: this.#took }));
  }
}

function learnt(): { kills: Record<string, number>; took: Record<string, number> } {
  try {
    return JSON.parse(readFileSync(KEPT, 'utf8')) as ReturnType<typeof learnt>;
  } catch {
    return { kills: {}, took: {} };
  }
}

/** How a bench ends: its figures against what must be reached, as a table for people and one JSON object for programs. */

/** One row of an issue's table. `value` must be at most `limit`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
}

export interface BenchOptions {
  readonly json: boolean;
  readonly check: boolean;
}

/** `--json` and `--check` among the arguments of a bench. */
export function benchOptions(argv: readonly string[]): BenchOptions {
  return { json: argv.includes('--json'), check: argv.includes('--check') };
}

/** The number after `--name`, or `otherwise`. */
export function numberOption(argv: readonly string[], name: string, otherwise: number): number {
  const at = argv.indexOf(`--${name}`);
  if (at === -1) return otherwise;
  const value = Number(argv[at + 1]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} needs a whole number above 0.`);
  return value;
}

/** Prints the figures; sets exit code 1 where `--check` was given and one falls short. */
export function conclude(title: string, figures: readonly Figure[], details: object, options: BenchOptions): void {
  console.log(`\n${title}`);
  for (const { name, value, limit } of figures) {
    const held = value <= limit;
    console.log(
      `  ${held ? 'ok  ' : 'MISS'} ${name.padEnd(72)} ${value.toFixed(2).padStart(8)}   must be ${String(Number(limit.toFixed(2)))} or less`,
    );
  }
  const short = figures.filter(({ value, limit }) => !(value <= limit));
  if (options.json) console.log(JSON.stringify({ title, figures, short: short.length, ...details }));
  if (options.check && short.length > 0) process.exitCode = 1;
}

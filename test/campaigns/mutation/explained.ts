/** Mutants of which somebody wrote down why they change nothing: `explained.json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mutant, plain } from './mutants.js';

export interface Explanation {
  /** The end of the compiled file's path. */
  readonly file: string;
  /** The function, method (`Class.method`) or constant. */
  readonly in: string;
  /** Text that stands there once, and what the mutant makes of it; how it stands in lines does not count. */
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

export function readExplanations(): readonly Explanation[] {
  const file = join(__dirname, '..', '..', '..', '..', 'test', 'campaigns', 'mutation', 'explained.json');
  return JSON.parse(readFileSync(file, 'utf8')) as readonly Explanation[];
}

/**
 * Whether the explanation is of this mutant: `from` stands once in the function as it was, and with `to` in its place the function is
 * the mutant, word by word. So no explanation hides another mutant, and what changes elsewhere in the function makes none stale.
 */
export function fits({ file, in: within, from, to }: Explanation, mutant: Mutant): boolean {
  if (!mutant.target.file.endsWith(`/${file}`) || mutant.within !== within) return false;
  const { before, after } = mutant;
  const at = before.indexOf(from);
  if (from === '' || at < 0 || before.includes(from, at + 1)) return false;
  return plain(before.slice(0, at) + to + before.slice(at + from.length)) === after;
}

/** Those that explain none of these mutants: what they spoke of is no more, or stands there more than once. */
export function unfitting(explanations: readonly Explanation[], mutants: readonly Mutant[]): Explanation[] {
  return explanations.filter((one) => !mutants.some((mutant) => fits(one, mutant)));
}

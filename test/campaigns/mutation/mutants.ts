/** Mutants of a file: its text with one thing changed, and what tells one from another. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { sitesOf } from './sites.js';
import type { Target } from './targets.js';

const DIST = join(__dirname, '..', '..', '..');

export interface Mutant {
  readonly target: Target;
  /** The whole file with the change. */
  readonly source: string;
  readonly line: number;
  /** The line as it was and as it is. */
  readonly from: string;
  readonly to: string;
  /** The function, method or constant that it is in, and the text of that, as it was and as it is. */
  readonly within: string;
  readonly before: string;
  readonly after: string;
}

/** Text in which only words and signs count, not how they stand in lines. */
export const plain = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

interface Part {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export function mutantsOf(target: Target): Mutant[] {
  const source = readFileSync(join(DIST, target.file), 'utf8');
  const parts = partsOf(source);
  return sitesOf(source).map(({ start, end, text }) => {
    const begin = source.lastIndexOf('\n', start - 1) + 1;
    const stop = source.indexOf('\n', end);
    const [head, tail] = [source.slice(begin, start), source.slice(end, stop < 0 ? undefined : stop)];
    const part = parts.find((one) => one.start <= start && end <= one.end) ?? {
      name: '',
      start: 0,
      end: source.length,
    };
    return {
      target,
      source: source.slice(0, start) + text + source.slice(end),
      line: source.slice(0, start).split('\n').length,
      from: plain(head + source.slice(start, end) + tail),
      to: plain(head + text + tail),
      within: part.name,
      before: plain(source.slice(part.start, part.end)),
      after: plain(source.slice(part.start, start) + text + source.slice(end, part.end)),
    };
  });
}

/** What a file declares: functions and constants by their name, members of a class as `Class.member`. */
function partsOf(source: string): Part[] {
  const file = ts.createSourceFile('x.js', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  return file.statements.flatMap((statement): Part[] => {
    const { pos, end } = statement;
    if (ts.isClassDeclaration(statement)) {
      const name = statement.name?.text ?? '';
      return statement.members.map((member) => ({
        name: `${name}.${member.name?.getText() ?? 'constructor'}`,
        start: member.pos,
        end: member.end,
      }));
    }
    if (ts.isFunctionDeclaration(statement)) return [{ name: statement.name?.text ?? '', start: pos, end }];
    // A constant, or `exports.NAME = …`.
    const name = /^(?:const|let|exports\.)\s*(\w+)/.exec(statement.getText())?.[1] ?? '';
    return [{ name, start: pos, end }];
  });
}

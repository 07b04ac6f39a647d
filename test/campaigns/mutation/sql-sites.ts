/** Changes of one word, sign, number or condition in the text of an SQL statement, or of a part of one. */
import type { Site } from './sites.js';

const IS_SQL =
  /\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CASE WHEN|EXISTS|WHERE|CROSS JOIN|IS NULL|IS NOT NULL|IS DISTINCT FROM|coalesce\()|^.\w+\.\w+ (?:=|<>|<|>)/;

/** Words and signs, and what may stand in their place. */
const WORDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/ AND /g, [' OR ']],
  [/ OR /g, [' AND ']],
  [/ <> /g, [' = ']],
  [/ <= /g, [' < ', ' > ']],
  [/ >= /g, [' > ', ' < ']],
  [/ < /g, [' <= ', ' >= ']],
  [/ > /g, [' >= ', ' <= ']],
  [/ IS DISTINCT FROM /g, [' IS NOT DISTINCT FROM ']],
  [/ IS NULL/g, [' IS NOT NULL']],
  [/ IS NOT NULL/g, [' IS NULL']],
  [/\bNOT (?=EXISTS|CASE|\()/g, ['']],
  [/ NOT IN /g, [' IN ']],
  [/(?<! NOT) IN (?=\(|\$)/g, [' NOT IN ']],
  [/(?<!NOT )\bEXISTS (?=\()/g, ['NOT EXISTS ']],
  [/\bmax\(/g, ['min(']],
  [/\bmin\(/g, ['max(']],
  [/ DESC\b/g, [' ASC']],
  [/\bUNION ALL\b/g, ['UNION']],
  [/\bEXCEPT\b/g, ['UNION']],
  [/ \+ 1\b/g, ['']],
  [/\bDISTINCT (?!FROM)/g, ['']],
  // What a subquery that is only asked for rows gives is nobody's business.
  [/(?<![\w?.'-])(?<!SELECT )[01](?![\w.'])/g, []],
];

/** `text`: a literal as it stands in the source, with its quotes. */
export function sqlSites(text: string): Site[] {
  if (!IS_SQL.test(text)) return [];
  const code = blanked(text);
  const sites: Site[] = [];
  for (const [words, others] of WORDS) {
    for (const match of code.matchAll(words)) {
      const { index } = match;
      if (
        match[0] === ' AND ' &&
        /BETWEEN [^()]*(?:\([^()]*\))?[^()]*$/.test(
          code
            .slice(0, index)
            .split(/ AND |WHERE/)
            .at(-1) ?? '',
        )
      )
        continue;
      if (match[0] === 'UNION ALL' && asksForOne(code.slice(0, index))) continue;
      const instead = others.length > 0 ? others : [match[0] === '0' ? '1' : '0'];
      for (const other of instead) sites.push({ start: index, end: index + match[0].length, text: other });
    }
  }
  return [...sites, ...equals(code), ...conditions(code)];
}

/** The same text with what is in other code (`${…}`) made of letters that mean nothing. */
function blanked(text: string): string {
  let depth = 0;
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    if (depth === 0 && text.startsWith('${', at)) depth = 1;
    else if (depth > 0 && text[at] === '{' && text[at - 1] !== '$') depth += 1;
    out += depth > 0 ? '$' : (text[at] ?? '');
    if (depth > 0 && text[at] === '}') depth -= 1;
  }
  return out;
}

/** Whether what follows is in the list of an IN, or in an EXISTS: how often a row is in it is nobody's business. */
function asksForOne(before: string): boolean {
  let depth = 0;
  for (let at = before.length - 1; at >= 0; at -= 1) {
    if (before[at] === ')') depth += 1;
    if (before[at] === '(' && depth-- === 0) return /\b(?:IN|EXISTS) $/.test(before.slice(0, at));
  }
  return false;
}

/** Comparisons; an `=` behind SET gives a value and compares nothing. */
function equals(code: string): Site[] {
  return [...code.matchAll(/ = /g)].flatMap(({ index }) => {
    const before = code.slice(0, index);
    const set = before.lastIndexOf(' SET ');
    const since = set < 0 ? '' : before.slice(set);
    const gives = set >= 0 && !/\b(?:WHERE|FROM|CASE|WHEN)\b/.test(since.replaceAll(/\([^()]*\)/g, ''));
    return gives ? [] : [{ start: index, end: index + 3, text: ' <> ' }];
  });
}

const ENDS =
  /^(?: AND | OR |GROUP BY|ORDER BY|UNION|EXCEPT|ON CONFLICT|WHEN |THEN |ELSE |END\b|LIMIT |LEFT JOIN|CROSS JOIN|JOIN |;)/;

/** A condition behind AND or OR that is left out. */
function conditions(code: string): Site[] {
  return [...code.matchAll(/\s(?:AND|OR) /g)].flatMap(({ index, 0: word }) => {
    if (/BETWEEN \S+$/.test(code.slice(0, index))) return [];
    let depth = 0;
    let at = index + word.length;
    for (; at < code.length - 1; at += 1) {
      const sign = code[at];
      if (sign === '(') depth += 1;
      if (sign === ')' && depth === 0) break;
      if (sign === ')') depth -= 1;
      if (depth === 0 && ENDS.test(code.slice(at).replace(/^\s+(?=AND|OR)/, ' '))) break;
    }
    return [{ start: index, end: at, text: ' ' }];
  });
}

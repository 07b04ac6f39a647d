/**
 * One text of each statement for both stores. It is written in SQLite's words; this file says which of them PostgreSQL has
 * other words for. Functions that PostgreSQL lacks are made in the account's schema under SQLite's names (`postgres-schema.ts`).
 *
 * The rules for a text that both understand are in CONTRIBUTING.md, "One SQL for two stores"; {@link notPortable} finds what
 * breaks them.
 */

/** A word or words, in upper case, and what PostgreSQL calls them. Texts in quotes and comments are left alone. */
const WORDS: Readonly<Record<string, string>> = {
  // SQLite keeps to the order of a CROSS JOIN; PostgreSQL keeps to the order of every JOIN (join_collapse_limit = 1).
  'CROSS JOIN': 'JOIN',
  'WITHOUT ROWID': '',
  INTEGER: 'BIGINT',
  // Compared and sorted by bytes, whatever the language of the database; lower() is then for ASCII only, as SQLite's is.
  TEXT: 'TEXT COLLATE "C"',
  // JSON that is read more than once: parsed once.
  JSONTEXT: 'JSONB',
  GROUP_CONCAT: 'string_agg',
  INSTR: 'strpos',
  CHAR: 'chr',
};

/** Quoted text, comment, parameter, emptying, word (or two that belong together), anything else. */
const TOKEN =
  /'(?:[^']|'')*'|--[^\n]*|\?(?<parameter>\d+)|DELETE\s+FROM\s+(?<emptied>\w+)(?=\s*(?:;|$))|(?<word>CROSS\s+JOIN|WITHOUT\s+ROWID|[A-Za-z_]\w*)|[^'\-?A-Za-z_]+|./gi;
interface Token {
  readonly parameter?: string;
  readonly emptied?: string;
  readonly word?: string;
}

const known = new Map<string, string>();

/** The statements as PostgreSQL understands them. */
export function inPostgres(sql: string): string {
  const before = known.get(sql);
  if (before !== undefined) return before;
  const translated = sql.replace(TOKEN, (token: string, ...rest: unknown[]) => {
    const { parameter, emptied, word } = rest.at(-1) as Token;
    if (parameter !== undefined) return `$${parameter}`;
    // Only temporary tables are emptied as a whole; a DELETE would leave their rows behind for a vacuum that never comes.
    if (emptied !== undefined) return `TRUNCATE ${emptied}`;
    return (word === undefined ? undefined : WORDS[word.toUpperCase().replace(/\s+/g, ' ')]) ?? token;
  });
  known.set(sql, translated);
  return translated;
}

/** What only SQLite takes, and what to write instead. */
const NOT_PORTABLE: readonly (readonly [what: RegExp, instead: string])[] = [
  [/\bjson_(?:object|array|set|group_array|group_object)\s*\(|\bjson\s*\(/i, 'plan/json.ts'],
  [/\bIFNULL\s*\(|\bIIF\s*\(/i, 'coalesce or CASE'],
  [/\b(?:max|min)\s*\([^()]*,/i, 'CASE'],
  [/\bINSERT\s+OR\b|\bREPLACE\s+INTO\b/i, 'ON CONFLICT'],
  [/\bAS\s+TEXT\b/i, `'' || x`],
  [/(?<!WITHOUT\s)\browid\b|\btemp\.\w/i, 'a column, or no schema'],
  [/\bGLOB\b|\bREGEXP\b/i, 'LIKE with lower()'],
  [/\bINDEXED\s+BY\b|\b(?:UN)?LIKELY\s*\(/i, 'CROSS JOIN in the order that is meant'],
  [/\bIS\s+(?:NOT\s+)?\?/i, 'IS [NOT] DISTINCT FROM'],
  [/\bFROM\s+\(\)\s*(?:$|WHERE\b|GROUP\b|ORDER\b|ON\b)/i, 'a name behind the subquery'],
  [/\bCROSS\s+JOIN\s+(?:(?!\bON\b|\bJOIN\b)[^,])*(?:$|\b(?:JOIN|WHERE)\b)/i, 'ON behind it, if only ON true'],
];

/** Why PostgreSQL would not take the statement, as far as words tell; null where nothing is known against it. */
export function notPortable(sql: string): string | null {
  let rest = sql.replace(/'(?:[^']|'')*'|--[^\n]*/g, "''");
  const parts: string[] = [];
  // Each pair of brackets is looked at alone, the innermost first.
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replace(/(\w*\s*)\(([^()]*)\)/g, (whole: string, name: string, inner: string) => {
      if (inner !== '') parts.push(inner, whole);
      return `${name}\u0001`;
    });
  }
  for (const part of [...parts, rest]) {
    const bare = part.replaceAll('\u0001', '()');
    for (const [what, instead] of NOT_PORTABLE) {
      const found = what.exec(bare)?.[0];
      if (found !== undefined) return `"${found.trim()}": write ${instead}`;
    }
  }
  return null;
}

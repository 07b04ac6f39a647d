/** Lists of persons and groups in the settings: protected ones, groups in use. */
import type { PlanContext } from './context.js';

/** Fills `plan_pattern`: `*` stands for any text, everything else for itself. */
export async function listPatterns({ db, rules }: PlanContext): Promise<void> {
  const lists = [
    ['protect', rules.protect],
    ['in-use', rules.inUse],
  ] as const;
  await db.fill(
    'plan_pattern',
    lists.flatMap(([list, patterns]) => patterns.map((pattern) => [list, likePattern(pattern)] as const)),
  );
}

function likePattern(pattern: string): string {
  return pattern
    .trim()
    .toLowerCase()
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%');
}

/** A condition in SQL: is this person or group in the list? The columns that it is known by, `name` for groups only. */
export function isListed(
  list: 'protect' | 'in-use',
  { address, id, name }: { readonly address: string; readonly id: string; readonly name?: string },
): string {
  const columns = [address, id, ...(name === undefined ? [] : [name])];
  const alike = columns.map((column) => `fold_case(coalesce(${column}, '')) LIKE x.pattern ESCAPE '\\'`).join(' OR ');
  return `EXISTS (SELECT 1 FROM plan_pattern x WHERE x.list = '${list}' AND (${alike}))`;
}

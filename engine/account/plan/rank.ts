/** Several sources for one person: which of them the account believes. */
import { sourceKey } from '../../model/source-name.js';
import { integer, text } from '../store/connection.js';
import type { PlanContext } from './context.js';

/** Fills `plan_rank`: the sources as the settings list them, then the others in the order of their first run. */
export async function rankSources({ db, rules }: PlanContext): Promise<void> {
  await db.run('INSERT INTO plan_rank SELECT key, ?1 + row_number() OVER (ORDER BY key) FROM source', [
    rules.precedence.length,
  ]);
  if (rules.precedence.length === 0) return;
  const listed = rules.precedence.map(sourceKey);
  const sources = await db.query('SELECT key, name FROM source');
  await db.fill(
    'plan_precedence',
    sources.flatMap((row) => {
      const nth = listed.indexOf(sourceKey(text(row, 'name')));
      return nth < 0 ? [] : [[integer(row, 'key'), nth] as const];
    }),
  );
  await db.run('UPDATE plan_rank SET nth = p.nth FROM plan_precedence p WHERE p.source = plan_rank.source');
}

/**
 * A condition in SQL: does the holder of an address, of another source, give it up to a person of `source`? Somebody who is
 * not there yields to somebody who is; a disabled account to its enabled twin; else the sources' precedence decides. Of a pair of
 * twins, of whatever source, the one yields that is no person of its own.
 */
export function yields({ holder, to, source }: { holder: string; to: string; source: string }): string {
  return `(EXISTS (SELECT 1 FROM plan_twin t WHERE t.object = ${holder} AND t.person = ${to}) OR EXISTS (
    SELECT 1 FROM object x CROSS JOIN object y ON y.key = ${to}
    CROSS JOIN plan_rank rx ON rx.source = x.source CROSS JOIN plan_rank ry ON ry.source = y.source
    WHERE x.key = ${holder} AND x.source <> ${source} AND CASE
      WHEN x.present = 0 THEN 1
      WHEN coalesce(x.enabled, 1) <> coalesce(y.enabled, 1) THEN coalesce(y.enabled, 1)
      WHEN ry.nth < rx.nth THEN 1 ELSE 0 END = 1))`;
}

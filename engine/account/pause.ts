/** Any source that is failing or silent pauses removals for the whole account: what it would say might keep somebody. */
import type { Pause } from '../model/report.js';
import { sourceKey } from '../model/source-name.js';
import type { Rules } from './rules.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';

const DAY_MS = 86_400_000;

/** The sources other than `source` that pause removals at the time `at`. */
export async function pausesOf(
  db: SqlConnection,
  { source, rules, at }: { source: number; rules: Rules; at: string },
): Promise<Pause[]> {
  const rows = await db.query(
    'SELECT name, failing, heard_at FROM source WHERE key <> ?1 AND last_run IS NOT NULL ORDER BY key',
    [source],
  );
  const retired = new Set(rules.retired.map(sourceKey));
  return rows.flatMap((row): Pause[] => {
    const name = text(row, 'name');
    if (retired.has(sourceKey(name))) return [];
    if (integer(row, 'failing') === 1) {
      const message = `Nothing was removed: the last run of the source ${name} was incomplete. Look at it, or name it in the setting "retired".`;
      return [{ source: name, code: 'SOURCE_FAILING', message }];
    }
    const age = Date.parse(at) - Date.parse(textOrNull(row, 'heard_at') ?? at);
    if (rules.staleDays === 0 || age <= rules.staleDays * DAY_MS) return [];
    const message = `Nothing was removed: no run of the source ${name} came for ${String(Math.floor(age / DAY_MS))} days. Is it disabled? If it is gone for good, name it in the setting "retired".`;
    return [{ source: name, code: 'SOURCE_SILENT', message }];
  });
}

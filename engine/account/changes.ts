/** Reading the journal: the changes that a run made. */
import type { Change } from '../model/report.js';
import { type SqlConnection, type SqlRow, integer, text, textOrNull } from './store/connection.js';

const PAGE = 500;

/**
 * The next changes of a run after number `after` (0 at first), without the first `behind` of them; none when there are no more. Among
 * those of a run whose plan waited may be changes of others.
 */
export async function changesPage(
  db: SqlConnection,
  runId: string,
  { after, behind }: { after: number; behind: number },
): Promise<{ changes: Change[]; last: number }> {
  const rows = await db.query(
    `SELECT j.seq, j.kind, j.id, j.change, j.what, j.before, j.after FROM run r
     CROSS JOIN journal j ON j.seq BETWEEN r.first_change AND r.last_change
     WHERE r.id = ?1 AND j.run = r.key AND j.seq > ?2 ORDER BY j.seq LIMIT ?3 OFFSET ?4`,
    [runId, after, PAGE, behind],
  );
  return { changes: rows.map(changeOf), last: rows.length > 0 ? integer(rows.at(-1), 'seq') : after };
}

/** A row of the journal, or of a held plan, as a change. */
export function changeOf(row: SqlRow): Change {
  return {
    kind: text(row, 'kind') as Change['kind'],
    id: text(row, 'id'),
    change: text(row, 'change') as Change['change'],
    what: textOrNull(row, 'what'),
    before: valueOf(row, 'before'),
    after: valueOf(row, 'after'),
  };
}

function valueOf(row: SqlRow, column: string): unknown {
  const json = textOrNull(row, column);
  return json === null ? null : JSON.parse(json);
}

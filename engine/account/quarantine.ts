/** Everything that the last run of each source set aside, in pages: a report shows the first thousand only. */
import type { SetAside } from '../model/report.js';
import { type SqlConnection, text, textOrNull } from './store/connection.js';

/** What was set aside, and in which run of which source. */
export interface Quarantined extends SetAside {
  readonly source: string;
  readonly run: string;
}

const PAGE = 500;

/** The next ones behind the first `after`; none when there are no more. */
export async function quarantinePage(
  db: SqlConnection,
  after: number,
): Promise<{ items: Quarantined[]; last: number }> {
  const rows = await db.query(
    `SELECT a.id, a.reason, a.detail, r.id AS run, s.name AS source FROM set_aside a
     JOIN run r ON r.key = a.run JOIN source s ON s.key = r.source ORDER BY a.run, a.seq LIMIT ?1 OFFSET ?2`,
    [PAGE, after],
  );
  const items = rows.map((row) => ({
    id: textOrNull(row, 'id'),
    reason: text(row, 'reason'),
    detail: text(row, 'detail'),
    source: text(row, 'source'),
    run: text(row, 'run'),
  }));
  return { items, last: after + items.length };
}

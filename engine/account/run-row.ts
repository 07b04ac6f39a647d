/** What the store remembers of a run: its report, its beginning, how much was staged of it. */
import { type RecordCounts, noRecords } from '../model/counts.js';
import type { Report } from '../model/report.js';
import { endRun, findRun } from './staging.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';
import { stagedRange } from './store/staged-keys.js';

/** Keeps the report, in place of one from before. */
export async function remember(db: SqlConnection, run: number, report: Report): Promise<Report> {
  await db.run('UPDATE run SET report = ?2 WHERE key = ?1', [run, JSON.stringify(report)]);
  return report;
}

/** Ends the run with its report. */
export async function finish(db: SqlConnection, key: number, report: Report): Promise<void> {
  await endRun(db, key, 'ended');
  await remember(db, key, report);
}

/** The report with which the run ended. */
export async function storedReport(db: SqlConnection, id: string): Promise<Report> {
  const found = await findRun(db, id);
  return reportOf(db, found?.key ?? -1);
}

async function reportOf(db: SqlConnection, run: number): Promise<Report> {
  const [row] = await db.query('SELECT report FROM run WHERE key = ?1', [run]);
  return JSON.parse(text(row, 'report')) as Report;
}

/** When its first batch, or its seal, came, and how long that is ago. */
export async function openedAt(db: SqlConnection, run: number): Promise<{ startedAt: string; milliseconds: number }> {
  const [row] = await db.query('SELECT opened_at FROM run WHERE key = ?1', [run]);
  const startedAt = text(row, 'opened_at');
  return { startedAt, milliseconds: Math.max(0, Date.now() - Date.parse(startedAt)) };
}

/** What was staged of it, by kind: as it was counted when it came, or, of batches of a version before, now. */
export async function stagedRecords(db: SqlConnection, run: number): Promise<RecordCounts> {
  const batches = await db.query('SELECT counts FROM staged_batch WHERE run = ?1', [run]);
  const counts: Record<string, number> = noRecords();
  for (const batch of batches) {
    const counted = textOrNull(batch, 'counts');
    if (counted === null) return countStaged(db, run);
    for (const [kind, count] of Object.entries(JSON.parse(counted) as Record<string, number>)) {
      counts[kind] = (counts[kind] ?? 0) + count;
    }
  }
  return { ...noRecords(), ...counts };
}

async function countStaged(db: SqlConnection, run: number): Promise<RecordCounts> {
  const { first, last } = stagedRange(run);
  const rows = await db.query('SELECT kind, count(*) AS count FROM staged WHERE key BETWEEN ?1 AND ?2 GROUP BY kind', [
    first,
    last,
  ]);
  const counts: Record<string, number> = noRecords();
  for (const row of rows) counts[text(row, 'kind')] = integer(row, 'count');
  return { ...noRecords(), ...counts };
}

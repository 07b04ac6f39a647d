/** The runs of the past, and how long they are kept. */
import type { Report } from '../model/report.js';
import type { Rules } from './rules.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';

/** A run as the account remembers it. `outcome`: of its report; null where it was given up. */
export interface PastRun {
  readonly run: string;
  readonly source: string;
  readonly mode: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly outcome: Report['outcome'] | null;
  readonly complete: boolean | null;
  readonly changes: Report['changes'] | null;
  readonly setAside: number | null;
  readonly decidedBy: string | null;
}

const DAY_MS = 86_400_000;

/** The last runs, newest first. */
export async function history(db: SqlConnection, limit: number): Promise<PastRun[]> {
  const rows = await db.query(
    `SELECT r.id, s.name, r.mode, r.started_at, r.ended_at, r.report FROM run r CROSS JOIN source s ON s.key = r.source
     WHERE r.state <> 'open' ORDER BY r.key DESC LIMIT ?1`,
    [limit],
  );
  return rows.map((row) => {
    const stored = textOrNull(row, 'report');
    const report = stored === null ? null : (JSON.parse(stored) as Report);
    return {
      run: text(row, 'id'),
      source: text(row, 'name'),
      mode: text(row, 'mode'),
      startedAt: text(row, 'started_at'),
      endedAt: textOrNull(row, 'ended_at'),
      outcome: report?.outcome ?? null,
      complete: report?.complete ?? null,
      changes: report?.changes ?? null,
      setAside: report?.setAsideCount ?? null,
      decidedBy: report?.decidedBy ?? null,
    };
  });
}

/** Forgets runs that ended long ago with their journal; not a source's last, and not one whose plan waits. */
export async function forgetOld(db: SqlConnection, { keepDays }: Rules, at: string): Promise<void> {
  if (keepDays === 0) return;
  const before = new Date(Date.parse(at) - keepDays * DAY_MS).toISOString();
  const old = await db.query(
    `SELECT key, first_change, last_change FROM run WHERE state <> 'open' AND ended_at < ?1
       AND key NOT IN (SELECT last_run FROM source WHERE last_run IS NOT NULL)
       AND key NOT IN (SELECT run FROM held_plan WHERE state = 'held')`,
    [before],
  );
  for (const row of old) {
    const key = integer(row, 'key');
    if (row['first_change'] !== null) {
      await db.run('DELETE FROM journal WHERE seq BETWEEN ?1 AND ?2 AND run = ?3', [
        integer(row, 'first_change'),
        integer(row, 'last_change'),
        key,
      ]);
    }
    await db.run('DELETE FROM set_aside WHERE run = ?1', [key]);
    await db.run('DELETE FROM held_plan WHERE run = ?1', [key]);
    await db.run('DELETE FROM run WHERE key = ?1', [key]);
  }
}

/** Plans that wait for approval: kept as they were shown, committed as they were shown, or not at all. */
import type { Change, Hold } from '../model/report.js';
import { AccountError } from '../model/errors.js';
import { changeOf } from './changes.js';
import { type Reading, parseReading } from './source/reading.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';

/** A plan that waits. */
export interface HeldPlan {
  readonly plan: string;
  readonly run: string;
  readonly source: string;
  /** When its run was applied, ISO 8601. */
  readonly at: string;
  readonly holds: readonly Hold[];
  readonly changes: number;
}

/** What has to be known to make the plan of a run again. */
export interface Keeping {
  readonly run: number;
  readonly source: number;
  readonly digest: string;
  readonly at: string;
  readonly complete: boolean;
  readonly whole: boolean;
  readonly config: string;
  readonly reading: Reading;
  readonly holds: readonly Hold[];
}

/** Keeps the plan that has just been written to the journal, and takes it out of there. */
export async function keepPlan(db: SqlConnection, plan: Keeping): Promise<void> {
  const { run, source, digest, at, complete, whole, config, reading, holds } = plan;
  await db.run(
    `INSERT INTO held_change SELECT ?1, j.seq, j.kind, j.id, j.change, j.what, j.before, j.after FROM run r
     CROSS JOIN journal j ON j.seq BETWEEN r.first_change AND r.last_change WHERE r.key = ?1`,
    [run],
  );
  await dropPlanned(db, run);
  await db.run(
    `INSERT INTO held_plan (run, source, digest, state, at, complete, whole, config, holds, reading)
     VALUES (?1, ?2, ?3, 'held', ?4, ?5, ?6, ?7, ?8, ?9)`,
    [run, source, digest, at, complete ? 1 : 0, whole ? 1 : 0, config, JSON.stringify(holds), JSON.stringify(reading)],
  );
}

/** Takes a plan that was not committed out of the journal. */
export async function dropPlanned(db: SqlConnection, run: number): Promise<void> {
  await db.run(
    `DELETE FROM journal WHERE seq BETWEEN (SELECT first_change FROM run WHERE key = ?1)
       AND (SELECT last_change FROM run WHERE key = ?1)`,
    [run],
  );
  await db.run('UPDATE run SET first_change = NULL, last_change = NULL WHERE key = ?1', [run]);
}

/** A new run of a source takes the place of what was held of it. */
export async function supersedePlans(db: SqlConnection, source: number): Promise<void> {
  const rows = await db.query(`SELECT run FROM held_plan WHERE source = ?1 AND state = 'held'`, [source]);
  for (const row of rows) await endPlan(db, integer(row, 'run'), { state: 'superseded', by: null });
}

/** Says what became of a held plan. */
export async function endPlan(
  db: SqlConnection,
  run: number,
  { state, by }: { state: 'approved' | 'rejected' | 'superseded'; by: string | null },
): Promise<void> {
  await db.run('UPDATE held_plan SET state = ?2, decided_by = ?3, decided_at = ?4 WHERE run = ?1', [
    run,
    state,
    by,
    new Date().toISOString(),
  ]);
  await db.run('DELETE FROM held_change WHERE run = ?1', [run]);
}

/**
 * The newest held plan with that digest.
 * @throws AccountError `PLAN_UNKNOWN`, or `PLAN_DECIDED` where somebody decided, or a newer run came, before.
 */
export async function heldPlan(db: SqlConnection, digest: string): Promise<Keeping & { readonly runId: string }> {
  const [row] = await db.query(
    `SELECT h.*, r.id FROM held_plan h CROSS JOIN run r ON r.key = h.run WHERE h.digest = ?1
     ORDER BY CASE h.state WHEN 'held' THEN 0 ELSE 1 END, h.run DESC LIMIT 1`,
    [digest],
  );
  if (!row) {
    throw new AccountError('PLAN_UNKNOWN', {
      message: 'No plan with that digest is known to the account. Take it from the report of the run that was held.',
      status: 'unknown plan',
    });
  }
  const state = text(row, 'state');
  if (state !== 'held') {
    throw new AccountError('PLAN_DECIDED', {
      message: `The plan does not wait any more: it is ${state}. An approval fits one plan, once; look at the newest report of its source.`,
      status: `plan is ${state}`,
      params: { state },
    });
  }
  return {
    run: integer(row, 'run'),
    runId: text(row, 'id'),
    source: integer(row, 'source'),
    digest,
    at: text(row, 'at'),
    complete: integer(row, 'complete') === 1,
    whole: integer(row, 'whole') === 1,
    config: text(row, 'config'),
    reading: parseReading(textOrNull(row, 'reading')),
    holds: JSON.parse(text(row, 'holds')) as Hold[],
  };
}

/** All plans that wait, oldest first. */
export async function heldPlans(db: SqlConnection): Promise<HeldPlan[]> {
  const rows = await db.query(
    `SELECT h.digest, h.at, h.holds, r.id, s.name, (SELECT count(*) FROM held_change c WHERE c.run = h.run) AS changes
     FROM held_plan h CROSS JOIN run r ON r.key = h.run CROSS JOIN source s ON s.key = h.source
     WHERE h.state = 'held' ORDER BY h.run`,
  );
  return rows.map((row) => ({
    plan: text(row, 'digest'),
    run: text(row, 'id'),
    source: text(row, 'name'),
    at: text(row, 'at'),
    holds: JSON.parse(textOrNull(row, 'holds') ?? '[]') as Hold[],
    changes: integer(row, 'changes'),
  }));
}

const PAGE = 500;

/** The next changes of a held plan after number `after` (0 at first); none when there are no more. */
export async function plannedPage(
  db: SqlConnection,
  digest: string,
  after: number,
): Promise<{ changes: Change[]; last: number }> {
  const rows = await db.query(
    `SELECT c.* FROM held_plan h CROSS JOIN held_change c ON c.run = h.run
     WHERE h.digest = ?1 AND h.state = 'held' AND c.seq > ?2 ORDER BY c.seq LIMIT ?3`,
    [digest, after, PAGE],
  );
  return { changes: rows.map(changeOf), last: rows.length > 0 ? integer(rows.at(-1), 'seq') : after };
}

/** What apply answers: figures about a plan and about the account after it. */
import type { Report, SetAside, Warning } from '../model/report.js';
import { type SqlConnection, integer, text, textOrNull } from './store/connection.js';
import type { PlanContext } from './plan/context.js';

/** A report lists so many of those set aside. */
const SET_ASIDE_SHOWN = 1_000;

/** The part of a report that a plan decides, beside its changes. */
export type PlanFigures = Pick<Report, 'groupsWithoutMail' | 'groupsHeld' | 'setAsideCount' | 'setAside' | 'absent'>;

/** Reads it from the tables of the plan. `whole`: the run would have brought every object of the source. */
export async function planFigures({ db, source, run }: PlanContext, whole: boolean): Promise<PlanFigures> {
  const [groups] = await db.query(
    `SELECT coalesce(sum(CASE WHEN known = 0 AND is_new = 0 AND (kind <> 'group' OR whole = 1) THEN 1 ELSE 0 END), 0) AS without_mail,
       coalesce(sum(CASE WHEN kind = 'group' THEN 1 - whole ELSE 0 END), 0) AS held FROM plan_group`,
  );
  const [aside] = await db.query('SELECT count(*) AS count FROM set_aside WHERE run = ?1', [run]);
  return {
    groupsWithoutMail: integer(groups, 'without_mail'),
    groupsHeld: integer(groups, 'held'),
    setAsideCount: integer(aside, 'count'),
    setAside: await firstSetAside(db, run),
    absent: whole ? await absentOf(db, source) : { users: 0, contacts: 0, groups: 0 },
  };
}

async function firstSetAside(db: SqlConnection, run: number): Promise<SetAside[]> {
  const rows = await db.query('SELECT id, reason, detail FROM set_aside WHERE run = ?1 ORDER BY seq LIMIT ?2', [
    run,
    SET_ASIDE_SHOWN,
  ]);
  return rows.map((row) => ({ id: textOrNull(row, 'id'), reason: text(row, 'reason'), detail: text(row, 'detail') }));
}

async function absentOf(db: SqlConnection, source: number): Promise<Report['absent']> {
  const rows = await db.query(
    `SELECT e.kind, count(*) AS count FROM object o CROSS JOIN entry e ON e.key = o.key
     WHERE o.source = ?1 AND o.present = 0 GROUP BY e.kind`,
    [source],
  );
  return byKind(rows);
}

/** Attributes that the account keeps as they are, because nobody asked the directory for them. */
export async function unreadOf(db: SqlConnection): Promise<Warning[]> {
  const rows = await db.query('SELECT shown FROM plan_unread ORDER BY name');
  return rows.map((row) => ({
    code: 'ATTRIBUTE_NOT_READ',
    message: `The attribute ${text(row, 'shown')} was not asked for, so the account keeps the values that it has. Name it in "attributes" of directory-extract, or take it out of "attributes" of directory-account.`,
  }));
}

function byKind(rows: readonly Record<string, unknown>[]): { users: number; contacts: number; groups: number } {
  const counts = { users: 0, contacts: 0, groups: 0 };
  for (const row of rows) {
    const kind = text(row, 'kind');
    const name = kind === 'user' ? 'users' : kind === 'contact' ? 'contacts' : 'groups';
    counts[name] += integer(row, 'count');
  }
  return counts;
}

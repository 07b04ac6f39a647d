/** A plan that waits, as somebody reads it who is to decide about it: what it does, how often, and to whom by name. */
import type { Change } from '../model/report.js';
import { changeOf } from './changes.js';
import { type SqlConnection, type SqlRow, integer, text, textOrNull } from './store/connection.js';

/** All changes of one kind in a plan. */
export interface PlannedStep {
  readonly kind: Change['kind'];
  readonly change: Change['change'];
  readonly count: number;
}

/** A change with the names of those whom it names by id, as their source says; null where it says none. */
export interface ShownChange extends Change {
  /** Its number in the plan: what to go on behind. */
  readonly seq: number;
  readonly name: string | null;
  readonly address: string | null;
  /** Of a member who comes or goes. */
  readonly member: string | null;
}

/** Which changes of a plan to show: those of one step, or all; `limit` of them behind number `after`. */
export interface Shown {
  readonly kind?: string;
  readonly change?: string;
  readonly after: number;
  readonly limit: number;
}

const HELD = `held_plan h CROSS JOIN held_change c ON c.run = h.run WHERE h.digest = ?1 AND h.state = 'held'`;

/** What a plan does, in the order in which it does it. Empty where no such plan waits, or it changes nothing. */
export async function plannedSteps(db: SqlConnection, digest: string): Promise<PlannedStep[]> {
  const rows = await db.query(
    `SELECT c.kind, c.change, count(*) AS count FROM ${HELD} GROUP BY c.kind, c.change ORDER BY min(c.seq)`,
    [digest],
  );
  return rows.map((row) => ({
    kind: text(row, 'kind') as Change['kind'],
    change: text(row, 'change') as Change['change'],
    count: integer(row, 'count'),
  }));
}

/** Sources are few and objects are many, each known by its source and id. Several sources may have one: any will do. */
const named = (column: string, id: string) =>
  `(SELECT min(o.${column}) FROM source s CROSS JOIN object o ON o.source = s.key AND o.id = ${id})`;

/** The changes of a plan that waits, with names. */
export async function shownChanges(db: SqlConnection, digest: string, shown: Shown): Promise<ShownChange[]> {
  const { kind = '', change = '', after, limit } = shown;
  const rows = await db.query(
    `SELECT c.*, ${named('name', 'c.id')} AS name, ${named('address', 'c.id')} AS address,
       CASE WHEN c.change IN ('member-added', 'member-removed') THEN ${named('name', 'c.what')} END AS member
     FROM ${HELD} AND c.seq > ?2 AND (?3 = '' OR c.kind = ?3) AND (?4 = '' OR c.change = ?4)
     ORDER BY c.seq LIMIT ?5`,
    [digest, after, kind, change, limit],
  );
  return rows.map(shownOf);
}

function shownOf(row: SqlRow): ShownChange {
  return {
    ...changeOf(row),
    seq: integer(row, 'seq'),
    name: textOrNull(row, 'name'),
    address: textOrNull(row, 'address'),
    member: textOrNull(row, 'member'),
  };
}

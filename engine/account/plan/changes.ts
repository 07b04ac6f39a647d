/**
 * The plan as a list of changes, in one order. It is written to the journal inside the
 * transaction that applies it; its digest is that of the list, so that the same plan has the same digest.
 */
import { createHash } from 'node:crypto';
import { noChanges } from '../../model/counts.js';
import type { ChangeCounts } from '../../model/report.js';
import { type SqlConnection, integer } from '../store/connection.js';
import type { PlanContext } from './context.js';
import { type ChangeQuery, type NewValues, changesWith } from './change-queries.js';

/** The plan of a run, as it stands in the journal. */
export interface PlanSummary {
  readonly digest: string;
  readonly counts: Required<ChangeCounts>;
  /** How many changes there are. */
  readonly changes: number;
  /** Where the values of whoever is new are. */
  readonly values: NewValues;
}

const PAGE = 2_000;
/** A text behind its length in bytes, so that no two changes have the same line whatever is in them. Nothing is not the same as an empty one. */
const measured = (column: string) => `coalesce('' || octet_length(${column}), '-'), ${column}`;
const ABOUT = `kind, change, octet_length(id), id`;
/** Most changes have no more than ids. One function is quicker than a dozen `||`, which copy what stands before them each time. */
const LINE = `CASE WHEN before IS NULL AND after IS NULL THEN concat_ws(' ', ${ABOUT}, octet_length(what), what)
  ELSE concat_ws(' ', ${ABOUT}, ${measured('what')}, ${measured('before')}, ${measured('after')}) END`;

/** Whose changes are counted apart. */
const KINDS = [
  ['user', `kind = 'user'`],
  ['contact', `kind = 'contact'`],
  ['group', `kind NOT IN ('user', 'contact')`],
] as const;

/** Writes the plan to the journal and sums it up. */
export async function writeChanges(context: PlanContext, values: NewValues): Promise<PlanSummary> {
  const { db, run } = context;
  const first = await db.nextKey('journal', 'seq');
  const counts = noChanges();
  const contacts = await hasContacts(context);
  let next = first;
  await db.filling(['journal'], async () => {
    for (const { rows, among, count } of changesWith(values)) {
      const written = await db.run(
        `INSERT INTO journal (run, kind, id, change, what, before, after)
         SELECT ?1, kind, id, change, what, before, after FROM (${rows}) r ORDER BY first, second`,
        [run],
      );
      const onlyUsers = among === 'plan_person' && !contacts;
      if (written > 0) await addCounts(db, { from: next, written, onlyUsers }, { count, counts });
      next += written;
    }
  });
  counts.contactsUpdated = await contactsUpdated(db);
  const last = next - 1;
  await db.run('UPDATE run SET first_change = ?2, last_change = ?3 WHERE key = ?1', [run, first, last]);
  return { digest: await digestOfChanges(db, first, last), counts, changes: last - first + 1, values };
}

/** Counts what was just written: objects where one may appear several times (`updated`), changes otherwise. */
async function addCounts(
  db: SqlConnection,
  { from, written, onlyUsers }: { from: number; written: number; onlyUsers: boolean },
  { count, counts }: { count: ChangeQuery['count']; counts: Required<ChangeCounts> },
): Promise<void> {
  const only = onlyUsers ? count.user : count.user ? undefined : count.group;
  if (only && count.of === 'changes') {
    counts[only] += written;
    return;
  }
  const [distinct, one] = count.of === 'objects' ? ['DISTINCT', 'id'] : ['', '1'];
  const columns = KINDS.map(
    ([kind, condition]) => `count(${distinct} CASE WHEN ${condition} THEN ${one} END) AS ${kind}_count`,
  );
  const [row] = await db.query(`SELECT ${columns.join(', ')} FROM journal WHERE seq >= ?1`, [from]);
  for (const [kind] of KINDS) {
    const name = count[kind];
    if (name) counts[name] += integer(row, `${kind}_count`);
  }
}

/** Does the source bring any? If not, the persons of its plan need not be counted by kind. */
async function hasContacts({ db, source }: PlanContext): Promise<boolean> {
  const [some] = await db.query(
    `SELECT 1 AS yes FROM object WHERE source = ?1 AND kind <> 'user' AND kind = 'contact' LIMIT 1`,
    [source],
  );
  return some !== undefined;
}

/** Contacts whose name, distinguished name, SID or address is another. */
async function contactsUpdated(db: SqlConnection): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*) AS count FROM plan_touched t CROSS JOIN plan_person p ON p.object = t.object WHERE p.kind = 'contact'`,
  );
  return integer(row, 'count');
}

/** `sha-256:<hex>` over the digests of the pages, one in each line; each is over its changes, one in each line. */
async function digestOfChanges(db: SqlConnection, first: number, last: number): Promise<string> {
  const pages = await db.digestOfEach(
    { first, last, size: PAGE },
    `SELECT group_concat(j.line, char(10))
     FROM (SELECT ${LINE} AS line FROM journal WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq) j`,
  );
  const digest = createHash('sha256');
  for (const page of pages) digest.update(`${page}\n`);
  return `sha-256:${digest.digest('hex')}`;
}

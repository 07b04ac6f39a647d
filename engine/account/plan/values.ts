/** Additional attributes: those the account lists, one string each. */
import { text } from '../store/connection.js';
import { LISTED_VALUES, type NewValues } from './change-queries.js';
import { type PlanContext, flag } from './context.js';

/** Fills `plan_value`. Nothing is cleared by a run that is not complete: absent is not always empty. Answers what the new have. */
export async function planValues(context: PlanContext): Promise<NewValues> {
  const { db, complete, settings, allTaken } = context;
  // Of several spellings the first.
  const names = new Map([...settings.attributes].reverse().map((name) => [name.toLowerCase(), name]));
  await db.fill('plan_attribute_name', names);
  const told = allTaken ? toldValues(names) : null;
  await db.run(
    `INSERT INTO plan_value SELECT p.object, v.key, n.shown, a.value, v.value
     FROM plan_person p CROSS JOIN object o ON o.key = p.object CROSS JOIN json_each(o.attributes, '$') v ON true
     CROSS JOIN plan_attribute_name n ON n.name = v.key
     LEFT JOIN attribute a ON a.entry = p.object AND a.name = v.key
     WHERE p.reason IS NULL AND a.value IS DISTINCT FROM v.value ${told === null ? '' : 'AND p.is_new = 0'}`,
  );
  await db.run(
    `INSERT INTO plan_value SELECT p.object, n.name, n.shown, a.value, NULL
     FROM plan_person p CROSS JOIN attribute a ON a.entry = p.object
     CROSS JOIN plan_attribute_name n ON n.name = a.name CROSS JOIN object o ON o.key = p.object
     WHERE ?1 = 1 AND p.reason IS NULL
       AND a.name NOT IN (SELECT v.key FROM json_each(o.attributes, '$') v)
       AND a.name NOT IN (SELECT v.key FROM json_each(o.problems, '$') v)`,
    [flag(complete)],
  );
  await keepUnread(context);
  return told ?? LISTED_VALUES;
}

/** Names that JSON writes as they are and objects keep in this order. In JSON, only a name has a quote and a colon behind it. */
const PLAIN = /^(?!\d+$)[ !#-&(-[\]-~]*$/;

/**
 * Where the account takes all that the source says of whoever is new, that JSON is what they have, but for the spelling of names, and
 * it is written from there. Null where it does not do.
 */
function toldValues(names: ReadonlyMap<string, string>): NewValues | null {
  if (![...names].every(([name, shown]) => PLAIN.test(name) && PLAIN.test(shown))) return null;
  const spelled = [...names].filter(([name, shown]) => name !== shown);
  const json = spelled.reduce(
    (before, [name, shown]) => `replace(${before}, '"${name}":', '"${shown}":')`,
    'o.attributes',
  );
  const rows = `SELECT p.object, v.key, n.shown, v.value
    FROM plan_person p CROSS JOIN object o ON o.key = p.object CROSS JOIN json_each(o.attributes, '$') v ON true
    CROSS JOIN plan_attribute_name n ON n.name = v.key WHERE p.is_new = 1 AND p.reason IS NULL`;
  return { join: '', json, rows };
}

/**
 * What was not asked for is not empty: values of an attribute that the reader does not read, and that no record brings (a flow
 * may add it), stay. Their names are kept in `plan_unread`, for the report.
 */
async function keepUnread({ db, source, asked }: PlanContext): Promise<void> {
  if (asked === null) return;
  const cleared = await db.query('SELECT DISTINCT name FROM plan_value WHERE after IS NULL ORDER BY name');
  for (const name of cleared.map((row) => text(row, 'name'))) {
    if (asked.has(name)) continue;
    const [brought] = await db.query(
      `SELECT 1 AS yes FROM object o CROSS JOIN json_each(o.attributes, '$') v ON true
       WHERE +o.source = ?1 AND o.present = 1 AND v.key = ?2 LIMIT 1`,
      [source, name],
    );
    if (brought) continue;
    await db.run('DELETE FROM plan_value WHERE name = ?1 AND after IS NULL', [name]);
    await db.run('INSERT INTO plan_unread SELECT name, shown FROM plan_attribute_name WHERE name = ?1', [name]);
  }
}

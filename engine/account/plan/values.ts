/** Additional attributes: those the account lists, one string each. */
import { text } from '../store/connection.js';
import { type PlanContext, flag } from './context.js';

/** Fills `plan_value`. Nothing is cleared by a run that is not complete: absent is not always empty. */
export async function planValues(context: PlanContext): Promise<void> {
  const { db, complete, settings } = context;
  // Of several spellings the first.
  const names = new Map([...settings.attributes].reverse().map((name) => [name.toLowerCase(), name]));
  await db.fill('plan_attribute_name', names);
  await db.run(
    `INSERT INTO plan_value SELECT p.object, n.name, n.shown, a.value, v.value
     FROM plan_person p CROSS JOIN object o ON o.key = p.object CROSS JOIN json_each(o.attributes, '$') v ON true
     CROSS JOIN plan_attribute_name n ON n.name = v.key
     LEFT JOIN attribute a ON a.entry = p.object AND a.name = v.key
     WHERE p.reason IS NULL AND a.value IS DISTINCT FROM v.value`,
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

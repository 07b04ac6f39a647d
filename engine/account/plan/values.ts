/** Additional attributes: those the account lists, one string each. */
import { type PlanContext, flag } from './context.js';

/** Fills `plan_value`. Nothing is cleared by a run that is not complete: absent is not always empty. */
export async function planValues({ db, complete, settings }: PlanContext): Promise<void> {
  await db.runEach(
    'INSERT INTO plan_attribute_name VALUES (?1, ?2) ON CONFLICT DO NOTHING',
    settings.attributes.map((name) => [name.toLowerCase(), name]),
  );
  await db.run(
    `INSERT INTO plan_value SELECT p.object, n.name, n.shown, a.value, v.value
     FROM plan_person p CROSS JOIN object o ON o.key = p.object CROSS JOIN json_each(o.attributes) v
     CROSS JOIN plan_attribute_name n ON n.name = v.key
     LEFT JOIN attribute a ON a.entry = p.object AND a.name = v.key
     WHERE p.reason IS NULL AND a.value IS DISTINCT FROM v.value`,
  );
  await db.run(
    `INSERT INTO plan_value SELECT p.object, n.name, n.shown, a.value, NULL
     FROM plan_person p CROSS JOIN attribute a ON a.entry = p.object
     CROSS JOIN plan_attribute_name n ON n.name = a.name CROSS JOIN object o ON o.key = p.object
     WHERE ?1 = 1 AND p.reason IS NULL
       AND a.name NOT IN (SELECT v.key FROM json_each(o.attributes) v)
       AND a.name NOT IN (SELECT v.key FROM json_each(o.problems) v)`,
    [flag(complete)],
  );
}

/** Additional attributes: those the account lists, one string each. */
import { type PlanContext, flag } from './context.js';

/** Fills `plan_value`. Nothing is cleared by a run that is not complete: absent is not always empty. */
export async function planValues({ db, complete, settings }: PlanContext): Promise<void> {
  await db.runEach(
    'INSERT INTO plan_attribute_name VALUES (?1, ?2) ON CONFLICT DO NOTHING',
    settings.attributes.map((name) => [name.toLowerCase(), name]),
  );
  await db.run(
    `INSERT INTO plan_value
     SELECT p.object, n.name, n.shown, a.value, v.value
     FROM plan_person p CROSS JOIN object_attribute v ON v.object = p.object
     JOIN plan_attribute_name n ON n.name = v.name
     LEFT JOIN attribute a ON a.entry = p.entry AND a.name = v.name
     WHERE p.reason IS NULL AND v.value IS NOT NULL AND a.value IS DISTINCT FROM v.value`,
  );
  await db.run(
    `INSERT INTO plan_value
     SELECT p.object, n.name, n.shown, a.value, NULL
     FROM plan_person p CROSS JOIN attribute a ON a.entry = p.entry
     JOIN plan_attribute_name n ON n.name = a.name
     WHERE ?1 = 1 AND p.reason IS NULL
       AND NOT EXISTS (SELECT 1 FROM object_attribute v WHERE v.object = p.object AND v.name = a.name)`,
    [flag(complete)],
  );
}

/** How many records of each kind: what runs, seals and reports count. */

/** Every kind a record can be of, in the order in which reports list them. */
export const RECORD_KINDS = ['user', 'contact', 'group', 'dynamic-group', 'members', 'quarantined'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];
export type RecordCounts = Record<RecordKind, number>;

/** A count of zero for every kind. */
export function noRecords(): RecordCounts {
  return { user: 0, contact: 0, group: 0, 'dynamic-group': 0, members: 0, quarantined: 0 };
}

/** Counts the records of a batch by kind. */
export function countRecords(records: readonly { kind: RecordKind }[], into = noRecords()): RecordCounts {
  for (const { kind } of records) into[kind] += 1;
  return into;
}

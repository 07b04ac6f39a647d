/** How many records and changes of each kind: what runs, seals and reports count. */
import type { ChangeCounts } from './report.js';

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

/** A count of zero for every kind of change. */
export function noChanges(): Required<ChangeCounts> {
  return {
    usersAdded: 0,
    usersLinked: 0,
    usersUpdated: 0,
    usersReaddressed: 0,
    usersDisabled: 0,
    usersEnabled: 0,
    contactsAdded: 0,
    contactsUpdated: 0,
    groupsAdded: 0,
    groupsUpdated: 0,
    membersAdded: 0,
    membersRemoved: 0,
    aliasesLinked: 0,
    aliasesUnlinked: 0,
    attributesUpdated: 0,
    usersLeaving: 0,
    contactsLeaving: 0,
    groupsLeaving: 0,
    usersReturned: 0,
    contactsReturned: 0,
    groupsReturned: 0,
    usersDowngraded: 0,
    usersRemoved: 0,
    contactsRemoved: 0,
    groupsRemoved: 0,
    usersReplaced: 0,
    contactsReplaced: 0,
    addressesRemoved: 0,
  };
}

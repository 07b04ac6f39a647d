/** What a record of an object says, beside its kind and id: the names in its JSON, and the columns of `object`. */
export const RECORD_FIELDS = [
  'dn',
  'sid',
  'name',
  'address',
  'enabled',
  'scope',
  'type',
  'aliases',
  'attributes',
  'problems',
  'reason',
  'detail',
  'master_sid',
  'linked',
] as const;
export type RecordField = (typeof RECORD_FIELDS)[number];

/** Those that are whole numbers; all others are text, some of it JSON. */
export const NUMBERS: ReadonlySet<string> = new Set<RecordField>(['enabled', 'linked']);

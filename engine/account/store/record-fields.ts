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

const GROUPS = ['group', 'dynamic-group'];
const SET_ASIDE = ['quarantined'];
/** What only records of these kinds say. */
export const ONLY_OF: Readonly<Partial<Record<RecordField, readonly string[]>>> = {
  scope: GROUPS,
  type: GROUPS,
  reason: SET_ASIDE,
  detail: SET_ASIDE,
};

/** Those that are whole numbers; all others are text, some of it JSON. */
export const NUMBERS: ReadonlySet<string> = new Set<RecordField>(['enabled', 'linked']);

/**
 * A batch on its way into the account's thread, by columns: a few lists are copied sooner than an object for each
 * record.
 */
import type { StagedRecord } from './staged-record.js';
import type { PreparedBatch } from './stager.js';

/** `members`: what a members record has beside that, by its place. */
export interface BatchColumns {
  readonly index: number;
  readonly kinds: readonly StagedRecord['kind'][];
  readonly ids: readonly string[];
  readonly json: readonly string[];
  readonly members: ReadonlyMap<number, Pick<StagedRecord, 'part' | 'parts' | 'held'>>;
}

const NO_MEMBERS = { part: null, parts: null, held: false };

/** Takes a batch apart. */
export function columnsOf({ index, records }: PreparedBatch): BatchColumns {
  const members = new Map<number, Pick<StagedRecord, 'part' | 'parts' | 'held'>>();
  for (const [at, { kind, part, parts, held }] of records.entries()) {
    if (kind === 'members') members.set(at, { part, parts, held });
  }
  return {
    index,
    kinds: records.map(({ kind }) => kind),
    ids: records.map(({ id }) => id),
    json: records.map(({ json }) => json),
    members,
  };
}

/** Puts it together again. */
export function batchOf({ index, kinds, ids, json, members }: BatchColumns): PreparedBatch {
  const records = kinds.map((kind, at) => ({
    kind,
    id: ids[at] ?? '',
    json: json[at] ?? '',
    ...(members.get(at) ?? NO_MEMBERS),
  }));
  return { index, records };
}

/** The keys of staged records: those of a run are one range, room << 40 | batch << 16 | position. */
import type { StagedRange } from './connection.js';

/** A batch has fewer records than this. */
export const BATCH_ROOM = 2 ** 16;
export const RUN_ROOM = 2 ** 40;
/** Runs take rooms in turn: as many as there are whole numbers for. */
export const ROOMS = 2 ** 13;

/** The keys that staged rows of a run can have. */
export function stagedRange(run: number): StagedRange {
  const room = run % ROOMS;
  return { first: room * RUN_ROOM, last: (room + 1) * RUN_ROOM - 1 };
}

/** The keys that the rows of one of its batches can have. */
export function batchRange(run: number, batch: number): StagedRange {
  const first = stagedRange(run).first + batch * BATCH_ROOM;
  return { first, last: first + BATCH_ROOM - 1 };
}

/** The first of them as SQL, of a run and a batch that are SQL. */
export function firstKey(run: string, batch: string): string {
  return `${run} % ${String(ROOMS)} * ${String(RUN_ROOM)} + ${batch} * ${String(BATCH_ROOM)}`;
}

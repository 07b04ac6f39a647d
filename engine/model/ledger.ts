/**
 * Keeps account of what a stage saw of a run, so that a batch lost on the way is noticed: the next hop removes nothing
 * unless every batch that the hop before sent has arrived.
 */
import { type RecordCounts, noRecords } from './records.js';
import type { Run, Seal, Stage } from './run.js';
import { countRecords } from './message.js';

/** What one stage saw of one run. Numbers of batches may arrive in any order and more than once. */
export class RunLedger {
  readonly #seen = new Set<number>();
  readonly #startedAt = new Date();
  readonly records: RecordCounts = noRecords();

  constructor(readonly run: Run) {}

  /** Notes a batch. False if it was there before: then it is a repeat, to be acknowledged and otherwise ignored. */
  note(index: number, records: readonly { kind: keyof RecordCounts }[]): boolean {
    if (this.#seen.has(index)) return false;
    this.#seen.add(index);
    countRecords(records, this.records);
    return true;
  }

  get batches(): number {
    return this.#seen.size;
  }

  /** The numbers below `batches` that did not arrive, at most `limit` of them. */
  missing(batches: number, limit = 1000): number[] {
    const missing: number[] = [];
    for (let index = 0; index < batches && missing.length < limit; index += 1) {
      if (!this.#seen.has(index)) missing.push(index);
    }
    return missing;
  }

  /** The stage's line for the report. `records` and `batches` are what the stage passed on. */
  stage(
    stage: Stage['stage'],
    passedOn: { batches: number; records: RecordCounts },
    figures: Stage['figures'] = {},
  ): Stage {
    return {
      stage,
      startedAt: this.#startedAt.toISOString(),
      milliseconds: Date.now() - this.#startedAt.getTime(),
      batches: passedOn.batches,
      records: passedOn.records,
      figures,
    };
  }
}

/** The seal, marked incomplete if batches of the hop before are missing. */
export function sealWithMissing(seal: Seal, missing: readonly number[]): Seal {
  if (missing.length === 0) return seal;
  return {
    ...seal,
    complete: false,
    incomplete: [
      ...seal.incomplete,
      {
        code: 'BATCH_MISSING',
        message: `Of ${String(seal.batches)} batches ${String(missing.length)} did not arrive (the first: ${String(missing[0])}). Look at the nodes between for one that drops messages.`,
      },
    ],
  };
}

/**
 * Keeps account of what a stage saw of a run, so that a batch lost on the way is noticed: the next hop removes nothing
 * unless every batch that the hop before sent has arrived.
 */
import { hash } from 'node:crypto';
import { type RecordCounts, countRecords, noRecords } from './counts.js';
import type { Run, Seal, Stage } from './run.js';

/** What tells one batch from another under the same number: kinds and ids, in order. */
interface Countable {
  readonly kind: keyof RecordCounts;
  readonly id?: string | null;
  readonly group?: string;
  readonly part?: number;
}

/** What one stage saw of one run. Numbers of batches may arrive in any order and more than once. */
export class RunLedger {
  readonly #seen = new Map<number, string>();
  readonly #contradicted = new Set<number>();
  readonly #startedAt = new Date();
  readonly records: RecordCounts = noRecords();

  constructor(readonly run: Run) {}

  /**
   * Notes a batch. False if its number was there before: then it is a repeat, to be acknowledged and otherwise ignored. A
   * repeat with other records (the run went two ways and met again) cannot be told from a lost batch: the run is incomplete.
   */
  note(index: number, records: readonly Countable[]): boolean {
    const mark = markOf(records);
    const known = this.#seen.get(index);
    if (known !== undefined) {
      if (known !== mark) this.#contradicted.add(index);
      return false;
    }
    this.#seen.set(index, mark);
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

  /** The seal as this stage has to take it: incomplete if batches are missing, or came twice with different records. */
  checked(seal: Seal): Seal {
    const sealed = sealWithArrived(seal, this.#seen.keys());
    if (this.#contradicted.size === 0) return sealed;
    const [first] = this.#contradicted;
    return incomplete(sealed, {
      code: 'BATCH_TWICE',
      message: `Of the batches ${this.#contradicted.size} came twice with different records (the first: ${first}), and only what came first was taken. Do not let a run take two ways that meet again.`,
    });
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

/** The seal, marked incomplete if batches of the hop before are not among those that arrived. It may count more than there can be. */
export function sealWithArrived(seal: Seal, arrived: Iterable<number>): Seal {
  const counted = new Set<number>();
  for (const index of arrived) if (index < seal.batches) counted.add(index);
  if (counted.size === seal.batches) return seal;
  let first = 0;
  while (counted.has(first)) first += 1;
  return incomplete(seal, {
    code: 'BATCH_MISSING',
    message: `Of ${String(seal.batches)} batches ${String(seal.batches - counted.size)} did not arrive (the first: ${String(first)}). Look at the nodes between for one that drops messages.`,
  });
}

function incomplete(seal: Seal, reason: Seal['incomplete'][number]): Seal {
  return { ...seal, complete: false, incomplete: [...seal.incomplete, reason] };
}

/** Most follow one of their own kind, and have no part: where that is so nothing is noted but the id. */
function markOf(records: readonly Countable[]): string {
  const ids: string[] = [];
  let kinds = '';
  let before = '';
  for (const { kind, id, group, part } of records) {
    if (kind !== before || part !== undefined) kinds += `${String(ids.length)} ${kind} ${String(part ?? '')}\n`;
    before = kind;
    ids.push(id ?? group ?? '');
  }
  return hash('sha1', `${kinds}\n${ids.join('\n')}`);
}

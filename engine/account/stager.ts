/**
 * Batches on their way into the account. What comes of a run while other batches are written goes together, in one
 * transaction: it is there sooner than if each waited for its own.
 */
import type { Run } from '../model/run.js';
import type { StagedRecord } from './staged-record.js';

/** A batch as it is staged. */
export interface PreparedBatch {
  readonly index: number;
  readonly records: readonly StagedRecord[];
}

/** Stages batches of one run, all or none. */
export type StageBatches = (run: Run, batches: readonly PreparedBatch[]) => Promise<void>;

interface Waiting {
  readonly run: Run;
  readonly batch: PreparedBatch;
  readonly size: number;
  readonly handedOn: () => void;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/** No more than a moment's work for whoever hands it on: about as many characters of JSON. */
const AT_ONCE = 600_000;
/** A statement has room for so many values only, and is kept for each number of batches that it was made for. */
const BATCHES_AT_ONCE = 32;
/** One is written, and one is made ready for it. */
const GROUPS = 2;

export class Stager {
  readonly #waiting: Waiting[] = [];
  readonly #underWay = new Set<readonly Waiting[]>();

  constructor(private readonly stage: StageBatches) {}

  /** `handedOn`: whatever is done from then on comes behind the batch. `stored`: it is there, or could not be staged. */
  add(run: Run, batch: PreparedBatch): { readonly handedOn: Promise<void>; readonly stored: Promise<void> } {
    const handedOn = Promise.withResolvers<undefined>();
    const stored = Promise.withResolvers<undefined>();
    this.#waiting.push({
      run,
      batch,
      size: batch.records.reduce((sum, { json }) => sum + json.length, 0),
      handedOn: () => handedOn.resolve(undefined),
      stored: () => stored.resolve(undefined),
      failed: (error) => stored.reject(error),
    });
    this.#work();
    return { handedOn: handedOn.promise, stored: stored.promise };
  }

  #work(): void {
    while (this.#underWay.size < GROUPS) {
      const group = this.#next();
      if (group.length === 0) return;
      this.#underWay.add(group);
      void this.#settled(group).finally(() => {
        this.#underWay.delete(group);
        this.#work();
      });
    }
  }

  /** One that cannot be staged keeps no other from it. */
  async #settled(group: readonly Waiting[]): Promise<void> {
    const whole = await this.#staged(group);
    if (!whole) for (const one of group) await this.#staged([one]);
  }

  /** False where several could not be staged together. */
  async #staged(group: readonly Waiting[]): Promise<boolean> {
    const [first] = group;
    if (!first) return true;
    try {
      const work = this.stage(
        first.run,
        group.map(({ batch }) => batch),
      );
      for (const one of group) one.handedOn();
      await work;
      for (const one of group) one.stored();
      return true;
    } catch (error) {
      if (group.length > 1) return false;
      first.failed(error);
      return true;
    }
  }

  /** The batches that came first, of one run, each number once; none while the first takes the place of one that is under way. */
  #next(): Waiting[] {
    const [first] = this.#waiting;
    const numbers = new Set<number>();
    const taken = new Set(
      [...this.#underWay].flat().flatMap(({ run, batch }) => (run.id === first?.run.id ? [batch.index] : [])),
    );
    let size = 0;
    const end = this.#waiting.findIndex((one) => {
      size += one.size;
      const fits =
        numbers.size === 0 || (one.run.id === first?.run.id && size <= AT_ONCE && numbers.size < BATCHES_AT_ONCE);
      if (!fits || numbers.has(one.batch.index) || taken.has(one.batch.index)) return true;
      numbers.add(one.batch.index);
      return false;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }
}

/**
 * What every stage that takes runs does alike, whatever its work: it keeps account of the batches, works on a few of them at
 * a time, waits for late ones when the seal comes, fails a run once and not once per batch, and forgets runs that never end.
 */
import { DirectorySyncError, StoppedError, asDirectorySyncError } from '../model/errors.js';
import { RunLedger } from '../model/ledger.js';
import type { RunMessage } from '../model/message.js';
import type { RecordKind } from '../model/records.js';
import type { Run, Seal } from '../model/run.js';
import { Slots } from './slots.js';

/** The work of a stage. `Context` is whatever comes with a message and is handed through (such as where to send to). */
export interface StageWork<Payload, State, Context, Result> {
  /** A run is seen for the first time: makes what is kept for it. Must not throw; put the failing part into `batch`. */
  begin(run: Run): State;
  /** Takes a batch, each number once. */
  batch(at: AtRun<State>, index: number, records: Payload[], context: Context): Promise<void>;
  /** Takes the seal, marked incomplete if batches are missing, after all batches that came have been taken. */
  seal(at: AtRun<State>, seal: Seal, context: Context): Promise<Result>;
  /** The run leaves the stage, with an error or (null) done. Called once. */
  end(at: AtRun<State>, error: DirectorySyncError | null): Promise<void> | void;
  /** A message of the run came, whatever is known of the run: whoever waits for it learns that it is in good hands. */
  seen?(runId: string): void;
  /** The seal of a run that has ended here came again (`error` null), or that of one that has failed here. */
  again?(run: Run, seal: Seal, error: DirectorySyncError | null): Promise<void>;
  /** A batch needs no more room, whatever became of it. For stages that claimed the run. */
  release?(runId: string): void;
}

/** A run at a stage. */
export interface AtRun<State> {
  readonly run: Run;
  readonly ledger: RunLedger;
  readonly state: State;
}

/** Times in milliseconds. `late`: how long a seal waits for missing batches; `forget`: after how long without a message. */
export interface StageOptions {
  readonly atATime: number;
  readonly late: number;
  readonly forget: number;
  /** Told when a run is given up because its seal never came. */
  readonly onGivenUp?: (error: DirectorySyncError) => void;
}

const DEFAULTS: StageOptions = { atATime: 4, late: 10_000, forget: 3_600_000 };
/** So many ended runs are remembered, so that a straggler does not begin one anew. */
const REMEMBERED = 256;

interface Entry<State> extends AtRun<State> {
  readonly slots: Slots;
  readonly underWay: Set<Promise<void>>;
  readonly timer: NodeJS.Timeout;
  phase: 'open' | 'sealed' | 'failed';
  error: DirectorySyncError | null;
  arrived: () => void;
}

export class RunStage<Payload extends { kind: RecordKind }, State, Context, Result> {
  readonly #entries = new Map<string, Entry<State>>();
  readonly #ended = new Set<string>();
  readonly #options: StageOptions;

  constructor(
    private readonly work: StageWork<Payload, State, Context, Result>,
    options: Partial<StageOptions> = {},
  ) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Takes a message of a run. The result comes with the seal; null for batches, repeats, stragglers, and for what follows in
   * a run that has failed: its error is thrown once.
   */
  async take(message: RunMessage<Payload>, context: Context): Promise<Result | null> {
    this.work.seen?.(message.run.id);
    const entry = this.#entry(message.run);
    if (message.topic === 'batch') {
      await this.#batch(entry, message.run.batch, message.payload, message.run.id, context);
      return null;
    }
    if (entry === null) await this.work.again?.(message.run, message.payload, null);
    return entry === null || entry.phase === 'sealed' ? null : this.#seal(entry, message.payload, context);
  }

  /** Ends every run that is under way, as stopped. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) {
      clearTimeout(entry.timer);
      if (failed(entry)) continue;
      entry.phase = 'failed';
      entry.arrived();
      await this.work.end(entry, new StoppedError());
    }
  }

  #entry(run: Run): Entry<State> | null {
    if (this.#ended.has(run.id)) return null;
    const known = this.#entries.get(run.id);
    if (known) {
      if (known.phase !== 'sealed') known.timer.refresh();
      return known;
    }
    const entry: Entry<State> = {
      run,
      ledger: new RunLedger(run),
      state: this.work.begin(run),
      slots: new Slots(this.#options.atATime),
      underWay: new Set(),
      timer: setTimeout(() => void this.#forget(entry), this.#options.forget).unref(),
      phase: 'open',
      error: null,
      arrived: () => undefined,
    };
    this.#entries.set(run.id, entry);
    return entry;
  }

  async #batch(
    entry: Entry<State> | null,
    index: number,
    records: Payload[],
    runId: string,
    context: Context,
  ): Promise<void> {
    if (entry === null) {
      this.work.release?.(runId);
      return;
    }
    if (!entry.ledger.note(index, records)) {
      this.work.release?.(runId);
      return;
    }
    const work = entry.slots.use(async () => {
      if (entry.phase !== 'failed') await this.work.batch(entry, index, records, context);
    });
    entry.underWay.add(work);
    entry.arrived();
    try {
      await work;
    } catch (error) {
      await this.#fail(entry, asDirectorySyncError(error));
    } finally {
      entry.underWay.delete(work);
      this.work.release?.(runId);
    }
  }

  async #seal(entry: Entry<State>, seal: Seal, context: Context): Promise<Result | null> {
    if (entry.phase === 'failed') {
      this.#remove(entry);
      await this.work.again?.(entry.run, seal, entry.error);
      return null;
    }
    entry.phase = 'sealed';
    clearTimeout(entry.timer);
    try {
      await this.#late(entry, seal);
      await Promise.allSettled(entry.underWay);
      if (failed(entry)) return null;
      const result = await this.work.seal(entry, entry.ledger.checked(seal), context);
      this.#remember(entry.run.id);
      await this.work.end(entry, null);
      return result;
    } catch (error) {
      await this.#fail(entry, asDirectorySyncError(error));
      return null;
    } finally {
      this.#remove(entry);
    }
  }

  /** Throws the first error of a run; those behind it have the same cause and are dropped. */
  async #fail(entry: Entry<State>, error: DirectorySyncError): Promise<void> {
    if (failed(entry)) return;
    entry.phase = 'failed';
    entry.error = error;
    entry.arrived();
    await this.work.end(entry, error);
    throw error;
  }

  /** Waits until every batch that the seal counts is here, the run has failed, or it took too long. */
  async #late(entry: Entry<State>, seal: Seal): Promise<void> {
    const until = Date.now() + this.#options.late;
    while (!failed(entry) && entry.ledger.missing(seal.batches, 1).length > 0 && Date.now() < until) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, until - Date.now());
        entry.arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #forget(entry: Entry<State>): Promise<void> {
    this.#remove(entry);
    const error = new DirectorySyncError('NO_SEAL', {
      message:
        'A run was given up: it has sent nothing for an hour, and its seal never came. Nothing of it was applied. Look at the nodes before this one for one that drops messages.',
      status: 'run given up',
    });
    await this.#fail(entry, error).catch((failure: unknown) =>
      this.#options.onGivenUp?.(asDirectorySyncError(failure)),
    );
  }

  #remove(entry: Entry<State>): void {
    clearTimeout(entry.timer);
    if (this.#entries.get(entry.run.id) === entry) this.#entries.delete(entry.run.id);
  }

  #remember(runId: string): void {
    this.#ended.add(runId);
    const [oldest] = this.#ended;
    if (this.#ended.size > REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
  }
}

/** A function, so that the compiler does not take the phase for unchanged over an `await`. */
function failed(entry: { readonly phase: string }): boolean {
  return entry.phase === 'failed';
}

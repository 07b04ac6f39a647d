/**
 * The runs of a receiver, without HTTP: opened, filled, sealed, handed over, and what became of them. Everything that was
 * acknowledged is in the spool, so that a receiver that starts again goes on where it was.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { canonicalJson, digestOf } from '../model/canonical.js';
import { StoppedError, TransportError, asDirectorySyncError } from '../model/errors.js';
import type { EnrichedRecord } from '../model/records.js';
import type { Report } from '../model/report.js';
import type { Run, Seal } from '../model/run.js';
import type { RunOutcome } from '../runtime/outcome.js';
import { type WorkerHandle, startWorker } from '../runtime/worker.js';
import { readBatch } from './content.js';
import { type ReceiverLimits, announced } from './limits.js';
import { ProblemError } from './problem.js';
import type { BatchAnswer, Failure, OpenAnswer, OpenRequest, SealRequest, StateAnswer } from './protocol.js';
import { checkSeal, failureOf, ranges, receiveStage, untakenReport } from './sealing.js';
import type { SpoolMethods, SpooledRun } from './spool-worker.js';
import type { Negotiated } from './tls.js';

/** A whole run, as it is handed over. `batches()` may be called again; batches come in order, each once. */
export interface ReceivedRun {
  readonly run: Run;
  readonly seal: Seal;
  readonly batches: () => AsyncIterable<{ index: number; records: EnrichedRecord[] }>;
}

/** Takes a whole run and says what became of it. Called again after a restart, and when a failed run is sealed again. */
export type OnRun = (run: ReceivedRun) => Promise<RunOutcome>;

/** Something of which only the receiver's own side may hear. */
export type OnCause = (correlation: string, cause: unknown) => void;

const SWEEP_EVERY_MS = 600_000;
/** A flow that was redeployed under a run is up again soon. */
const HAND_OVER_AGAIN_MS = 2_000;

export class ReceivedRuns {
  readonly #working = new Map<string, Promise<void>>();
  readonly #sweeping: NodeJS.Timeout;
  #closed = false;

  private constructor(
    private readonly spool: WorkerHandle<SpoolMethods>,
    private readonly limits: ReceiverLimits,
    private readonly onRun: OnRun,
    private readonly onCause: OnCause,
  ) {
    this.#sweeping = setInterval(() => void this.#sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
  }

  /** Opens the spool, and hands over again what was sealed and not finished when the receiver stopped. */
  static async start(file: string, limits: ReceiverLimits, onRun: OnRun, onCause: OnCause): Promise<ReceivedRuns> {
    const spool = startWorker<SpoolMethods>(join(__dirname, 'spool-worker.js'), { file });
    const runs = new ReceivedRuns(spool, limits, onRun, onCause);
    const unfinished = await runs.#unfinished().catch(async (error: unknown) => {
      await runs.close();
      throw spoolUnusable(error);
    });
    // Not before our caller has its receiver: handing over may need it.
    setImmediate(() => unfinished.forEach((run) => void runs.#work(run)));
    return runs;
  }

  /** Remembers a nonce. False if it was used before. */
  takeNonce(keyId: string, nonce: string, until: number): Promise<boolean> {
    return this.spool.call('takeNonce', keyId, nonce, until);
  }

  async open(keyId: string, { run }: OpenRequest): Promise<OpenAnswer> {
    const description = canonicalJson(run);
    const spooled = await this.spool.call('open', run.id, keyId, description, this.limits.openRuns);
    if (!spooled) {
      const headers = { 'Retry-After': '60' };
      throw new ProblemError('too-many-runs', 'Runs that were opened wait for their seals.', { headers });
    }
    checkOwner(spooled, keyId);
    if (spooled.description !== description) {
      throw new ProblemError(
        'run-differs',
        'Source, mode and start of a run do not change. Give every run an id of its own.',
      );
    }
    return { run: run.id, state: spooled.state, token: null, limits: announced(this.limits) };
  }

  async store(keyId: string, run: string, batch: number, content: Buffer, encoding: string): Promise<BatchAnswer> {
    await this.#own(keyId, run);
    if (batch >= this.limits.batches) {
      throw new ProblemError('too-large', `A run may have ${String(this.limits.batches)} batches.`);
    }
    const reading = readBatch(content, encoding, this.limits);
    let step = await reading.next();
    while (!step.done) step = await reading.next();
    const { digest, reader } = step.value;
    const { records, counts, bytes } = reader;
    const what = { batch, digest, records, counts: JSON.stringify(counts), jsonBytes: bytes };
    const result = await this.spool.call('store', run, what, { encoding, content });
    if (result === 'gone') throw runUnknown();
    if (result === 'sealed') throw new ProblemError('run-sealed', 'Nothing is added to a run after its seal.');
    if (result === 'differs') {
      throw new ProblemError(
        'batch-differs',
        `Batch ${String(batch)} is here with other content. A batch is sent again as it was.`,
      );
    }
    return { run, batch, digest, records };
  }

  /** Takes the seal, hands the run over, and answers when it is done, or after a while that it is not yet. */
  async seal(keyId: string, run: string, request: SealRequest, tls: Negotiated | null): Promise<StateAnswer> {
    const before = await this.#own(keyId, run);
    const digest = digestOf({ ...request, seal: { ...request.seal, stages: [] } });
    if (before.state === 'open') checkSeal(request, await this.spool.call('batches', run));
    const stage = receiveStage(before, keyId, await this.spool.call('batches', run), tls);
    const seal: Seal = { ...request.seal, stages: [...request.seal.stages, stage] };
    const sealed = await this.spool.call('seal', run, digest, JSON.stringify(seal));
    if (!sealed) throw runUnknown();
    if (sealed.sealDigest !== digest)
      throw new ProblemError('run-sealed', 'The run was sealed before, with another seal.');
    if (sealed.state === 'sealed')
      await Promise.race([this.#work(sealed), delay(this.limits.sealAnswerMs, undefined, { ref: false })]);
    const answer = await this.state(keyId, run);
    if (answer.failure) throw new ProblemError('run-failed', answer.failure.message, answer.failure);
    return answer;
  }

  async state(keyId: string, run: string): Promise<StateAnswer> {
    const { state, outcome } = await this.#own(keyId, run);
    const stored = ranges(await this.spool.call('batches', run));
    const parsed: unknown = outcome === null ? null : JSON.parse(outcome);
    return {
      run,
      state,
      stored,
      report: state === 'done' ? (parsed as Report) : null,
      failure: state === 'failed' ? (parsed as Failure) : null,
    };
  }

  async abandon(keyId: string, run: string): Promise<void> {
    const { state } = await this.#own(keyId, run);
    if (state !== 'open' && state !== 'failed') {
      throw new ProblemError('run-sealed', 'The run was sealed: it is being applied, or was.');
    }
    await this.spool.call('forget', run);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    await this.spool.close();
  }

  async #unfinished(): Promise<SpooledRun[]> {
    await this.#sweep();
    return this.spool.call('unfinished');
  }

  #sweep(): Promise<void> {
    const now = Date.now();
    return this.spool.call('sweep', now - this.limits.openRunMs, now - this.limits.reportMs);
  }

  async #own(keyId: string, id: string): Promise<SpooledRun> {
    const run = await this.spool.call('find', id);
    if (!run) throw runUnknown();
    checkOwner(run, keyId);
    return run;
  }

  /** Hands a sealed run over, once at a time. Never rejects. */
  #work(run: SpooledRun): Promise<void> {
    const already = this.#working.get(run.id);
    if (already) return already;
    const work = this.#handOver(run)
      .catch((error: unknown) => {
        if (!this.#closed) this.onCause(run.id, error);
      })
      .finally(() => this.#working.delete(run.id));
    this.#working.set(run.id, work);
    return work;
  }

  async #handOver(spooled: SpooledRun): Promise<void> {
    const received = this.#received(spooled);
    const outcome = await this.onRun(received).catch((error: unknown) => ({ error: asDirectorySyncError(error) }));
    if ('error' in outcome) {
      // Stopped on purpose: the run stays sealed, and is handed over again soon, or at the next start.
      if (this.#closed) return;
      if (outcome.error instanceof StoppedError) {
        setTimeout(() => !this.#closed && void this.#work(spooled), HAND_OVER_AGAIN_MS).unref();
        return;
      }
      this.onCause(spooled.id, outcome.error);
      await this.spool.call('failed', spooled.id, JSON.stringify(failureOf(outcome.error)));
      return;
    }
    const report = 'report' in outcome ? outcome.report : untakenReport(received.run, received.seal);
    await this.spool.call('done', spooled.id, JSON.stringify(report));
  }

  #received(spooled: SpooledRun): ReceivedRun {
    const seal = JSON.parse(spooled.seal ?? 'null') as Seal;
    const run = { ...(JSON.parse(spooled.description) as OpenRequest['run']), batch: seal.batches };
    return { run, seal, batches: () => this.#batches(run.id) };
  }

  async *#batches(run: string): AsyncGenerator<{ index: number; records: EnrichedRecord[] }> {
    for (const { batch } of await this.spool.call('batches', run)) {
      const stored = await this.spool.call('content', run, batch);
      if (!stored) throw runUnknown();
      const records: EnrichedRecord[] = [];
      for await (const some of readBatch(Buffer.from(stored.content), stored.encoding, this.limits))
        records.push(...some);
      yield { index: batch, records };
    }
  }
}

/** What the store says is written for the account; here it concerns another file. */
function spoolUnusable(thrown: unknown): TransportError {
  const { message, cause } = asDirectorySyncError(thrown);
  return new TransportError('SPOOL_UNUSABLE', {
    message: `The spool file of the directory-receive cannot be used: ${message}`,
    status: 'spool unusable',
    params: { setting: 'spoolFile' },
    cause,
  });
}

function checkOwner(run: SpooledRun, keyId: string): void {
  if (run.keyId !== keyId) throw new ProblemError('not-your-run', 'Give every run an id of its own.');
}

function runUnknown(): ProblemError {
  return new ProblemError('run-unknown', 'It was never opened, was given up, or is forgotten. Open a new run.');
}

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
import { readChecked } from './batch.js';
import type { Encoding } from './encoding.js';
import { type ReceiverLimits, announced } from './limits.js';
import { NonceBook } from './nonces.js';
import { ProblemError } from './problem.js';
import type { BatchAnswer, Failure, OpenAnswer, OpenRequest, SealRequest, StateAnswer } from './protocol.js';
import type { Identity } from './access.js';
import { ENCODINGS } from './encoding.js';
import { checkSeal, failureOf, ranges, receiveStage, untakenReport } from './sealing.js';
import type { SpoolMethods, SpooledRun } from './spool-worker.js';
import type { Negotiated } from './peer.js';

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

const SWEEP_EVERY_MS = 60_000;
/** How long the nonce of a request that wrote nothing else may be in memory only. */
const REMEMBER_WITHIN_MS = 1_000;
/** A flow that was redeployed under a run is up again soon. */
const HAND_OVER_AGAIN_MS = 2_000;

export class ReceivedRuns {
  readonly #working = new Map<string, Promise<void>>();
  readonly #sweeping: NodeJS.Timeout;
  readonly #remembering: NodeJS.Timeout;
  nonces = new NonceBook([]);
  #closed = false;

  private constructor(
    private readonly spool: WorkerHandle<SpoolMethods>,
    private readonly limits: ReceiverLimits,
    private readonly onRun: OnRun,
    private readonly onCause: OnCause,
  ) {
    this.#sweeping = setInterval(() => void this.#sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
    this.#remembering = setInterval(() => void this.#remember().catch(() => undefined), REMEMBER_WITHIN_MS).unref();
  }

  /** Opens the spool, and hands over again what was sealed and not finished when the receiver stopped. */
  static async start(file: string, limits: ReceiverLimits, onRun: OnRun, onCause: OnCause): Promise<ReceivedRuns> {
    const spool = startWorker<SpoolMethods>(join(__dirname, 'spool-worker.js'), { file, limits });
    const runs = new ReceivedRuns(spool, limits, onRun, onCause);
    const unfinished = await runs.#unfinished().catch(async (error: unknown) => {
      await runs.close();
      throw spoolUnusable(error);
    });
    // Not before our caller has its receiver: handing over may need it.
    setImmediate(() => unfinished.forEach((run) => void runs.#work(run)));
    return runs;
  }

  async open(sender: string, { run }: OpenRequest): Promise<OpenAnswer> {
    const description = canonicalJson(run);
    const nonces = this.nonces.unwritten();
    const spooled = await this.spool.call('open', run.id, sender, description, this.limits.openRuns, nonces);
    if (!spooled) {
      const headers = { 'Retry-After': '60' };
      throw new ProblemError('too-many-runs', 'Runs that were opened wait for their seals.', { headers });
    }
    checkOwner(spooled, sender);
    if (spooled.description !== description) {
      throw new ProblemError(
        'run-differs',
        'Source, mode and start of a run do not change. Give every run an id of its own.',
      );
    }
    const { state } = spooled;
    return { run: run.id, state, token: null, encodings: [...ENCODINGS], limits: announced(this.limits) };
  }

  async store(
    sender: string,
    run: string,
    batch: number,
    content: Buffer,
    encoding: Encoding | '',
  ): Promise<BatchAnswer> {
    if (batch >= this.limits.batches) {
      throw new ProblemError('too-large', `A run may have ${String(this.limits.batches)} batches.`);
    }
    const what = { sender, run, batch, encoding };
    const stored = await this.spool.call('store', what, content, this.nonces.unwritten());
    switch (stored.result) {
      case 'gone':
        throw runUnknown();
      case 'not-yours':
        throw notYours();
      case 'sealed':
        throw new ProblemError('run-sealed', 'Nothing is added to a run after its seal.');
      case 'differs':
        throw new ProblemError(
          'batch-differs',
          `Batch ${String(batch)} is here with other content. A batch is sent again as it was.`,
        );
      case 'stored':
      case 'same':
        return { run, batch, digest: stored.digest, records: stored.records };
    }
  }

  /** Takes the seal, hands the run over, and answers when it is done, or after a while that it is not yet. */
  async seal(
    { sender, proof }: Identity,
    run: string,
    request: SealRequest,
    tls: Negotiated | null,
  ): Promise<StateAnswer> {
    const before = await this.#own(sender, run);
    const digest = digestOf({ ...request, seal: { ...request.seal, stages: [] } });
    if (before.state === 'open') checkSeal(request, await this.spool.call('batches', run));
    const stage = receiveStage(before, proof, await this.spool.call('batches', run), tls);
    const seal: Seal = { ...request.seal, stages: [...request.seal.stages, stage] };
    const sealed = await this.spool.call('seal', run, digest, JSON.stringify(seal), this.nonces.unwritten());
    if (!sealed) throw runUnknown();
    if (sealed.sealDigest !== digest)
      throw new ProblemError('run-sealed', 'The run was sealed before, with another seal.');
    if (sealed.state === 'sealed')
      await Promise.race([this.#work(sealed), delay(this.limits.sealAnswerMs, undefined, { ref: false })]);
    const answer = await this.state(sender, run);
    if (answer.failure) throw new ProblemError('run-failed', answer.failure.message, answer.failure);
    return answer;
  }

  async state(sender: string, run: string): Promise<StateAnswer> {
    const { state, outcome } = await this.#own(sender, run);
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

  async abandon(sender: string, run: string): Promise<void> {
    const { state } = await this.#own(sender, run);
    if (state !== 'open' && state !== 'failed') {
      throw new ProblemError('run-sealed', 'The run was sealed: it is being applied, or was.');
    }
    await this.spool.call('forget', run, this.nonces.unwritten());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    clearInterval(this.#remembering);
    await this.#remember().catch(() => undefined);
    await this.spool.close();
  }

  async #unfinished(): Promise<SpooledRun[]> {
    await this.#sweep();
    this.nonces = new NonceBook(await this.spool.call('nonces'));
    return this.spool.call('unfinished');
  }

  async #remember(): Promise<void> {
    const nonces = this.nonces.unwritten();
    if (nonces.length > 0) await this.spool.call('remember', nonces);
  }

  #sweep(): Promise<void> {
    const now = Date.now();
    this.nonces.sweep(now);
    return this.spool.call('sweep', now - this.limits.openRunMs, now - this.limits.reportMs);
  }

  async #own(sender: string, id: string): Promise<SpooledRun> {
    const run = await this.spool.call('find', id);
    if (!run) throw runUnknown();
    checkOwner(run, sender);
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
    const received = await this.#received(spooled);
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

  /** As the next hop counts it: an incomplete run may have gaps here, and has none when it is handed over. */
  async #received(spooled: SpooledRun): Promise<ReceivedRun> {
    const numbers = (await this.spool.call('batches', spooled.id)).map(({ batch }) => batch);
    const sealed = JSON.parse(spooled.seal ?? 'null') as Seal;
    const seal = { ...sealed, batches: numbers.length };
    const run = { ...(JSON.parse(spooled.description) as OpenRequest['run']), batch: numbers.length };
    return { run, seal, batches: () => this.#batches(run.id, numbers) };
  }

  /** One is fetched while the one before is parsed and handed over. */
  async *#batches(run: string, numbers: number[]): AsyncGenerator<{ index: number; records: EnrichedRecord[] }> {
    const fetch = (number: number | undefined) => {
      const fetching = number === undefined ? null : this.spool.call('content', run, number);
      // Nobody may ever wait for it: who takes the batches may stop.
      fetching?.catch(() => undefined);
      return fetching;
    };
    let ahead = fetch(numbers[0]);
    for (const index of numbers.keys()) {
      const content = await ahead;
      if (!content) throw runUnknown();
      ahead = fetch(numbers[index + 1]);
      yield { index, records: await readChecked(content) };
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

function checkOwner(run: SpooledRun, sender: string): void {
  if (run.sender !== sender) throw notYours();
}

function notYours(): ProblemError {
  return new ProblemError('not-your-run', 'Give every run an id of its own.');
}

function runUnknown(): ProblemError {
  return new ProblemError('run-unknown', 'It was never opened, was given up, or is forgotten. Open a new run.');
}

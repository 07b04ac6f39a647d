/** A run that was opened at a receiver: its batches on their way, what the receiver has of them, its seal and its report. */
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import { setTimeout as delay } from 'node:timers/promises';
import { parserOf } from '../model/check.js';
import { ContractError, StoppedError, TransportError } from '../model/errors.js';
import { RunLedger } from '../model/ledger.js';
import { countRecords } from '../model/message.js';
import { type EnrichedRecord, noRecords } from '../model/records.js';
import type { Report } from '../model/report.js';
import type { Run, Seal, Stage } from '../model/run.js';
import type { Client, Content } from './client.js';
import { type Encoding, compress } from './encoding.js';
import { batchRefused, isRunUnknown, lateReport, notReceiver, runFailed } from './faults.js';
import type { Outbox } from './outbox.js';
import { Paper, type Part, type PartLimits, partsOf } from './parts.js';
import type { Negotiated } from './peer.js';
import { BATCH_TYPE, BatchAnswer, JSON_TYPE, type SealRequest, StateAnswer } from './protocol.js';

/** Something that an administrator should know of, though the run went well. `days`: until the certificate ends. */
export interface Warning {
  readonly code: 'CERTIFICATE_NOT_CHECKED' | 'TLS_LOWERED' | 'CERTIFICATE_ENDS';
  readonly days: number;
}

/** Records that the receiver will not have, and why: `BATCH_REFUSED`. */
export interface Refused {
  readonly records: readonly EnrichedRecord[];
  readonly error: TransportError;
}

/** Later requests than the first outlast a restart of the receiver. */
export const ATTEMPTS = 12;
const POLL_EVERY_MS = 2_000;
/** So often a receiver that has lost batches gets them again, before that is taken for more than an accident. */
const RESENDS = 3;

/** The error for an answer that is not as agreed; the client makes another of it. */
export const unexpected = () =>
  new ContractError('NOT_AS_AGREED', { message: 'not as agreed', status: 'not as agreed' });
const parseBatchAnswer = parserOf(BatchAnswer, unexpected);
const parseStateAnswer = parserOf(StateAnswer, unexpected);

/** What an opened run works with. `again`: opens it once more, at a receiver that does not know it. */
export interface Way {
  readonly client: Client;
  readonly outbox: Outbox;
  readonly encoding: Encoding;
  /** What the receiver takes. */
  readonly limits: PartLimits;
  readonly again: () => Promise<void>;
  readonly warnings: () => readonly Warning[];
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly underWay: number;
}

export class OpenedRun {
  readonly #ledger: RunLedger;
  readonly #records = noRecords();
  /** What was sent, by the number that it has at the receiver. */
  readonly #sent = new Map<number, { digest: string; records: number }>();
  /** Batches of the flow that have left, and the first parts that were refused. */
  readonly #left = new Set<number>();
  readonly #refused: number[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #limit: BulkheadPolicy;
  readonly #paper = new Paper();
  #numbers = 0;
  #jsonBytes = 0;
  #sealing: Content | null = null;
  #asking: Promise<StateAnswer> | null = null;
  #opening: Promise<void> | null = null;

  constructor(
    readonly run: Run,
    private readonly way: Way,
  ) {
    this.#ledger = new RunLedger(run);
    this.#limit = bulkhead(way.underWay, Infinity);
  }

  /**
   * Sends a batch of the flow: as one, or, where it is large, in parts that are batches to the receiver. Resolves with those
   * that it will not have.
   */
  async send(index: number, records: readonly EnrichedRecord[]): Promise<readonly Refused[]> {
    // Taken at once: batches that are sent in order have their numbers in order.
    const first = this.#numbers++;
    const sending = this.#limit.execute(() => this.#sendNow(index, first, records));
    this.#underWay.add(sending);
    try {
      return await sending;
    } finally {
      this.#underWay.delete(sending);
    }
  }

  async #sendNow(index: number, first: number, records: readonly EnrichedRecord[]): Promise<readonly Refused[]> {
    const refused: Refused[] = [];
    let number: number | null = first;
    for await (const part of partsOf(records, this.way.limits, this.#paper)) {
      const error = await this.#sendPart(index, number ?? this.#numbers++, part);
      if (error) refused.push({ records: part.records, error });
      number = null;
    }
    this.#left.add(index);
    return refused;
  }

  /** Null, or why the receiver will not have it. `index`: of the flow's batch that it is a part of. */
  async #sendPart(index: number, number: number, { content, digest, records }: Part): Promise<TransportError | null> {
    const bytes = await compress(content, this.way.encoding);
    const batch = { digest, records: records.length };
    await this.way.outbox.keep(number, bytes);
    try {
      await this.#knowing(() => this.#put(number, batch, bytes));
    } catch (error) {
      const refused = batchRefused(error, index);
      if (!refused) throw error;
      this.#refused.push(index);
      return refused;
    }
    this.#jsonBytes += content.length;
    this.#sent.set(number, batch);
    countRecords(records, this.#records);
    return null;
  }

  async #put(index: number, { digest, records }: { digest: string; records: number }, bytes: Buffer): Promise<void> {
    const run = this.run.id;
    const { value } = await this.way.client.exchange(
      {
        route: { name: 'batch', run, batch: index },
        content: { bytes, type: BATCH_TYPE, encoding: this.way.encoding },
        attempts: ATTEMPTS,
        parse: parseBatchAnswer,
        // Whether it is there with the right content, the seal will tell: it names every digest.
        known: async () => ((await this.#has(index)) ? { run, batch: index, digest, records } : null),
      },
      this.way.signal,
    );
    const asSent = value.batch === index && value.digest === digest && value.records === records;
    if (!asSent) throw notReceiver(this.way.client.host, 'that it stored another batch than was sent');
  }

  /** Is a batch stored, as far as can be learnt? Whoever asks at the same time shares the question. */
  async #has(index: number): Promise<boolean> {
    this.#asking ??= this.#state(1).finally(() => (this.#asking = null));
    const answer = await this.#asking.catch(() => null);
    return answer?.stored.some(([first, last]) => first <= index && index <= last) ?? false;
  }

  async #state(attempts: number): Promise<StateAnswer> {
    const what = { route: { name: 'state', run: this.run.id }, attempts, parse: parseStateAnswer } as const;
    return (await this.way.client.exchange(what, this.way.signal)).value;
  }

  /** Does what needs a receiver that knows the run. One that does not (its disk was replaced, say) gets to know it again. */
  async #knowing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isRunUnknown(error)) throw error;
      this.#opening ??= this.way.again().finally(() => (this.#opening = null));
      await this.#opening;
      return work();
    }
  }

  async seal(seal: Seal): Promise<Report> {
    await Promise.allSettled(this.#underWay);
    // The same bytes, should it be sealed again: the receiver takes a run under one seal only.
    this.#sealing ??= this.#sealContent(seal);
    const sealing = this.#sealing;
    const { client, signal, deadlineMs } = this.way;
    const until = Date.now() + deadlineMs;
    let answer = await this.#sealWhole(sealing);
    while (answer.value.state === 'sealed') {
      const left = until - Date.now();
      if (left <= 0) throw lateReport(client.host, deadlineMs);
      await pause(Math.min(answer.retryAfterMs ?? POLL_EVERY_MS, left), signal);
      answer = { ...answer, value: await this.#state(ATTEMPTS) };
    }
    const { report, failure } = answer.value;
    if (report?.run === this.run.id) return report;
    if (failure) throw runFailed(client.host, failure.code, failure.message, failure.transient);
    throw notReceiver(client.host, 'without the report of the run');
  }

  /** Seals; where the receiver has lost batches, sends them again first. */
  async #sealWhole(content: Content): Promise<{ value: StateAnswer; retryAfterMs: number | null }> {
    const route = { name: 'seal', run: this.run.id } as const;
    const what = { route, content, attempts: ATTEMPTS, parse: parseStateAnswer };
    for (let round = 1; ; round += 1) {
      try {
        return await this.#knowing(() => this.way.client.exchange(what, this.way.signal));
      } catch (error) {
        const missing = error instanceof TransportError && error.code === 'BATCHES_MISSING';
        if (!missing || round > RESENDS || !(await this.#resendMissing())) throw error;
      }
    }
  }

  /** Asks what is stored and sends the rest. False where there is nothing to send. */
  async #resendMissing(): Promise<boolean> {
    const { stored } = await this.#state(ATTEMPTS);
    const has = (index: number) => stored.some(([first, last]) => first <= index && index <= last);
    const missing = [...this.#sent].filter(([index]) => !has(index));
    await Promise.all(
      missing.map(([index, batch]) =>
        this.#limit.execute(async () => {
          const bytes = await this.way.outbox.take(index);
          if (!bytes) return;
          await this.#put(index, batch, bytes);
        }),
      ),
    );
    return missing.length > 0;
  }

  #sealContent(seal: Seal): Content {
    const expected = Array.from({ length: seal.batches }, (_, index) => index);
    const missing = expected.filter((index) => !this.#left.has(index));
    if (seal.complete && (missing.length > 0 || this.#left.size > seal.batches)) {
      throw new ContractError('SEALED_TOO_SOON', {
        message: `The seal says that the run is complete, but batch ${String(missing[0] ?? seal.batches)} was not stored by the receiver. Nothing was sealed. Start the run again.`,
        status: 'sealed too soon',
        params: { missing: missing.length },
      });
    }
    const { client, encoding } = this.way;
    const { traffic } = client;
    const stage = this.#ledger.stage(
      'transmit',
      { batches: this.#sent.size, records: this.#records },
      {
        jsonBytes: this.#jsonBytes,
        sentBytes: traffic.bytesSent,
        requests: traffic.requests,
        retries: traffic.retries,
        encoding,
        ...figuresOf(traffic.negotiated, this.way.warnings()),
      },
    );
    const batches = [...this.#sent].map(([batch, what]) => ({ batch, ...what })).sort((a, b) => a.batch - b.batch);
    // What this hop sent is what the next must have: function nodes before it may have dropped records.
    const sealed = { ...seal, batches: this.#numbers, records: this.#records, stages: [...seal.stages, stage] };
    const whole = withRefused(sealed, this.#refused);
    const body: SealRequest = { batches, seal: whole };
    return { bytes: Buffer.from(JSON.stringify(body)), type: JSON_TYPE };
  }
}

function figuresOf(negotiated: Negotiated | null, warnings: readonly Warning[]): Stage['figures'] {
  const { protocol, cipher, certificateUntil } = negotiated ?? {};
  return {
    ...(protocol !== undefined && { tls: protocol }),
    ...(cipher !== undefined && { cipher }),
    ...(typeof certificateUntil === 'string' && { certificateUntil }),
    ...(warnings.length > 0 && { warnings: warnings.map(({ code }) => code).join(', ') }),
  };
}

/** A run without a batch that was refused is not complete. */
function withRefused(seal: Seal, refused: readonly number[]): Seal {
  const [first] = refused;
  if (first === undefined) return seal;
  const message = `The receiver refused ${String(refused.length)} of ${String(seal.batches)} batches (the first: ${String(first)}). The second output of directory-transmit has them, with the reason.`;
  return { ...seal, complete: false, incomplete: [...seal.incomplete, { code: 'BATCH_REFUSED', message }] };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {
    throw new StoppedError(signal.reason);
  });
}

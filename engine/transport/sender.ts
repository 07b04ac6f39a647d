/** The sending side of a run: opens it at the receiver, sends its batches, seals it, and brings back the report. */
import { bulkhead } from 'cockatiel';
import type { ConnectionOptions } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { parserOf } from '../model/check.js';
import { ContractError, StoppedError } from '../model/errors.js';
import { RunLedger } from '../model/ledger.js';
import type { EnrichedRecord } from '../model/records.js';
import type { Report } from '../model/report.js';
import type { Run, Seal } from '../model/run.js';
import { writeBatch } from './batch.js';
import { type Client, type Content, createClient } from './client.js';
import { lateReport, notReceiver, runFailed } from './faults.js';
import { checkKey, checkUrl } from './keys.js';
import {
  BATCH_ENCODING,
  BATCH_TYPE,
  BatchAnswer,
  GZIP_LEVEL,
  JSON_TYPE,
  OpenAnswer,
  type OpenRequest,
  type SealRequest,
  StateAnswer,
} from './protocol.js';
import { type MinimumTls, clientTls } from './tls.js';

/** Where the receiver is, and how to prove who we are. */
export interface EndpointSettings {
  /** `https://host[:port]/path`. */
  readonly url: string;
  readonly keyId: string;
  /** 32 characters or more. */
  readonly key: string;
  /** CA, certificate, key, server name; `{}` for the authorities that Node.js trusts. */
  readonly tls: ConnectionOptions;
  readonly minimumTls: MinimumTls;
  /** How long opening, one batch, or the seal with its report may take, all attempts together. */
  readonly deadlineMs: number;
}

/** One run on its way. All methods reject with `TransportError` (what failed, and what to do) or `StoppedError` only. */
export interface Sender {
  open(run: Run): Promise<void>;
  /** Resolves when the receiver has stored the batch. Idempotent; several may be called at once, four are under way. */
  send(index: number, records: readonly EnrichedRecord[]): Promise<void>;
  /** Waits for the batches under way, seals, and waits for the report. Adds the stage `transmit` to the seal. */
  seal(seal: Seal): Promise<Report>;
  /** Tells the receiver to forget the run, if it can be told; else it forgets it by itself. Never rejects. */
  abandon(): Promise<void>;
  close(): void;
}

const UNDER_WAY = 4;
/** Somebody waits for the first request: a wrong port should be said soon. Later ones outlast a restart of the receiver. */
const ATTEMPTS_TO_OPEN = 4;
const ATTEMPTS = 12;
const ABANDON_WITHIN_MS = 5_000;
const POLL_EVERY_MS = 2_000;

const compress = promisify(gzip);
const unexpected = () => new ContractError('NOT_AS_AGREED', { message: 'not as agreed', status: 'not as agreed' });
const parseOpenAnswer = parserOf(OpenAnswer, unexpected);
const parseBatchAnswer = parserOf(BatchAnswer, unexpected);
const parseStateAnswer = parserOf(StateAnswer, unexpected);

/** Makes the sender of one run. Throws `SettingError` for a URL or key that cannot be used. */
export function createSender(settings: EndpointSettings, signal: AbortSignal): Sender {
  const key = checkKey({ id: settings.keyId, key: settings.key }, 'directory-endpoint');
  const { deadlineMs } = settings;
  const client = createClient({
    url: checkUrl(settings.url),
    key,
    tls: clientTls(settings.tls, settings.minimumTls),
    deadlineMs,
    connections: UNDER_WAY,
  });
  let opened: OpenedRun | null = null;
  const current = () => {
    if (opened) return opened;
    throw new ContractError('RUN_NOT_OPEN', {
      message: 'open() comes before everything else.',
      status: 'run not open',
    });
  };

  return {
    async open(run) {
      const { id, source, mode, startedAt } = run;
      const body: OpenRequest = { run: { id, source, mode, startedAt } };
      const content = { bytes: Buffer.from(JSON.stringify(body)), type: JSON_TYPE };
      await client.exchange(
        { route: { name: 'open' }, content, attempts: ATTEMPTS_TO_OPEN, parse: parseOpenAnswer },
        signal,
      );
      opened = new OpenedRun(run, client, signal, deadlineMs);
    },
    send: async (index, records) => current().send(index, records),
    seal: async (seal) => current().seal(seal),
    async abandon() {
      if (!opened) return;
      const route = { name: 'abandon', run: opened.run.id } as const;
      // The run's own signal has said stop, most likely; this has to be said all the same.
      const within = AbortSignal.timeout(ABANDON_WITHIN_MS);
      await client.exchange({ route, attempts: 2, parse: () => null }, within).catch(() => undefined);
    },
    close: () => client.close(),
  };
}

class OpenedRun {
  readonly #ledger: RunLedger;
  readonly #sent = new Map<number, { digest: string; records: number }>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #limit = bulkhead(UNDER_WAY, Infinity);
  #jsonBytes = 0;
  #sealing: Content | null = null;

  constructor(
    readonly run: Run,
    private readonly client: Client,
    private readonly signal: AbortSignal,
    private readonly deadlineMs: number,
  ) {
    this.#ledger = new RunLedger(run);
  }

  async send(index: number, records: readonly EnrichedRecord[]): Promise<void> {
    const sending = this.#limit.execute(() => this.#sendNow(index, records));
    this.#underWay.add(sending);
    try {
      await sending;
    } finally {
      this.#underWay.delete(sending);
    }
  }

  async #sendNow(index: number, records: readonly EnrichedRecord[]): Promise<void> {
    const { content, digest } = writeBatch(records);
    const bytes = await compress(content, { level: GZIP_LEVEL });
    const { value } = await this.client.exchange(
      {
        route: { name: 'batch', run: this.run.id, batch: index },
        content: { bytes, type: BATCH_TYPE, encoding: BATCH_ENCODING },
        attempts: ATTEMPTS,
        parse: parseBatchAnswer,
      },
      this.signal,
    );
    const asSent = value.batch === index && value.digest === digest && value.records === records.length;
    if (!asSent) throw notReceiver(this.client.host, 'that it stored another batch than was sent');
    if (this.#ledger.note(index, records)) this.#jsonBytes += content.length;
    this.#sent.set(index, { digest, records: records.length });
  }

  async seal(seal: Seal): Promise<Report> {
    await Promise.allSettled(this.#underWay);
    // The same bytes, should it be sealed again: the receiver takes a run under one seal only.
    this.#sealing ??= this.#sealContent(seal);
    const until = Date.now() + this.deadlineMs;
    const run = this.run.id;
    let answer = await this.client.exchange(
      { route: { name: 'seal', run }, content: this.#sealing, attempts: ATTEMPTS, parse: parseStateAnswer },
      this.signal,
    );
    while (answer.value.state === 'sealed') {
      const left = until - Date.now();
      if (left <= 0) throw lateReport(this.client.host, this.deadlineMs);
      await pause(Math.min(answer.retryAfterMs ?? POLL_EVERY_MS, left), this.signal);
      answer = await this.client.exchange(
        { route: { name: 'state', run }, attempts: ATTEMPTS, parse: parseStateAnswer },
        this.signal,
      );
    }
    const { report, failure } = answer.value;
    if (report?.run === run) return report;
    if (failure) throw runFailed(this.client.host, failure.code, failure.message, failure.transient);
    throw notReceiver(this.client.host, 'without the report of the run');
  }

  #sealContent(seal: Seal): Content {
    const missing = Array.from({ length: seal.batches }, (_, index) => index).filter((index) => !this.#sent.has(index));
    if (seal.complete && missing.length > 0) {
      throw new ContractError('SEALED_TOO_SOON', {
        message: `The seal says that the run is complete, but batch ${String(missing[0])} was not stored by the receiver. Nothing was sealed. Start the run again.`,
        status: 'sealed too soon',
        params: { missing: missing.length },
      });
    }
    const { traffic } = this.client;
    const stage = this.#ledger.stage(
      'transmit',
      { batches: this.#sent.size, records: this.#ledger.records },
      {
        jsonBytes: this.#jsonBytes,
        sentBytes: traffic.bytesSent,
        requests: traffic.requests,
        retries: traffic.retries,
        ...(traffic.negotiated && { tls: traffic.negotiated.protocol, cipher: traffic.negotiated.cipher }),
      },
    );
    const batches = [...this.#sent].map(([batch, what]) => ({ batch, ...what })).sort((a, b) => a.batch - b.batch);
    const body: SealRequest = { batches, seal: { ...seal, stages: [...seal.stages, stage] } };
    return { bytes: Buffer.from(JSON.stringify(body)), type: JSON_TYPE };
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {
    throw new StoppedError(signal.reason);
  });
}

/** The sending side of a run: opens it at the receiver, sends its batches, seals it, and brings back the report. */
import { tmpdir } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { parserOf } from '../model/check.js';
import { ContractError } from '../model/errors.js';
import type { EnrichedRecord } from '../model/records.js';
import type { Report } from '../model/report.js';
import type { Run, Seal } from '../model/run.js';
import type { ProxySettings } from './agent.js';
import { type Client, createClient } from './client.js';
import { bestEncoding } from './encoding.js';
import { checkUrl } from './keys.js';
import { ATTEMPTS, OpenedRun, type Refused, type Warning, unexpected } from './opened-run.js';
import { Outbox } from './outbox.js';
import { checkPins } from './peer.js';
import type { ProofSettings } from './proof.js';
import { JSON_TYPE, OpenAnswer, type OpenRequest } from './protocol.js';
import { type MinimumTls, isLowered } from '../runtime/tls.js';

export type { Refused, Warning } from './opened-run.js';

/** Where the receiver is, and how to prove who we are. */
export interface EndpointSettings {
  /** `https://host[:port]/path`. */
  readonly url: string;
  readonly proof: ProofSettings;
  /** CA, certificate, key, server name; `{}` for the authorities that Node.js trusts. */
  readonly tls: ConnectionOptions;
  readonly minimumTls: MinimumTls;
  /** How long opening, one batch, or the seal with its report may take, all attempts together. */
  readonly deadlineMs: number;
  /** How many batches may be under way at the same time; 4 by default. */
  readonly underWay?: number;
  /** Public keys that the receiver may have, as `checkPins` takes them; none: any that is trusted. */
  readonly pins?: readonly string[];
  readonly proxy?: ProxySettings | null;
  /** For batches that may have to be sent again, while the run lasts; the system's own for such files by default. */
  readonly spoolFolder?: string;
}

/** One run on its way. All methods reject with `TransportError` (what failed, and what to do) or `StoppedError` only. */
export interface Sender {
  open(run: Run): Promise<void>;
  /**
   * Resolves when the receiver has stored the batch, with those of its records that it will not have: the run can go on, and
   * is not complete then. Each number once; several may be called at once, a few are under way.
   */
  send(index: number, records: readonly EnrichedRecord[]): Promise<readonly Refused[]>;
  /** Waits for the batches under way, seals, and waits for the report. Adds the stage `transmit` to the seal. */
  seal(seal: Seal): Promise<Report>;
  /** Tells the receiver to forget the run, if it can be told; else it forgets it by itself. Never rejects. */
  abandon(): Promise<void>;
  /** What is not as it should be with the connection, as far as it is known by now. */
  warnings(): readonly Warning[];
  close(): void;
}

export const UNDER_WAY = 4;
/** Somebody waits for the first request: a wrong port should be said soon. Later ones outlast a restart of the receiver. */
const ATTEMPTS_TO_OPEN = 4;
const ABANDON_WITHIN_MS = 5_000;

const WARN_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

const parseOpenAnswer = parserOf(OpenAnswer, unexpected);

/** Makes the sender of one run. Throws `SettingError` for a URL, key, token or pin that cannot be used. */
export function createSender(settings: EndpointSettings, signal: AbortSignal): Sender {
  const { deadlineMs, proof, tls, minimumTls, underWay = UNDER_WAY, pins = [], proxy = null } = settings;
  const client = createClient({
    url: checkUrl(settings.url),
    proof,
    tls,
    minimumTls,
    pins: checkPins(pins),
    proxy,
    deadlineMs,
    connections: underWay,
  });
  const outbox = new Outbox(settings.spoolFolder ?? tmpdir());
  const warnings = () => warningsOf(settings, client);
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
      const open = async (attempts: number) => {
        const what = { route: { name: 'open' }, content, attempts, parse: parseOpenAnswer } as const;
        return (await client.exchange(what, signal)).value;
      };
      const { encodings = [], limits } = await open(ATTEMPTS_TO_OPEN);
      const encoding = bestEncoding(encodings);
      const again = async () => {
        await open(ATTEMPTS);
      };
      opened = new OpenedRun(run, { client, outbox, encoding, limits, again, warnings, signal, deadlineMs, underWay });
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
    warnings,
    close() {
      client.close();
      void outbox.close();
    },
  };
}

function warningsOf({ tls, minimumTls }: EndpointSettings, { traffic }: Client): Warning[] {
  const until = Date.parse(traffic.negotiated?.certificateUntil ?? '');
  const days = Math.floor((until - Date.now()) / DAY_MS);
  return [
    ...(tls.rejectUnauthorized === false ? [{ code: 'CERTIFICATE_NOT_CHECKED', days: 0 } as const] : []),
    ...(isLowered(minimumTls) ? [{ code: 'TLS_LOWERED', days: 0 } as const] : []),
    ...(days < WARN_DAYS ? [{ code: 'CERTIFICATE_ENDS', days } as const] : []),
  ];
}

/** What the tests of the transport share: certificates, a receiver that keeps what it is handed, people, and a seal. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../../engine/model/canonical.js';
import { countRecords } from '../../../engine/model/message.js';
import { type EnrichedRecord, type User } from '../../../engine/model/records.js';
import { type Report, noChanges } from '../../../engine/model/report.js';
import type { Run, Seal } from '../../../engine/model/run.js';
import type { RunOutcome } from '../../../engine/runtime/outcome.js';
import {
  DEFAULT_LIMITS,
  type ProblemEvent,
  type ReceivedRun,
  type Receiver,
  type ReceiverLimits,
  type SenderSettings,
  createReceiver,
} from '../../../engine/transport/receiver.js';
import type { EndpointSettings } from '../../../engine/transport/sender.js';
import { type Certificates, makeCertificates } from '../../support/certificates.js';
import { KEY, OTHER_KEY, PATH } from './keys.js';

export { KEY, OTHER_KEY, PATH };

/** A run as it was handed over. */
export interface Received {
  readonly run: Run;
  readonly seal: Seal;
  readonly indexes: number[];
  readonly records: EnrichedRecord[];
}

export interface Around {
  readonly receiver: Receiver;
  readonly endpoint: EndpointSettings;
  readonly certificates: Certificates;
  readonly received: Received[];
  readonly problems: ProblemEvent[];
  readonly spoolFile: string;
}

export interface AroundOptions {
  readonly limits?: Partial<ReceiverLimits>;
  /** By default two, with a key each. */
  readonly senders?: readonly SenderSettings[];
  readonly clientCertificates?: string;
  /** To listen at; any that is free by default. */
  readonly port?: number;
  /** What becomes of a run; by default it is committed. */
  readonly outcome?: (received: Received) => RunOutcome | Promise<RunOutcome>;
}

let certificates: Promise<Certificates> | undefined;
let shared: Promise<string> | undefined;

/** Certificates for 127.0.0.1, made once for all tests. */
export function sharedCertificates(): Promise<Certificates> {
  shared ??= mkdtemp(join(tmpdir(), 'transport-'));
  certificates ??= shared.then((folder) => makeCertificates(folder));
  return certificates;
}

after(async () => {
  if (shared) await rm(await shared, { recursive: true, force: true });
});

/** Starts a receiver on an HTTPS port of its own, and ends it when the test has ended. */
export async function withReceiver(options: AroundOptions, test: (around: Around) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const around = await startReceiver(join(folder, 'spool.sqlite'), options);
    try {
      await test(around);
    } finally {
      await around.receiver.close();
    }
  });
}

/** A receiver with the spool in `spoolFile`, on a port of its own. Close it. */
export async function startReceiver(spoolFile: string, options: AroundOptions = {}): Promise<Around> {
  const made = await sharedCertificates();
  const received: Received[] = [];
  const problems: ProblemEvent[] = [];
  const receiver = createReceiver(
    {
      path: PATH,
      senders: options.senders ?? [KEY, OTHER_KEY].map((key) => ({ id: key.id, keys: [key] })),
      spoolFile,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      onProblem: (event) => problems.push(event),
    },
    async (run) => {
      const whole = await takeIn(run);
      received.push(whole);
      return options.outcome ? options.outcome(whole) : { report: reportOf(whole) };
    },
  );
  const { port } = await receiver.listen({
    host: '127.0.0.1',
    port: options.port ?? 0,
    tls: {
      cert: made.cert,
      key: made.key,
      ...(options.clientCertificates !== undefined && { ca: options.clientCertificates }),
    },
    clientCertificates: options.clientCertificates !== undefined,
  });
  return { receiver, certificates: made, received, problems, spoolFile, endpoint: endpointOf(port, made) };
}

export function endpointOf(
  port: number,
  { ca }: Pick<Certificates, 'ca'>,
  over: Partial<EndpointSettings> = {},
): EndpointSettings {
  return {
    url: `https://127.0.0.1:${String(port)}${PATH}`,
    proof: signedWith(KEY),
    tls: { ca },
    minimumTls: 'TLSv1.2',
    deadlineMs: 10_000,
    ...over,
  };
}

/** The proof by that key. */
export function signedWith({ id, key }: { id: string; key: string }) {
  return { kind: 'signature', keyId: id, key } as const;
}

export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'transport-'));
  try {
    await test(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function takeIn({ run, seal, batches }: ReceivedRun): Promise<Received> {
  const indexes: number[] = [];
  const records: EnrichedRecord[] = [];
  for await (const batch of batches()) {
    indexes.push(batch.index);
    records.push(...batch.records);
  }
  return { run, seal, indexes, records };
}

/** `count` people, each the same every time. */
export function people(count: number, from = 0): User[] {
  return Array.from({ length: count }, (_, offset) => {
    const number = String(from + offset).padStart(6, '0');
    return {
      kind: 'user',
      id: `00000000-0000-4000-8000-000000${number}`,
      dn: `CN=Person ${number},OU=People,DC=example,DC=test`,
      sid: `S-1-5-21-1-2-3-${number}`,
      name: `Person ${number} Zoë`,
      primary: `person.${number}@example.test`,
      aliases: [`p${number}@example.test`],
      attributes: { title: ['Engineer'], department: ['Research'] },
      enabled: true,
    };
  });
}

export function batchesOf(records: readonly EnrichedRecord[], size: number): EnrichedRecord[][] {
  const batches: EnrichedRecord[][] = [];
  for (let at = 0; at < records.length; at += size) batches.push(records.slice(at, at + size));
  return batches;
}

export function runOf(id: string): Run {
  return { id, source: 'example.test', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 };
}

export function sealOf(batches: readonly EnrichedRecord[][], over: Partial<Seal> = {}): Seal {
  return {
    kind: 'seal',
    batches: batches.length,
    records: countRecords(batches.flat()),
    complete: true,
    incomplete: [],
    proof: null,
    token: null,
    stages: [],
    ...over,
  };
}

/** The report of an account that took everything as new. */
export function reportOf({ run, seal, records }: Received): Report {
  const counts = countRecords(records);
  const changes = { ...noChanges(), usersAdded: counts.user };
  return {
    kind: 'report',
    run: run.id,
    source: run.source,
    account: 'test',
    outcome: 'committed',
    complete: seal.complete,
    incomplete: seal.incomplete,
    plan: digestOf(changes),
    changes,
    totals: { users: counts.user, contacts: 0, groups: 0, members: 0, aliases: 0 },
    absent: { users: 0, contacts: 0, groups: 0 },
    groupsWithoutMail: 0,
    groupsHeld: 0,
    setAsideCount: 0,
    setAside: [],
    stages: seal.stages,
  };
}

/** What a receiver makes of a seal: does it fit what is here, what is said of the way, and what if nobody takes the run. */
import { digestOf } from '../model/canonical.js';
import { RECORD_KINDS, type RecordCounts, noRecords } from '../model/records.js';
import { type Report, noChanges } from '../model/report.js';
import type { Run, Seal, Stage } from '../model/run.js';
import { ProblemError } from './problem.js';
import type { Failure, SealRequest } from './protocol.js';
import type { SpooledBatch, SpooledRun } from './spool-worker.js';
import type { Identity } from './access.js';
import type { Negotiated } from './peer.js';

/** Does the seal fit what is here? Every batch it names with its content, and a complete run without a gap. */
export function checkSeal({ batches, seal }: SealRequest, stored: readonly SpooledBatch[]): void {
  const here = new Map(stored.map((batch) => [batch.batch, batch]));
  const missing = batches.filter(({ batch }) => !here.has(batch)).map(({ batch }) => batch);
  if (missing.length > 0) {
    const detail = `Of ${String(batches.length)} batches ${String(missing.length)} are not here. Send them, then seal again.`;
    throw new ProblemError('batches-missing', detail, { missing: missing.slice(0, 1000) });
  }
  const fault = faultOf({ batches, seal }, here);
  if (fault !== null) throw new ProblemError('seal-differs', `The seal does not fit: ${fault}. Nothing was sealed.`);
}

function faultOf({ batches, seal }: SealRequest, here: ReadonlyMap<number, SpooledBatch>): string | null {
  const numbers = new Set(batches.map(({ batch }) => batch));
  if (numbers.size !== batches.length) return 'a batch is named twice';
  if (numbers.size !== here.size) return 'there are batches here that it does not name';
  const differs = batches.find(({ batch, digest, records }) => {
    const stored = here.get(batch);
    return stored?.digest !== digest || stored.records !== records;
  });
  if (differs) return `batch ${String(differs.batch)} is here with another digest or number of records`;
  const stored = addUp([...here.values()].map(({ counts }) => JSON.parse(counts) as RecordCounts));
  const kind = RECORD_KINDS.find((one) => stored[one] !== seal.records[one]);
  if (kind !== undefined) return `it counts other records of kind ${kind} than are here`;
  const whole = seal.batches === numbers.size && batches.every(({ batch }) => batch < seal.batches);
  return seal.complete && !whole ? 'it says complete, but its batches have gaps' : null;
}

/** What the receiver has to say of a run for its report. */
export function receiveStage(
  run: SpooledRun,
  proof: Identity['proof'],
  stored: readonly SpooledBatch[],
  tls: Negotiated | null,
): Stage {
  const sum = (of: (batch: SpooledBatch) => number) => stored.reduce((total, batch) => total + of(batch), 0);
  return {
    stage: 'receive',
    startedAt: new Date(run.openedAt).toISOString(),
    milliseconds: Date.now() - run.openedAt,
    batches: stored.length,
    records: addUp(stored.map(({ counts }) => JSON.parse(counts) as RecordCounts)),
    figures: {
      jsonBytes: sum((batch) => batch.jsonBytes),
      receivedBytes: sum((batch) => batch.sentBytes),
      sender: run.sender,
      proof,
      ...(tls && { tls: tls.protocol, cipher: tls.cipher }),
    },
  };
}

function addUp(counts: readonly RecordCounts[]): RecordCounts {
  const total = noRecords();
  for (const count of counts) for (const kind of RECORD_KINDS) total[kind] += count[kind];
  return total;
}

/** `[0, 1, 2, 5]` → `[[0, 2], [5, 5]]`. */
export function ranges(batches: readonly { batch: number }[]): [number, number][] {
  const found: [number, number][] = [];
  for (const { batch } of batches) {
    const last = found.at(-1);
    if (last?.[1] === batch - 1) last[1] = batch;
    else found.push([batch, batch]);
  }
  return found;
}

/** What the sender may hear of an error. Of one that nobody foresaw, not the text: it may hold anything. */
export function failureOf({
  code,
  message,
  transient,
}: {
  code: string;
  message: string;
  transient: boolean;
}): Failure {
  const told = code === 'UNEXPECTED' ? 'Something failed at the receiver that should not. Its log has more.' : message;
  return { code, message: told, transient };
}

/** The report of a run that no apply node took: it is stored, and nothing is known of changes. */
export function untakenReport(run: Run, seal: Seal): Report {
  return {
    kind: 'report',
    run: run.id,
    source: run.source,
    account: '',
    outcome: 'received',
    complete: seal.complete,
    incomplete: seal.incomplete,
    plan: digestOf([]),
    changes: noChanges(),
    totals: { users: 0, contacts: 0, groups: 0, members: 0, aliases: 0 },
    absent: { users: 0, contacts: 0, groups: 0 },
    groupsWithoutMail: 0,
    groupsHeld: 0,
    setAsideCount: 0,
    setAside: [],
    stages: seal.stages,
    ...(seal.findings === undefined ? {} : { findings: seal.findings }),
  };
}

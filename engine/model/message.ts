/**
 * The messages of a run, as they pass between nodes: `msg.topic`, `msg.run`, `msg.parts`, `msg.payload`.
 * Built and parsed here only, so that the contract is in one place.
 */
import { Type } from '@sinclair/typebox';
import { contractFault, parserOf } from './check.js';
import { ContractError } from './errors.js';
import { EnrichedRecord, ExtractedRecord } from './records.js';
import { type Parts, Run, Seal } from './run.js';

export { countRecords } from './counts.js';

/** A batch of a run. `Payload` is what it carries: extracted or enriched records. */
export interface BatchMessage<Payload> {
  topic: 'batch';
  run: Run;
  parts: Parts;
  payload: Payload[];
}

/** The last message of a run. */
export interface SealMessage {
  topic: 'seal';
  run: Run;
  parts: Parts;
  payload: Seal;
}

export type RunMessage<Payload> = BatchMessage<Payload> | SealMessage;

/** The message for batch `index` (from 0) of a run. */
export function batchMessage<Payload>(run: Run, index: number, payload: Payload[]): BatchMessage<Payload> {
  return {
    topic: 'batch',
    run: { ...run, batch: index },
    parts: { id: run.id, index, type: 'array', len: payload.length },
    payload,
  };
}

/** The message that ends a run; its `parts.count` counts the batches and itself. */
export function sealMessage(run: Run, seal: Seal): SealMessage {
  return {
    topic: 'seal',
    run: { ...run, batch: seal.batches },
    parts: { id: run.id, index: seal.batches, type: 'array', len: 1, count: seal.batches + 1 },
    payload: seal,
  };
}

const parseRun = parserOf(Run, contractFault('msg.run'));
const parseSeal = parserOf(Seal, contractFault('The seal'));
const parseExtracted = parserOf(Type.Array(ExtractedRecord), contractFault('The batch'));
const parseEnriched = parserOf(Type.Array(EnrichedRecord), contractFault('The batch'));

/** Parses a message that enrich may take. Anything that is neither a batch nor a seal is an error that says what to wire. */
export function parseExtractedMessage(message: unknown): RunMessage<ExtractedRecord> {
  return parseMessage(message, parseExtracted);
}

/** Parses a message that transmit and apply may take. */
export function parseEnrichedMessage(message: unknown): RunMessage<EnrichedRecord> {
  return parseMessage(message, parseEnriched);
}

function parseMessage<Payload>(message: unknown, parseBatch: (value: unknown) => Payload[]): RunMessage<Payload> {
  const { topic, run, payload } = (message ?? {}) as { topic?: unknown; run?: unknown; payload?: unknown };
  if (run === undefined || (topic !== 'batch' && topic !== 'seal')) {
    throw new ContractError('NOT_A_RUN', {
      message:
        'This message belongs to no run: it has no msg.run, or msg.topic is neither "batch" nor "seal". Wire this node behind directory-extract, directory-enrich or directory-receive.',
      status: 'not a run',
    });
  }
  const parsed = parseRun(run);
  return topic === 'batch'
    ? batchMessage(parsed, parsed.batch, parseBatch(payload))
    : sealMessage(parsed, parseSeal(payload));
}

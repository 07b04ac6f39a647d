/** Reading the content of a request: how many bytes, in what time, and what becomes of them when they are inflated. */
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import type { EnrichedRecord } from '../model/records.js';
import { BatchReader } from './batch.js';
import type { ReceiverLimits } from './limits.js';
import { ProblemError } from './problem.js';

/** Below this size the ratio says nothing: a hundred empty groups compress very well. */
const RATIO_FROM_BYTES = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** So much is still read and thrown away after a refusal, so that the sender gets to see the answer. */
const DRAINED_BYTES = 16 * 1024 * 1024;

/** The content of a request, whole. Throws `ProblemError` `too-large` or `too-slow`; the rest is then drained. */
export async function readContent(request: IncomingMessage, limit: number, withinMs: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  const pieces: Buffer[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    if (announced > limit) throw tooLarge(limit);
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(tooSlow(withinMs)), withinMs);
      request.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > limit) reject(tooLarge(limit));
        else pieces.push(piece);
      });
      request.on('end', resolve);
      request.on('error', reject);
      request.on('close', () =>
        reject(new ProblemError('not-valid', 'The connection was cut before the content was whole.')),
      );
    });
    return Buffer.concat(pieces);
  } finally {
    clearTimeout(timer);
    request.removeAllListeners('data');
  }
}

/** Reads on and forgets, up to a bound: an answer that comes while the sender still sends would else be lost with a reset. */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  request.on('error', () => undefined);
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > DRAINED_BYTES) request.destroy();
  });
  request.resume();
}

/** The records of a batch, piece by piece as they are inflated. Returns the reader, with counts and digest. */
export async function* readBatch(
  content: Buffer,
  encoding: string,
  limits: ReceiverLimits,
): AsyncGenerator<EnrichedRecord[], { digest: string; reader: BatchReader }> {
  const reader = new BatchReader(limits);
  for await (const piece of encoding === 'gzip' ? inflate(content) : [content]) {
    const records = reader.push(piece);
    if (reader.bytes > RATIO_FROM_BYTES && reader.bytes > content.length * limits.ratio) {
      throw new ProblemError(
        'too-large',
        `A batch may be ${String(limits.ratio)} times as large as its compressed form.`,
      );
    }
    yield records;
  }
  return { digest: reader.end(), reader };
}

async function* inflate(content: Buffer): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  gunzip.end(content);
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) yield piece;
  } catch (error) {
    const own = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw own ? new ProblemError('not-valid', 'The content is not gzip, or is cut.') : error;
  }
}

function tooLarge(limit: number): ProblemError {
  return new ProblemError('too-large', `The content of this request may have ${String(limit)} bytes.`);
}

function tooSlow(withinMs: number): ProblemError {
  return new ProblemError('too-slow', `The content did not arrive within ${String(withinMs / 1000)} s.`);
}

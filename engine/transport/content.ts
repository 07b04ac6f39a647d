/** Reading the content of a request: how many bytes, and in what time. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from './problem.js';

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

function tooLarge(limit: number): ProblemError {
  return new ProblemError('too-large', `The content of this request may have ${String(limit)} bytes.`);
}

function tooSlow(withinMs: number): ProblemError {
  return new ProblemError('too-slow', `The content did not arrive within ${String(withinMs / 1000)} s.`);
}

/** A thread for the tests of `engine/runtime/worker.ts`. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountError } from '../../../../engine/model/errors.js';
import { serveWorker, workerInput } from '../../../../engine/runtime/worker.js';

const { log } = workerInput() as { log: string | null };
const note = (text: string) => {
  if (log) appendFileSync(log, `${text}\n`);
};

/** The bytes of the last answer. */
let last = Buffer.alloc(0);

const methods = {
  add: (left: number, right: number) => left + right,
  addSlowly: async (left: number, right: number) => {
    note('started');
    await sleep(100);
    note('finished');
    return left + right;
  },
  refuse: (): never => {
    throw new AccountError('NO_SUM', {
      message: 'No sum today.',
      status: 'no sum',
      params: { day: 1 },
      transient: true,
    });
  },
  stumble: (): never => {
    throw new TypeError('a slip');
  },
  die: () => {
    process.exit(3);
  },
  bytes: (text: string): Uint8Array => (last = Buffer.from(text)),
  lastBytes: () => last.length,
};
export type Calculator = typeof methods;

serveWorker(methods, () => note('tidied'));

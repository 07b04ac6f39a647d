/** What apply sends: changes in batches, held plans, answers to what was asked. */
import type { NodeMessage } from 'node-red';
import type { Account } from '../../engine/account/account.js';
import type { Change } from '../../engine/model/report.js';
import type { Send } from '../shared/wrap.js';
import { parseExport, parseFind, parseHistory, parseJournal, parsePlan, parsePurge } from './asked.js';
import { parseKnown } from './known.js';

const DAY_MS = 86_400_000;
const LAST_RUNS = 100;
type Answer = (account: Account, message: NodeMessage, send: Send) => Promise<void>;

const first = (send: Send, message: NodeMessage, payload: unknown) =>
  send([Object.assign(message, { payload }), null, null]);

/** By `msg.topic`; each answers on the first output, under the same topic. */
export const ANSWERS: ReadonlyMap<unknown, Answer> = new Map<unknown, Answer>([
  [
    'known',
    async (account, message, send) => first(send, message, await account.addKnown(parseKnown(message.payload))),
  ],
  ['find', async (account, message, send) => first(send, message, await account.find(parseFind(message).payload))],
  [
    'history',
    async (account, message, send) => {
      const limit = typeof message.payload === 'object' ? parseHistory(message).payload.limit : LAST_RUNS;
      first(send, message, await account.history(limit));
    },
  ],
  ['plans', async (account, message, send) => first(send, message, await account.heldPlans())],
  [
    'purge',
    async (account, message, send) => {
      const { days } = parsePurge(message).payload;
      first(send, message, await account.purge(new Date(Date.now() - days * DAY_MS)));
    },
  ],
  ['journal', (account, message, send) => inBatches(account.changes(parseJournal(message).payload.run), message, send)],
  ['plan', (account, message, send) => inBatches(account.planned(parsePlan(message).payload.plan), message, send)],
  ['quarantine', (account, message, send) => inBatches(account.quarantine(), message, send)],
  ['export', exportAccount],
]);

/** Lists in batches, which the core node Join puts together again; one that is empty where there is nothing. */
async function inBatches(batches: AsyncIterable<unknown[]>, message: NodeMessage, send: Send): Promise<void> {
  const { topic } = message;
  const id = `${message._msgid ?? 'account'}-${topic ?? ''}`;
  const pass = (payload: unknown[], index: number, count: { count?: number }) => {
    const parts = { id, index, type: 'array', len: payload.length, ...count };
    send([{ ...message, parts, payload }, null, null]);
  };
  if (!(await inParts(batches, pass))) pass([], 0, { count: 1 });
}

/** Pieces of text, which the core node Join puts together again. */
async function exportAccount(account: Account, message: NodeMessage, send: Send): Promise<void> {
  const { format } = parseExport(message).payload;
  const id = `${message._msgid ?? 'account'}-export`;
  await inParts(account.export(format), (payload, index, count) => {
    const parts = { id, index, type: 'string', ch: '', len: payload.length, ...count };
    send([{ ...message, topic: 'export', format, parts, payload }, null, null]);
  });
}

/** Changes on output `port`, under `topic`. */
export async function sendChanges(
  batches: AsyncIterable<Change[]>,
  { id, topic, port, more }: { id: string; topic: 'changes' | 'plan'; port: 1 | 2; more: object },
  send: Send,
): Promise<void> {
  await inParts(batches, (payload, index, count) => {
    const parts = { id: `${id}-${topic}`, index, type: 'array', len: payload.length, ...count };
    const message = { ...more, topic, parts, payload };
    send([null, port === 1 ? message : null, port === 2 ? message : null]);
  });
}

/** One piece behind, because the last one carries the `count`. False where there was none. */
async function inParts<Piece>(
  pieces: AsyncIterable<Piece>,
  pass: (piece: Piece, index: number, count: { count?: number }) => void,
): Promise<boolean> {
  let index = 0;
  let waiting: { piece: Piece } | null = null;
  for await (const piece of pieces) {
    if (waiting) {
      pass(waiting.piece, index, {});
      index += 1;
    }
    waiting = { piece };
  }
  if (waiting) pass(waiting.piece, index, { count: index + 1 });
  return waiting !== null;
}

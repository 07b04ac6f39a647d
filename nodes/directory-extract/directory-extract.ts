/** Reads a directory: any message starts a run, which is sent as batches and a seal. */
import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { extract } from '../../engine/extract/extract.js';
import { openSession } from '../../engine/ldap/session.js';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import { dnKey } from '../../engine/model/dn.js';
import { StoppedError } from '../../engine/model/errors.js';
import { RunLedger } from '../../engine/model/ledger.js';
import { batchMessage, sealMessage } from '../../engine/model/message.js';
import type { Run, Seal } from '../../engine/model/run.js';
import { stoppedSeal } from '../../engine/runtime/stopped-seal.js';
import { Turnstile } from '../../engine/runtime/turnstile.js';
import { RunWindow } from '../../engine/runtime/window.js';
import { directories } from '../shared/offers.js';
import { type Life, type Send, runNode } from '../shared/wrap.js';
import { extractSettings } from './settings.js';

export = function (RED: NodeAPI): void {
  function DirectoryExtract(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const settings = extractSettings(config);
      const turnstile = new Turnstile();
      let stop = new AbortController();
      let base: string | undefined;

      const read = async (carried: NodeMessage, send: Send): Promise<void> => {
        stop = new AbortController();
        const directory = directories.take(RED, this, settings.server)();
        const signal = AbortSignal.any([life.signal, stop.signal]);
        const source = settings.source === '' ? (base ??= dnKey(await baseOf(directory, signal))) : settings.source;
        const run: Run = { id: randomUUID(), source, mode: 'full', startedAt: new Date().toISOString(), batch: 0 };
        const ledger = new RunLedger(run);
        const window = new RunWindow(run.id, settings.window);
        const seal = (payload: Seal) => send({ ...carried, ...sealMessage(run, payload) });
        const reading = extract(directory, settings.extract, signal);
        try {
          for (let next = await reading.next(); ; next = await reading.next()) {
            if (next.done) {
              seal(next.value.seal);
              if (next.value.failure) throw next.value.failure;
              break;
            }
            ledger.note(ledger.batches, next.value);
            send({ ...carried, ...batchMessage(run, ledger.batches - 1, next.value) });
            showProgress(life, ledger);
            await window.sent(signal);
          }
          life.status.good('done', { count: count(ledger) });
        } catch (error) {
          // Stopped by a message, not by a redeploy: those behind are still there and want to know that the run is over.
          if (error instanceof StoppedError && !life.signal.aborted) {
            seal(stoppedSeal(ledger));
            life.status.notice('stopped', { count: count(ledger) });
            return;
          }
          throw error;
        } finally {
          window.close();
          // Where we stopped between two batches, the reader still holds its connection and its timers.
          await reading.return({ seal: stoppedSeal(ledger), failure: null });
        }
      };

      return {
        async input(message, send) {
          if (message.topic === 'stop') {
            turnstile.cancelNext();
            stop.abort();
            return;
          }
          await turnstile.pass(() => read(carriedOn(message), send));
        },
      };
    });
  }
  RED.nodes.registerType('directory-extract', DirectoryExtract);
};

/**
 * What is read, and so (in one spelling) the name of a source that was given none. Where the directory cannot be asked, no run begins: a
 * failing run under a name made up for it would be another source to the account.
 */
async function baseOf(directory: DirectorySettings, signal: AbortSignal): Promise<string> {
  if (directory.base !== null) return directory.base;
  const session = await openSession(directory, signal);
  try {
    return session.base();
  } finally {
    await session.close();
  }
}

/** What the message that starts a run brings is carried on in each message of the run, without what these have anew. */
function carriedOn(message: NodeMessage): NodeMessage {
  const own = new Set(['_msgid', 'payload', 'topic', 'run', 'parts']);
  return Object.fromEntries(Object.entries(message).filter(([name]) => !own.has(name)));
}

function showProgress(life: Life, ledger: RunLedger): void {
  life.status.busy('reading', { count: count(ledger) });
}

function count(ledger: RunLedger): number {
  return Object.values(ledger.records).reduce((sum, records) => sum + records, 0);
}

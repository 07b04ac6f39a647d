/** Accepts runs over HTTPS, and hands each whole one to the flow. */
import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import { join } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { batchMessage, sealMessage } from '../../engine/model/message.js';
import { StoppedError, asDirectorySyncError } from '../../engine/model/errors.js';
import { type RunOutcome, awaitOutcome, settleRun } from '../../engine/runtime/outcome.js';
import { RunWindow } from '../../engine/runtime/window.js';
import {
  DEFAULT_LIMITS,
  type ProblemEvent,
  type ReceivedRun,
  type Receiver,
  createReceiver,
} from '../../engine/transport/receiver.js';
import { type MinimumTls, isLowered } from '../../engine/runtime/tls.js';
import { dataFolder } from '../shared/folder.js';
import { mount, publicPath } from '../shared/mount.js';
import { tlsOptions } from '../shared/offers.js';
import { showReport } from '../shared/report.js';
import { settingMissing } from '../shared/settings.js';
import { type Life, runNode } from '../shared/wrap.js';
import { type ReceiveCredentials, type ReceiveSettings, credentialTypes, receiveSettings } from './settings.js';

/** So many days before its certificate ends a receiver begins to say so. */
const WARN_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

/** Batches that may wait in the flow before the next is handed over. */
const WINDOW = 4;

export = function (RED: NodeAPI): void {
  function DirectoryReceive(this: Node<ReceiveCredentials>, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const settings = receiveSettings(config, this.credentials);
      let receiver: Receiver | undefined;
      let unmount: () => void = () => undefined;
      let warn: () => boolean = () => false;
      life.every(DAY_MS, () => warn());

      const started = life.flowsStarted();
      started.catch(() => undefined);
      const up = life.background(async () => {
        // Who sends need not wait for the flow; only what has arrived whole does.
        const at = await make(RED, this, settings, async (run) => {
          await started;
          const outcome = await handOver(this, life, run);
          warn();
          return outcome;
        });
        receiver = at;
        // Nor for the spool: whoever finds nobody here comes again only after a while.
        const ready = () =>
          at.ready.catch(async (error: unknown) => {
            unmount();
            await at.close();
            throw error;
          });
        if (settings.listen) {
          const { host, port, tlsConfig, minimumTls } = settings.listen;
          const clientCertificates = settings.senders.some(({ certificates = [] }) => certificates.length > 0);
          const tls = serverTlsOf(RED, tlsConfig);
          await at.listen({ host, port, tls, minimumTls, clientCertificates });
          await ready();
          const where = `:${port}${settings.path}`;
          warn = () => showWarning(life, where, minimumTls, daysLeft(tls));
          if (!warn()) life.status.good('listening', { at: where });
        } else {
          const { path } = settings;
          unmount = mount(RED, path, (request, response) => at.handle(request, response));
          await ready();
          life.status.good('listening', { at: publicPath(RED, path) });
        }
      });
      return {
        async close() {
          await up;
          unmount();
          await receiver?.close();
        },
      };
    });
  }
  RED.nodes.registerType<Node<ReceiveCredentials>, NodeDef, object, ReceiveCredentials>(
    'directory-receive',
    DirectoryReceive,
    { credentials: credentialTypes() },
  );
};

async function make(
  RED: NodeAPI,
  node: Node,
  { path, senders, listen }: ReceiveSettings,
  onRun: (run: ReceivedRun) => Promise<RunOutcome>,
): Promise<Receiver> {
  const folder = dataFolder(RED);
  await mkdir(folder, { recursive: true });
  const settings = {
    path: listen ? path : publicPath(RED, path),
    senders,
    spoolFile: join(folder, `${node.id}-spool.sqlite`),
    limits: DEFAULT_LIMITS,
    onProblem: ({ problem, status, correlation }: ProblemEvent) => node.log(`${status} ${problem} (${correlation})`),
  };
  return createReceiver(settings, onRun);
}

/** Sends a run into the flow as fast as the flow takes it, and waits for what becomes of it. */
async function handOver(node: Node, life: Life, received: ReceivedRun): Promise<RunOutcome> {
  const { run, seal } = received;
  const { outcome, handedOver } = awaitOutcome(run.id);
  const window = new RunWindow(run.id, WINDOW);
  // Whoever took the run was closed, or we are: its successor must not take the rest for a run. It gets the whole later.
  const takerClosed = new AbortController();
  void outcome.then((settled) => {
    if ('error' in settled && settled.error instanceof StoppedError) takerClosed.abort();
  });
  const signal = AbortSignal.any([life.signal, takerClosed.signal]);
  const stopped = () => settleRun(run.id, { error: new StoppedError() });
  let count = 0;
  try {
    for await (const { index, records } of received.batches()) {
      if (signal.aborted) throw new StoppedError();
      node.send({ ...batchMessage(run, index, records) });
      count += records.length;
      life.status.busy('handing', { count });
      await window.sent(signal);
    }
    if (signal.aborted) throw new StoppedError();
    node.send({ ...sealMessage(run, seal) });
    handedOver();
    life.signal.addEventListener('abort', stopped);
  } catch (error) {
    settleRun(run.id, { error: asDirectorySyncError(error) });
  }
  const result = await outcome;
  life.signal.removeEventListener('abort', stopped);
  window.close();
  showOutcome(life, result, count);
  return result;
}

function showOutcome(life: Life, outcome: RunOutcome, count: number): void {
  if ('report' in outcome) showReport(life.status, outcome.report);
  else if ('untaken' in outcome) life.status.notice('untaken', { count });
  else if (outcome.error instanceof StoppedError) life.status.clear();
  else life.status.failed(outcome.error);
}

/** What somebody should look at, whatever the last run has brought. False where there is nothing. */
function showWarning(life: Life, at: string, minimumTls: MinimumTls, days: number): boolean {
  if (isLowered(minimumTls)) life.status.notice('lowered', { at });
  else if (days < WARN_DAYS) life.status.notice('ends', { at, days });
  else return false;
  return true;
}

/** A tls-config says how to speak to others; here it gives the certificate that others see. */
function serverTlsOf(RED: NodeAPI, id: string): ServerOptions {
  const { ca, cert, key, pfx, passphrase } = tlsOptions(RED, id);
  if (pfx === undefined && (cert === undefined || key === undefined)) throw settingMissing('tls', 'directory-receive');
  return { cert, key, pfx, passphrase, ...(ca !== undefined && { ca }) };
}

/** How long the certificate is valid; for one that cannot be read here, for ever. */
function daysLeft({ cert }: ServerOptions): number {
  const [first] = [cert].flat();
  if (typeof first !== 'string' && !Buffer.isBuffer(first)) return Infinity;
  return Math.floor((Date.parse(new X509Certificate(first).validTo) - Date.now()) / DAY_MS);
}

/** Accepts runs over HTTPS, and hands each whole one to the flow. */
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
import type { EndpointCredentials } from '../directory-endpoint/settings.js';
import { dataFolder } from '../shared/folder.js';
import { mount, publicPath } from '../shared/mount.js';
import { tlsOptions } from '../shared/offers.js';
import { showReport } from '../shared/report.js';
import { settingMissing } from '../shared/settings.js';
import { type Life, runNode } from '../shared/wrap.js';
import { type ReceiveSettings, receiveSettings } from './settings.js';

/** Batches that may wait in the flow before the next is handed over. */
const WINDOW = 4;

export = function (RED: NodeAPI): void {
  function DirectoryReceive(this: Node<EndpointCredentials>, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const settings = receiveSettings(config, this.credentials);
      let receiver: Receiver | undefined;
      let unmount: () => void = () => undefined;

      const up = life.background(async () => {
        await life.flowsStarted();
        receiver = await open(RED, this, settings, (run) => handOver(this, life, run));
        if (settings.listen) {
          const { host, port, tlsConfig } = settings.listen;
          await receiver.listen({ host, port, tls: serverTlsOf(RED, tlsConfig) });
          life.status.good('listening', { at: `:${port}${settings.path}` });
        } else {
          const { path } = settings;
          const at = receiver;
          unmount = mount(RED, path, (request, response) => at.handle(request, response));
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
  RED.nodes.registerType<Node<EndpointCredentials>, NodeDef, object, EndpointCredentials>(
    'directory-receive',
    DirectoryReceive,
    { credentials: { key: { type: 'password' } } },
  );
};

async function open(
  RED: NodeAPI,
  node: Node,
  { path, keys, listen }: ReceiveSettings,
  onRun: (run: ReceivedRun) => Promise<RunOutcome>,
): Promise<Receiver> {
  const folder = dataFolder(RED);
  await mkdir(folder, { recursive: true });
  const settings = {
    path: listen ? path : publicPath(RED, path),
    senders: keys.map((key) => ({ id: key.id, keys: [key] })),
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
    life.signal.addEventListener('abort', () => settleRun(run.id, { error: new StoppedError() }));
  } catch (error) {
    settleRun(run.id, { error: asDirectorySyncError(error) });
  }
  const result = await outcome;
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

/** A tls-config says how to speak to others; here it gives the certificate that others see. */
function serverTlsOf(RED: NodeAPI, id: string): ServerOptions {
  const { cert, key, pfx, passphrase } = tlsOptions(RED, id);
  if (pfx === undefined && (cert === undefined || key === undefined)) throw settingMissing('tls', 'directory-receive');
  return { cert, key, pfx, passphrase };
}

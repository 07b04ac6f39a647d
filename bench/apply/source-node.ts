/**
 * A Node-RED node that sends the runs of `bench:apply`, with the window that extract keeps, so that directory-apply is measured as
 * it works in a flow. `msg.payload`: `{ run, people, change }`.
 */
import { setImmediate as soon } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { batchMessage, sealMessage } from '../../engine/model/message.js';
import { type EnrichedRecord, noRecords } from '../../engine/model/records.js';
import type { Run, Seal } from '../../engine/model/run.js';
import { RunWindow } from '../../engine/runtime/window.js';
import { Batches, type CompanyOf, company } from './company.js';

const WINDOW = 4;
const SLICE = 250;

interface Wanted {
  readonly number: number;
  readonly people: number;
  readonly change: number;
}

export = function (RED: NodeAPI): void {
  function BenchSource(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    this.on('input', (message, _send, done) => {
      sendRun(this, message.payload as Wanted).then(() => done(), done);
    });
  }
  RED.nodes.registerType('bench-source', BenchSource);
};

/** Made in slices, as reading from a network gives them: making them must not be what delays the loop. */
async function* batchesInSlices(of: CompanyOf): AsyncGenerator<EnrichedRecord[]> {
  const batches = new Batches();
  let made = 0;
  for (const record of company(of)) {
    const batch = batches.add(record);
    made += record.kind === 'members' ? record.add.length : 1;
    if (made >= SLICE) {
      made = 0;
      await soon();
    }
    if (batch) yield batch;
  }
  const rest = batches.rest();
  if (rest.length > 0) yield rest;
}

async function sendRun(node: Node, { number, people, change }: Wanted): Promise<void> {
  const startedAt = new Date(Date.UTC(2026, 0, 1, 0, number)).toISOString();
  const run: Run = { id: `bench-run-${String(number)}`, source: 'bench', mode: 'full', startedAt, batch: 0 };
  const window = new RunWindow(run.id, WINDOW);
  const { signal } = new AbortController();
  let batches = 0;
  try {
    for await (const batch of batchesInSlices({ people, change })) {
      node.send({ ...batchMessage(run, batches, batch) });
      batches += 1;
      await window.sent(signal);
    }
  } finally {
    window.close();
  }
  const seal: Seal = {
    kind: 'seal',
    batches,
    records: noRecords(),
    complete: true,
    incomplete: [],
    proof: null,
    token: null,
    stages: [],
  };
  node.send({ ...sealMessage(run, seal) });
}

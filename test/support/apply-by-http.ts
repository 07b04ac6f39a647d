/**
 * An apply node in a real Node-RED, spoken to over HTTP: messages are posted to it, and what leaves it, and what a catch node
 * gets, can be asked for.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { group, members, user } from '../unit/account/support.js';
import type { FlowNode } from './node-red.js';

/** A message that left the apply node by `port`; 3 is the catch node. */
export interface Seen {
  topic?: string;
  payload?: unknown;
  error?: { code?: string };
  plan?: string;
  port: number;
}

export interface ReportSeen {
  outcome: string;
  plan: string;
  decidedBy?: string;
  run: string;
}

const HTTP = { url: '/message', method: 'post' };
/** Messages are posted to the apply node; what leaves it, and what a catch node gets, is gathered. */
const NODES: readonly FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'approval' },
  { id: 'account', type: 'directory-account', name: 'test', file: '', limitUsers: '1', attributes: '', version: 2 },
  { id: 'apply', z: 'tab', type: 'directory-apply', account: 'account', version: 2, wires: [['p0'], ['p1'], ['p2']] },
  { id: 'in', z: 'tab', type: 'http in', ...HTTP, wires: [['unpack', 'thanks']] },
  { id: 'thanks', z: 'tab', type: 'http response', statusCode: '204', wires: [] },
  { id: 'unpack', z: 'tab', type: 'function', func: 'return { ...msg.payload };', outputs: 1, wires: [['apply']] },
  ...[0, 1, 2].map((port) => ({
    id: `p${String(port)}`,
    z: 'tab',
    type: 'function',
    func: `flow.set('seen', [...(flow.get('seen') ?? []), { ...msg, port: ${String(port)} }]);`,
    outputs: 0,
    wires: [],
  })),
  { id: 'caught', z: 'tab', type: 'catch', scope: null, uncaught: false, wires: [['p3']] },
  {
    id: 'p3',
    z: 'tab',
    type: 'function',
    func: `flow.set('seen', [...(flow.get('seen') ?? []), { error: { code: msg.error.code }, port: 3 }]);`,
    outputs: 0,
    wires: [],
  },
  { id: 'ask', z: 'tab', type: 'http in', url: '/seen', method: 'get', wires: [['give']] },
  {
    id: 'give',
    z: 'tab',
    type: 'function',
    func: `msg.payload = flow.get('seen') ?? []; return msg;`,
    outputs: 1,
    wires: [['out']],
  },
  { id: 'out', z: 'tab', type: 'http response', wires: [] },
];
/** A node without a place counts as a config node. */
export const APPLY_FLOW = NODES.map((node) => (node['z'] === undefined ? node : { x: 100, y: 100, ...node }));

export const reported = (all: readonly Seen[]) => all.some(({ topic }) => topic === 'report');
export const reportOf = (all: readonly Seen[]) => all.find(({ topic }) => topic === 'report')?.payload as ReportSeen;

/** The apply node of {@link APPLY_FLOW} at `url`. One user may leave at once. */
export class ApplyByHttp {
  #runs = 0;

  constructor(private readonly url: string) {}

  async seen(): Promise<Seen[]> {
    return (await (await fetch(`${this.url}/seen`)).json()) as Seen[];
  }

  /** Posts a message and waits until what has left the node since is as `until` wants it. */
  async send(message: object, until: (all: Seen[]) => boolean): Promise<Seen[]> {
    const before = (await this.seen()).length;
    const headers = { 'Content-Type': 'application/json' };
    await fetch(`${this.url}/message`, { method: 'POST', headers, body: JSON.stringify(message) });
    const end = Date.now() + 15_000;
    for (;;) {
      const now = (await this.seen()).slice(before);
      if (until(now)) return now;
      if (Date.now() > end) assert.fail(`not seen: ${JSON.stringify(now)}`);
      await sleep(30);
    }
  }

  /** One run of `count` people, the first with the number `from`; its report, and what left the node with it. */
  async run(count: number, from = 0): Promise<{ report: ReportSeen; all: Seen[] }> {
    this.#runs += 1;
    const id = `approval-run-${String(this.#runs)}`;
    const startedAt = new Date(Date.UTC(2026, 0, 1) + this.#runs * 60_000).toISOString();
    const made = { id, source: 'hq', mode: 'full', startedAt, batch: 0 };
    const people = Array.from({ length: count }, (_, index) => user(`p${String(from + index)}`));
    const two = people.slice(0, 2).map((one) => one.id);
    await this.send(
      { topic: 'batch', run: made, payload: [...people, group('team'), members('team', two)] },
      () => true,
    );
    const payload = {
      kind: 'seal',
      batches: 1,
      records: { user: count, contact: 0, group: 1, 'dynamic-group': 0, members: 1, quarantined: 0 },
      complete: true,
      incomplete: [],
      proof: null,
      token: null,
      stages: [],
    };
    const all = await this.send({ topic: 'seal', run: { ...made, batch: 1 }, payload }, (now) => {
      return reported(now) && (reportOf(now).outcome !== 'held' || now.some(({ topic }) => topic === 'plan'));
    });
    return { report: reportOf(all), all };
  }

  /** A plan that waits: three leave. */
  async held(): Promise<{ plan: string; all: Seen[] }> {
    await this.run(9);
    const { report, all } = await this.run(6);
    assert.equal(report.outcome, 'held');
    return { plan: report.plan, all };
  }
}

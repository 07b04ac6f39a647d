/**
 * Flows in node-red-node-test-helper: real nodes in a real Node-RED runtime, of the version that NODE_RED names (4 or 5).
 * Every flow gets a catch, a status and a complete node over all its nodes, so that a test sees what an operator would.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node, NodeAPI, NodeInitializer, NodeMessageInFlow } from 'node-red';
import helper from 'node-red-node-test-helper';
import account from '../../nodes/directory-account/directory-account.js';
import apply from '../../nodes/directory-apply/directory-apply.js';
import endpoint from '../../nodes/directory-endpoint/directory-endpoint.js';
import enrich from '../../nodes/directory-enrich/directory-enrich.js';
import extract from '../../nodes/directory-extract/directory-extract.js';
import receive from '../../nodes/directory-receive/directory-receive.js';
import server from '../../nodes/directory-server/directory-server.js';
import transmit from '../../nodes/directory-transmit/directory-transmit.js';

export const NODE_RED = process.env['NODE_RED'] === '4' ? '4' : '5';
const runtime = require.resolve(`node-red-${NODE_RED}`);
helper.init(runtime);
const tlsConfig = createRequire(runtime)('@node-red/nodes/core/network/05-tls.js') as NodeInitializer;
/** Sees the API that the nodes see. */
let api: NodeAPI | undefined;
const spy: NodeInitializer = (RED) => void (api = RED);
const ALL: NodeInitializer[] = [spy, tlsConfig, server, endpoint, account, extract, enrich, transmit, receive, apply];

const SEEN = { caught: '~caught', status: '~status', completed: '~completed' } as const;

/** A node of a flow; `type: 'helper'` collects what it receives. */
export type FlowNode = { id: string; type: string; wires?: string[][] } & Record<string, unknown>;
export interface FlowOptions {
  readonly credentials?: Record<string, Record<string, string>>;
  readonly settings?: Record<string, unknown>;
  /** Node types of the test's own. */
  readonly types?: readonly NodeInitializer[];
}

/** An error as a catch node gives it. */
export interface Caught {
  readonly message: string;
  readonly code: unknown;
  readonly source: string;
}

export interface Flow {
  readonly RED: NodeAPI;
  readonly userDir: string;
  node(id: string): Node;
  /** Sends a message to a node, as one wired to it would. */
  send(id: string, message: object): void;
  /** What a helper node has received so far. */
  received(id: string): readonly NodeMessageInFlow[];
  /** Errors so far, of all nodes. */
  caught(): readonly Caught[];
  /** Status texts that a node has shown so far (keys of its catalog, for the helper does not translate). */
  statuses(id: string): readonly string[];
  /** How many messages a node has completed without an error. */
  completed(id: string): number;
  /** Waits until `condition` holds. */
  until(what: string, condition: () => boolean, within?: number): Promise<void>;
  /** Deploys other nodes in their place: all of them (`full`), or only those that changed (`nodes`). */
  redeploy(nodes: readonly FlowNode[], how?: 'full' | 'nodes'): Promise<void>;
  stop(): Promise<void>;
}

export async function startFlow(nodes: readonly FlowNode[], options: FlowOptions = {}): Promise<Flow> {
  const userDir = await mkdtemp(join(tmpdir(), 'directory-sync-flow-'));
  helper.settings({ userDir, ...options.settings });
  const seen = new Map<string, NodeMessageInFlow[]>();
  await helper.load([...ALL, ...(options.types ?? [])], whole(nodes), structuredClone(options.credentials ?? {}));
  collect(whole(nodes), seen);
  const received = (id: string) => seen.get(id) ?? [];
  assert.ok(api);

  return {
    RED: api,
    userDir,
    node: (id) => helper.getNode(id),
    send: (id, message) => helper.getNode(id).receive({ ...structuredClone(message) }),
    received,
    caught: () => received(SEEN.caught).map(caughtOf),
    statuses: (id) => received(SEEN.status).flatMap((message) => statusOf(message, id)),
    completed: (id) => received(SEEN.completed).filter((message) => sourceOf(message['complete']) === id).length,
    until: (what, condition, within) => until(what, condition, () => JSON.stringify([...seen.values()].flat()), within),
    async redeploy(next, how = 'full') {
      await helper.setFlows(whole(next), how, structuredClone(options.credentials ?? {}));
      if (how === 'full') collect(whole(next), seen);
    },
    async stop() {
      await helper.unload();
      await rm(userDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function whole(nodes: readonly FlowNode[]): FlowNode[] {
  const working = nodes.filter(({ wires }) => wires !== undefined).map(({ id }) => id);
  return [
    { id: '~tab', type: 'tab', label: 'test' },
    ...nodes.map((node) => (node.wires ? { z: '~tab', ...node } : node)),
    { id: '~catch', z: '~tab', type: 'catch', scope: null, uncaught: false, wires: [[SEEN.caught]] },
    { id: '~statuses', z: '~tab', type: 'status', scope: null, wires: [[SEEN.status]] },
    { id: '~complete', z: '~tab', type: 'complete', scope: working, wires: [[SEEN.completed]] },
    ...Object.values(SEEN).map((id) => ({ id, z: '~tab', type: 'helper', wires: [] })),
  ];
}

function collect(nodes: readonly FlowNode[], seen: Map<string, NodeMessageInFlow[]>): void {
  for (const { id } of nodes.filter(({ type }) => type === 'helper')) {
    const messages = seen.get(id) ?? [];
    seen.set(id, messages);
    helper.getNode(id).on('input', (message, _send, done) => {
      messages.push(message);
      done();
    });
  }
}

function caughtOf(message: NodeMessageInFlow): Caught {
  const error = fieldsOf(message['error']);
  return { message: textOf(error['message']), code: error['code'], source: sourceOf(error) };
}

function statusOf(message: NodeMessageInFlow, id: string): string[] {
  const status = fieldsOf(message['status']);
  return sourceOf(status) === id ? [textOf(status['text'])] : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function sourceOf(value: unknown): string {
  const fields = fieldsOf(value);
  return textOf(fieldsOf(fields['source'])['id'] ?? fields['id']);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value ?? {}));
}

/** What was seen instead is part of the failure: a test that waited in vain says why. */
async function until(what: string, condition: () => boolean, seen: () => string, within = 10_000): Promise<void> {
  const end = Date.now() + within;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`not within ${within} ms: ${what}; seen: ${seen()}`);
    await sleep(5);
  }
}

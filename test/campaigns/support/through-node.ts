/** Mutants through the real extract node in a real Node-RED: a server that answers with one mutant in each run. */
import { readFileSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import { type FlowNode, type NodeRedVersion, startNodeRed } from '../../support/node-red.js';
import { listen } from '../../unit/ldap/scripted-server.js';
import { mutate } from './mutants.js';
import { randomOf } from './random.js';
import { BASE, replyTo } from './replies.js';

export interface ThroughNode {
  readonly runs: number;
  /** Longest time in milliseconds for which Node-RED's event loop worked on without a turn. */
  readonly longestDelay: number;
  /** Runs that ended with a complete seal, though one of the answers was a mutant. */
  readonly complete: number;
  /** Lines that Node-RED printed of errors that no node caught. */
  readonly uncaught: readonly string[];
  readonly alive: boolean;
  readonly megabytes: { readonly before: number; readonly after: number };
}

/** A mutant whose reader asks nothing more within this time has been read: the connection is ended. */
const PATIENCE_MS = 15;

export async function throughNode(
  version: NodeRedVersion,
  count: number,
  seed: number,
  progress: (done: number) => void,
): Promise<ThroughNode> {
  let runs = 0;
  const finished = Promise.withResolvers<undefined>();
  const server = createServer((socket) => {
    const number = runs;
    if (number >= count) {
      socket.destroy();
      finished.resolve(undefined);
      return;
    }
    runs += 1;
    progress(runs);
    serve(socket, seed, number);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const nodeRed = await startNodeRed({ version });
  try {
    const before = memoryOf(nodeRed.process.pid);
    await nodeRed.deploy(flow(address.port));
    await nodeRed.inject('go');
    const exited = new Promise<undefined>((exit) => nodeRed.process.once('exit', () => exit(undefined)));
    await Promise.race([finished.promise, exited]);
    const alive = nodeRed.process.exitCode === null;
    const context = alive ? ((await nodeRed.get('/context/global')) as Record<string, unknown>) : {};
    return {
      runs,
      longestDelay: numberIn(context, 'delay'),
      complete: numberIn(context, 'complete'),
      uncaught: nodeRed.log.filter((line) => /uncaught|unhandled/i.test(line)),
      alive,
      megabytes: { before, after: memoryOf(nodeRed.process.pid) },
    };
  } finally {
    await nodeRed.stop();
    server.close();
  }
}

/** Answers as a directory does, and one of the answers as a mutant of that. */
function serve(socket: Socket, seed: number, number: number): void {
  const random = randomOf(seed, number);
  const victim = random.below(9);
  let answered = 0;
  let timer: NodeJS.Timeout | undefined;
  listen(socket, (request) => {
    clearTimeout(timer);
    const reply = replyTo(request);
    const harmed = answered === victim;
    answered += 1;
    socket.write(harmed ? mutate(reply, random).bytes : reply);
    if (answered > victim) timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  });
  socket.on('close', () => clearTimeout(timer));
}

const LIBS = [{ var: 'process', module: 'process' }];
const COUNT = `

if (msg.topic === 'seal' && msg.payload.complete) global.set('complete', (global.get('complete') || 0) + 1);
return null;`;
/** A delay counts as far as the process itself worked meanwhile: a busy machine may have let it wait. */
const WATCH = `
let last = Date.now();
let used = process.cpuUsage();
let longest = 0;
context.set('timer', setInterval(() => {
  const now = Date.now();
  const { user, system } = process.cpuUsage(used);
  longest = Math.max(longest, Math.min(now - last - 10, (user + system) / 1000));
  last = now;
  used = process.cpuUsage();
  global.set('delay', longest);
}, 10));`;

/** Extract's own messages start its next run, and so do its errors. */
function flow(port: number): FlowNode[] {
  const on = { z: 'tab' };
  return [
    { id: 'tab', type: 'tab', label: 'fuzz' },
    {
      id: 'server',
      type: 'directory-server',
      servers: `127.0.0.1:${port}`,
      encryption: 'none',
      base: BASE,
      pageSize: 1000,
      connectTimeout: 1,
      idleTimeout: 1,
      version: 2,
      credentials: { user: 'reader', password: 'secret' },
    },
    { ...on, id: 'go', type: 'inject', props: [], wires: [['extract']] },
    {
      ...on,
      id: 'extract',
      type: 'directory-extract',
      server: 'server',
      source: 'fuzz',
      preset: 'own',
      filter: '(mail=*)',
      window: 100,
      version: 2,
      wires: [['extract', 'count']],
    },
    { ...on, id: 'catch', type: 'catch', scope: ['extract'], wires: [['extract']] },
    { ...on, id: 'count', type: 'function', func: COUNT, outputs: 0, initialize: WATCH, libs: LIBS, wires: [] },
  ];
}

function numberIn(context: Record<string, unknown>, key: string): number {
  for (const store of Object.values(context)) {
    const value = (store as Record<string, { msg?: unknown } | undefined> | undefined)?.[key];
    if (value !== undefined) return Number(value.msg);
  }
  const own = context[key] as { msg?: unknown } | undefined;
  return Number(own?.msg ?? 0);
}

/** Resident memory in MiB, where the system tells. */
function memoryOf(pid: number | undefined): number {
  try {
    const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
    return Math.round((Number(pages) * 4096) / 2 ** 20);
  } catch {
    return 0;
  }
}

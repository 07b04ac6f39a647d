/** Real processes in which a sync runs: the program by itself, or a Node-RED with the whole flow and HTTPS between its halves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type FlowNode, type NodeRed, startNodeRed } from '../../support/node-red.js';
import type { Work } from './syncer.js';

const SYNCER = join(__dirname, 'syncer.js');
const KILLER = join(__dirname, 'killer.js');

/** How a run ended: what was reported, or that the process was killed meanwhile. */
export type Ending = { readonly reported: string } | 'killed';

export interface Host {
  readonly process: ChildProcess;
  /** One sync. */
  run(): Promise<Ending>;
  stop(): Promise<void>;
}

/** A host, or null where the process was killed while it started. */
export type StartHost = () => Promise<Host | null>;

export function startSyncer(work: Work): StartHost {
  return async () => {
    const child = spawn(process.execPath, ['--require', KILLER, SYNCER, JSON.stringify(work)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const said: string[] = [];
    let heard = (): void => undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      heard();
    });
    child.stdin.on('error', () => undefined);
    const ended = new Promise<'killed'>((resolve) => child.once('close', () => resolve('killed')));
    const next = (): Promise<string> =>
      new Promise((resolve) => {
        heard = () => {
          const line = said.shift();
          if (line !== undefined) resolve(line);
        };
        heard();
      });
    if ((await Promise.race([next(), ended])) === 'killed') return null;
    return {
      process: child,
      async run() {
        child.stdin.write('run\n');
        const line = await Promise.race([next(), ended]);
        return line === 'killed' ? 'killed' : { reported: line };
      },
      async stop() {
        child.stdin.end();
        child.kill();
        await ended;
      },
    };
  };
}

/** `flow`: deployed once; its inject node is `go`, and a function node writes `reported …` to the log. */
export function startInNodeRed(userDir: string, flow: readonly FlowNode[]): StartHost {
  let deployed = false;
  return async () => {
    let nodeRed: NodeRed;
    try {
      nodeRed = await startNodeRed({ version: '5', userDir, nodeArguments: ['--require', KILLER] });
      if (!deployed) await nodeRed.deploy(flow);
      deployed = true;
    } catch (error) {
      if (/did not (?:start|print)/.test(String(error))) return null;
      throw error;
    }
    const { process: child } = nodeRed;
    const ended = new Promise<'killed'>((resolve) => child.once('close', () => resolve('killed')));
    return {
      process: child,
      async run() {
        const from = nodeRed.log.length;
        await nodeRed.inject('go').catch(() => undefined);
        const line = nodeRed.line(/reported |\[error\]/, { from, within: 30_000 }).catch(String);
        const said = await Promise.race([line, ended]);
        return said === 'killed' ? 'killed' : { reported: said };
      },
      stop: () => nodeRed.stop(),
    };
  };
}

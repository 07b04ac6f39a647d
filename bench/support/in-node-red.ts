/**
 * The extract node inside a real Node-RED 5, reading the directory of a bench, alone or with others behind it: how long, and how
 * the event loop fared.
 */
import { join } from 'node:path';
import { type FlowNode, type NodeRed, startNodeRed } from '../../test/support/node-red.js';
import type { ReadJob } from '../peers/job.js';
import { ADDITIONAL } from './attributes.js';

/** As `probe.ts` prints it: milliseconds, seconds of processor, megabytes. */
export interface ProbeFigures {
  readonly cpu: number;
  readonly loopP999: number;
  readonly loopMax: number;
  readonly peakMegabytes: number;
}

export interface NodeFigures extends ProbeFigures {
  /** From the press of the button to the seal, in seconds. */
  readonly wall: number;
  readonly records: number;
}

/** A node behind extract: all but its id and its wires. */
export type NodeBehind = Pick<FlowNode, 'type'> & Record<string, unknown>;

/** Runs the nodes `runs` times in one Node-RED, after one run that is not counted. */
export async function readInNodeRed(
  job: ReadJob,
  runs: number,
  behind: readonly NodeBehind[] = [],
): Promise<NodeFigures[]> {
  const nodeRed = await startNodeRed({ version: '5', nodeArguments: ['--require', join(__dirname, 'probe.js')] });
  try {
    await nodeRed.deploy(flowFor(job, behind));
    const figures: NodeFigures[] = [];
    for (let run = 0; run <= runs; run += 1) {
      await probe(nodeRed);
      const from = nodeRed.log.length;
      const startedAt = performance.now();
      await nodeRed.inject('start');
      const sealed = await nodeRed.line(/SEALED \d+ (true|false)/, { from, within: 600_000 });
      const wall = (performance.now() - startedAt) / 1_000;
      const [, records, complete] = /SEALED (\d+) (true|false)/.exec(sealed) ?? [];
      if (complete !== 'true')
        throw new Error(`The read in Node-RED is not complete:\n${nodeRed.log.slice(-20).join('\n')}`);
      if (run > 0) figures.push({ ...(await probe(nodeRed)), wall, records: Number(records) });
    }
    return figures;
  } catch (error) {
    throw new Error(`The read in Node-RED failed:\n${nodeRed.log.slice(-20).join('\n')}`, { cause: error });
  } finally {
    await nodeRed.stop();
  }
}

/** What the event loop of a Node-RED that was started with `probe.js` saw since the last time. */
export async function probe(nodeRed: NodeRed): Promise<ProbeFigures> {
  const from = nodeRed.log.length;
  nodeRed.process.kill('SIGWINCH');
  const line = await nodeRed.line(/^PROBE /, { from });
  return JSON.parse(line.slice('PROBE '.length)) as ProbeFigures;
}

function flowFor(job: ReadJob, behind: readonly NodeBehind[]): FlowNode[] {
  const next = (at: number) => (at < behind.length ? `behind-${String(at)}` : 'count');
  const count = `if (msg.topic === 'seal') {
    const { records, complete } = msg.payload;
    node.log('SEALED ' + Object.values(records).reduce((sum, one) => sum + one, 0) + ' ' + complete);
  }`;
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: 'server',
      type: 'directory-server',
      version: 1,
      servers: `${job.host}:${String(job.port)}`,
      encryption: 'none',
      base: job.base,
      pageSize: job.pageSize,
      connectTimeout: 5,
      idleTimeout: 60,
      runTimeout: 3600,
      credentials: { user: job.user, password: job.password },
    },
    { id: 'start', type: 'inject', z: 'tab', props: [], repeat: '', crontab: '', once: false, wires: [['extract']] },
    {
      id: 'extract',
      type: 'directory-extract',
      version: 1,
      z: 'tab',
      server: 'server',
      source: 'bench',
      filter: job.filter,
      attributes: ADDITIONAL.join(', '),
      contacts: true,
      batchSize: 500,
      window: 4,
      wires: [[next(0)]],
    },
    ...behind.map((node, at) => ({ ...node, id: next(at), z: 'tab', wires: [[next(at + 1)]] })),
    { id: 'count', type: 'function', z: 'tab', func: count, outputs: 0, wires: [] },
  ];
}

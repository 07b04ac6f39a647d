/** directory-apply inside a real Node-RED 5: how its event loop fares while runs are applied, and what memory it takes. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FlowNode, type NodeRed, startNodeRed } from '../../test/support/node-red.js';
import { probe } from '../support/in-node-red.js';
import { ATTRIBUTES, DOMAINS } from './company.js';

export interface LoopFigures {
  readonly name: string;
  readonly seconds: number;
  readonly loopP999: number;
  readonly loopMax: number;
  readonly peakMegabytes: number;
}

/** `store`: further settings of the directory-account node. */
export interface NodeRedJob {
  readonly people: number;
  readonly store: Readonly<Record<string, unknown>>;
  /** Arguments of Node.js. */
  readonly nodeArguments?: readonly string[];
  readonly changes: readonly number[];
}

/** Applies one run after the other, each saying the directory with another change, and tells of each. */
export async function applyInNodeRed({ people, store, nodeArguments, changes }: NodeRedJob): Promise<LoopFigures[]> {
  const userDir = await mkdtemp(join(tmpdir(), 'bench-apply-'));
  await mkdir(join(userDir, 'nodes'));
  const source = join(__dirname, 'source-node.js');
  await writeFile(join(userDir, 'nodes', 'bench-source.js'), `module.exports = require(${JSON.stringify(source)});\n`);
  await writeFile(join(userDir, 'nodes', 'bench-source.html'), PALETTE);
  const watched = ['--require', join(__dirname, '..', 'support', 'probe.js'), ...(nodeArguments ?? [])];
  const nodeRed = await startNodeRed({ version: '5', userDir, nodeArguments: watched });
  try {
    await nodeRed.deploy(flowFor(people, { ...store }, changes));
    const figures: LoopFigures[] = [];
    for (const [number, change] of changes.entries()) figures.push(await applied(nodeRed, number, change));
    return figures;
  } finally {
    await nodeRed.stop();
    await rm(userDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function applied(nodeRed: NodeRed, number: number, change: number): Promise<LoopFigures> {
  await probe(nodeRed);
  const from = nodeRed.log.length;
  const started = performance.now();
  await nodeRed.inject(`start${String(number)}`);
  const line = await nodeRed.line(/APPLIED \w+|\[error\]/, { from, within: 900_000 });
  if (!/APPLIED (committed|unchanged)/.test(line)) throw new Error(`The run was not applied: ${line}`);
  const seconds = (performance.now() - started) / 1_000;
  const { loopP999, loopMax, peakMegabytes } = await probe(nodeRed);
  const name = number === 0 ? 'first load' : change === 0 ? 'nothing changed' : '1 % changed';
  return { name, seconds, loopP999, loopMax, peakMegabytes };
}

/** A button for each run, because what a button sends is a setting. */
function flowFor(people: number, store: Record<string, unknown>, changes: readonly number[]): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: 'account',
      type: 'directory-account',
      name: 'bench',
      domains: DOMAINS.join(', '),
      attributes: ATTRIBUTES.join(', '),
      ...store,
    },
    ...changes.map((change, number) => ({
      id: `start${String(number)}`,
      type: 'inject',
      z: 'tab',
      props: [{ p: 'payload' }],
      payload: JSON.stringify({ number, people, change }),
      payloadType: 'json',
      repeat: '',
      crontab: '',
      once: false,
      wires: [['source']],
    })),
    { id: 'source', type: 'bench-source', z: 'tab', wires: [['apply']] },
    { id: 'apply', type: 'directory-apply', z: 'tab', account: 'account', wires: [['tell'], [], []] },
    {
      id: 'tell',
      type: 'function',
      z: 'tab',
      func: `node.log('APPLIED ' + msg.payload.outcome);`,
      outputs: 0,
      wires: [],
    },
  ];
}

const PALETTE = `<script type="text/javascript">
RED.nodes.registerType('bench-source', { category: 'bench', defaults: {}, inputs: 1, outputs: 1 });
</script>
`;

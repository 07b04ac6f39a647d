/** The whole sync of a bench's directory in one real Node-RED: the example flow, from the press of its button to the report. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { Report } from '../../engine/model/report.js';
import { exampleFlow, injectNodeId } from '../../sample/flow.js';
import { makeCertificates } from '../../test/support/certificates.js';
import { type FlowNode, freePort, startNodeRed } from '../../test/support/node-red.js';
import { ADDITIONAL } from '../support/attributes.js';
import type { BigDirectory } from '../support/big-slapd.js';
import { type ProbeFigures, probe } from '../support/in-node-red.js';

/** `seconds` from the press of the button until the report is back at the sender. */
export interface SyncFigures extends ProbeFigures {
  readonly seconds: number;
  readonly stages: readonly StageFigures[];
}

/** When a stage began after the press of the button, and how long it took, in seconds: stages overlap. */
export interface StageFigures {
  readonly stage: string;
  readonly from: number;
  readonly seconds: number;
  readonly figures: Report['stages'][number]['figures'];
}

const parseReport = parserOf(Report, contractFault('the report'));
const LOGGED = 'REPORT ';
const WITHIN_MS = 600_000;

/** A first run into an empty account, in a Node-RED of its own. */
export async function firstSync(directory: BigDirectory): Promise<SyncFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-sync-'));
  const nodeRed = await startNodeRed({
    version: '5',
    nodeArguments: ['--require', join(__dirname, '..', 'support', 'probe.js')],
  });
  try {
    const flow = await flowFor(directory, folder);
    await nodeRed.deploy(flow);
    await probe(nodeRed);
    const from = nodeRed.log.length;
    const started = performance.now();
    const startedAt = Date.now();
    await nodeRed.inject(injectNodeId(flow));
    const line = await nodeRed.line(/REPORT |\[error\]/, { from, within: WITHIN_MS });
    const seconds = (performance.now() - started) / 1_000;
    if (!line.includes(LOGGED)) throw new Error(`The run failed: ${line}`);
    const report = parseReport(JSON.parse(line.slice(line.indexOf(LOGGED) + LOGGED.length)));
    if (report.outcome !== 'committed' || !report.complete) throw new Error(`The run was not applied whole: ${line}`);
    const stages = report.stages.map((stage) => ({
      stage: stage.stage,
      from: (Date.parse(stage.startedAt) - startedAt) / 1_000,
      seconds: stage.milliseconds / 1_000,
      figures: stage.figures,
    }));
    return { ...(await probe(nodeRed)), seconds, stages };
  } finally {
    await nodeRed.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The example; what it shows in the editor's sidebar is left out, and the receiver's answer goes into the log. */
async function flowFor(directory: BigDirectory, folder: string): Promise<FlowNode[]> {
  const certificates = await makeCertificates(join(folder, 'tls'));
  const flow = exampleFlow({
    directory: {
      servers: `${directory.host}:${String(directory.port)}`,
      encryption: 'none',
      user: directory.user,
      password: directory.password,
      base: directory.base,
      caFile: '',
    },
    source: 'company',
    receiver: { ...certificates, port: await freePort(), key: 'a-key-for-the-bench-of-32-characters-and-more' },
    account: { file: join(folder, 'account.sqlite'), domains: 'example.com, example.org' },
  });
  const shown = flow.filter(({ type }) => type !== 'debug');
  const func = `node.log(${JSON.stringify(LOGGED)} + JSON.stringify(msg.payload));`;
  for (const node of shown) {
    if (node.type === 'directory-extract') node['attributes'] = ADDITIONAL.join(', ');
    if (node.type === 'directory-transmit') node['wires'] = [['logger']];
    if (node.type === 'directory-apply') node['wires'] = [[], [], []];
    if (node.type === 'catch') node['wires'] = [[]];
  }
  const tab = flow.find(({ type }) => type === 'tab')?.id;
  return [...shown, { id: 'logger', type: 'function', z: tab, func, outputs: 0, wires: [] }];
}

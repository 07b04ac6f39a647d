/** The example flow as an operator fills it in, in a real Node-RED. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { Report } from '../../engine/model/report.js';
import { exampleFlow } from '../../sample/flow.js';
import { makeCertificates } from './certificates.js';
import { type FlowNode, type NodeRed, freePort } from './node-red.js';
import type { TestDirectory } from './programs.js';

const parseReport = parserOf(Report, contractFault('the report'));
const KEY = 'a-key-for-the-flow-test-of-32-characters';
/** What a debug node would show, as one line of Node-RED's log. */
const LOGGED = 'REPORT ';

/** What has to be known of a directory. */
type Reachable = Pick<TestDirectory, 'host' | 'port' | 'ca' | 'user' | 'password'>;

/** The example, filled in as an operator would, with one more node that logs the receiver's answer. */
export async function flowFor(directory: Reachable, accountFile: string, folder: string): Promise<FlowNode[]> {
  const certificates = await makeCertificates(join(folder, 'tls'));
  const caFile = join(folder, `directory-${String(directory.port)}.pem`);
  await writeFile(caFile, directory.ca);
  const flow = exampleFlow({
    directory: {
      servers: `${directory.host}:${String(directory.port)}`,
      encryption: 'ldaps',
      user: directory.user,
      password: directory.password,
      base: '',
      caFile,
    },
    source: 'company',
    receiver: { ...certificates, port: await freePort(), key: KEY },
    account: { file: accountFile, domains: 'example.com, example.org' },
  });
  const transmit = flow.find(({ type }) => type === 'directory-transmit');
  assert.ok(transmit);
  transmit['wires'] = [['logger']];
  const func = `node.log(${JSON.stringify(LOGGED)} + JSON.stringify(msg.payload));`;
  return [...flow, { id: 'logger', type: 'function', z: transmit['z'], func, outputs: 0, wires: [] }];
}

/** Presses the inject node's button and waits for the report. */
export async function runOnce(nodeRed: NodeRed, injectId: string): Promise<Report> {
  const from = nodeRed.log.length;
  await nodeRed.inject(injectId);
  const line = await nodeRed.line(new RegExp(LOGGED), { from, within: 60_000 });
  return parseReport(JSON.parse(line.slice(line.indexOf(LOGGED) + LOGGED.length)));
}

/**
 * The example flow itself, in real Node-RED 4.1 and 5.0, reads Samba's domain controller and slapd over LDAPS, sends the run
 * over HTTPS to itself, and makes the account that the oracle computes.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAccount } from '../../engine/account/account.js';
import { contractFault, parserOf } from '../../engine/model/check.js';
import { digestOf } from '../../engine/model/canonical.js';
import { Report } from '../../engine/model/report.js';
import { exampleFlow, injectNodeId } from '../../sample/flow.js';
import { knownAddresses } from '../../sample/known.js';
import { makeCertificates } from '../support/certificates.js';
import { companyEntries, companySettings } from '../support/company.js';
import { type FlowNode, NODE_RED_VERSIONS, type NodeRed, freePort, startNodeRed } from '../support/node-red.js';
import { expectedAccount } from '../support/oracle/index.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { startSlapd } from '../support/slapd.js';

const parseReport = parserOf(Report, contractFault('the report'));
const KEY = 'a-key-for-the-flow-test-of-32-characters';
/** What a debug node would show, as one line of Node-RED's log. */
const LOGGED = 'REPORT ';

const SERVERS = [
  { name: 'Samba', start: startSamba },
  { name: 'slapd', start: startSlapd },
];

describe('the example flow', function () {
  this.timeout(120_000);
  const entries = companyEntries();
  const known = knownAddresses();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flow-'));
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  for (const { name, start } of SERVERS) {
    describe(`on ${name}`, () => {
      let directory: TestDirectory;
      before(async () => {
        directory = await start(entries);
      });
      after(() => directory.stop());

      for (const version of NODE_RED_VERSIONS) {
        it(`makes the oracle's account in Node-RED ${version}, and has nothing to do the second time`, async () => {
          const settings = companySettings(join(folder, `${name}-${version}.sqlite`));
          const before = await openAccount(settings);
          await before.addKnown(known);
          await before.close();

          const flow = await flowFor(directory, settings.store.file, folder);
          const nodeRed = await startNodeRed({ version });
          try {
            await nodeRed.deploy(flow);
            const first = await runOnce(nodeRed, injectNodeId(flow));
            assert.equal(first.outcome, 'committed');
            assert.equal(first.complete, true);
            assert.deepEqual(
              first.stages.map(({ stage }) => stage),
              ['extract', 'enrich', 'transmit', 'receive', 'apply'],
            );
            assert.equal((await runOnce(nodeRed, injectNodeId(flow))).outcome, 'unchanged');
          } finally {
            await nodeRed.stop();
          }

          const account = await openAccount(settings);
          const snapshot = await account.snapshot();
          await account.close();
          const expected = expectedAccount(entries, { settings, known }).snapshot;
          assert.deepEqual(snapshot, expected);
          assert.equal(digestOf(snapshot), digestOf(expected));
        });
      }
    });
  }
});

/** The example, filled in as an operator would, with one more node that logs the receiver's answer. */
async function flowFor(directory: TestDirectory, accountFile: string, folder: string): Promise<FlowNode[]> {
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
async function runOnce(nodeRed: NodeRed, injectId: string): Promise<Report> {
  const from = nodeRed.log.length;
  await nodeRed.inject(injectId);
  const line = await nodeRed.line(new RegExp(LOGGED), { from, within: 60_000 });
  return parseReport(JSON.parse(line.slice(line.indexOf(LOGGED) + LOGGED.length)));
}

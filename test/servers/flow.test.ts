/**
 * The example flow itself, in real Node-RED 4.1 and 5.0, reads Samba's domain controller and slapd over LDAPS, sends the run
 * over HTTPS to itself, and makes the account that the oracle computes.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAccount } from '../../engine/account/account.js';
import { digestOf } from '../../engine/model/canonical.js';
import { injectNodeId } from '../../sample/flow.js';
import { knownAddresses } from '../../sample/known.js';
import { companyEntries, companySettings } from '../support/company.js';
import { flowFor, runOnce } from '../support/example-flow.js';
import { NODE_RED_VERSIONS, startNodeRed } from '../support/node-red.js';
import { expectedAccount } from '../support/oracle/index.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { startSlapd } from '../support/slapd.js';

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

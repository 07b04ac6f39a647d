/** Two Node-REDs with one account in one file: the newer has it, the older is refused and says so. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flowOf, wholeFlow } from '../campaigns/crash/flow.js';
import { BASE, PASSWORD, USER, draw, entriesOf } from '../campaigns/crash/world.js';
import { startDirectory } from '../support/directory/index.js';
import { seeded } from '../support/fault-proxy.js';
import { NODE_RED, startFlow } from '../support/flow.js';
import { startNodeRed } from '../support/node-red.js';

describe('two Node-REDs with one account', function () {
  this.timeout(90_000);

  it('the older one is refused, and says so in its status; deployed again, it is the newer one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'two-'));
    const users = { [USER]: PASSWORD };
    const entries = entriesOf(draw(seeded(1)));
    const directory = await startDirectory({ entries, base: BASE, users, encryption: 'plain' });
    const { flow: nodes, credentials } = await wholeFlow({ directory, folder });
    const helpers = ['report', 'answer'].map((id) => ({ id, type: 'helper', wires: [] }));
    const older = await startFlow([...nodes, ...helpers], { credentials });
    const newer = await startNodeRed({ version: NODE_RED });
    const reports = () => older.received('report').length;
    try {
      await older.until('listening', () => older.statuses('receive').includes('directory-receive.status.listening'));
      older.send('extract', {});
      await older.until('a report', () => reports() === 1);

      await newer.deploy(await flowOf({ directory, folder }));
      await newer.inject('go');
      assert.match(await newer.line(/reported /), /reported unchanged true/);

      older.send('extract', {});
      await older.until('an error', () => older.caught().some(({ code }) => code === 'FENCED'), 30_000);
      assert.ok(older.statuses('apply').includes('opened elsewhere'));
      assert.equal(reports(), 1);

      const from = newer.log.length;
      await newer.inject('go');
      assert.match(await newer.line(/reported /, { from }), /reported unchanged true/, 'the newer goes on');

      await older.redeploy([...nodes.map((node) => ({ ...node, name: 'again' })), ...helpers]);
      await older.until('listening', () => older.statuses('receive').at(-1) === 'directory-receive.status.listening');
      older.send('extract', {});
      await older.until('a report', () => reports() >= 2, 30_000);
    } finally {
      await newer.stop();
      await older.stop();
      await directory.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PROBLEMS } from '../../../engine/transport/problem.js';
import { METHOD, pathOf } from '../../../engine/transport/protocol.js';
import { DEFAULT_LIMITS } from '../../../engine/transport/receiver.js';
import { KEY, withFolder, withReceiver } from './support.js';

const run = promisify(execFile);
const page = () => readFile(resolve(__dirname, '../../../../docs/protocol.md'), 'utf8');

/** The tools that the examples use, or null where this machine lacks one (on Windows, most likely). */
async function tools(): Promise<true | null> {
  const asked = await Promise.allSettled(
    ['curl', 'openssl', 'gzip', 'sed', 'cut'].map((tool) => run('sh', ['-c', `command -v ${tool}`])),
  );
  return asked.every(({ status }) => status === 'fulfilled') ? true : null;
}

describe('docs/protocol.md', () => {
  it('lists every problem with its status, and no other', async () => {
    const text = await page();
    const section = text.slice(text.indexOf('## Problems'), text.indexOf('## Limits'));
    const listed = [...section.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(([, name, status]) => [
      name,
      Number(status),
    ]);
    const known = Object.entries(PROBLEMS).map(([name, [status]]) => [name, status]);
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(known));
  });

  it('lists every route and every limit', async () => {
    const text = await page();
    for (const name of ['open', 'batch', 'seal', 'state', 'abandon'] as const) {
      const path = pathOf({ name, run: '{run}', batch: 0 }).replace('/batches/0', '/batches/{n}');
      assert.ok(text.includes(`\`${METHOD[name]} {base}${path}\``), `${METHOD[name]} ${path}`);
    }
    const section = text.slice(text.indexOf('## Limits'), text.indexOf('## A run with curl'));
    const listed = [...section.matchAll(/^\| `([A-Za-z]+)` \| ([\d,.]+) ?(MiB|s|h|days)? \|/gm)].map(
      ([, name, number, unit]) => {
        const factor = { MiB: 1024 * 1024, s: 1000, h: 3_600_000, days: 24 * 3_600_000 }[unit ?? ''] ?? 1;
        return [name, Number(number?.replaceAll(',', '')) * factor];
      },
    );
    assert.deepEqual(Object.fromEntries(listed), { ...DEFAULT_LIMITS });
  });

  it('has examples with curl that work as they stand', async function () {
    if (!(await tools())) return this.skip();
    const text = await page();
    const [, script] = [...text.matchAll(/```sh\n([^]*?)```/g)].map(([, code]) => code ?? '');
    assert.ok(script);
    await withReceiver({}, async ({ endpoint, certificates, received }) => {
      await withFolder(async (folder) => {
        const file = join(folder, 'example.sh');
        await writeFile(file, `set -eu\n${script}`);
        const settings = { BASE: endpoint.url, CA: certificates.caFile, KEY_ID: KEY.id, KEY: KEY.key };
        const { stdout } = await run('sh', [file], { cwd: folder, env: { ...process.env, ...settings } });
        const statuses = stdout.split('\n').filter((line) => /^\d{3}$/.test(line));
        assert.deepEqual(statuses, ['201', '200', '200', '200', '201', '204'], stdout);
        assert.equal(received[0]?.records[0]?.kind, 'user');
        // The control: with another key the same commands are refused.
        const wrong = { ...settings, KEY: 'another key of thirty-two characters or more' };
        const refused = await run('sh', [file], { cwd: folder, env: { ...process.env, ...wrong } });
        assert.match(refused.stdout, /signature-refused[^]*\n401\n/);
      });
    });
  });
});

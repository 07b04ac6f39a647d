/** What is published: the pack, installed by npm into an empty Node-RED, brings working nodes, icons, texts and the example. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../support/programs.js';
import { NODE_RED_VERSIONS, type NodeRed, PACKAGE, exampleFlow, startNodeRed } from '../support/node-red.js';

const ROOT = resolve(__dirname, '..', '..', '..');
const TYPES = [
  'directory-account',
  'directory-apply',
  'directory-endpoint',
  'directory-enrich',
  'directory-extract',
  'directory-receive',
  'directory-server',
  'directory-transmit',
];

/** npm as it runs these tests; it sets the variable for its scripts. */
function npm(...args: string[]): Promise<string> {
  const script = process.env['npm_execpath'];
  assert.ok(script, 'Run this suite with npm run test:pack: it needs to know which npm.');
  return run(process.execPath, [script, ...args, '--loglevel', 'error']);
}

/** Everything below a folder, as paths with forward slashes. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => !path.startsWith('node_modules/'))
    .sort();
}

describe('the published package', () => {
  let folder: string;
  let installed: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pack-'));
    await npm('pack', ROOT, '--ignore-scripts', '--pack-destination', folder);
    const pack = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    assert.ok(pack);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'empty-node-red', private: true }));
    await npm('install', join(folder, pack), '--prefix', folder, '--no-audit', '--no-fund');
    installed = join(folder, 'node_modules', PACKAGE);
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  it('holds what Node-RED needs and the papers, and nothing of the workshop', async () => {
    const files = await filesBelow(installed);
    for (const needed of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'examples/01 - End-to-end sync.json',
      'examples/02 - Change records.json',
      'examples/03 - Look up in another system.json',
      'docs/messages.md',
    ]) {
      assert.ok(files.includes(needed), `${needed} is missing`);
    }
    for (const type of TYPES) {
      for (const part of [
        `${type}.js`,
        `${type}.html`,
        `locales/en-US/${type}.json`,
        `locales/en-US/${type}.html`,
        'icons',
      ]) {
        const path = `dist/nodes/${type}/${part}`;
        assert.ok(
          files.some((file) => file === path || file.startsWith(`${path}/`)),
          `${path} is missing`,
        );
      }
    }
    assert.deepEqual(
      files.filter((file) => /^(?:dist\/(?:test|sample|bench)|test|sample|bench|tools|engine|nodes)\//.test(file)),
      [],
    );
  });

  it('keeps to six production dependencies, each pinned, none with an install script of its own', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const pinned = Object.values(manifest.dependencies);
    assert.ok(pinned.length <= 6);
    assert.ok(pinned.every((version) => /^\d+\.\d+\.\d+$/.test(version)));
    const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; version?: string }>;
    };
    for (const [path, { hasInstallScript, version }] of Object.entries(lock.packages)) {
      assert.notEqual(hasInstallScript, true, `${path} has an install script`);
      if (path.endsWith('/axios')) assert.ok(version !== '1.14.1' && version !== '0.30.4');
    }
  });

  for (const version of NODE_RED_VERSIONS) {
    describe(`in Node-RED ${version}`, () => {
      let nodeRed: NodeRed;
      before(async () => {
        nodeRed = await startNodeRed({ version, userDir: folder, packageFolder: null });
      });
      after(() => nodeRed.stop());

      it('registers all eight types without an error', async () => {
        const sets = (await nodeRed.get('/nodes')) as {
          module: string;
          types: string[];
          enabled: boolean;
          err?: unknown;
        }[];
        const ours = sets.filter(({ module }) => module === PACKAGE);
        assert.deepEqual(ours.flatMap(({ types }) => types).sort(), TYPES);
        for (const set of ours) assert.ok(set.enabled && set.err === undefined, JSON.stringify(set));
      });

      it('brings an icon for every type', async () => {
        const icons = ((await nodeRed.get('/icons')) as Record<string, string[]>)[PACKAGE] ?? [];
        for (const type of TYPES)
          assert.ok(icons.includes(`${type}.svg`), `${type}.svg is not among ${icons.join(', ')}`);
      });

      it('brings its texts', async () => {
        for (const type of TYPES) {
          const catalog = (await nodeRed.get(`/locales/${PACKAGE}/${type}?lng=en-US`)) as Record<string, unknown>;
          assert.ok(catalog[type], `no texts of ${type}`);
        }
      });

      it('offers the example for import, and it deploys', async () => {
        const offered = JSON.stringify(await nodeRed.get(`/library/examples/flows/${PACKAGE}/`));
        assert.match(offered, /01 - End-to-end sync/);
        await nodeRed.deploy(exampleFlow());
        assert.ok(!nodeRed.log.some((line) => /missing types/i.test(line)), nodeRed.log.join('\n'));
      });
    });
  }
});

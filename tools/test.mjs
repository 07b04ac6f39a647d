/**
 * Runs suites of tests, each in a mocha of its own: `node tools/test.mjs SUITE …`. The suite `nodes` runs once for each
 * Node-RED that is supported. Says on which Node.js and Node-RED. Further arguments (`-- --grep x`) go to mocha.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const timeouts = { unit: 20_000, nodes: 20_000 };

const cut = process.argv.findIndex((argument) => argument.startsWith('-'));
const suites = process.argv.slice(2, cut === -1 ? undefined : cut);
const more = cut === -1 ? [] : process.argv.slice(cut).filter((argument) => argument !== '--');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `The tests need Node.js 22.13 or later, and this is ${process.versions.node}. On Linux x64, npm ci brings one.`,
  );
  process.exit(1);
}

let failed = 0;
for (const suite of suites) {
  for (const nodeRed of suite === 'nodes' ? ['4', '5'] : [undefined]) failed += run(suite, nodeRed);
}
process.exit(failed === 0 ? 0 : 1);

function run(suite, nodeRed) {
  const on = nodeRed === undefined ? '' : `, Node-RED ${versionOf(`node-red-${nodeRed}`)}`;
  console.log(`\n== ${suite} tests on Node.js ${process.versions.node}${on}`);
  const done = spawnSync(
    process.execPath,
    [
      mocha,
      '--no-config',
      '--enable-source-maps',
      '--timeout',
      String(timeouts[suite] ?? 180_000),
      '--slow',
      '2000',
      '--require',
      join(root, 'dist', 'test', 'support', 'seed.js'),
      '--spec',
      join('dist', 'test', suite, '**', '*.test.js').replaceAll('\\', '/'),
      ...more,
    ],
    // A suite that does not end has left something open: that is a failure too, and must not hold up those who wait.
    {
      cwd: root,
      stdio: 'inherit',
      timeout: (suite === 'servers' ? 30 : 20) * 60_000,
      env: nodeRed === undefined ? process.env : { ...process.env, NODE_RED: nodeRed },
    },
  );
  return done.status === 0 ? 0 : 1;
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/**
 * Builds dist/: compiles the TypeScript, and puts beside each compiled node what Node-RED's loader looks for there:
 * its HTML, its locales and the icons.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const clean = process.argv.includes('--clean');
if (clean) rmSync(join(root, 'dist'), { recursive: true, force: true });

const compiler = join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

for (const node of readdirSync(join(root, 'nodes'), { withFileTypes: true })) {
  if (!node.isDirectory()) continue;
  const from = join(root, 'nodes', node.name);
  const to = join(root, 'dist', 'nodes', node.name);
  mkdirSync(to, { recursive: true });
  for (const part of [`${node.name}.html`, 'locales']) {
    if (existsSync(join(from, part))) cpSync(join(from, part), join(to, part), { recursive: true });
  }
  if (existsSync(join(from, `${node.name}.html`))) cpSync(join(root, 'icons'), join(to, 'icons'), { recursive: true });
}

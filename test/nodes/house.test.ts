/** Rules for nodes/ that no linter knows. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { STEPS } from '../../nodes/shared/migrations.js';

const ROOT = resolve(__dirname, '..', '..', '..');
const TYPES = Object.keys(STEPS);
const read = (...path: string[]) => readFileSync(join(ROOT, 'nodes', ...path), 'utf8');
const sources = (folder: string) =>
  readdirSync(join(ROOT, 'nodes', folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`);

/** Everything by which code of ours could be called back outside the wrapper. */
const REGISTERS = [
  /\.on\(\s*['"](?:input|close)/,
  /\b(?:node|this)\.(?:on|once|addListener)\(/,
  /\bset(?:Timeout|Interval|Immediate)\(/,
  /\bevents\.on/,
];
const registers = (source: string) => REGISTERS.some((pattern) => pattern.test(source));

describe('rules for nodes/', () => {
  it('handlers, timers and listeners are registered in shared/wrap.ts only', () => {
    const found = [...TYPES, 'shared'].flatMap(sources).filter((file) => registers(read(file)));
    assert.deepEqual(found, ['shared/wrap.ts']);
    assert.ok(registers("node.on('input', async () => undefined)"), 'the rule finds what it is for');
  });

  it('every node goes through it, and says its type as a literal', () => {
    for (const type of TYPES) {
      const source = read(type, `${type}.ts`);
      assert.match(source, /runNode\(RED, this/, type);
      assert.match(source, new RegExp(`registerType(?:<[^>]*(?:<[^>]*>)?[^>]*>)?\\(\\s*'${type}'`), type);
    }
  });

  it('every status text is in the catalog of its node', () => {
    for (const type of TYPES) {
      const catalog = JSON.parse(read(type, 'locales', 'en-US', `${type}.json`)) as Record<
        string,
        { status?: Record<string, string> }
      >;
      assert.deepEqual(
        statusKeys(read(type, `${type}.ts`)).filter((key) => !catalog[type]?.status?.[key]),
        [],
        type,
      );
    }
  });
});

/** The keys that a node shows itself, and those of reports if it shows them. */
function statusKeys(source: string): string[] {
  const own = [...source.matchAll(/status\.(?:busy|good|notice)\(\s*'([\w-]+)'/g)].map(([, key = '']) => key);
  const reports = ['committed', 'unchanged', 'dry-run', 'held', 'received', 'incomplete'];
  return source.includes('showReport') ? [...own, ...reports] : own;
}

/** The texts, icons and example of the editor side, checked against what uses them: nothing missing, nothing left over. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Outcome } from '../../../engine/model/report.js';

const ROOT = resolve(__dirname, '..', '..', '..', '..');
const NODES = join(ROOT, 'nodes');
const TYPES = readdirSync(NODES).filter((name) => name.startsWith('directory-'));

describe('Editor side of the nodes', () => {
  it('has eight node types, each with definition, form, help, catalog and icon', () => {
    assert.equal(TYPES.length, 8);
    for (const type of TYPES) {
      const html = htmlOf(type);
      // A literal in this kind of script is what the scorecard of Node-RED's flow library looks for.
      assert.match(
        html,
        new RegExp(`<script type="text/javascript">\\s*RED\\.nodes\\.registerType\\('${type}', \\{`),
        type,
      );
      assert.ok(html.includes(`data-template-name="${type}"`), type);
      assert.ok(readFileSync(localeFile(type, 'html'), 'utf8').includes(`data-help-name="${type}"`), type);
      const icon = /icon: '([^']+)'/.exec(html)?.[1];
      assert.ok(icon !== undefined && existsSync(join(ROOT, 'icons', icon)), `icon of ${type}`);
    }
  });

  for (const type of TYPES) {
    it(`${type}: every text that is used is in the catalog, and every text of the catalog is used`, () => {
      const catalog = keysOf(JSON.parse(readFileSync(localeFile(type, 'json'), 'utf8')));
      const used = [...usedKeys(type, catalog)].sort();
      assert.deepEqual(
        used.filter((key) => !catalog.includes(key)),
        [],
        'missing in the catalog',
      );
      const leftOver = catalog.filter((key) => !used.includes(key) && !key.includes('.status.'));
      assert.deepEqual(leftOver, [], 'used nowhere');
    });

    it(`${type}: every status of the adapter has a text`, () => {
      const catalog = keysOf(JSON.parse(readFileSync(localeFile(type, 'json'), 'utf8')));
      const statuses = statusKeys(type);
      assert.deepEqual(
        statuses.filter((key) => !catalog.includes(`${type}.status.${key}`)),
        [],
      );
      const leftOver = catalog.filter(
        (key) => key.includes('.status.') && !statuses.includes(key.split('.status.')[1] ?? ''),
      );
      assert.deepEqual(leftOver, [], 'shown never');
    });
  }

  it('has every node that is dragged from the palette in the example', () => {
    const example = JSON.parse(readFileSync(join(ROOT, 'examples', '01 - End-to-end sync.json'), 'utf8')) as {
      id: string;
      type: string;
      wires?: string[][];
      g?: string;
    }[];
    const types = example.map(({ type }) => type);
    for (const type of TYPES) assert.ok(types.includes(type), type);
    const ids = new Set(example.map(({ id }) => id));
    assert.equal(ids.size, example.length, 'ids are unique');
    for (const { id, wires, g } of example) {
      for (const to of [...(wires ?? []).flat(), ...(g === undefined ? [] : [g])])
        assert.ok(ids.has(to), `${id} → ${to}`);
    }
  });
});

function htmlOf(type: string): string {
  return readFileSync(join(NODES, type, `${type}.html`), 'utf8');
}

function localeFile(type: string, extension: string): string {
  return join(NODES, type, 'locales', 'en-US', `${type}.${extension}`);
}

function keysOf(part: unknown, prefix = ''): string[] {
  if (typeof part === 'string') return [prefix];
  return Object.entries(part as object).flatMap(([name, inner]) =>
    keysOf(inner, prefix === '' ? name : `${prefix}.${name}`),
  );
}

/** The keys that the HTML, its scripts and the adapter name, and those of the messages of its validators. */
function usedKeys(type: string, catalog: readonly string[]): Set<string> {
  const html = htmlOf(type);
  const scripts = [...html.matchAll(/<script src="resources\/[^"]*\/([^"/]+)"/g)].map(([, name]) =>
    readFileSync(join(ROOT, 'resources', name ?? ''), 'utf8'),
  );
  const all = [html, ...scripts, sourceOf(type)].join('\n');
  const named = [...all.matchAll(new RegExp(`${type}(?:\\.[A-Za-z0-9-]+)+(?!\\.?[A-Za-z0-9$-])`, 'g'))].map(
    ([key]) => key,
  );
  // Of a key that is put together, each that begins so.
  const begun = [...all.matchAll(new RegExp(`(${type}(?:\\.[A-Za-z0-9-]+)*\\.)\\$\\{`, 'g'))].map(
    ([, key]) => key ?? '',
  );
  const together = catalog.filter((key) => begun.some((beginning) => key.startsWith(beginning)));
  const files = [/\.svg$/, /\.html$/, /\.js$/];
  const messages = [...html.matchAll(/directorySync\.check\(\s*'([^']+)'/g)].map(
    ([, property]) => `${type}.error.${property ?? ''}`,
  );
  return new Set([...together, ...named.filter((key) => !files.some((file) => file.test(key))), ...messages]);
}

function sourceOf(type: string): string {
  const sources = readdirSync(join(NODES, type)).filter((name) => name.endsWith('.ts'));
  return sources.map((name) => readFileSync(join(NODES, type, name), 'utf8')).join('\n');
}

/** The keys given to the status line in the adapter, and those of a report where it shows one. */
function statusKeys(type: string): string[] {
  const source = sourceOf(type);
  const shared = source.includes('showReport(') ? readFileSync(join(NODES, 'shared', 'report.ts'), 'utf8') : '';
  const given = [...(source + shared).matchAll(/\.(?:busy|good|notice)\(\s*'([^']+)'/g)].map(([, key]) => key ?? '');
  const outcomes = shared === '' ? [] : Outcome.anyOf.map(({ const: outcome }) => outcome as string);
  return [...new Set([...given, ...outcomes])];
}

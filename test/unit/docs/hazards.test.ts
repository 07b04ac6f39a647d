import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'hazards.md'), 'utf8');

/** Pairs of a file below test/ and a part of a title, from the cells of the page. */
function named(): { file: string; title: string }[] {
  const cells = PAGE.split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| hazard') && !line.startsWith('| ---'))
    .flatMap((line) => line.split('|').slice(2, 4));
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([a-z-]+\/[\w/-]+)`: ([^;|`]+?)(?= \([^()]*\)\s*(?:;|$)|;|\s*$)/g)].map(
      ([, file = '', title = '']) => ({
        file,
        title: title.trim(),
      }),
    ),
  );
}

describe('docs/hazards.md', () => {
  const tests = named();

  it('has every hazard of the client library', () => {
    for (let number = 1; number <= 26; number += 1) assert.match(PAGE, new RegExp(`\\| L${number} `));
    assert.ok(tests.length > 80, `${tests.length} tests found in the page`);
  });

  for (const { file, title } of tests) {
    it(`${file} has: ${title}`, () => {
      const source = readFileSync(join(ROOT, 'test', `${file}.test.ts`), 'utf8');
      assert.ok(source.includes(title), `no test "${title}" in test/${file}.test.ts`);
    });
  }

  it('negative control: a title that is in no file is missed', () => {
    const source = readFileSync(join(ROOT, 'test', 'unit', 'ldap', 'paging.test.ts'), 'utf8');
    assert.ok(!source.includes('L1: does not go on'));
  });
});

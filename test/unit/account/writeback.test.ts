/** Bringing a file to the disk behind those who write it. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writeback } from '../../../engine/account/store/writeback.js';

describe('a file that is brought to the disk behind its writers', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'writeback-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is left as it is, and can be written meanwhile', async () => {
    const file = join(folder, 'log');
    const writeback = new Writeback(file);
    for (let line = 0; line < 40; line += 1) {
      appendFileSync(file, `${String(line)}\n`);
      writeback.written();
    }
    await writeback.settled();
    assert.equal(readFileSync(file, 'utf8').split('\n').length, 41);
  });

  it('may be gone: whoever commits says what fails', async () => {
    const writeback = new Writeback(join(folder, 'gone'));
    for (let times = 0; times < 40; times += 1) writeback.written();
    await writeback.settled();
  });
});

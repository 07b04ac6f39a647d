import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scrap } from '../../../engine/runtime/scrap.js';
import { SeenIds } from '../../../engine/extract/seen-ids.js';
import { guidToText } from '../../../engine/model/identifiers.js';

const guid = (number: number) => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(number, 12);
  return guidToText(bytes) ?? '';
};

describe('ids that were sent', () => {
  it('are known, and no other is, however many', () => {
    const seen = new SeenIds();
    for (let number = 0; number < 5_000; number += 2) seen.add(guid(number));
    for (let number = 0; number < 5_000; number += 1) assert.equal(seen.has(guid(number)), number % 2 === 0);
    seen.add(guid(1));
    assert.equal(seen.has(guid(1).toUpperCase()), true);
  });

  describe('of a large read lie on the disk', () => {
    const PIECE = 65_536;
    const MANY = 30_000;
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ids-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    function fill(scrap: Scrap | null): SeenIds {
      const seen = new SeenIds(scrap);
      for (let number = 0; number < MANY; number += 1) {
        seen.add(guid(number));
        if (number % 4096 === 0) seen.add('no id');
      }
      return seen;
    }
    function assertKnown(seen: SeenIds): void {
      for (let number = 0; number < MANY; number += 7) assert.ok(seen.has(guid(number)), String(number));
      for (let number = MANY; number < 2 * MANY; number += 7) assert.ok(!seen.has(guid(number)), String(number));
      seen.add(guid(MANY));
      assert.ok(seen.has(guid(MANY)));
    }

    it('until somebody asks, and nothing is left of them', () => {
      const scrap = new Scrap(PIECE, folder);
      const seen = fill(scrap);
      assert.equal(scrap.count, 7, 'all but the last ones');
      assertKnown(seen);
      assert.equal(scrap.count, 0);
      seen.close();
      assert.deepEqual(readdirSync(folder), []);
    });

    it('and in memory where the disk takes none, or no more', () => {
      assertKnown(fill(new Scrap(PIECE, join(folder, 'missing'))));
      assertKnown(fill(null));
      const scrap = new Scrap(PIECE, folder);
      const keep = scrap.keep.bind(scrap);
      scrap.keep = (piece) => scrap.count < 3 && keep(piece);
      const seen = fill(scrap);
      assert.equal(scrap.count, 3);
      assertKnown(seen);
    });

    it('and are given back by somebody who never asks', () => {
      const seen = fill(new Scrap(PIECE, folder));
      seen.close();
      assert.deepEqual(readdirSync(folder), []);
    });
  });

  it('what is no GUID is never known', () => {
    const seen = new SeenIds();
    for (const id of ['', 'x', guid(1).slice(1), `${guid(1)}0`, guid(1).replace('0', 'g')]) {
      seen.add(id);
      assert.equal(seen.has(id), false, id);
    }
  });
});

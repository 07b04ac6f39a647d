import assert from 'node:assert/strict';
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

  it('what is no GUID is never known', () => {
    const seen = new SeenIds();
    for (const id of ['', 'x', guid(1).slice(1), `${guid(1)}0`, guid(1).replace('0', 'g')]) {
      seen.add(id);
      assert.equal(seen.has(id), false, id);
    }
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { BatchReader, writeBatch } from '../../../engine/transport/batch.js';
import { DEFAULT_LIMITS } from '../../../engine/transport/receiver.js';
import { people } from './support.js';

function read(content: Buffer, cuts: readonly number[]): { records: EnrichedRecord[]; digest: string } {
  const reader = new BatchReader(DEFAULT_LIMITS);
  const bounds = [0, ...cuts.map((cut) => cut % (content.length + 1)), content.length].sort((a, b) => a - b);
  const records = bounds.slice(1).flatMap((end, index) => reader.push(content.subarray(bounds[index], end)));
  return { records, digest: reader.end() };
}

describe('a batch as it travels', () => {
  it('is read as it was written, however it is cut into pieces', () => {
    const text = fc.string({ unit: 'grapheme' });
    const record = fc
      .record({ name: text, title: fc.array(text, { maxLength: 3 }) })
      .map(({ name, title }): EnrichedRecord => ({ ...person, name, attributes: { title } }));
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 6 }), (records, cuts) => {
        const { content, digest } = writeBatch(records);
        assert.deepEqual(read(content, cuts), { records, digest });
      }),
      { numRuns: 300 },
    );
  });

  it('is another batch when one byte differs', () => {
    const [first, second] = [writeBatch(people(2)), writeBatch(people(2, 1))];
    assert.notEqual(first.digest, second.digest);
    assert.equal(writeBatch(people(2)).digest, first.digest);
  });

  it('may be empty', () => {
    assert.deepEqual(read(Buffer.alloc(0), []).records, []);
  });
});

const person = people(1)[0] ?? assert.fail();

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { checkBatch, writeBatch } from '../../../engine/transport/batch.js';
import { DEFAULT_LIMITS } from '../../../engine/transport/receiver.js';
import { people } from './support.js';

function read(content: Buffer): { records: EnrichedRecord[]; digest: string } {
  const records: EnrichedRecord[] = [];
  const { digest } = checkBatch(content, DEFAULT_LIMITS, (record) => records.push(record));
  return { records, digest };
}

describe('a batch as it travels', () => {
  it('is read as it was written', () => {
    const text = fc.string({ unit: 'grapheme' });
    const record = fc
      .record({ name: text, title: fc.array(text, { maxLength: 3 }) })
      .map(({ name, title }): EnrichedRecord => ({ ...person, name, attributes: { title } }));
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), (records) => {
        const { content, digest } = writeBatch(records);
        assert.deepEqual(read(content), { records, digest });
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
    assert.deepEqual(read(Buffer.alloc(0)).records, []);
  });
});

const person = people(1)[0] ?? assert.fail();

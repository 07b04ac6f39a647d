import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { checkBatch, writeBatch } from '../../../engine/transport/batch.js';
import { DEFAULT_LIMITS } from '../../../engine/transport/receiver.js';
import { seeded } from '../../support/fault-proxy.js';
import { people } from './support.js';

function read(content: Buffer): { records: EnrichedRecord[]; digest: string } {
  const records: EnrichedRecord[] = [];
  const { digest } = checkBatch(content, DEFAULT_LIMITS, (record) => records.push(record));
  return { records, digest };
}

/** How a text is written: plainly, or with what JSON allows beside. `twice` counts keys that came again. */
interface Spelling {
  readonly any: (limit: number) => number;
  /** One place in so many is odd; 0: none. */
  readonly oddOneIn: number;
  readonly repeats: boolean;
  twice: number;
}

function isOdd({ any, oddOneIn }: Spelling): boolean {
  return oddOneIn > 0 && any(oddOneIn) === 0;
}

function blank(spelling: Spelling): string {
  return isOdd(spelling) ? ([' ', '\t', '\r', '  '][spelling.any(4)] ?? '') : '';
}

function text(value: string, spelling: Spelling): string {
  if (!isOdd(spelling)) return JSON.stringify(value);
  const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

function spelt(value: unknown, spelling: Spelling): string {
  const { any } = spelling;
  const around = (json: string) => `${blank(spelling)}${json}${blank(spelling)}`;
  if (typeof value === 'string') return around(text(value, spelling));
  if (typeof value === 'number' && isOdd(spelling)) return around(value.toExponential().replace('+', ''));
  if (typeof value !== 'object' || value === null) return around(JSON.stringify(value));
  if (Array.isArray(value)) return around(`[${value.map((item) => spelt(item, spelling)).join(',')}]`);
  const members = Object.entries(value).flatMap(([key, item]) => {
    const member = () => `${around(text(key, spelling))}:${spelt(item, spelling)}`;
    const again = spelling.repeats && any(8) === 0;
    if (again) spelling.twice += 1;
    return again ? [`${text(key, spelling)}:${any(2) === 0 ? '""' : '1'}`, member()] : [member()];
  });
  return around(`{${members.join(',')}}`);
}

const word = fc.string({
  unit: fc.constantFrom('a', 'é', ':', '"', '\\', '":', '{', ',', ' ', '\u{1f600}', '\u0001'),
  maxLength: 6,
});
const anyRecord: fc.Arbitrary<EnrichedRecord> = fc.oneof(
  fc
    .record({
      name: word,
      title: fc.array(
        fc.oneof(
          word,
          word.map((base64) => ({ base64 })),
        ),
        { maxLength: 3 },
      ),
      more: word,
      aside: word,
    })
    .map(({ name, title, more, aside }): EnrichedRecord => ({
      ...person,
      name,
      attributes: { title, [`x${more}`]: [more] },
      aside: { [`x${more}`]: aside },
    })),
  fc
    .record({ group: word, ids: fc.array(word, { maxLength: 3 }), part: fc.constantFrom(1, 1000, 1_000_000_000) })
    .map(({ group, ids, part }): EnrichedRecord => ({
      kind: 'members',
      group,
      add: ids.map((id) => ({ id, external: true })),
      part,
      parts: 1_000_000_000,
    })),
);

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

  it('is taken however it is spelt, and refused where a key comes twice, however that is spelt', () => {
    const outcomes = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(
        anyRecord,
        fc.integer(),
        fc.constantFrom(0, 3, 30),
        fc.boolean(),
        (record, seed, oddOneIn, repeats) => {
          const spelling: Spelling = { any: seeded(seed), oddOneIn, repeats, twice: 0 };
          const content = Buffer.from(`${spelt(record, spelling)}\n`);
          if (spelling.twice === 0) assert.deepEqual(read(content).records, [record]);
          else assert.throws(() => read(content), { code: 'NOT_AS_AGREED' });
          outcomes[spelling.twice === 0 ? 'taken' : 'refused'] += 1;
        },
      ),
      { numRuns: 5_000 },
    );
    assert.ok(outcomes.taken > 1_000 && outcomes.refused > 1_000, JSON.stringify(outcomes));
  });

  it('is refused with a key twice in a text that is as long as it would be with each once', () => {
    // Of a short spelling of numbers comes the room for a second key: to compare lengths says nothing of records with numbers.
    const members = { kind: 'members', group: 'g', add: [], part: 1_000_000_000, parts: 1_000_000_000 };
    const once = JSON.stringify(members);
    const short = once.replaceAll('1000000000', '1e9');
    const twice = short.replace('"group"', `"group":"${'x'.repeat(once.length - short.length - 11)}","group"`);
    assert.equal(twice.length, once.length);
    assert.equal(JSON.stringify(JSON.parse(twice)), once);
    assert.throws(() => read(Buffer.from(`${twice}\n`)), { code: 'NOT_AS_AGREED' });
    assert.deepEqual(read(Buffer.from(`${short}\n`)).records, [members]);
  });

  it('may be empty', () => {
    assert.deepEqual(read(Buffer.alloc(0)).records, []);
  });
});

const person = people(1)[0] ?? assert.fail();

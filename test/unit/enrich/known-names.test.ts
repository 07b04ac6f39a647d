import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hashFoldedInto } from '../../../engine/enrich/hash.js';
import { KnownNames } from '../../../engine/enrich/known-names.js';

const ID = '0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f';
const OTHER = '11111111-2222-4333-8444-555555555555';

/** Letters of which some have their small one elsewhere, others in another number of bytes; and what stands beside the letters of ASCII. */
const text = fc.string({
  unit: fc.constantFrom(...Array.from('AZaz@[`{09 ,=\\éÉßΣσςŁłKkÅåİi😀\u007f\u0080')),
  maxLength: 60,
});

function hashOf(name: string): string {
  const into = new Uint32Array(2);
  hashFoldedInto(name, into);
  return into.join(' ');
}

describe('names of those who were read', () => {
  it('are found in every spelling, short and long, and others are not', () => {
    fc.assert(
      fc.property(text, text, fc.constantFrom(1, 100), (name, other, times) => {
        const dn = name.repeat(times);
        const names = new KnownNames(1000);
        names.add(dn, ID);
        for (const spelling of [dn, dn.toLowerCase()]) assert.equal(names.get(spelling), ID);
        const upper = dn.toUpperCase();
        assert.equal(names.get(upper), upper.toLowerCase() === dn.toLowerCase() ? ID : null);
        const different = other.repeat(times);
        assert.equal(names.get(different), different.toLowerCase() === dn.toLowerCase() ? ID : null);
        names.add(`${dn}x`, OTHER);
        assert.deepEqual([names.get(dn), names.get(`${dn}X`)], [ID, OTHER]);
      }),
    );
  });

  it('have hashes of which no two are equal, however alike the names are', () => {
    const kinds: ((index: number) => string)[] = [
      (index) => `CN=Person ${String(index)},DC=example,DC=com`,
      (index) => `CN=${String(index).padStart(8, '0')},DC=example`,
      (index) => `CN=A${String(index % 251)},OU=${String(Math.floor(index / 251))},DC=x`,
      (index) => `CN=Zoë ${String(index)},DC=example`,
      (index) => 'a'.repeat(index % 200) + '\0'.repeat(Math.floor(index / 200)),
    ];
    for (const nameOf of kinds) {
      const names = Array.from({ length: 40_000 }, (_, index) => nameOf(index));
      const halves = new Set(names.map((name) => hashOf(name).split(' ')[0]));
      assert.equal(new Set(names.map(hashOf)).size, 40_000);
      // Of 40,000 numbers of 32 bits a fifth of one is there twice.
      assert.ok(halves.size > 39_990, 'each half alone is spread as well');
    }
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { guidToBytes, guidToText, sidToBytes, sidToText } from '../../../engine/model/identifiers.js';

const hex = (text: string) => Buffer.from(text, 'hex');

describe('identifiers', () => {
  // The first is the example of mixed order; the second a well-known class id; zeros and ones at the ends.
  const GUIDS: readonly (readonly [string, string])[] = [
    ['33221100554477668899aabbccddeeff', '00112233-4455-6677-8899-aabbccddeeff'],
    ['ad7a96bfe60dd011a28500aa003049e2', 'bf967aad-0de6-11d0-a285-00aa003049e2'],
    ['00000000000000000000000000000000', '00000000-0000-0000-0000-000000000000'],
    ['ffffffffffffffffffffffffffffffff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ];
  for (const [bytes, text] of GUIDS) {
    it(`GUID ${text}`, () => {
      assert.equal(guidToText(hex(bytes)), text);
      assert.equal(guidToBytes(text)?.toString('hex'), bytes);
      assert.equal(guidToBytes(text.toUpperCase())?.toString('hex'), bytes);
    });
  }

  const SIDS: readonly (readonly [string, string])[] = [
    ['010100000000000512000000', 'S-1-5-18'],
    ['01020000000000052000000020020000', 'S-1-5-32-544'],
    ['010500000000000515000000a065cf7e784b9b5fe77c8770091c0100', 'S-1-5-21-2127521184-1604012920-1887927527-72713'],
    ['010100000000000100000000', 'S-1-1-0'],
    ['0101ffffffffffffffffffff', 'S-1-0xffffffffffff-4294967295'],
    ['0100000000000005', 'S-1-5'],
  ];
  for (const [bytes, text] of SIDS) {
    it(`SID ${text}`, () => {
      assert.equal(sidToText(hex(bytes)), text);
      assert.equal(sidToBytes(text)?.toString('hex'), bytes);
    });
  }

  it('what is none is null', () => {
    for (const bytes of [
      '',
      '01',
      '0101',
      '02010000000000051200',
      '010100000000000512',
      '01100000000000051200000000',
    ]) {
      assert.equal(sidToText(hex(bytes)), null, bytes);
    }
    for (const text of ['', 'S-1', 'S-2-5-18', 'S-1-5-4294967296', 'S-1-5-x', `S-1-5${'-1'.repeat(16)}`]) {
      assert.equal(sidToBytes(text), null, text);
    }
    assert.equal(guidToText(Buffer.alloc(15)), null);
    assert.equal(guidToBytes('{00112233-4455-6677-8899-aabbccddeeff}'), null);
    assert.equal(guidToBytes('00112233445566778899aabbccddeeff'), null);
  });

  it('there and back', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((list) => Buffer.from(list));
    fc.assert(fc.property(bytes, (guid) => guidToBytes(guidToText(guid) ?? '')?.equals(guid) === true));
    const parts = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 15 });
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 2 ** 48 - 1 }), (list, authority) => {
        const sid = Buffer.alloc(8 + 4 * list.length);
        sid[0] = 1;
        sid[1] = list.length;
        sid.writeUIntBE(authority, 2, 6);
        list.forEach((part, index) => sid.writeUInt32LE(part, 8 + 4 * index));
        return sidToBytes(sidToText(sid) ?? '')?.equals(sid) === true;
      }),
    );
  });

  it('reads them where they lie in a larger buffer', () => {
    const around = Buffer.concat([Buffer.alloc(3), hex(GUIDS[0]?.[0] ?? ''), Buffer.alloc(2)]);
    assert.equal(guidToText(around, 3, 19), GUIDS[0]?.[1]);
  });
});

/** Distinguished names, GUIDs and SIDs: spellings that are one name, and golden values. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { dnKey, escapeValue, isWithin, parentKey, parseDn } from '../../support/directory/dn.js';
import { guidBytes, guidText, sidBytes, sidText } from '../../support/directory/ids.js';

describe('names of the simulator', () => {
  for (const [left, right] of [
    ['CN=Ada,DC=test', 'cn=ADA , dc=TEST'],
    ['CN=Smith\\, Bob,DC=test', 'cn=smith\\2c bob,dc=test'],
    ['CN="Smith, Bob",DC=test', 'CN=Smith\\, Bob,DC=test'],
    ['CN=Smith;DC=test', 'CN=Smith,DC=test'],
    ['CN=a+SN=b,DC=test', 'sn=B+cn=A,dc=test'],
    ['CN=\\E5\\B1\\B1,DC=test', 'CN=山,DC=test'],
    ['2.5.4.3=x,DC=test', 'CN=x,DC=test'],
    ['CN=#04024869,DC=test', 'CN=Hi,DC=test'],
    ['CN=x\\ ,DC=test', 'CN=x\\20,DC=test'],
  ] as const) {
    it(`${left} is ${right}`, () => assert.equal(dnKey(left), dnKey(right)));
  }

  for (const [left, right] of [
    ['CN=é,DC=test', 'CN=e\u0301,DC=test'],
    ['CN=x\\ ,DC=test', 'CN=x,DC=test'],
    ['CN=a\\,dc\\=test', 'CN=a,dc=test'],
    ['CN=a%2Cb', 'CN=a\\,b'],
    ['CN=\u00A0x', 'CN=x'],
  ] as const) {
    it(`${left} is not ${right}`, () => assert.notEqual(dnKey(left), dnKey(right)));
  }

  it('takes no half of an escape, no open quote, nothing without a type', () => {
    for (const text of ['CN=a\\', 'CN="a', '=a', 'a', 'CN=a,,DC=test']) assert.equal(dnKey(text), null, text);
  });

  it('finds its way up', () => {
    const key = dnKey('CN=Smith\\, Bob,OU=People,DC=test') ?? '';
    assert.equal(parentKey(key), dnKey('OU=People,DC=test'));
    assert.ok(isWithin(key, dnKey('dc=TEST') ?? '-'));
    assert.ok(!isWithin(key, dnKey('OU=eople,DC=test') ?? '-'));
  });

  it('reads again any value that it escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        assert.deepEqual(parseDn(`CN=${escapeValue(value)},DC=test`)?.[0], [{ type: 'CN', value }]);
      }),
      { numRuns: 1000, examples: [[' '], ['  '], ['\\'], ['#']] },
    );
  });

  it('prints GUIDs and SIDs as Windows does', () => {
    // From a domain controller: bytes of an objectGUID and of an objectSid, and how it prints them in an extended name.
    const guid = Buffer.from('449abee3c1c0f848b50a1b6d0aca2de0', 'hex');
    assert.equal(guidText(guid), 'e3be9a44-c0c1-48f8-b50a-1b6d0aca2de0');
    assert.deepEqual(guidBytes('e3be9a44-c0c1-48f8-b50a-1b6d0aca2de0'), guid);
    const sid = Buffer.from('010500000000000515000000b48ed055986349df206b1786f4010000', 'hex');
    assert.equal(sidText(sid), 'S-1-5-21-1439731380-3746128792-2249681696-500');
    assert.deepEqual(sidBytes('S-1-5-21-1439731380-3746128792-2249681696-500'), sid);
  });
});

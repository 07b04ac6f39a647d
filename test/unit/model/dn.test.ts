import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dnKey, escapeRdnValue, firstRdnValue, parseDn } from '../../../engine/model/dn.js';

const values = (dn: string) => parseDn(dn)?.map((parts) => parts.map(({ type, value }) => `${type}=${value}`));

describe('distinguished names', () => {
  const PARSED: readonly (readonly [string, string[][]])[] = [
    ['', []],
    ['CN=Ada,DC=example,DC=test', [['CN=Ada'], ['DC=example'], ['DC=test']]],
    ['CN=Smith\\, John,OU=a', [['CN=Smith, John'], ['OU=a']]],
    ['cn = Ada , ou = b c ', [['cn=Ada'], ['ou=b c']]],
    ['CN=a+UID=b,OU=c', [['CN=a', 'UID=b'], ['OU=c']]],
    ['CN=\\ two spaces\\ ', [['CN= two spaces ']]],
    ['CN=\\#1,OU=x', [['CN=#1'], ['OU=x']]],
    ['CN=#04024869,OU=x', [['CN=#04024869'], ['OU=x']]],
    ['CN=J\\C3\\BCrgen', [['CN=Jürgen']]],
    ['CN=a\\0ACNF:7d9c', [['CN=a\nCNF:7d9c']]],
    ['CN="a, b",OU=x', [['CN=a, b'], ['OU=x']]],
    ['CN=a\\\\b\\"c\\<d\\>e\\;f\\=g\\+h', [['CN=a\\b"c<d>e;f=g+h']]],
    ['2.5.4.3=x,oid.2.5.4.11=y', [['2.5.4.3=x'], ['oid.2.5.4.11=y']]],
    ['CN=,OU=x', [['CN='], ['OU=x']]],
    ['CN=a;OU=b', [['CN=a'], ['OU=b']]],
  ];
  for (const [dn, expected] of PARSED) {
    it(`parses ${JSON.stringify(dn)}`, () => assert.deepEqual(values(dn), expected));
  }

  for (const dn of [
    'Ada',
    'CN',
    'CN=a,',
    ',CN=a',
    'CN=a\\',
    'CN=a\\zz',
    'CN=a"b',
    'CN=<a',
    'CN="a',
    'CN=\\ff',
    '=a',
    'CN=a+,OU=b',
  ]) {
    it(`${JSON.stringify(dn)} is no name`, () => assert.equal(parseDn(dn), null));
  }

  it('one key for every spelling', () => {
    const same = ['CN=Müller\\, A,OU=X', 'cn=müller\\2C a, ou=x', 'Cn=m\\C3\\BCller\\2c A;OU="X"'];
    assert.equal(new Set(same.map(dnKey)).size, 1);
    assert.equal(dnKey('CN=a+UID=b'), dnKey('uid=B+cn=A'));
    assert.equal(dnKey('OID.2.5.4.3=x'), dnKey('2.5.4.3=X'));
  });

  it('one key for a name with and without spaces around its parts, whatever it holds', () => {
    const char = fc.constantFrom(...'aZ0 .#Σİßü=+"<>;-\t\u0001\u007f😀'.split(/(?:)/u));
    const part = fc.tuple(fc.constantFrom('CN', 'ou', 'X-1'), fc.array(char, { minLength: 1, maxLength: 6 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const dn = parts.map(([type, value]) => `${type}=${value.join('')}`).join(',');
        const names = parseDn(dn);
        if (names?.length !== parts.length) return;
        assert.equal(dnKey(dn), dnKey(` ${dn.replaceAll(',', ' , ')}`));
      }),
      { numRuns: 5_000 },
    );
  });

  it('different names have different keys', () => {
    const different = [
      'CN=a,OU=b',
      'CN=a\\,OU\\=b',
      'CN=a+OU=b',
      'CN=\\#04,OU=b',
      'CN=#04,OU=b',
      'CN=a\\ ,OU=b',
      'CN=a  b',
      'CN=a b',
    ];
    assert.equal(new Set(different.map(dnKey)).size, different.length);
  });

  it('NFC and NFD twins stay two', () => {
    assert.notEqual(dnKey(`CN=${'ü'.normalize('NFC')}`), dnKey(`CN=${'ü'.normalize('NFD')}`));
  });

  it('first value of a name', () => {
    assert.equal(firstRdnValue('CN=Smith\\, John,OU=a'), 'Smith, John');
    assert.equal(firstRdnValue(''), null);
    assert.equal(firstRdnValue('nonsense'), null);
  });

  it('a value that was escaped comes back, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }), (texts) => {
        const dn = texts.map((text) => `CN=${escapeRdnValue(text)}`).join(',');
        assert.deepEqual(
          parseDn(dn)?.map((parts) => parts[0]?.value),
          texts,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('a name written anew from its parts has the same key', () => {
    const part = fc.tuple(fc.constantFrom('CN', 'ou', '2.5.4.3'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const dn = parts.map(([type, value]) => `${type}=${escapeRdnValue(value)}`).join(' , ');
        const again = (parseDn(dn) ?? [])
          .map(([one]) => `${one?.type ?? ''}=${escapeRdnValue(one?.value ?? '')}`)
          .join(',');
        assert.equal(dnKey(again), dnKey(dn));
      }),
      { numRuns: 1_000 },
    );
  });

  it('any text is a name or none, and always has a key', () => {
    const text = fc.array(
      fc.constantFrom('CN', '=', ',', '+', '\\', '"', '#', '04', 'a', ' ', ';', '<', 'ü', '\0', '\\20'),
    );
    fc.assert(
      fc.property(text, (parts) => assert.equal(typeof dnKey(parts.join('')), 'string')),
      { numRuns: 2_000 },
    );
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addressesOf, normalAddress } from '../../../engine/enrich/addresses.js';
import { byName } from '../../../engine/enrich/attributes.js';
import type { Attributes } from '../../../engine/model/records.js';

const of = (attributes: Attributes) => addressesOf(byName(attributes));

describe('addresses: which is primary', () => {
  it('the one SMTP: is, and smtp: and a different mail are aliases', () => {
    const read = of({
      proxyAddresses: ['smtp:b@x.example', 'SMTP:a@x.example', 'smtp:c@x.example'],
      mail: ['m@x.example'],
    });
    assert.deepEqual(read, { primary: 'a@x.example', aliases: ['b@x.example', 'c@x.example', 'm@x.example'] });
  });

  it('without SMTP: mail is', () => {
    assert.deepEqual(of({ proxyAddresses: ['smtp:a@x.example'], mail: ['m@x.example'] }), {
      primary: 'm@x.example',
      aliases: ['a@x.example'],
    });
  });

  it('without SMTP: and mail the first smtp: of the alphabet is, in whatever order they come', () => {
    const expected = { primary: 'a@x.example', aliases: ['b@x.example'] };
    assert.deepEqual(of({ proxyAddresses: ['smtp:b@x.example', 'smtp:a@x.example'] }), expected);
    assert.deepEqual(of({ proxyAddresses: ['smtp:a@x.example', 'smtp:b@x.example'] }), expected);
  });

  it('of several SMTP: the one that equals mail is, and the others stay as aliases', () => {
    assert.deepEqual(of({ proxyAddresses: ['SMTP:a@x.example', 'SMTP:m@x.example'], mail: ['M@X.example'] }), {
      primary: 'm@x.example',
      aliases: ['a@x.example'],
    });
  });

  it('of several SMTP: none of which equals mail, the first of the alphabet is', () => {
    assert.deepEqual(of({ proxyAddresses: ['SMTP:b@x.example', 'SMTP:a@x.example'], mail: ['m@x.example'] }), {
      primary: 'a@x.example',
      aliases: ['b@x.example', 'm@x.example'],
    });
  });

  it('an SMTP: that is no address leaves the place to mail', () => {
    assert.deepEqual(of({ proxyAddresses: ['SMTP:nobody'], mail: ['m@x.example'] }), {
      primary: 'm@x.example',
      aliases: [],
    });
  });

  it('with no valid address at all there is none', () => {
    assert.deepEqual(of({ proxyAddresses: ['X500:/o=x/cn=a@b', 'SIP:a@x.example'], mail: ['  '] }), {
      primary: null,
      aliases: [],
    });
    assert.deepEqual(of({}), { primary: null, aliases: [] });
  });

  it('several values of mail (other directories): the first of the alphabet, the rest are aliases', () => {
    assert.deepEqual(of({ mail: ['z@x.example', 'a@x.example'] }), {
      primary: 'a@x.example',
      aliases: ['z@x.example'],
    });
  });
});

describe('addresses: what counts as one', () => {
  it('other systems are ignored: X400, X500, SIP, EUM, and values without a mark', () => {
    const proxyAddresses = [
      'X400:c=US;a= ;p=x',
      'X500:/o=x',
      'x500:/o=y',
      'SIP:a@x.example',
      'EUM:1@x.example',
      'b@x.example',
    ];
    assert.deepEqual(of({ proxyAddresses, mail: ['m@x.example'] }), { primary: 'm@x.example', aliases: [] });
  });

  it('an unusual spelling of the mark makes an alias, not a primary', () => {
    assert.deepEqual(of({ proxyAddresses: ['Smtp:a@x.example', 'SMTP:b@x.example'] }), {
      primary: 'b@x.example',
      aliases: ['a@x.example'],
    });
  });

  it('surrounding blanks go, upper case goes, duplicates go', () => {
    const proxyAddresses = [' SMTP: Anna@X.Example ', 'smtp:ANNA@x.example', 'smtp:b@x.example', 'smtp:B@x.example'];
    assert.deepEqual(of({ proxyAddresses, mail: ['anna@x.EXAMPLE'] }), {
      primary: 'anna@x.example',
      aliases: ['b@x.example'],
    });
  });

  it('binary values and other cases of the attribute name do no harm', () => {
    assert.deepEqual(of({ PROXYADDRESSES: [{ base64: '/w==' }, 'SMTP:a@x.example'], Mail: [{ base64: '' }] }), {
      primary: 'a@x.example',
      aliases: [],
    });
  });

  for (const text of [
    '',
    '@',
    'a',
    'a@',
    '@x',
    'a@@x',
    'a@b@x',
    'a b@x',
    'a@x y',
    'a\n@x',
    'a@x\u0000',
    'a\u200a@x',
    '\ud800@x',
  ]) {
    it(`${JSON.stringify(text)} is no address`, () => assert.equal(normalAddress(text), null));
  }

  it('320 characters are the most', () => {
    assert.equal(normalAddress(`${'a'.repeat(64)}@${'b'.repeat(255)}`)?.length, 320);
    assert.equal(normalAddress(`${'a'.repeat(64)}@${'b'.repeat(256)}`), null);
  });

  it('internationalised domains and local parts stay as they are, but for the case', () => {
    assert.equal(normalAddress('Jörg@Bücher.Example'), 'jörg@bücher.example');
    assert.equal(normalAddress('用户@例え.テスト'), '用户@例え.テスト');
    assert.equal(normalAddress('a@xn--bcher-kva.example'), 'a@xn--bcher-kva.example');
    const composed = 'jo\u0308rg@x.example';
    assert.equal(normalAddress(composed), composed);
  });

  it('the result never depends on the order of values, and the primary is never an alias too', () => {
    const value = fc.tuple(
      fc.constantFrom('SMTP:', 'smtp:', 'X500:', ''),
      fc.constantFrom('a@x', 'B@x', 'b@x', 'nobody', ' c@x'),
    );
    fc.assert(
      fc.property(fc.array(value), fc.option(fc.constantFrom('b@x', 'q@x')), (values, mail) => {
        const proxyAddresses = values.map((pair) => pair.join(''));
        const rest = mail === null ? {} : { mail: [mail] };
        const forward = of({ proxyAddresses, ...rest });
        assert.deepEqual(of({ proxyAddresses: [...proxyAddresses].reverse(), ...rest }), forward);
        assert.ok(forward.primary === null ? forward.aliases.length === 0 : !forward.aliases.includes(forward.primary));
      }),
    );
  });
});

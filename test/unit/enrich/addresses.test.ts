import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addressesOf, normalAddress, otherAddressesOf } from '../../../engine/enrich/addresses.js';
import { byName } from '../../../engine/enrich/attributes.js';
import { enrichRecord } from '../../../engine/enrich/enrich.js';
import type { Attributes, DirectoryObject } from '../../../engine/model/records.js';

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

  it('an internationalised domain is written in ASCII, a local part composed: each spelling is one address', () => {
    assert.equal(normalAddress('Jörg@Bücher.Example'), 'jörg@xn--bcher-kva.example');
    assert.equal(normalAddress('a@XN--BCHER-KVA.example'), 'a@xn--bcher-kva.example');
    assert.equal(normalAddress('用户@例え.テスト'), '用户@xn--r8jz45g.xn--zckzah');
    assert.equal(normalAddress('jo\u0308rg@x.example'), 'jörg@x.example');
    assert.equal(normalAddress('a@xn--\u00fc.example'), null, 'a domain that is none');
    assert.deepEqual(of({ mail: ['a@bücher.example'], proxyAddresses: ['smtp:A@xn--bcher-kva.example'] }), {
      primary: 'a@xn--bcher-kva.example',
      aliases: [],
    });
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

describe('addresses: further sources', () => {
  it('the shadow copy gives aliases, and a primary only where nothing else does', () => {
    const msExchShadowProxyAddresses = ['SMTP:cloud@x.example', 'smtp:old@x.example', 'X500:/o=x'];
    assert.deepEqual(of({ proxyAddresses: ['smtp:a@x.example'], msExchShadowProxyAddresses }), {
      primary: 'a@x.example',
      aliases: ['cloud@x.example', 'old@x.example'],
    });
    assert.deepEqual(of({ msExchShadowProxyAddresses }), { primary: 'cloud@x.example', aliases: ['old@x.example'] });
  });

  it('targetAddress is an address of contacts, and of nobody else', () => {
    const attributes = byName({ targetAddress: ['SMTP:out@other.example'], proxyAddresses: ['smtp:in@x.example'] });
    assert.deepEqual(addressesOf(attributes, 'contact'), { primary: 'in@x.example', aliases: ['out@other.example'] });
    assert.deepEqual(addressesOf(attributes, 'user'), { primary: 'in@x.example', aliases: [] });
    const only = byName({ targetAddress: ['out@other.example'] });
    assert.deepEqual(addressesOf(only, 'contact'), { primary: 'out@other.example', aliases: [] });
    assert.equal(addressesOf(byName({ targetAddress: ['X400:c=us'] }), 'contact').primary, null);
  });

  it('addresses of other systems are kept on request, as they are written', () => {
    const attributes = {
      proxyAddresses: ['SIP:A@x.example', 'SMTP:a@x.example', 'X500:/o=B', 'X500:/o=B', 'eum:1;p=x'],
    };
    assert.deepEqual(otherAddressesOf(byName(attributes)), ['SIP:A@x.example', 'X500:/o=B', 'eum:1;p=x']);
    const user: DirectoryObject = { kind: 'user', id: 'i', dn: 'CN=a', attributes };
    const [kept] = enrichRecord(user, { membersPerRecord: 1, otherAddresses: true });
    const [left] = enrichRecord(user, { membersPerRecord: 1 });
    assert.ok(kept?.kind === 'user' && left?.kind === 'user');
    assert.deepEqual(kept.attributes['otherAddresses'], ['SIP:A@x.example', 'X500:/o=B', 'eum:1;p=x']);
    assert.deepEqual(left.attributes, {});
  });

  it('aliases outside of the account’s domains are kept apart; the primary address and contacts stay', () => {
    const attributes = {
      proxyAddresses: ['SMTP:a@Far.example', 'smtp:a@own.example', 'smtp:a@bücher.example', 'smtp:a@sub.own.example'],
    };
    const settings = { membersPerRecord: 1, domains: ['Own.example', 'bücher.example'] };
    const [user] = enrichRecord({ kind: 'user', id: 'i', dn: 'CN=a', attributes }, settings);
    assert.ok(user?.kind === 'user');
    assert.deepEqual(
      [user.primary, user.aliases, user.outside],
      ['a@far.example', ['a@own.example', 'a@xn--bcher-kva.example'], ['a@sub.own.example']],
    );
    const [contact] = enrichRecord({ kind: 'contact', id: 'i', dn: 'CN=a', attributes }, settings);
    assert.ok(contact?.kind === 'contact' && contact.outside === undefined && contact.aliases.length === 3);
  });
});

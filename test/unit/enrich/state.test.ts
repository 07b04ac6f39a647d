import assert from 'node:assert/strict';
import { byName } from '../../../engine/enrich/attributes.js';
import { scopeAndType } from '../../../engine/enrich/groups.js';
import { nameOf } from '../../../engine/enrich/names.js';
import { enabledOf } from '../../../engine/enrich/state.js';
import type { Attributes } from '../../../engine/model/records.js';

const enabled = (attributes: Attributes) => enabledOf(byName(attributes));

describe('state', () => {
  it('bit 2 of userAccountControl disables', () => {
    assert.equal(enabled({ userAccountControl: ['512'] }), true);
    assert.equal(enabled({ userAccountControl: ['514'] }), false);
    assert.equal(enabled({ userAccountControl: ['66050'] }), false);
  });

  it('without the attribute an account is enabled; with one that is no integer nobody knows', () => {
    assert.equal(enabled({}), true);
    assert.equal(enabled({ userAccountControl: [] }), true);
    assert.equal(enabled({ userAccountControl: ['disabled'] }), null);
    assert.equal(enabled({ userAccountControl: [{ base64: 'AAI=' }] }), null);
  });

  for (const type of ['2', '4', '16', '32', '34359738368', '137438953472', '2199023255552']) {
    it(`recipient type ${type} is disabled by nature, so it counts as enabled`, () => {
      assert.equal(enabled({ userAccountControl: ['514'], msExchRecipientTypeDetails: [type] }), true);
    });
  }

  it('an ordinary mailbox whose account is disabled is disabled', () => {
    assert.equal(enabled({ userAccountControl: ['514'], msExchRecipientTypeDetails: ['1'] }), false);
  });
});

describe('scope and type of a group', () => {
  const cases: [string, ReturnType<typeof scopeAndType>][] = [
    ['-2147483646', { scope: 'global', type: 'security' }],
    ['-2147483644', { scope: 'domain-local', type: 'security' }],
    ['-2147483643', { scope: 'domain-local', type: 'security' }], // built-in: bit 1 as well
    ['-2147483640', { scope: 'universal', type: 'security' }],
    ['8', { scope: 'universal', type: 'distribution' }],
    ['2', { scope: 'global', type: 'distribution' }],
    ['2147483650', { scope: 'global', type: 'security' }], // unsigned, as some exports write it
    ['?', { scope: null, type: 'distribution' }],
  ];
  for (const [groupType, expected] of cases) {
    it(`groupType ${groupType}`, () => assert.deepEqual(scopeAndType(byName({ groupType: [groupType] })), expected));
  }
});

describe('names', () => {
  it('displayName, else cn, else the first value of the distinguished name', () => {
    assert.equal(nameOf(byName({ displayName: [' Anna A. '], cn: ['anna'] }), 'CN=x'), 'Anna A.');
    assert.equal(nameOf(byName({ displayName: ['  '], cn: ['anna'] }), 'CN=x'), 'anna');
    assert.equal(nameOf(byName({}), 'CN=x,DC=example'), 'x');
    assert.equal(nameOf(byName({}), ''), null);
  });

  const cases: [string, string | null][] = [
    ['CN=Meyer\\, Anna,OU=x', 'Meyer, Anna'],
    ['CN=a\\0ACNF:8c2,OU=x', 'a\nCNF:8c2'],
    ['CN=\\ ,OU=x', null],
    ['CN=,OU=x', null],
    ['nothing', null],
  ];
  for (const [dn, expected] of cases) {
    it(`${dn} → ${JSON.stringify(expected)}`, () => assert.equal(nameOf(byName({}), dn), expected));
  }
});

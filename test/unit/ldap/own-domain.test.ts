import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ownDomain } from '../../../engine/ldap/own-domain.js';

const NOTHING = { userDnsDomain: '', hostname: 'dc1', resolver: '' };

describe('the domain of this computer', () => {
  const cases: [string, Partial<typeof NOTHING>, string | null][] = [
    ['of a Windows service', { userDnsDomain: 'CORP.EXAMPLE.COM', hostname: 'dc1.other.test' }, 'corp.example.com'],
    ['of the host name', { hostname: 'sync1.corp.example.com' }, 'corp.example.com'],
    ['of the resolver, by domain', { resolver: 'nameserver 192.0.2.1\ndomain example.test\n' }, 'example.test'],
    ['of the resolver, the first to search', { resolver: '# search a.test\nsearch b.test. c.test\n' }, 'b.test'],
    ['not told', {}, null],
    ['a single label is none', { hostname: 'host.localdomain', resolver: 'search local' }, null],
    ['an address is none', { hostname: '' }, null],
  ];
  for (const [what, told, expected] of cases) {
    it(what, () => assert.equal(ownDomain({ ...NOTHING, ...told }), expected));
  }

  it('is asked of the computer where nothing is told, and is a name or nothing', () => {
    const domain = ownDomain();
    assert.ok(domain === null || domain.includes('.'));
  });
});

/** The sample company holds every oddity that the first sync must survive, so that nobody edits one away unnoticed. */
import assert from 'node:assert/strict';
import { companyEntries } from '../../support/company.js';
import { type LdifEntry, valuesOf } from '../../support/ldif.js';
import { foundObjects } from '../../support/oracle/objects.js';

describe('the sample company', () => {
  const entries = companyEntries();
  const ofClass = (name: string) => entries.filter((entry) => valuesOf(entry, 'objectClass').includes(name));
  const people = ofClass('user');
  const groups = ofClass('group');
  const has = (entry: LdifEntry, name: string) => valuesOf(entry, name).length > 0;
  const proxies = (entry: LdifEntry, mark: RegExp) =>
    valuesOf(entry, 'proxyAddresses').filter((one) => mark.test(String(one)));

  it('has about 300 people, each with a login name of its own', () => {
    assert.ok(people.length >= 280 && people.length <= 320, String(people.length));
    const logins = [...people, ...groups].map((entry) => String(valuesOf(entry, 'sAMAccountName')[0]).toLowerCase());
    assert.equal(new Set(logins).size, logins.length);
  });

  it('brings no id, which the server gives', () => {
    assert.deepEqual(
      entries.filter((entry) => has(entry, 'objectGUID') || has(entry, 'objectSid')),
      [],
    );
  });

  it('has people with every form of address', () => {
    const forms = {
      'several aliases': people.filter((one) => proxies(one, /^smtp:/).length > 2),
      'only proxyAddresses': people.filter((one) => !has(one, 'mail') && proxies(one, /^SMTP:/).length > 0),
      'only mail': people.filter((one) => has(one, 'mail') && !has(one, 'proxyAddresses')),
      'no address': people.filter((one) => !has(one, 'mail') && !has(one, 'proxyAddresses')),
      'mail is not SMTP:': people.filter((one) => {
        const mail = String(valuesOf(one, 'mail')[0]).toLowerCase();
        return (
          has(one, 'mail') &&
          proxies(one, /^SMTP:/).length > 0 &&
          !proxies(one, /^SMTP:/).some((two) => String(two).slice(5).toLowerCase() === mail)
        );
      }),
      'other systems': people.filter((one) => proxies(one, /^(SIP|X400|X500):/).length > 2),
      'capital letters': people.filter((one) => /[A-Z]/.test(String(valuesOf(one, 'mail')[0] ?? ''))),
      'other domains': people.filter((one) =>
        /@(?!example\.(?:com|org)$)/.test(String(valuesOf(one, 'mail')[0] ?? '')),
      ),
      disabled: people.filter((one) => valuesOf(one, 'userAccountControl')[0] === '514'),
      'disabled, no expiry': people.filter((one) => valuesOf(one, 'userAccountControl')[0] === '66050'),
      'shared mailbox': people.filter((one) => valuesOf(one, 'msExchRecipientTypeDetails')[0] === '4'),
      room: people.filter((one) => valuesOf(one, 'msExchRecipientTypeDetails')[0] === '16'),
    };
    for (const [form, found] of Object.entries(forms)) assert.notEqual(found.length, 0, form);
  });

  it('has names in many scripts, in NFC, with commas and quotation marks', () => {
    const names = entries.map((entry) => String(valuesOf(entry, 'cn')[0] ?? valuesOf(entry, 'ou')[0]));
    for (const script of ['Greek', 'Cyrillic', 'Arabic', 'Hebrew', 'Han', 'Hangul', 'Thai', 'Devanagari']) {
      assert.ok(
        names.some((name) => new RegExp(`\\p{Script=${script}}`, 'u').test(name)),
        script,
      );
    }
    for (const character of [',', '"', '+', '#', '/', '\\', '=', ';', '<']) {
      assert.ok(
        names.some((name) => name.includes(character)),
        character,
      );
    }
    assert.ok(names.some((name) => name.startsWith(' ')));
    assert.deepEqual(
      names.filter((name) => name !== name.normalize('NFC')),
      [],
    );
  });

  it('has groups of every scope and type, dynamic lists and contacts', () => {
    const types = new Set(groups.map((entry) => String(valuesOf(entry, 'groupType')[0])));
    for (const type of ['2', '8', '-2147483646', '-2147483644', '-2147483640']) assert.ok(types.has(type), type);
    assert.ok(ofClass('msExchDynamicDistributionList').length > 1);
    assert.ok(ofClass('contact').length > 10);
  });

  it('has groups that are empty, without mail, three deep, and in a cycle', () => {
    const members = new Map(foundObjects(entries, true).map((one) => [one.name, one]));
    const named = (name: string) => members.get(name)?.members.map((key) => key.replace(/^cn=([^,]*),.*$/, '$1')) ?? [];
    assert.deepEqual(named('Empty'), []);
    assert.ok(named('Nested, all levels').includes('nested level 2'));
    assert.ok(named('Nested level 2').includes('nested level 3'));
    assert.deepEqual([named('Cycle A'), named('Cycle B'), named('Cycle C')[0]], [['cycle b'], ['cycle c'], 'cycle a']);
  });
});

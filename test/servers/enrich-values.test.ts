/** Addresses, states and values with every switch on, as docs/messages.md has them: from Samba, and the same from the simulator. */
import assert from 'node:assert/strict';
import type { EnrichSettings } from '../../engine/enrich/settings.js';
import type { Contact, User } from '../../engine/model/records.js';
import { startSimulator } from '../support/company.js';
import { type EnrichedRun, enrichedRun } from '../support/enriched.js';
import type { LdifEntry } from '../support/ldif.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { settingsFor } from '../support/whole-sync.js';

const BASE = 'DC=example,DC=test';
const UNIT = `OU=Values,${BASE}`;
const ENABLED = '544';
const DISABLED = '546';
const NEVER = '9223372036854775807';
/** 1 January 2020 and 1 January 2030 as FILETIMEs; runs of these tests started in June 2026. */
const PAST = '132223104000000000';
const FUTURE = '135379296000000000';
const MASTER = 'S-1-5-21-7-7-7-1001';
const PHOTO = Buffer.from('ffd8ffe000104a46', 'hex');
const LARGE_PHOTO = Buffer.concat([PHOTO, Buffer.alloc(200, 1)]);

const ADDITIONAL = ['manager', 'accountExpires', 'thumbnailPhoto', 'title', 'msDS-User-Account-Control-Computed'];
const SETTINGS: EnrichSettings = {
  membersPerRecord: 10,
  primaryGroups: true,
  dynamicLists: true,
  domains: ['example.com', 'bücher.example'],
  otherAddresses: true,
  accountExpires: true,
  managers: true,
  readable: true,
  photo: { as: 'bytes', mostBytes: 100 },
  findings: true,
};

type Attributes = LdifEntry['attributes'];
const entry = (name: string, objectClass: string, attributes: Attributes): LdifEntry => ({
  dn: `CN=${name},${UNIT}`,
  attributes: { objectClass: [objectClass], cn: [name], ...attributes },
});
const person = (name: string, attributes: Attributes): LdifEntry =>
  entry(name, 'user', { sAMAccountName: [name], userAccountControl: [ENABLED], ...attributes });

const ENTRIES: readonly LdifEntry[] = [
  { dn: UNIT, attributes: { objectClass: ['organizationalUnit'], ou: ['Values'] } },
  person('nobody', { proxyAddresses: ['X400:c=de;a= ;p=Example'] }),
  person('ada', {
    mail: ['Ada.Other@Example.com'],
    proxyAddresses: [
      'SMTP:Ada@Example.COM',
      'smtp:ada@partner.example',
      'smtp:ÄDA@BÜCHER.example',
      'X500:/o=Example/cn=ada',
      'sip:ada@example.com',
      'EUM:4711;phone-context=x',
    ],
    title: ['Analyst'],
    thumbnailPhoto: [PHOTO],
    accountExpires: [NEVER],
  }),
  person('several', {
    mail: ['second@example.com'],
    proxyAddresses: ['SMTP:first@example.com', 'SMTP:second@example.com'],
    manager: [`CN=ada,${UNIT}`],
    accountExpires: [FUTURE],
  }),
  person('expired', { mail: ['expired@example.com'], accountExpires: [PAST], manager: [`CN=nobody,${UNIT}`] }),
  person('off', { mail: ['off@example.com'], userAccountControl: [DISABLED], thumbnailPhoto: [LARGE_PHOTO] }),
  person('room', { mail: ['room@example.com'], userAccountControl: [DISABLED], msExchRecipientTypeDetails: ['16'] }),
  person('linked', {
    mail: ['linked@example.com'],
    userAccountControl: [DISABLED],
    msExchRecipientTypeDetails: ['2'],
    msExchMasterAccountSid: [MASTER],
  }),
  person('shadow', {
    msExchShadowProxyAddresses: ['SMTP:shadow@example.com', 'smtp:s@example.com'],
    mail: ['no address'],
  }),
  entry('partner', 'contact', {
    targetAddress: ['SMTP:Pat@Partner.example'],
    proxyAddresses: ['smtp:p@partner.example'],
  }),
];

/** What the record of each must say; attributes that are not named are not looked at. */
const EXPECTED: Readonly<Record<string, Partial<User | Contact>>> = {
  ada: {
    primary: 'ada@example.com',
    aliases: ['ada.other@example.com', 'äda@xn--bcher-kva.example'],
    outside: ['ada@partner.example'],
    enabled: true,
    attributes: {
      title: ['Analyst'],
      thumbnailPhoto: [{ base64: PHOTO.toString('base64') }],
      accountExpires: ['never'],
      otherAddresses: ['EUM:4711;phone-context=x', 'X500:/o=Example/cn=ada', 'sip:ada@example.com'],
    },
  },
  several: {
    primary: 'second@example.com',
    aliases: ['first@example.com'],
    enabled: true,
    attributes: { manager: ['ada@example.com'], accountExpires: ['2030-01-01T00:00:00.000Z'] },
  },
  expired: {
    primary: 'expired@example.com',
    enabled: false,
    attributes: { manager: [], accountExpires: ['2020-01-01T00:00:00.000Z'] },
    aside: { manager: 'The manager has no mail address, or cannot be seen.' },
  },
  off: {
    primary: 'off@example.com',
    enabled: false,
    attributes: { thumbnailPhoto: [] },
    aside: { thumbnailPhoto: 'The photo is larger than the limit.' },
  },
  room: { primary: 'room@example.com', enabled: true },
  linked: { primary: 'linked@example.com', enabled: true, masterSid: MASTER, linked: true },
  shadow: { primary: 'shadow@example.com', aliases: ['s@example.com'], enabled: true },
  nobody: { primary: null, aliases: [], attributes: { otherAddresses: ['X400:c=de;a= ;p=Example'] } },
  partner: { kind: 'contact', primary: 'p@partner.example', aliases: ['pat@partner.example'], enabled: true },
};
const FINDINGS = ['ada PRIMARY_NOT_MAIL', 'off VALUE_SET_ASIDE', 'several SEVERAL_PRIMARIES', 'shadow INVALID_ADDRESS'];

for (const [server, start] of Object.entries({ Samba: startSamba, 'the simulator': startSimulator })) {
  describe(`values from ${server}`, function () {
    this.timeout(120_000);
    let directory: TestDirectory;
    let run: EnrichedRun;
    before(async () => {
      directory = await start(ENTRIES);
      const filter = '(|(objectClass=user)(objectClass=contact)(objectClass=group))';
      const reading = { ...settingsFor(directory), pageSize: 100 };
      run = await enrichedRun(reading, SETTINGS, { attributes: ADDITIONAL, filter });
    });
    after(() => directory.stop());
    const nameOf = (dn: string) => /^CN=([a-z]+),OU=Values,/i.exec(dn)?.[1] ?? null;

    it('each record is as the rules have it', () => {
      assert.deepEqual([run.seal.complete, run.incomplete], [true, []]);
      for (const [name, expected] of Object.entries(EXPECTED)) {
        const found = run.records.find((one) => one.kind !== 'members' && nameOf(one.dn) === name);
        assert.ok(found?.kind === 'user' || found?.kind === 'contact', name);
        const { attributes, ...fields } = expected;
        for (const [field, value] of Object.entries(fields)) {
          assert.deepEqual(Object.entries(found).find(([key]) => key === field)?.[1], value, `${name}: ${field}`);
        }
        for (const [attribute, values] of Object.entries(attributes ?? {})) {
          assert.deepEqual(found.attributes[attribute], values, `${name}: ${attribute}`);
        }
        if (expected.aside === undefined) assert.equal(found.aside, undefined, name);
      }
    });

    it('what is wrong is found, and nothing else', () => {
      const own = run.found.flatMap(({ code, dn }) => (nameOf(dn) === null ? [] : [`${nameOf(dn) ?? ''} ${code}`]));
      assert.deepEqual(own.sort(), FINDINGS);
    });

    it('everybody is in Domain Users', () => {
      const group = run.records.find((one) => one.kind === 'group' && one.dn.startsWith('CN=Domain Users,'));
      assert.ok(group?.kind === 'group');
      const inside = new Set(
        run.records.flatMap((one) =>
          one.kind === 'members' && one.group === group.id ? one.add.map(({ id }) => id) : [],
        ),
      );
      const people = run.records.flatMap((one) => (one.kind === 'user' && nameOf(one.dn) !== null ? [one.id] : []));
      assert.equal(people.length, 8);
      assert.ok(people.every((id) => inside.has(id)));
    });

    it('the computed state is given as it is where it is asked for, and disables nobody', () => {
      const values = run.records.flatMap((one) =>
        one.kind === 'user' && nameOf(one.dn) !== null
          ? [one.attributes['msDS-User-Account-Control-Computed']?.[0]]
          : [],
      );
      assert.equal(values.length, 8);
      assert.ok(values.every((value) => typeof value === 'string' && /^\d+$/.test(value)));
    });
  });
}

/** What a run through enrich does beyond single records: look-ups, primary groups, depth, dynamic lists, managers, findings. */
import assert from 'node:assert/strict';
import { enrichRecord } from '../../../engine/enrich/enrich.js';
import { Enrichment } from '../../../engine/enrich/enrichment.js';
import { Lookup } from '../../../engine/enrich/lookup.js';
import { Nesting } from '../../../engine/enrich/nested.js';
import { MemberResolver } from '../../../engine/enrich/resolve.js';
import { type EnrichSettings, attributesMissing } from '../../../engine/enrich/settings.js';
import { fileTime, generalizedTime, valuesFor } from '../../../engine/enrich/values.js';
import type { DirectoryObject, EnrichedRecord, Members } from '../../../engine/model/records.js';
import type { Finding } from '../../../engine/model/run.js';
import { type LdifEntry, type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { enrichedRun, membersByName } from '../../support/enriched.js';
import { settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const USER = `CN=Reader,CN=Users,${BASE}`;
const plain: EnrichSettings = { membersPerRecord: 2 };
const person = (name: string, attributes: LdifEntry['attributes'] = {}): LdifEntry => ({
  dn: `CN=${name},${BASE}`,
  attributes: { objectClass: ['user'], cn: [name], mail: [`${name}@example.com`], ...attributes },
});
const group = (name: string, member: string[], attributes: LdifEntry['attributes'] = {}): LdifEntry => ({
  dn: `CN=${name},${BASE}`,
  attributes: { objectClass: ['group'], cn: [name], member: member.map((one) => `CN=${one},${BASE}`), ...attributes },
});

async function withDirectory(
  entries: readonly LdifEntry[],
  test: (directory: ReturnType<typeof settingsFor>, server: SampleDirectory) => Promise<void>,
): Promise<void> {
  const server = await startDirectory({ entries, base: BASE, users: { [USER]: 'secret' } });
  try {
    await test(settingsFor(server.port, { user: USER, base: null, pageSize: 500 }), server);
  } finally {
    await server.close();
  }
}

/** Enriches records as one batch that nobody may be asked about, and gives all that comes out. */
async function enrichAlone(
  records: readonly DirectoryObject[],
  settings: EnrichSettings,
): Promise<{ records: EnrichedRecord[]; findings: Finding[]; run: Enrichment }> {
  const run = new Enrichment(
    settings,
    { own: null, other: null },
    new Date('2026-06-01'),
    new AbortController().signal,
  );
  const { records: made, findings } = await run.batch(records);
  return { records: [...made, ...[...run.rest()].flat()], findings, run };
}
const object = (kind: DirectoryObject['kind'], name: string, attributes: DirectoryObject['attributes']) => ({
  kind,
  id: `00000000-0000-0000-0000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(0, 12)}`,
  dn: `CN=${name},${BASE}`,
  attributes,
});

describe('enrich: members by name only', () => {
  it('are found by one request for many, and not asked for where they were read before', () =>
    withDirectory(
      [
        ...Array.from({ length: 30 }, (_, number) => person(`p${number}`)),
        group(
          'all',
          Array.from({ length: 30 }, (_, number) => `p${number}`),
        ),
      ],
      async (directory, server) => {
        const run = new Enrichment(plain, { own: directory, other: null }, new Date(), new AbortController().signal);
        const member = Array.from({ length: 30 }, (_, number) => `CN=P${number},${BASE}`);
        const known = { ...object('user', 'p0', { cn: ['p0'] }), dn: `CN=p0,${BASE}` };
        const before = server.transcript.filter(({ kind }) => kind === 'search').length;
        const { records } = await run.batch([
          known,
          object('group', 'all', { member: [...member, `CN=gone,${BASE}`] }),
        ]);
        await run.close();
        const members = records.flatMap((record) => (record.kind === 'members' ? record.add : []));
        assert.equal(members.filter(({ id }) => id !== undefined).length, 30);
        assert.equal(members[0]?.id, known.id, 'the one that was read');
        assert.deepEqual(members.at(-1), { dn: `CN=gone,${BASE}` }, 'one that is not there keeps the name');
        const searches = server.transcript.filter((one) => one.kind === 'search').slice(before);
        assert.equal(searches.filter(({ scope }) => scope === 'sub').length, 1);
      },
    ));

  it('with nobody to ask, those who were read before have their ids, and the account looks for the others by name', async () => {
    const run = new Enrichment(plain, { own: null, other: null }, new Date(), new AbortController().signal);
    const known = object('user', 'p0', { cn: ['p0'] });
    const behind = object('user', 'p1', { cn: ['p1'] });
    const member = [`cn=P0,${BASE}`, `CN=p1,${BASE}`, `CN=p2,${BASE}`];
    const { records } = await run.batch([known, object('group', 'all', { member }), behind]);
    const { figures } = run.outcome();
    await run.close();
    const add = records.flatMap((record) => (record.kind === 'members' ? record.add : []));
    assert.deepEqual(add, [
      { id: known.id, dn: `cn=P0,${BASE}` },
      { id: behind.id, dn: `CN=p1,${BASE}` },
      { dn: `CN=p2,${BASE}` },
    ]);
    assert.deepEqual([figures['membersFound'], figures['membersByName']], [2, 1]);
  });

  it('beyond the names that are kept they are looked up, and the same are found', () => {
    const names = Array.from({ length: 40 }, (_, number) => `p${number}`);
    return withDirectory([...names.map((name) => person(name)), group('all', names)], async (directory, server) => {
      const found: (readonly unknown[])[] = [];
      for (const mostNames of [0, 25, 1000]) {
        const before = server.transcript.filter(({ kind }) => kind === 'search').length;
        const lookup = new Lookup(directory, new AbortController().signal);
        const resolver = new MemberResolver(lookup, null, mostNames);
        const ids = await lookup.byNames(
          names.map((name) => `CN=${name},${BASE}`),
          'ids',
        );
        for (const [dn, { id }] of ids) resolver.note({ ...object('user', 'p', {}), dn, id: id ?? '' });
        const [, members] = enrichRecord(
          object('group', 'all', { cn: ['all'], member: names.map((name) => `CN=${name.toUpperCase()},${BASE}`) }),
          { membersPerRecord: 100 },
        );
        assert.ok(members?.kind === 'members');
        await resolver.resolve([members]);
        await lookup.close();
        found.push(members.add.map(({ id }) => id));
        assert.equal(resolver.figures.membersFound, 40);
        const searches = server.transcript.filter((one) => one.kind === 'search').slice(before);
        assert.equal(searches.filter(({ scope }) => scope === 'sub').length, mostNames < 40 ? 2 : 1);
      }
      assert.deepEqual(found[0], found[2]);
      assert.deepEqual(found[1], found[2]);
      assert.ok(found[0]?.every((id) => typeof id === 'string'));
    });
  });

  it('a directory that does not answer loses nothing that was read, and makes the run incomplete', async () => {
    const nobody = settingsFor(1);
    const run = new Enrichment(plain, { own: nobody, other: null }, new Date(), new AbortController().signal);
    const { records } = await run.batch([object('group', 'g', { cn: ['g'], member: [`CN=a,${BASE}`] })]);
    await run.close();
    const [, members] = records;
    assert.ok(members?.kind === 'members');
    assert.deepEqual(members.add, [{ dn: `CN=a,${BASE}` }]);
    assert.deepEqual(
      run.outcome().incomplete.map(({ code }) => code),
      ['LOOKUP_FAILED'],
    );
  });
});

describe('enrich: members by primary group', () => {
  const SID = 'S-1-5-21-1-2-3';
  const people = ['a', 'b', 'c'].map((name) =>
    object('user', name, {
      cn: [name],
      objectSid: [`${SID}-100${name}`.replace(/[abc]$/, '1')],
      primaryGroupID: ['513'],
    }),
  );
  const users = object('group', 'users', {
    cn: ['users'],
    objectSid: [`${SID}-513`],
    groupType: ['-2147483646'],
    member: ['CN=d,DC=x'],
  });

  for (const order of ['before', 'behind']) {
    it(`come as further parts of a group that was read ${order} them`, async () => {
      const read = order === 'before' ? [users, ...people] : [...people, users];
      const { records, run } = await enrichAlone(read, { ...plain, primaryGroups: true });
      const parts = records.filter((record) => record.kind === 'members');
      assert.deepEqual(
        parts.map(({ part, parts: count, add }) => [part, count, add.length]),
        [
          [1, 2, 1],
          [2, 3, 2],
          [3, 3, 1],
        ],
      );
      assert.equal(run.outcome().figures['primaryMembers'], 3);
    });
  }

  it('are not there where it is switched off', async () => {
    const { records } = await enrichAlone([users, ...people], plain);
    assert.deepEqual(
      records.filter((record) => record.kind === 'members').map(({ add }) => add.length),
      [1],
    );
  });

  it('a group of another domain with the same token is another', async () => {
    const other = object('group', 'users', { ...users.attributes, objectSid: ['S-1-5-21-9-9-9-513'] });
    const { records, run } = await enrichAlone([other, ...people], { ...plain, primaryGroups: true });
    assert.deepEqual(
      records.filter((record) => record.kind === 'members').map(({ add }) => add.length),
      [1, 0],
    );
    assert.equal(run.outcome().figures['primaryMembers'], 0);
  });
});

describe('enrich: flattening', () => {
  const members = (name: string, ...add: string[]): Members => ({
    kind: 'members',
    group: name,
    add: add.map((id) => ({ id })),
    part: 1,
    parts: 1,
  });

  it('a chain of 10,000 groups, a cycle over all of it, and a group in itself end', () => {
    const nesting = new Nesting();
    const depth = 10_000;
    const chain = Array.from({ length: depth }, (_, at) =>
      members(`g${at}`, at === depth - 1 ? 'g0' : `g${at + 1}`, `g${at}`),
    );
    nesting.take([...chain, members(`g${depth}`, 'g0', 'someone')]);
    nesting.take([members('last', `g${depth}`)]);
    const flat = [...nesting.rest(1000)];
    assert.equal(flat.length, depth + 2);
    const of = (name: string) => flat.find((record) => record.group === name)?.add;
    assert.deepEqual([of('last'), of('g0')], [[{ id: 'someone' }], []]);
  }).timeout(20_000);

  it('a group that is held makes held all that it is in, and no others', () => {
    const nesting = new Nesting();
    nesting.take([{ ...members('held', 'x'), held: 'cut' }, members('above', 'held', 'y'), members('beside', 'z')]);
    const held = Object.fromEntries([...nesting.rest(10)].map((record) => [record.group, record.held]));
    assert.deepEqual(held, { held: 'cut', above: 'cut', beside: undefined });
  });
});

describe('enrich: dynamic lists', () => {
  const list = (name: string, filter: string, base = BASE): LdifEntry => ({
    dn: `CN=${name},${BASE}`,
    attributes: {
      objectClass: ['msExchDynamicDistributionList'],
      cn: [name],
      mail: [`${name}@example.com`],
      msExchDynamicDLFilter: [filter],
      msExchDynamicDLBaseDN: [base],
    },
  });

  it('have the members whom the directory finds; one whose filter or base is refused is set aside with the reason', () =>
    withDirectory(
      [
        person('a', { department: ['R'] }),
        person('b'),
        list('good', '(department=R)'),
        list('bad', '(department=R'),
        list('lost', '(cn=a)', `OU=none,${BASE}`),
      ],
      async (directory) => {
        const { records, incomplete, figures } = await enrichedRun(directory, { ...plain, dynamicLists: true });
        assert.deepEqual(membersByName(records)[`cn=good,${BASE}`.toLowerCase()], [`cn=a,${BASE}`.toLowerCase()]);
        const aside = records.flatMap((record) =>
          record.kind === 'quarantined' ? [[record.dn, record.reason, record.detail]] : [],
        );
        assert.deepEqual(
          aside.map(([dn, reason]) => [dn, reason]),
          [
            [`CN=bad,${BASE}`, 'DYNAMIC_FILTER_REFUSED'],
            [`CN=lost,${BASE}`, 'DYNAMIC_FILTER_REFUSED'],
          ],
        );
        assert.match(aside[0]?.[2] ?? '', /no LDAP filter/);
        assert.deepEqual([incomplete, figures['dynamicLists'], figures['dynamicRefused']], [[], 3, 2]);
        const off = await enrichedRun(directory, plain);
        assert.equal(membersByName(off.records)[`cn=good,${BASE}`.toLowerCase()], undefined);
      },
    ));
});

describe('enrich: managers', () => {
  it('are given by their address; one without is set aside, and the person is not', () =>
    withDirectory(
      [
        person('boss', { proxyAddresses: ['SMTP:Chief@example.com'] }),
        person('ann', { manager: [`CN=boss,${BASE}`] }),
        person('bob', { manager: [`CN=Reader2,${BASE}`] }),
        { dn: `CN=Reader2,${BASE}`, attributes: { objectClass: ['user'], cn: ['Reader2'] } },
      ],
      async (directory) => {
        const { records, figures } = await enrichedRun(
          directory,
          { ...plain, managers: true },
          { attributes: ['manager'] },
        );
        const of = (name: string) => records.find((record) => record.kind === 'user' && record.name === name);
        const [ann, bob] = [of('ann'), of('bob')];
        assert.ok(ann?.kind === 'user' && bob?.kind === 'user');
        assert.deepEqual(ann.attributes['manager'], ['chief@example.com']);
        assert.deepEqual([bob.attributes['manager'], Object.keys(bob.aside ?? {})], [[], ['manager']]);
        assert.deepEqual([figures['managersFound'], figures['managersWithoutAddress']], [1, 1]);
      },
    ));
});

describe('enrich: managers, where nobody is asked', () => {
  it('are given by their names, without ids', async () => {
    const manager = `<GUID=00000000-0000-0000-0000-000000000001>;CN=Boss,${BASE}`;
    const settings: EnrichSettings = { membersPerRecord: 1, managers: true, readable: true };
    const { records } = await enrichAlone([object('user', 'a', { cn: ['a'], manager: [manager] })], settings);
    assert.ok(records[0]?.kind === 'user');
    assert.deepEqual(records[0].attributes['manager'], [`CN=Boss,${BASE}`]);
  });
});

describe('enrich: state', () => {
  const one = async (attributes: DirectoryObject['attributes'], settings: EnrichSettings = plain) => {
    const [user] = (await enrichAlone([object('user', 'u', attributes)], settings)).records;
    assert.ok(user?.kind === 'user');
    return user;
  };
  it('an account that has expired is disabled if that counts, and one that never does is not', async () => {
    const expired = '133000000000000000'; // 2022
    const later = '140000000000000000'; // 2044
    for (const [accountExpires, enabled] of [
      [expired, false],
      [later, true],
      ['0', true],
      ['9223372036854775807', true],
      ['soon', true],
    ] as const) {
      const read = { accountExpires: [accountExpires], userAccountControl: ['512'] };
      assert.equal((await one(read, { ...plain, accountExpires: true })).enabled, enabled, accountExpires);
      assert.equal((await one(read)).enabled, true);
    }
  });

  it('an attribute that a setting works with, and that was not asked for, is named', () => {
    const all: EnrichSettings = { membersPerRecord: 1, accountExpires: true, managers: true };
    const brought = (...names: string[]) => ({
      objects: 1,
      attributes: Object.fromEntries(names.map((name) => [name, 0])),
    });
    assert.deepEqual(attributesMissing(all, brought('mail')), ['accountExpires', 'manager']);
    assert.deepEqual(attributesMissing(all, brought('ACCOUNTEXPIRES', 'mail', 'manager')), []);
    assert.deepEqual(attributesMissing({ membersPerRecord: 1 }, brought('mail')), []);
    assert.deepEqual(attributesMissing(all, undefined), [], 'of a source that does not say what was asked for');
  });

  it('the computed state counts where there is one', async () => {
    assert.equal((await one({ 'msDS-User-Account-Control-Computed': ['2'] })).enabled, false);
    assert.equal((await one({ 'msDS-User-Account-Control-Computed': ['16'] })).enabled, true);
  });

  it('a linked mailbox names its person’s account, a shared one does not', async () => {
    assert.equal((await one({ msExchMasterAccountSid: ['S-1-5-21-7-7-7-1'] })).masterSid, 'S-1-5-21-7-7-7-1');
    assert.equal((await one({ msExchMasterAccountSid: ['S-1-5-10'] })).masterSid, undefined);
  });
});

describe('enrich: values', () => {
  const none = new Set<string>();
  it('times are ISO 8601, and never is never', () => {
    assert.equal(fileTime('133500000000000000'), '2024-01-17T21:20:00.000Z');
    assert.equal(fileTime('0'), 'never');
    assert.equal(fileTime('9223372036854775807'), 'never');
    assert.equal(fileTime('9223372036854775806'), null);
    assert.equal(fileTime('x'), null);
    assert.equal(generalizedTime('20260131083000.0Z'), '2026-01-31T08:30:00.000Z');
    assert.equal(generalizedTime('202601310830+0100'), '2026-01-31T07:30:00.000Z');
    assert.equal(generalizedTime('20261331083000.0Z'), null);
  });

  it('a value that cannot be decoded is set aside, and the others stay', () => {
    const read = {
      whenCreated: ['20260131083000.0Z', 'yesterday'],
      sIDHistory: [{ base64: Buffer.from('0101000000000005120000'.padEnd(24, '0'), 'hex').toString('base64') }],
      extensionAttribute1: ['9007199254740993'],
      secretary: ['<GUID=00000000-0000-0000-0000-000000000000>;CN=x,DC=y'],
    };
    const { attributes, aside } = valuesFor(read, none, { ...plain, readable: true });
    assert.deepEqual(attributes, {
      whenCreated: ['2026-01-31T08:30:00.000Z'],
      sIDHistory: ['S-1-5-18'],
      extensionAttribute1: ['9007199254740993'],
      secretary: ['CN=x,DC=y'],
    });
    assert.deepEqual(aside, { whenCreated: 'The value cannot be decoded.' });
    assert.deepEqual(valuesFor(read, none, plain), { attributes: read, aside: null }, 'switched off');
  });

  it('a photo is a hash, or bytes up to a limit', () => {
    const thumbnailPhoto = [{ base64: Buffer.alloc(100).toString('base64') }];
    const photo = (as: 'bytes' | 'hash', mostBytes: number) =>
      valuesFor({ thumbnailPhoto }, none, { ...plain, photo: { as, mostBytes } });
    assert.deepEqual(photo('bytes', 100), { attributes: { thumbnailPhoto }, aside: null });
    assert.deepEqual(photo('bytes', 99).attributes['thumbnailPhoto'], []);
    assert.match(photo('bytes', 99).aside?.['thumbnailPhoto'] ?? '', /larger than the limit/);
    assert.match(JSON.stringify(photo('hash', 0).attributes['thumbnailPhoto']), /^\["sha-256:[0-9a-f]{64}"\]$/);
  });
});

describe('enrich: findings', () => {
  const settings: EnrichSettings = { ...plain, findings: true };
  const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code).sort();

  it('a value that two have names both, whichever attribute it is in', async () => {
    const { findings, run } = await enrichAlone(
      [
        object('user', 'a', { mail: ['x@y.example'], userPrincipalName: ['u@y.example'] }),
        object('user', 'b', {
          proxyAddresses: ['SMTP:b@y.example', 'smtp:X@y.example'],
          userPrincipalName: ['U@Y.example'],
        }),
      ],
      settings,
    );
    const [first, second] = ['a', 'b'].map((name) => object('user', name, {}).id);
    assert.deepEqual(
      findings.map(({ code, attribute, value, id, other }) => ({ code, attribute, value, id, other })),
      [
        { code: 'DUPLICATE', attribute: 'proxyAddresses', value: 'x@y.example', id: second, other: first },
        { code: 'DUPLICATE', attribute: 'userPrincipalName', value: 'u@y.example', id: second, other: first },
      ],
    );
    assert.deepEqual(run.outcome().findings?.codes, { DUPLICATE: 2 });
  });

  it('two accounts of one person are twins, and no duplicates', async () => {
    const { findings } = await enrichAlone(
      [
        object('user', 'mailbox', { mail: ['x@y.example'], msExchMasterAccountSid: ['S-1-5-21-7-7-7-1'] }),
        object('user', 'account', { mail: ['x@y.example'], objectSid: ['S-1-5-21-7-7-7-1'] }),
      ],
      settings,
    );
    assert.deepEqual(codes(findings), ['TWIN']);
  });

  it('what is wrong with one object', async () => {
    const { findings } = await enrichAlone(
      [
        object('user', 'invalid', { mail: ['no address'], userPrincipalName: ['nobody'] }),
        object('user', 'several', { proxyAddresses: ['SMTP:a@y.example', 'SMTP:b@y.example'], mail: [' c@y.example'] }),
        object('user', 'long', { title: ['x'.repeat(129)], mail: ['l@y.example'] }),
        { ...object('user', 'conflict', {}), dn: String.raw`CN=Ada\0ACNF:00000000-0000-0000-0000-000000000000,DC=x` },
        object('user', 'fine', { mail: ['fine@y.example'], title: ['x'.repeat(128)] }),
      ],
      settings,
    );
    assert.deepEqual(codes(findings), [
      'BLANKS',
      'CONFLICT_OBJECT',
      'INVALID_ADDRESS',
      'INVALID_UPN',
      'PRIMARY_NOT_MAIL',
      'SEVERAL_PRIMARIES',
      'TOO_LONG',
    ]);
  });

  it('none is looked for where nobody asked', async () => {
    const { findings, run } = await enrichAlone([object('user', 'a', { mail: ['no address'] })], plain);
    assert.deepEqual([findings, run.outcome().findings], [[], undefined]);
  });

  it('100,000 owners of 300,000 addresses are told apart', async () => {
    const records = Array.from({ length: 100_000 }, (_, at) => ({
      ...object('user', 'x', {
        mail: [`p${at}@y.example`],
        proxyAddresses: [`smtp:a${at}@y.example`, `smtp:b${at}@y.example`],
      }),
      id: `00000000-0000-0000-0000-${at.toString(16).padStart(12, '0')}`,
    }));
    const { findings } = await enrichAlone(
      [...records, { ...object('user', 'z', { mail: ['b77777@y.example'] }) }],
      settings,
    );
    assert.deepEqual(
      findings.map(({ other }) => other),
      [records[77777]?.id],
    );
  }).timeout(20_000);
});

import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import {
  Workshop,
  asideLines,
  changeLines,
  changesOf,
  contact,
  dynamicGroup,
  group,
  members,
  quarantined,
  sync,
  user,
} from './support.js';

describe('rules of an account', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  /** Applies the records as a whole run; the changes in short. */
  async function changed(records: Parameters<typeof sync>[2], rest = {}): Promise<string[]> {
    const run = workshop.run();
    await sync(account, run, records, rest);
    return changeLines(account, run.id);
  }

  it('adds users, contacts and groups, and says so', async () => {
    const run = workshop.run();
    const report = await sync(account, run, [
      user('ann', { aliases: ['a@example.com', 'b@example.com'] }),
      user('bob', { enabled: false }),
      contact('cas'),
      group('team'),
      members('team', ['ann', 'cas', 'stranger']),
      group('outer'),
      members('outer', ['team']),
      group('empty'),
      members('empty', []),
      dynamicGroup('everyone', { primary: 'all@example.com' }),
      members('everyone', [], { held: 'dynamic' }),
    ]);
    assert.equal(report.outcome, 'committed');
    assert.deepEqual(report.setAside, []);
    const person = { origin: 'directory', enabled: true, aliases: [], attributes: {} } as const;
    assert.deepEqual(await account.snapshot(), {
      users: [
        { ...person, address: 'ann@example.com', name: 'ann', aliases: ['a@example.com', 'b@example.com'] },
        { ...person, address: 'bob@example.com', name: 'bob', enabled: false },
      ],
      contacts: [{ address: 'cas@example.com', name: 'cas', aliases: [], attributes: {} }],
      groups: [
        { name: 'everyone', address: 'all@example.com', kind: 'dynamic-group', members: [] },
        { name: 'outer', address: null, kind: 'group', members: ['group:team'] },
        { name: 'team', address: null, kind: 'group', members: ['contact:cas@example.com', 'user:ann@example.com'] },
      ],
    });
    assert.deepEqual(await changeLines(account, run.id), [
      'added ann',
      'added bob',
      'added cas',
      'disabled bob',
      'alias-linked ann a@example.com',
      'alias-linked ann b@example.com',
      'added team',
      'added outer',
      'added everyone',
      'member-added team ann',
      'member-added team cas',
      'member-added outer team',
    ]);
    const { usersAdded, usersDisabled, contactsAdded, groupsAdded, membersAdded, aliasesLinked } = report.changes;
    assert.deepEqual(
      { usersAdded, usersDisabled, contactsAdded, groupsAdded, membersAdded, aliasesLinked },
      { usersAdded: 2, usersDisabled: 1, contactsAdded: 1, groupsAdded: 3, membersAdded: 3, aliasesLinked: 2 },
    );
    assert.deepEqual(report.totals, { users: 2, contacts: 1, groups: 3, members: 3, aliases: 2 });
    assert.equal(report.groupsWithoutMail, 1);
    assert.equal(report.groupsHeld, 0, 'a dynamic list has no members to hold');
  });

  it('updates name, distinguished name and SID one by one, with before and after, and nothing else', async () => {
    await changed([user('ann', { sid: 'S-1-5-21-1' }), user('bob')]);
    const run = workshop.run();
    const report = await sync(account, run, [
      user('ann', { name: 'Ann', dn: 'CN=Ann,DC=example,DC=com', sid: 'S-1-5-21-2' }),
      user('bob'),
    ]);
    assert.deepEqual(
      (await changesOf(account, run.id)).map(({ id, what, before, after }) => [id, what, before, after]),
      [
        ['ann', 'dn', 'CN=ann,DC=example,DC=com', 'CN=Ann,DC=example,DC=com'],
        ['ann', 'name', 'ann', 'Ann'],
        ['ann', 'sid', 'S-1-5-21-1', 'S-1-5-21-2'],
      ],
    );
    assert.equal(report.changes.usersUpdated, 1);
  });

  it('counts a contact that changed once, whatever of it changed', async () => {
    await changed([contact('cas'), contact('dan'), contact('eve')]);
    const next = [
      contact('cas', { name: 'Cas', primary: 'c@example.com' }),
      contact('dan', { primary: 'd@example.com' }),
    ];
    const run = workshop.run();
    const report = await sync(account, run, [...next, contact('eve')]);
    assert.deepEqual(await changeLines(account, run.id), ['updated cas name', 'readdressed cas', 'readdressed dan']);
    assert.deepEqual([report.changes.contactsUpdated, report.changes.usersReaddressed], [2, 0]);
  });

  it('knows an object by its id, whatever its name and address', async () => {
    await changed([user('ann'), group('team'), members('team', ['ann'])]);
    const run = workshop.run();
    const report = await sync(account, run, [
      user('ann', { primary: 'ann.new@example.com', dn: 'CN=Ann New,DC=example,DC=com' }),
      group('team'),
      members('team', ['ann']),
    ]);
    assert.deepEqual(await changeLines(account, run.id), ['updated ann dn', 'readdressed ann']);
    assert.equal(report.changes.usersReaddressed, 1);
    const { users, groups } = await account.snapshot();
    assert.deepEqual(
      users.map(({ address }) => address),
      ['ann.new@example.com'],
    );
    assert.deepEqual(groups[0]?.members, ['user:ann.new@example.com']);
    assert.equal(await account.find({ address: 'ann@example.com' }), null);
  });

  it('disables and enables, where the setting says so', async () => {
    await changed([user('ann')]);
    assert.deepEqual(await changed([user('ann', { enabled: false })]), ['disabled ann']);
    assert.deepEqual(await changed([user('ann', { enabled: true })]), ['enabled ann']);
    account = await workshop.open(workshop.settings({ acknowledgeDisabled: false }));
    assert.deepEqual(await changed([user('ann', { enabled: false })]), ['added ann']);
    assert.deepEqual(await changed([user('ann', { enabled: true })]), []);
    assert.equal((await account.snapshot()).users[0]?.enabled, true);
  });

  it('brings members to exactly what was read, where the group was read whole', async () => {
    const people = [user('ann'), user('bob'), user('cas')];
    await changed([...people, group('team'), members('team', ['ann', 'bob'])]);
    assert.deepEqual(await changed([...people, group('team'), members('team', ['bob', 'cas'])]), [
      'member-removed team ann',
      'member-added team cas',
    ]);
    assert.deepEqual(await changed([...people, group('team'), members('team', [])]), [
      'member-removed team bob',
      'member-removed team cas',
      'leaving team no-mail',
    ]);
    assert.equal(
      (await account.snapshot()).groups.length,
      1,
      'a group that is empty now is marked, and stays for a while',
    );
  });

  it('keeps the members of a group that was not read whole', async () => {
    const people = [user('ann'), user('bob')];
    const team = ['user:ann@example.com', 'user:bob@example.com'];
    await changed([...people, group('team'), members('team', ['ann', 'bob'])]);
    const notWhole = [
      [members('team', ['ann'], { held: 'ranges cut' })],
      [members('team', ['ann'], { part: 1, parts: 2 })],
      [members('team', ['ann'], { part: 1, parts: 2 }), members('team', ['bob'], { part: 2, parts: 2, held: 'cut' })],
      [],
    ];
    for (const records of notWhole) {
      assert.deepEqual(await changed([...people, group('team'), ...records]), []);
      assert.deepEqual((await account.snapshot()).groups[0]?.members, team);
    }
    // negative control: the same list, said to be whole, removes
    assert.deepEqual(await changed([...people, group('team'), members('team', ['ann'])]), ['member-removed team bob']);
  });

  it('takes nobody out of a group that is not whole, whatever an earlier run said', async () => {
    const people = [user('ann'), user('bob')];
    await changed([...people, group('team'), members('team', ['ann', 'bob'])]);
    await changed([...people, group('team'), members('team', ['ann'])], { complete: false });
    const held = members('team', [], { held: 'cut' });
    assert.deepEqual(await changed([...people, group('team'), held]), []);
    assert.deepEqual(await changed([...people, group('team'), members('team', ['ann'])]), ['member-removed team bob']);
  });

  it('puts into groups that did not change whoever the account can take only now', async () => {
    const groups = [
      group('team'),
      members('team', ['ann', 'bob']),
      group('silent'),
      members('silent', ['cas']),
      group('outer'),
      members('outer', ['team', 'silent']),
    ];
    const disputed = [user('ann'), user('bob', { primary: 'ann@example.com' }), user('cas', { primary: null })];
    assert.deepEqual(await changed([...disputed, ...groups]), [
      'added ann',
      'added team',
      'added outer',
      'member-added team ann',
      'member-added outer team',
    ]);
    assert.deepEqual(await changed([user('ann'), user('bob'), user('cas'), ...groups]), [
      'added bob',
      'added cas',
      'added silent',
      'member-added team bob',
      'member-added silent cas',
      'member-added outer silent',
    ]);
  });

  it('takes further parts that a run brings later: the largest number of parts counts', async () => {
    const people = [user('ann'), user('bob'), user('cas')];
    const first = [...people, group('team'), members('team', ['ann'], { part: 1, parts: 1 })];
    await changed([...first, members('team', ['bob', 'cas'], { part: 2, parts: 2 })]);
    const all = ['user:ann@example.com', 'user:bob@example.com', 'user:cas@example.com'];
    assert.deepEqual((await account.snapshot()).groups[0]?.members, all);
    assert.deepEqual(await changed([...first, members('team', ['bob'], { part: 3, parts: 3 })]), [], 'one is missing');
    assert.deepEqual((await account.snapshot()).groups[0]?.members, all);
  });

  it('a dynamic list that was resolved has exactly the members that were found', async () => {
    const list = dynamicGroup('everyone', { primary: 'all@example.com' });
    const people = [user('ann'), user('bob')];
    await changed([...people, list, members('everyone', ['ann', 'bob'])]);
    assert.deepEqual((await account.snapshot()).groups[0]?.members, ['user:ann@example.com', 'user:bob@example.com']);
    assert.deepEqual(await changed([...people, list, members('everyone', ['bob'])]), ['member-removed everyone ann']);
    assert.deepEqual(await changed([...people, list, members('everyone', [], { held: 'no answer' })]), []);
    assert.deepEqual((await account.snapshot()).groups[0]?.members, ['user:bob@example.com']);
  });

  it('takes the members of a group from several parts', async () => {
    const people = [user('ann'), user('bob'), user('cas')];
    await changed([
      members('team', ['cas'], { part: 3, parts: 3 }),
      members('team', ['ann'], { part: 1, parts: 3 }),
      group('team'),
      members('team', ['bob'], { part: 2, parts: 3 }),
      ...people,
    ]);
    assert.equal((await account.snapshot()).groups[0]?.members.length, 3);
  });

  it('does not add a group of which the members are held, until they are read whole', async () => {
    const run = workshop.run();
    const report = await sync(account, run, [user('ann'), group('team'), members('team', ['ann'], { held: 'cut' })]);
    assert.deepEqual(await changeLines(account, run.id), ['added ann']);
    assert.deepEqual([report.groupsHeld, report.groupsWithoutMail], [1, 0]);
    assert.deepEqual(await changed([user('ann'), group('team'), members('team', ['ann'])]), [
      'added team',
      'member-added team ann',
    ]);
  });

  it('finds members by id, else by SID, else by name however it is written', async () => {
    await changed([
      user('ann'),
      user('bob', { sid: 'S-1-5-21-7' }),
      user('cas', { dn: 'CN=Cas\\, the third,OU=People,DC=example,DC=com' }),
      user('dan', { sid: 'S-1-5-21-8' }),
      group('team'),
      members('team', [
        { id: 'ann', dn: 'CN=elsewhere' },
        { sid: 'S-1-5-21-7' },
        { dn: 'cn=cas\\2c the third, ou=people,dc=EXAMPLE,dc=com' },
        { id: 'foreign', sid: 'S-1-5-21-8', dn: 'CN=S-1-5-21-8,CN=ForeignSecurityPrincipals,DC=example,DC=com' },
        { dn: 'CN=nobody,DC=example,DC=com' },
      ]),
    ]);
    assert.deepEqual((await account.snapshot()).groups[0]?.members, [
      'user:ann@example.com',
      'user:bob@example.com',
      'user:cas@example.com',
      'user:dan@example.com',
    ]);
  });

  it('finds a member that comes later, moves, or takes the name of another', async () => {
    const team = [
      group('team'),
      members('team', [{ id: 'ann' }, { sid: 'S-1-5-21-7' }, { dn: 'CN=cas,DC=example,DC=com' }]),
    ];
    await changed([user('zoe'), ...team, members('team', ['zoe'])]);
    const all = [user('zoe'), user('ann'), user('bob', { sid: 'S-1-5-21-7' }), user('cas'), ...team];
    assert.deepEqual(await changed(all), [
      'added ann',
      'added bob',
      'added cas',
      'member-removed team zoe',
      'member-added team ann',
      'member-added team bob',
      'member-added team cas',
    ]);
    assert.deepEqual(
      await changed([
        user('zoe', { dn: 'CN=cas,DC=example,DC=com' }),
        user('ann'),
        user('bob', { sid: 'S-1-5-21-9' }),
        user('cas', { dn: 'CN=moved,DC=example,DC=com' }),
        ...team,
      ]),
      [
        'updated zoe dn',
        'updated bob sid',
        'updated cas dn',
        'member-removed team bob',
        'member-removed team cas',
        'member-added team zoe',
      ],
    );
  });

  describe('groups and mail', () => {
    it('counts nested groups through their members, cycles included', async () => {
      const nested = [
        user('ann'),
        group('a'),
        members('a', ['b']),
        group('b'),
        members('b', ['c', 'a']),
        group('c'),
        members('c', ['ann', 'c']),
        group('x'),
        members('x', ['y']),
        group('y'),
        members('y', ['x', 'y', 'nobody']),
      ];
      const run = workshop.run();
      const report = await sync(account, run, nested);
      assert.deepEqual(
        (await account.snapshot()).groups.map(({ name, members: list }) => [name, ...list]),
        [
          ['a', 'group:b'],
          ['b', 'group:a', 'group:c'],
          ['c', 'group:c', 'user:ann@example.com'],
        ],
      );
      assert.equal(report.groupsWithoutMail, 2);
    });

    it('adds a group, and those above it, when its first mail-bearing member comes', async () => {
      const groups = [group('top'), members('top', ['team']), group('team'), members('team', ['ann'])];
      assert.deepEqual(await changed([user('zoe'), ...groups]), ['added zoe']);
      assert.deepEqual(await changed([user('zoe'), user('ann'), ...groups]), [
        'added ann',
        'added top',
        'added team',
        'member-added top team',
        'member-added team ann',
      ]);
    });

    it('is a member of the groups that the account has, when its first mail-bearing member comes', async () => {
      const lists = (team: string[]) => [
        user('zoe'),
        ...[group('top'), members('top', ['zoe', 'team'])],
        ...[group('main'), members('main', ['zoe', 'team', 'empty'])],
        ...[group('empty'), members('empty', [])],
        ...[group('team'), members('team', team)],
      ];
      await changed(lists([]));
      assert.deepEqual(await changed(lists(['zoe'])), [
        'added team',
        'member-added top team',
        'member-added main team',
        'member-added team zoe',
      ]);
    });

    it('is added with its members when one is back whom the account has kept', async () => {
      const rules = { ...workshop.settings().rules, protect: ['ann@*'] };
      account = await workshop.open(workshop.settings({ rules }));
      const team = [user('zoe'), group('team'), members('team', ['ann'])];
      await changed([user('ann'), user('zoe')]);
      assert.deepEqual(await changed([user('zoe')]), []);
      assert.deepEqual(await changed(team), []);
      assert.deepEqual(await changed([user('ann'), ...team]), ['added team', 'member-added team ann']);
    });

    it('that was set aside, and is read again, has the members that it had meanwhile', async () => {
      const people = [user('ann'), user('bob')];
      await changed([...people, group('team'), members('team', ['ann', 'bob'])]);
      assert.deepEqual(await changed([...people, quarantined('team'), members('team', ['ann'])]), []);
      assert.deepEqual(await changed([...people, group('team'), members('team', ['ann'])]), [
        'member-removed team bob',
      ]);
    });

    it('gets whoever has an address now, though nothing of the group has changed', async () => {
      const all = [dynamicGroup('all', { primary: 'all@example.com' }), members('all', ['ann'])];
      await changed([user('ann', { primary: null }), user('zoe'), ...all]);
      assert.deepEqual(await changed([user('ann'), user('zoe'), ...all]), ['added ann', 'member-added all ann']);
    });

    it('counts a member who was set aside, but has an address, as mail-bearing', async () => {
      account = await workshop.open(workshop.settings({ domains: ['example.org'] }));
      assert.deepEqual(await changed([user('ann'), group('team'), members('team', ['ann'])]), ['added team']);
    });

    it('does not count a member whom the run did not bring', async () => {
      account = await workshop.open(workshop.settings({ domains: ['example.org'] }));
      await changed([user('ann')]);
      assert.deepEqual(await changed([group('team'), members('team', ['ann'])]), []);
    });

    it('does not add a group that is not whole now, whatever an earlier run said of its members', async () => {
      await changed([user('ann', { primary: null }), group('team'), members('team', ['ann'])]);
      const held = members('team', [], { held: 'cut' });
      assert.deepEqual(await changed([user('ann'), group('team'), held]), ['added ann']);
    });

    it('goes through deep nesting and a cycle of a thousand groups', async () => {
      const depth = 1_000;
      const chain = Array.from({ length: depth }, (_, index) => [
        group(`g${String(index)}`),
        members(`g${String(index)}`, [`g${String((index + 1) % depth)}`, ...(index === depth - 1 ? ['ann'] : [])]),
      ]).flat();
      const report = await sync(account, workshop.run(), [user('ann'), ...chain], { batchSize: 500 });
      assert.equal(report.changes.groupsAdded, depth);
    });

    it('adds a dynamic group by its own address', async () => {
      await changed([
        dynamicGroup('all', { primary: 'all@example.com' }),
        members('all', []),
        dynamicGroup('silent'),
        members('silent', []),
      ]);
      assert.deepEqual(
        (await account.snapshot()).groups.map(({ name, kind }) => `${kind} ${name}`),
        ['dynamic-group all'],
      );
    });

    it('updates what a group is called and where it is reached', async () => {
      await changed([user('ann'), group('team'), members('team', ['ann'])]);
      const run = workshop.run();
      const report = await sync(account, run, [
        user('ann'),
        group('team', { name: 'The team', primary: 'team@example.com', scope: 'global' }),
        members('team', ['ann']),
      ]);
      assert.deepEqual(await changeLines(account, run.id), [
        'updated team address',
        'updated team name',
        'updated team scope',
      ]);
      assert.equal(report.changes.groupsUpdated, 1);
    });
  });

  describe('additional attributes', () => {
    const attributes = (department: string[]) => ({ attributes: { department, title: ['Engineer'], other: ['x'] } });
    beforeEach(async () => {
      account = await workshop.open(workshop.settings({ attributes: ['Department', 'title'] }));
    });

    it('takes those that the account lists, spelled as there', async () => {
      const run = workshop.run();
      await sync(account, run, [user('ann', attributes(['Sales'])), contact('cas', attributes(['Press']))]);
      const { users, contacts } = await account.snapshot();
      assert.deepEqual(users[0]?.attributes, { Department: 'Sales', title: 'Engineer' });
      assert.deepEqual(contacts[0]?.attributes, { Department: 'Press', title: 'Engineer' });
      const [added] = await changesOf(account, run.id);
      assert.deepEqual(added?.after, {
        address: 'ann@example.com',
        name: 'ann',
        attributes: { Department: 'Sales', title: 'Engineer' },
      });
    });

    it('updates and clears them one by one', async () => {
      await changed([user('ann', attributes(['Sales']))]);
      const run = workshop.run();
      const report = await sync(account, run, [user('ann', { attributes: { DEPARTMENT: ['Legal'] } })]);
      assert.deepEqual(
        (await changesOf(account, run.id)).map(({ change, what, before, after }) => [change, what, before, after]),
        [
          ['attribute', 'Department', 'Sales', 'Legal'],
          ['attribute', 'title', 'Engineer', null],
        ],
      );
      assert.equal(report.changes.attributesUpdated, 2);
      assert.deepEqual((await account.snapshot()).users[0]?.attributes, { Department: 'Legal' });
    });

    it('sets several values and binary ones aside, and keeps the value that it has', async () => {
      await changed([user('ann', attributes(['Sales']))]);
      const run = workshop.run();
      const report = await sync(account, run, [
        user('ann', { attributes: { department: ['A', 'B'], title: [{ base64: 'AAEC' }] } }),
      ]);
      assert.deepEqual(asideLines(report), ['NOT_A_STRING ann', 'SEVERAL_VALUES ann']);
      assert.deepEqual(await changeLines(account, run.id), []);
      assert.deepEqual((await account.snapshot()).users[0]?.attributes, { Department: 'Sales', title: 'Engineer' });
      const again = await sync(account, workshop.run(), [
        user('ann', { attributes: { department: ['A', 'B'], title: [{ base64: 'AAEC' }] } }),
      ]);
      assert.deepEqual(asideLines(again), asideLines(report), 'it is told again while it lasts');
    });

    it('clears nothing in a run that is not complete', async () => {
      await changed([user('ann', attributes(['Sales']))]);
      assert.deepEqual(await changed([user('ann')], { complete: false }), []);
      // negative control: the same record in a complete run clears
      assert.deepEqual(await changed([user('ann')]), ['attribute ann Department', 'attribute ann title']);
    });

    it('takes an attribute that is listed later, without a change in the directory', async () => {
      const settings = workshop.settings();
      account = await workshop.open(settings);
      await changed([user('ann', attributes(['Sales']))]);
      await account.close();
      account = await workshop.open({ ...settings, attributes: ['title'] });
      assert.deepEqual(await changed([user('ann', attributes(['Sales']))]), ['attribute ann title']);
    });
  });

  describe('settings', () => {
    it('domains: users of other domains are set aside, contacts are not', async () => {
      account = await workshop.open(workshop.settings({ domains: ['Example.COM'] }));
      const report = await sync(account, workshop.run(), [
        user('ann', { aliases: ['ann@example.org', 'a@example.com'] }),
        user('bob', { primary: 'bob@example.org' }),
        user('sub', { primary: 'sub@mail.example.com' }),
        contact('cas', { primary: 'cas@example.org', aliases: ['c@example.net'] }),
      ]);
      const { users, contacts } = await account.snapshot();
      assert.deepEqual(
        users.map(({ address, aliases }) => [address, ...aliases]),
        [['ann@example.com', 'a@example.com']],
      );
      assert.deepEqual(contacts[0]?.aliases, ['c@example.net']);
      assert.deepEqual(asideLines(report), ['ALIAS_OUTSIDE_DOMAINS ann', 'OUTSIDE_DOMAINS bob', 'OUTSIDE_DOMAINS sub']);
    });

    it('domains: an alias of a domain that is no longer listed is unlinked', async () => {
      const settings = workshop.settings();
      const ann = user('ann', { aliases: ['a@example.org', 'a@example.com'] });
      account = await workshop.open(settings);
      await changed([ann]);
      await account.close();
      account = await workshop.open({ ...settings, domains: ['example.com'] });
      assert.deepEqual(await changed([ann], { complete: false }), []);
      assert.deepEqual(await changed([ann]), ['alias-unlinked ann a@example.org']);
    });

    it('contacts off: contacts are not looked at, and bear no mail', async () => {
      account = await workshop.open(workshop.settings({ contacts: false }));
      assert.deepEqual(await changed([contact('cas'), group('team'), members('team', ['cas'])]), []);
    });

    it('linkAliases off: aliases stay as they are', async () => {
      const settings = workshop.settings();
      account = await workshop.open(settings);
      await changed([user('ann', { aliases: ['a@example.com'] })]);
      await account.close();
      account = await workshop.open({ ...settings, linkAliases: false });
      assert.deepEqual(await changed([user('ann', { aliases: ['b@example.com'] })]), []);
      assert.deepEqual((await account.snapshot()).users[0]?.aliases, ['a@example.com']);
    });
  });

  it('sets aside who has no address, and what was quarantined, and counts both as present', async () => {
    await changed([user('ann'), user('bob')]);
    const report = await sync(account, workshop.run(), [
      quarantined('ann'),
      quarantined(null),
      user('bob', { primary: null }),
      user('new', { primary: null }),
    ]);
    assert.deepEqual(asideLines(report), [
      'NO_ADDRESS bob',
      'NO_ADDRESS new',
      'UNSUPPORTED_CLASS -',
      'UNSUPPORTED_CLASS ann',
    ]);
    assert.deepEqual(report.absent, { users: 0, contacts: 0, groups: 0 });
    assert.equal((await account.snapshot()).users.length, 2);
  });

  it('counts who is absent from a complete run, and marks them first', async () => {
    await changed([user('ann'), user('bob'), contact('cas'), group('team'), members('team', ['ann'])]);
    const report = await sync(account, workshop.run(), [user('ann')]);
    assert.deepEqual(report.absent, { users: 1, contacts: 1, groups: 1 });
    assert.deepEqual(report.totals, { users: 2, contacts: 1, groups: 1, members: 1, aliases: 0 });
    assert.deepEqual((await sync(account, workshop.run(), [], { complete: false })).absent, {
      users: 0,
      contacts: 0,
      groups: 0,
    });
    const back = await sync(account, workshop.run(), [user('ann'), user('bob'), contact('cas'), group('team')]);
    assert.deepEqual(back.absent, { users: 0, contacts: 0, groups: 0 });
  });
});

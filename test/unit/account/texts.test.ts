/** Texts that a database has no room for, or cannot hold: one object is as it can be, and nobody else is kept from anything. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../engine/model/records.js';
import { askStore } from '../../support/account-store.js';
import { Workshop, contact, group, memberNames, members, outcomeOf, quarantined, seal, user } from './support.js';

/** Of so many characters that say nothing of one another, so that no index takes them. */
function long(seed: number, length = 6_000): string {
  let text = '';
  for (let number = seed; text.length < length; text += number.toString(36)) number = (number * 48_271) % 2_147_483_647;
  return text.slice(0, length);
}

describe('texts of a directory', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open(workshop.settings({ attributes: ['title'] }));
  });
  afterEach(() => workshop.close());
  const outcome = (records: readonly EnrichedRecord[]) => outcomeOf(workshop, account, records, {});

  const NAME = `CN=${long(1)},DC=example,DC=com`;
  const SID = long(2);
  const ID = long(3);
  const bob = user('bob');
  const cases: readonly (readonly [string, EnrichedRecord, Parameters<typeof members>[1][number]])[] = [
    ['name', user('ann', { dn: NAME }), { dn: NAME.toUpperCase() }],
    ['SID', user('ann', { sid: SID }), { sid: SID }],
    ['id', user(ID, { name: 'ann', primary: 'ann@example.com', dn: 'CN=ann' }), { id: ID.toUpperCase() }],
    ['SID beside an id that nobody has', user('ann', { sid: SID }), { id: long(4), sid: SID }],
    ['value', user('ann', { attributes: { title: [long(5)] } }), { id: 'ann' }],
  ];
  for (const [what, ann, member] of cases) {
    it(`a member by a long ${what} is one, and stays one`, async () => {
      const team = [group('team'), members('team', [member, 'bob'])];
      assert.equal((await outcome([ann, bob, ...team])).report.outcome, 'committed');
      assert.deepEqual(await memberNames(account, 'team'), ['user:ann', 'user:bob']);
      assert.deepEqual((await outcome([ann, bob, ...team])).changes, []);
      const other = [
        group('team'),
        members('team', [{ dn: `${NAME},DC=net` }, { sid: `${SID}1` }, { id: `${ID}1` }, 'bob']),
      ];
      assert.deepEqual((await outcome([ann, bob, ...other])).changes.length, 1, 'negative control: nearly the same');
      assert.deepEqual(await memberNames(account, 'team'), ['user:bob']);
    });
  }

  it('is found by a long id', async () => {
    await outcome([user(ID, { primary: 'ann@example.com' })]);
    assert.equal((await account.find({ id: ID }))?.address, 'ann@example.com');
    assert.equal(await account.find({ id: `${ID}1` }), null);
  });

  it('whoever is set aside without an id counts as present, however long the name', async () => {
    await outcome([user('ann', { dn: NAME }), bob]);
    const { report } = await outcome([quarantined(null, { dn: NAME }), bob]);
    assert.deepEqual([report.absent.users, report.changes.usersLeaving], [0, 0]);
    const gone = await outcome([quarantined(null, { dn: `${NAME},DC=net` }), bob]);
    assert.deepEqual(gone.changes, ['leaving ann absent'], 'negative control: another name');
  });

  it('what is too long for an address is none', async () => {
    const address = `${long(6)}@example.com`;
    const longest = `${long(7, 64)}@${long(8, 251)}.com`;
    const people = [
      user('ann', { aliases: [address, longest, 'a@example.com'] }),
      user('eve', { primary: address }),
      contact('cas', { primary: address }),
      group('team', { primary: address }),
      members('team', ['ann']),
    ];
    const { aside } = await outcome([...people, bob]);
    assert.deepEqual(aside, ['NO_ADDRESS cas', 'NO_ADDRESS eve']);
    const { users, groups } = await account.snapshot();
    assert.deepEqual(
      users.map((one) => one.aliases),
      [['a@example.com', longest].sort(), []],
    );
    assert.deepEqual(
      groups.map((one) => one.address),
      [null],
    );
  });

  for (const older of [true, false]) {
    it(`members by long names stay in a store of the version before${older ? '' : ', negative control: were its keys kept'}`, async () => {
      const settings = workshop.settings();
      account = await workshop.open(settings);
      const name = `CN=${long(10, 600)},DC=example,DC=com`;
      const ann = user('ann', { dn: name });
      const team = (...more: string[]) => [group('team'), members('team', [{ dn: name }, ...more])];
      await outcome([ann, bob, ...team()]);
      await account.close();
      await askStore(settings.store, `UPDATE object SET dn_key = $1 WHERE id = 'ann'`, [name.toLowerCase()]);
      const sqlite = settings.store.kind === 'sqlite';
      const before = sqlite ? 'PRAGMA user_version = 11' : 'DELETE FROM schema_version WHERE version > 11';
      if (older) {
        for (const column of ['takes', 'counts']) {
          await askStore(settings.store, `ALTER TABLE staged_batch DROP COLUMN ${column}`);
        }
        if (sqlite) await askStore(settings.store, 'DROP INDEX staged_other');
        for (const field of sqlite ? ['dn', 'sid', 'name', 'address', 'enabled', 'aliases', 'attributes'] : []) {
          await askStore(settings.store, `ALTER TABLE staged DROP COLUMN ${field}`);
        }
        await askStore(settings.store, before);
      }
      account = await workshop.open(settings);
      await outcome([ann, bob, ...team('bob')]);
      assert.deepEqual(await memberNames(account, 'team'), older ? ['user:ann', 'user:bob'] : ['user:bob']);
    });
  }

  it('negative control: PostgreSQL refuses such keys', async () => {
    const settings = workshop.settings();
    await workshop.open(settings);
    const insert = askStore(settings.store, `INSERT INTO address VALUES ('user', $1, 1, 1)`, [long(9)]);
    if (settings.store.kind === 'postgres') await assert.rejects(insert, { code: '54000' });
    else await insert;
  });

  it('a NUL, which PostgreSQL does not take, stands nowhere in its way', async () => {
    const known = { address: 'nu\0l@example.com', name: 'N\0', origin: 'manual' } as const;
    assert.deepEqual(await account.addKnown([known]), { added: 1, known: 0 });
    assert.deepEqual(await account.addKnown([known]), { added: 0, known: 1 });
    assert.equal((await account.find({ address: known.address }))?.name, 'N\ufffd');
    assert.equal(await account.find({ id: 'x\0' }), null);
    await assert.rejects(account.decide({ plan: 'x\0', by: 'a\0', verdict: 'approve' }), { code: 'PLAN_UNKNOWN' });
    const run = workshop.run({ startedAt: 'x\0' });
    await assert.rejects(
      account.stage(run, 0, [bob]).then(() => account.apply(run, seal(1), { dryRun: false })),
      {
        code: 'NOT_AS_AGREED',
      },
    );
    assert.equal((await outcome([bob])).report.outcome, 'committed');
  });
});

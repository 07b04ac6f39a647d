/** People of another forest in a group: whom another source of the account brings, and whom nobody does. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord, Member } from '../../../engine/model/records.js';
import { Workshop, asideLines, changeLines, group, members, seal, sync, user } from './support.js';

const SID = 'S-1-5-21-7-7-7-1001';

describe('a member of another forest', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const foreigner: Member = { sid: SID, dn: `CN=${SID},CN=ForeignSecurityPrincipals,DC=x`, external: true };
  const team = (...add: Member[]) => [user('ann'), group('team'), members('team', [{ id: 'ann' }, ...add])];
  const zoe = user('zoe', { sid: SID });

  async function run(source: string, records: readonly EnrichedRecord[], complete = true) {
    const what = workshop.run({ source });
    const report = await sync(account, what, records, { complete });
    return { report, changes: await changeLines(account, what.id) };
  }
  const inTeam = async () => (await account.snapshot()).groups.find(({ name }) => name === 'team')?.members;

  it('is a member as soon as another source brings him, and the report names him until then', async () => {
    const { report } = await run('hq', team(foreigner));
    assert.deepEqual(asideLines(report), ['EXTERNAL_MEMBER team']);
    assert.ok(report.setAside[0]?.detail.includes(SID));
    assert.deepEqual(await inTeam(), ['user:ann@example.com']);
    assert.deepEqual(asideLines((await run('hq', team(foreigner))).report), ['EXTERNAL_MEMBER team']);
    await run('other', [zoe]);
    const found = await run('hq', team(foreigner));
    assert.deepEqual(found.changes, ['member-added team zoe']);
    assert.deepEqual(asideLines(found.report), []);
    assert.deepEqual((await run('hq', team(foreigner))).changes, []);
    assert.deepEqual((await run('other', [{ ...zoe, name: 'Zoe' }])).changes, ['updated zoe name']);
    assert.deepEqual((await run('hq', team(foreigner))).changes, []);
  });

  it('is a member as soon as he is somebody in the account, or the mailbox that is linked to him is', async () => {
    await run('other', [{ ...zoe, primary: null }]);
    await run('hq', team(foreigner));
    assert.deepEqual((await run('hq', team(foreigner))).changes, []);
    await run('other', [zoe]);
    assert.deepEqual((await run('hq', team(foreigner))).changes, ['member-added team zoe']);
    account = await workshop.open(workshop.settings());
    await run('other', [{ ...zoe, primary: null }]);
    await run('hq', team(foreigner));
    await run('mail', [user('box', { sid: 'S-1-5-21-1-1-1-5', masterSid: SID })]);
    assert.deepEqual((await run('hq', team(foreigner))).changes, ['member-added team box']);
    assert.deepEqual((await run('hq', team(foreigner))).changes, []);
  });

  it('negative control: under another SID he is named in the report, and nobody is a member', async () => {
    await run('other', [{ ...zoe, sid: `${SID}9` }]);
    const { report } = await run('hq', team(foreigner));
    assert.deepEqual(asideLines(report), ['EXTERNAL_MEMBER team']);
    assert.deepEqual(await inTeam(), ['user:ann@example.com']);
  });

  it('by the id that enrich found, in either order of the sources', async () => {
    const resolved: Member = { id: 'zoe', sid: SID };
    await run('other', [zoe]);
    await run('hq', team(resolved));
    assert.deepEqual(await inTeam(), ['user:ann@example.com', 'user:zoe@example.com']);
    account = await workshop.open(workshop.settings());
    await run('hq', team(resolved));
    await run('other', [zoe]);
    await run('hq', team(resolved));
    assert.deepEqual(await inTeam(), ['user:ann@example.com', 'user:zoe@example.com']);
  });

  it('leaves the group with it, when the own source brings somebody under the id, and when the SID becomes another’s', async () => {
    await run('other', [zoe]);
    await run('hq', team(foreigner));
    assert.deepEqual((await run('hq', team())).changes, ['member-removed team zoe']);
    await run('hq', team(foreigner));
    await run('other', [{ ...zoe, sid: null }, user('yan', { sid: SID })]);
    const { changes } = await run('hq', team(foreigner));
    assert.deepEqual(changes, ['member-removed team zoe', 'member-added team yan']);
    await run('hq', [...team(foreigner), user('own', { sid: SID })]);
    assert.deepEqual(await inTeam(), ['user:ann@example.com', 'user:own@example.com']);
  });

  it('a group with nobody else is added for him, and an incomplete run takes nobody out', async () => {
    await run('other', [zoe]);
    await run('hq', [group('team'), members('team', [foreigner])]);
    assert.deepEqual(await inTeam(), ['user:zoe@example.com']);
    await run('other', [{ ...zoe, sid: null }]);
    assert.deepEqual((await run('hq', [group('team'), members('team', [foreigner])], false)).changes, []);
    assert.deepEqual(await inTeam(), ['user:zoe@example.com']);
  });

  it('leaves a group with nobody else, when another has the SID', async () => {
    const list = [user('ann'), group('team'), members('team', [foreigner])];
    await run('other', [zoe]);
    await run('hq', list);
    await run('other', [{ ...zoe, sid: null }]);
    assert.deepEqual((await run('hq', list)).changes, ['member-removed team zoe', 'leaving team no-mail']);
  });

  it('is not reported of a group that the account does not have', async () => {
    const { report } = await run('hq', [user('ann'), group('team'), members('team', [foreigner])]);
    assert.deepEqual([asideLines(report), await inTeam()], [[], undefined]);
  });

  it('whoever stands for no account is not reported', async () => {
    const { report } = await run('hq', team({ sid: 'S-1-5-11' }));
    assert.deepEqual(asideLines(report), []);
  });

  it('is a member as soon as he is somebody, though he came into a group of his own source then', async () => {
    await run('other', [{ ...zoe, primary: null }]);
    await run('hq', team(foreigner));
    await run('other', [zoe, group('far'), members('far', ['zoe'])]);
    assert.deepEqual((await run('hq', team(foreigner))).changes, ['member-added team zoe']);
  });

  it('leaves the group that knows the SID, when it is another’s, and not the one that knows the id', async () => {
    const lists = [...team(foreigner), group('by-id'), members('by-id', [{ id: 'ann' }, { id: 'zoe' }])];
    await run('other', [zoe]);
    await run('hq', lists);
    await run('other', [{ ...zoe, sid: `${SID}9` }]);
    assert.deepEqual((await run('hq', lists)).changes, ['member-removed team zoe']);
    assert.deepEqual((await run('hq', lists)).changes, []);
  });

  for (const [when, first] of [
    ['before he is known', null],
    ['while he is nobody yet', [user('box', { sid: SID, masterSid: 'S-1-5-21-1-1-1-5', primary: null })]],
  ] as const) {
    it(`a mailbox without an address, in a group ${when}, is the account that it is linked to`, async () => {
      const ann = user('own', { sid: 'S-1-5-21-1-1-1-5' });
      const box = user('box', { sid: SID, masterSid: 'S-1-5-21-1-1-1-5', primary: null });
      if (first) await run('other', [...first, { ...ann, primary: null }]);
      await run('hq', team(foreigner));
      assert.deepEqual((await run('hq', team(foreigner))).changes, []);
      await run('other', [box, ann]);
      assert.deepEqual((await run('hq', team(foreigner))).changes, ['member-added team own']);
    });
  }

  it('is found by the id, too, where the runs of both sources were under way at once', async () => {
    const other = workshop.run({ source: 'other' });
    await account.stage(other, 0, [zoe]);
    const resolved: Member = { id: 'zoe', sid: SID };
    await run('hq', team(resolved));
    await account.apply(other, seal(1), { dryRun: false });
    assert.deepEqual((await run('hq', team(resolved))).changes, ['member-added team zoe']);
  });
});

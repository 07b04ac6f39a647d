/** What is told of those set aside: with which words, of whom, and for how long. */
import assert from 'node:assert/strict';
import type { Account, AccountSettings } from '../../../engine/account/account.js';
import type { EnrichedRecord, Members } from '../../../engine/model/records.js';
import { type Sent, Workshop, group, members, outcomeOf, quarantined, seal, user } from './support.js';

describe('what is told of those set aside', () => {
  let workshop: Workshop;
  let account: Account;
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
  });
  afterEach(() => workshop.close());

  const reopened = async (rest: Partial<AccountSettings>) => (account = await workshop.open(workshop.settings(rest)));
  const told = async (records: readonly EnrichedRecord[], rest: Sent = {}) => {
    const { report } = await outcomeOf(workshop, account, records, rest);
    return report.setAside.map(({ id, reason, detail }) => [id, reason, detail]);
  };
  const list = (id: string, add: string[], rest: Partial<Members> = {}) => [group(id), members(id, add, rest)];
  const ann = user('ann');
  const stay = (id: string) => `The members of group ${id} stay as they are. `;

  it('of each held group its own reason, the first of several, at most five hundred characters', async () => {
    const reasons = await told([
      ann,
      ...list('short', ['ann'], { held: 'A range was cut.' }),
      group('two'),
      members('two', ['ann'], { part: 2, parts: 3, held: 'A second reason.' }),
      members('two', [], { part: 1, parts: 3 }),
      members('two', [], { part: 3, parts: 3, held: 'A first reason.' }),
      ...list('long', ['ann'], { held: 'x'.repeat(600) }),
      ...list('cut', ['ann'], { part: 1, parts: 2 }),
      ...list('whole', ['ann']),
    ]);
    assert.deepEqual(reasons, [
      ['cut', 'GROUP_HELD', `${stay('cut')}Not all of them arrived.`],
      ['long', 'GROUP_HELD', `${stay('long')}${'x'.repeat(500)}`],
      ['short', 'GROUP_HELD', `${stay('short')}A range was cut.`],
      ['two', 'GROUP_HELD', `${stay('two')}A first reason.`],
    ]);
  });

  it('of a group of which a run of changes says nothing, that its members were not whole', async () => {
    await told([ann, ...list('team', ['ann'], { held: 'A range was cut.' })]);
    const run = workshop.run({ mode: 'delta' });
    await account.stage(run, 0, [user('bob')]);
    const report = await account.apply(run, seal(1), { dryRun: false });
    assert.deepEqual(
      report.setAside.map(({ id, detail }) => [id, detail]),
      [['team', `${stay('team')}They were not whole when they were last read.`]],
    );
  });

  it('of who has no id, none; and of whom another’s address is, both ids', async () => {
    const rivals = ['b', 'a'].map((id) => user(id, { primary: 'x@example.com' }));
    assert.deepEqual(await told([quarantined(null, { dn: 'CN=q' }), ...rivals]), [
      [null, 'UNSUPPORTED_CLASS', 'A computer.'],
      ['b', 'ADDRESS_CLASH', 'The primary address of object b is that of object a.'],
    ]);
    const known = [user('a', { primary: 'x@example.com' }), user('c')];
    await told(known);
    const wanting = [...known.slice(0, 1), user('c', { primary: 'x@example.com' })];
    assert.deepEqual(await told(wanting), [
      ['c', 'ADDRESS_CLASH', 'The primary address of object c is that of object a; it keeps the address that it has.'],
    ]);
  });

  it('of a group that is protected by its name, and of no person who only has that name', async () => {
    await reopened({ rules: { ...workshop.settings().rules, protect: ['Team'] } });
    await told([ann, user('eve', { name: 'Team' }), group('g1', { name: 'Team' }), members('g1', ['ann'])]);
    assert.deepEqual(await told([ann]), [
      ['g1', 'PROTECTED', 'It left the directory, and is protected by the settings of the account.'],
    ]);
  });

  it('of a member of another forest nothing, where the group itself is gone', async () => {
    const far = members('team', [{ id: 'ann' }, { sid: 'S-1-5-21-7-7-7-1', external: true }]);
    assert.deepEqual(
      (await told([ann, group('team'), far])).map(([, reason]) => reason),
      ['EXTERNAL_MEMBER'],
    );
    assert.deepEqual(await told([ann]), []);
  });

  it('is what the last run of each source said', async () => {
    await told([ann, quarantined('q1')]);
    await told([quarantined('q2')], { source: 'branch' });
    await told([ann, quarantined('q3')]);
    const all: (string | null)[] = [];
    for await (const batch of account.quarantine()) all.push(...batch.map(({ id }) => id));
    assert.deepEqual(all, ['q2', 'q3']);
  });
});

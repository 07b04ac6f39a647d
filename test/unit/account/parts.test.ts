/** Parts of groups as they should not arrive: a group of which anything is missing keeps its members. */
import assert from 'node:assert/strict';
import type { Account } from '../../../engine/account/account.js';
import type { EnrichedRecord, Member } from '../../../engine/model/records.js';
import { Workshop, group, members, sync, user } from './support.js';

describe('the parts of a group', () => {
  let workshop: Workshop;
  let account: Account;
  const people = ['a', 'b', 'c'].map((id) => user(id));
  beforeEach(async () => {
    workshop = new Workshop();
    account = await workshop.open();
    await sync(account, workshop.run(), [...people, group('g'), members('g', ['a', 'b', 'c'])]);
  });
  afterEach(() => workshop.close());

  /** Who is in the group when these came for it. */
  async function after(...records: readonly EnrichedRecord[]): Promise<string[]> {
    await sync(account, workshop.run(), [...people, group('g'), ...records]);
    const [found] = (await account.snapshot()).groups;
    return (found?.members ?? []).map((one) => one.replace(/^user:(.).*/, '$1'));
  }

  it('negative control: whole, they say who is in it', async () => {
    assert.deepEqual(await after(members('g', ['a'], { parts: 2 }), members('g', ['b'], { part: 2, parts: 2 })), [
      'a',
      'b',
    ]);
  });

  it('who is listed in several is one member', async () => {
    const parts = [members('g', ['a', 'b'], { parts: 2 }), members('g', ['b'], { part: 2, parts: 2 })];
    assert.deepEqual(await after(...parts), ['a', 'b']);
  });

  it('a part beyond the last is not the one that is missing', async () => {
    const beyond = members('g', ['b'], { part: 3, parts: 2 });
    assert.deepEqual(await after(members('g', ['a'], { parts: 2 }), beyond), ['a', 'b', 'c']);
  });

  it('parts that were announced and did not come are missing', async () => {
    assert.deepEqual(await after(members('g', ['a'], { parts: 2 })), ['a', 'b', 'c']);
    const last = members('g', ['b'], { part: 3, parts: 3 });
    assert.deepEqual(await after(members('g', ['a'], { parts: 2 }), last), ['a', 'b', 'c']);
  });

  it('a member of whom nothing is said holds the group', async () => {
    const nobody: Member[] = [{}, { id: '' }, { external: true }, { sid: '', dn: '' }];
    for (const one of nobody) {
      assert.deepEqual(await after(members('g', ['a', one])), ['a', 'b', 'c']);
      assert.deepEqual(await after(members('g', [one, 'a'])), ['a', 'b', 'c']);
    }
    assert.deepEqual(await after(members('g', ['a'])), ['a']);
  });

  it('the report says why a group is held, and nothing of one that is whole', async () => {
    const why = async (...records: readonly EnrichedRecord[]) => {
      const { setAside } = await sync(account, workshop.run(), [...people, group('g'), ...records]);
      return setAside.map(({ id, reason, detail }) => `${reason} ${id ?? ''}: ${detail}`);
    };
    const said = 'GROUP_HELD g: The members of group g stay as they are. ';
    assert.deepEqual(await why(members('g', ['a'], { held: 'The range was cut.' })), [`${said}The range was cut.`]);
    assert.deepEqual(await why(members('g', ['a'], { parts: 2 })), [`${said}Not all of them arrived.`]);
    assert.deepEqual(await why(members('g', ['a', {}])), [`${said}Nothing says who one of them is.`]);
    assert.deepEqual(await why(), [`${said}They were not whole when they were last read.`]);
    assert.deepEqual(await why(members('g', ['a'])), []);
  });

  it('ids are the same in either case', async () => {
    assert.deepEqual(await after(members('G', ['A', 'B'])), ['a', 'b']);
    const report = await sync(account, workshop.run(), [
      user('A'),
      user('b'),
      user('C'),
      group('G'),
      members('g', ['a', 'B']),
    ]);
    assert.deepEqual([report.totals.users, report.absent.users], [3, 0]);
    const [found] = (await account.snapshot()).groups;
    assert.deepEqual(found?.members, ['user:a@example.com', 'user:b@example.com']);
    assert.ok(await account.find({ id: 'A' }));
  });
});

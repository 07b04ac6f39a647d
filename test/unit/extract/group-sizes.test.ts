/** 2.2 MaxValRange and range race: groups of every size that has ever been a border, exact, also while they change. */
import assert from 'node:assert/strict';
import type { DirectoryObject } from '../../../engine/model/records.js';
import { type Quirks, type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import type { LdifEntry } from '../../support/ldif.js';
import { plainClient, readAll, settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const USER = `CN=Reader,${BASE}`;
const GROUP = `CN=All,${BASE}`;
const SIZES = [0, 1, 1_499, 1_500, 1_501, 5_000, 5_001, 65_536, 100_000];

const memberNames = (size: number, from = 0) =>
  Array.from({ length: size }, (_, number) => `CN=Person ${from + number},${BASE}`);

function groupOf(members: readonly string[]): LdifEntry[] {
  return [{ dn: GROUP, attributes: { objectClass: ['group'], mail: ['all@example.test'], member: members } }];
}

async function withGroup<T>(
  members: readonly string[],
  quirks: Partial<Quirks>,
  work: (directory: SampleDirectory) => Promise<T>,
): Promise<T> {
  const users = { [USER]: 'secret' };
  const directory = await startDirectory({ entries: groupOf(members), base: BASE, users, quirks });
  try {
    return await work(directory);
  } finally {
    await directory.close();
  }
}

async function readGroup(directory: SampleDirectory): Promise<{ group: DirectoryObject; whole: boolean }> {
  const { records, seal } = await readAll(settingsFor(directory.port, { user: USER, base: null }));
  const [group] = records;
  assert.ok(group?.kind === 'group' && records.length === 1);
  return { group, whole: seal.complete && seal.proof?.ranges.started === seal.proof?.ranges.ended };
}

describe('group sizes', () => {
  for (const size of SIZES) {
    it(`${size} members: each once, and no message larger than a range`, () =>
      withGroup(memberNames(size), {}, async (directory) => {
        const { group, whole } = await readGroup(directory);
        assert.equal(whole, true);
        assert.equal(group.held, undefined);
        assert.deepEqual(group.attributes['member'] ?? [], memberNames(size));
        const ranges = directory.transcript.filter(
          (operation) => operation.kind === 'search' && operation.attributes.some((name) => name.includes(';range=')),
        );
        assert.equal(ranges.length, size <= 1_500 ? 0 : Math.ceil(size / 1_500) - 1);
      }));

    if (size <= 1_500) continue;
    it(`${size} members that change while they are read: those of the end, each once`, () => {
      const after = memberNames(size, 3);
      let changed = false;
      const mutateBetweenRanges: Quirks['mutateBetweenRanges'] = ({ from }) => {
        if (changed || from < size / 2) return null;
        changed = true;
        return groupOf(after);
      };
      return withGroup(memberNames(size), { mutateBetweenRanges }, async (directory) => {
        const { group, whole } = await readGroup(directory);
        assert.ok(changed);
        assert.equal(whole, true);
        assert.deepEqual(group.attributes['member'], after);
      });
    }).timeout(60_000);
  }

  it('members that change all the time hold the group, and nobody is taken out of it', () => {
    let generation = 0;
    const mutateBetweenRanges = () => groupOf(memberNames(5_000, (generation += 1)));
    return withGroup(memberNames(5_000), { mutateBetweenRanges }, async (directory) => {
      const { group } = await readGroup(directory);
      assert.match(group.held?.['member'] ?? '', /changed again and again/);
    });
  });

  for (const [size, batches] of [
    [1_000, 2],
    [3_000, 6],
  ] as const) {
    it(`six groups of ${size} members fill ${batches} batches before the number of records is reached`, async () => {
      const groups = Array.from({ length: 6 }, (_, number): LdifEntry => ({
        dn: `CN=Group ${number},${BASE}`,
        attributes: { objectClass: ['group'], mail: [`g${number}@example.test`], member: memberNames(size) },
      }));
      const directory = await startDirectory({ entries: groups, base: BASE, users: { [USER]: 'secret' } });
      try {
        const read = await readAll(settingsFor(directory.port, { user: USER, base: null }), { batchSize: 100 });
        assert.deepEqual([read.records.length, read.batches, read.seal.batches], [6, batches, batches]);
        assert.equal(read.seal.complete, true);
      } finally {
        await directory.close();
      }
    });
  }

  it('negative control: plain ldapts sees a group without members', () =>
    withGroup(memberNames(1_501), {}, async ({ port }) => {
      const client = await plainClient(port, { bind: false });
      await client.bind(USER, 'secret');
      const { searchEntries } = await client.search(BASE, { filter: '(mail=*)', attributes: ['member'] });
      assert.deepEqual(searchEntries[0]?.['member'], []);
      await client.unbind();
    }));

  it('negative control: ranges put together without a look at changes miss members', async () => {
    const before = memberNames(3_001);
    // Somebody in the first range leaves: everybody behind moves up by one, and the one at the border is never seen.
    const after = before.slice(1);
    let changed = false;
    const mutateBetweenRanges = () => {
      if (changed) return null;
      changed = true;
      return groupOf(after);
    };
    await withGroup(before, { mutateBetweenRanges }, async ({ port }) => {
      const client = await plainClient(port, { bind: false });
      await client.bind(USER, 'secret');
      const members: string[] = [];
      for (let from = 0; from < 3_000; from += 1_500) {
        const { searchEntries } = await client.search(GROUP, { scope: 'base', attributes: [`member;range=${from}-*`] });
        for (const [name, values] of Object.entries(searchEntries[0] ?? {})) {
          if (name.startsWith('member;')) members.push(...[values].flat().map(String));
        }
      }
      await client.unbind();
      assert.ok(after.some((name) => !members.includes(name)));
    });
  });
});

/**
 * Groups around the sizes from which a domain controller gives values in ranges, read from Samba: exact, also while they change.
 * Samba gives ranges to whoever asks for one, and all values to everybody else; Windows chooses, as the simulator does.
 */
import assert from 'node:assert/strict';
import { firstText, plainDn } from '../../engine/extract/classify.js';
import { extract } from '../../engine/extract/extract.js';
import { parseFilter } from '../../engine/ldap/filter.js';
import { beginRanges } from '../../engine/ldap/ranges.js';
import { openSession } from '../../engine/ldap/session.js';
import type { AttributeValue } from '../../engine/model/records.js';
import { ldapmodify } from '../support/ldapmodify.js';
import type { LdifEntry } from '../support/ldif.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { settingsFor } from '../support/whole-sync.js';

const BASE = 'OU=Sizes,DC=example,DC=test';
/** The largest is a third of a minute to load; larger ones are read from the simulator. */
const SIZES = [0, 1, 1_499, 1_500, 1_501, 3_001, 5_000, 5_001];
const STEP = 1_500;
const READS = 12;

const personName = (number: number) => `CN=Person ${String(number)},${BASE}`;
const groupName = (size: number) => `CN=Group of ${String(size)},${BASE}`;
const membersOf = (size: number) => Array.from({ length: size }, (_, number) => personName(number));
const inOrder = (names: readonly string[]) => [...names].sort();

function entries(): LdifEntry[] {
  const people = membersOf(Math.max(...SIZES)).map((dn) => ({ dn, attributes: { objectClass: ['contact'] } }));
  const groups = SIZES.map((size) => {
    const member = size === 0 ? {} : { member: membersOf(size) };
    const attributes = { objectClass: ['group'], sAMAccountName: [`size-${String(size)}`], ...member };
    return { dn: groupName(size), attributes };
  });
  return [{ dn: BASE, attributes: { objectClass: ['organizationalUnit'] } }, ...people, ...groups];
}

describe('groups of many sizes, on Samba', function () {
  this.timeout(180_000);
  let samba: TestDirectory;

  before(async () => {
    samba = await startSamba(entries());
  });
  after(() => samba.stop());

  /** The groups by name, as extract gives them. */
  async function readGroups(): Promise<Map<string, { members: string[]; held: string | undefined }>> {
    const settings = { filter: '(objectClass=group)', attributes: [], batchSize: 100, contacts: true };
    const batches = extract({ ...settingsFor(samba), base: BASE }, settings, AbortSignal.timeout(60_000));
    const groups = new Map<string, { members: string[]; held: string | undefined }>();
    for (;;) {
      const next = await batches.next();
      if (next.done === true) {
        assert.equal(next.value.failure, null);
        assert.deepEqual(next.value.seal.proof?.ranges.started, next.value.seal.proof?.ranges.ended);
        return groups;
      }
      for (const record of next.value) {
        if (record.kind === 'group')
          groups.set(record.dn, {
            members: plainNames(record.attributes['member'] ?? []),
            held: record.held?.['member'],
          });
      }
    }
  }

  /** A group of which the first answer brings a part only. */
  async function readInRanges(size: number) {
    const signal = AbortSignal.timeout(60_000);
    const session = await openSession(settingsFor(samba), signal);
    const counts = { started: 0, ended: 0 };
    try {
      const slices = session.search({
        base: groupName(size),
        scope: 'base',
        filter: parseFilter('(objectClass=group)'),
        attributes: ['objectGUID', `member;range=0-${String(STEP - 1)}`],
        marks: true,
        pageSize: null,
        extendedDn: session.knowsExtendedDn,
      });
      for await (const [entry] of slices) {
        assert.ok(entry);
        assert.equal(entry.attributes['member']?.length, STEP);
        const left = beginRanges(entry, counts);
        const guid = firstText(entry.attributes['objectGUID']);
        await session.completeRanges({ dn: groupName(size), guid }, entry, left, counts);
        return { members: plainNames(entry.attributes['member'] ?? []), held: left.held['member'], counts };
      }
      throw new Error('The group was not found.');
    } finally {
      await session.close();
    }
  }

  it('each is read exactly', async () => {
    const groups = await readGroups();
    assert.equal(groups.size, SIZES.length);
    for (const size of SIZES) {
      const group = groups.get(groupName(size));
      assert.equal(group?.held, undefined);
      assert.deepEqual(inOrder(group?.members ?? []), inOrder(membersOf(size)), groupName(size));
    }
  });

  for (const size of SIZES.filter((size) => size > STEP)) {
    it(`${String(size)} members, begun as Windows would: the rest is asked for to its end`, async () => {
      const { members, held, counts } = await readInRanges(size);
      assert.equal(held, undefined);
      assert.deepEqual(counts, { started: 1, ended: 1 });
      assert.deepEqual(inOrder(members), inOrder(membersOf(size)));
    });
  }

  it('a group that changes while it is read is as before or as after, or held', async () => {
    const some = membersOf(5_001).filter((_, number) => number % 50 === 0);
    const change = (what: 'add' | 'delete') =>
      ldapmodify(
        samba,
        [
          `dn: ${groupName(5_001)}`,
          'changetype: modify',
          `${what}: member`,
          ...some.map((dn) => `member: ${dn}`),
          '',
        ].join('\n'),
      );
    const done = new AbortController();
    const changing = (async () => {
      while (!done.signal.aborted) {
        await change('delete');
        await change('add');
      }
    })();
    const before = inOrder(membersOf(5_001));
    const after = before.filter((dn) => !some.includes(dn));
    const seen = new Set<string>();
    try {
      for (let read = 0; read < READS || (seen.size === 1 && read < 10 * READS); read += 1) {
        const group = await readInRanges(5_001);
        if (group.held !== undefined) {
          seen.add('held');
          continue;
        }
        const members = inOrder(group.members);
        const state = members.length === before.length ? 'before' : 'after';
        assert.deepEqual(members, state === 'before' ? before : after);
        seen.add(state);
      }
    } finally {
      done.abort();
      await changing;
    }
    assert.ok(seen.size > 1, 'the group did not change while it was read');
  });
});

/** Names without the ids that the server puts before them. */
function plainNames(values: readonly AttributeValue[]): string[] {
  return values.map((value) => (typeof value === 'string' ? plainDn(value) : ''));
}

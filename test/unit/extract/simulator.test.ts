import assert from 'node:assert/strict';
import type { AttributeValue, DirectoryObject } from '../../../engine/model/records.js';
import { plainDn } from '../../../engine/extract/classify.js';
import { DOCUMENTED_FILTER } from '../../../engine/extract/extract.js';
import { type LdifEntry, type Quirks, type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { type WholeRead, readAll, settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const USER = `CN=Reader,${BASE}`;
const person = (number: number): string => `CN=Person ${number},${BASE}`;

/** So many persons, and a group of all of them. */
function company(people: number): LdifEntry[] {
  const entries: LdifEntry[] = Array.from({ length: people }, (_, number) => ({
    dn: person(number),
    attributes: { objectClass: ['user'], cn: [`Person ${number}`], mail: [`person${number}@example.test`] },
  }));
  const member = entries.map(({ dn }) => dn);
  entries.push({
    dn: `CN=All,${BASE}`,
    attributes: { objectClass: ['group'], cn: ['All'], mail: ['all@example.test'], member },
  });
  return entries;
}

async function readWith(
  quirks: Partial<Quirks>,
  work: (read: WholeRead, directory: SampleDirectory) => void,
  people = 30,
): Promise<void> {
  const directory = await startDirectory({ entries: company(people), base: BASE, users: { [USER]: 'secret' }, quirks });
  try {
    const settings = settingsFor(directory.port, { user: USER, base: null, pageSize: 10 });
    work(await readAll(settings, { filter: DOCUMENTED_FILTER }), directory);
  } finally {
    await directory.close();
  }
}

function groupOf({ records }: WholeRead): DirectoryObject {
  const group = records.find(({ dn }) => dn === `CN=All,${BASE}`);
  assert.ok(group?.kind === 'group');
  return group;
}

const textOf = (value: AttributeValue | undefined) => (typeof value === 'string' ? value : '');

/** The plain names of the group's members. */
function membersOf(read: WholeRead): Set<string> {
  return new Set((groupOf(read).attributes['member'] ?? []).map((value) => plainDn(textOf(value))));
}

describe('extract from the simulated Active Directory', () => {
  it('reads people and group, with ids and token', async () => {
    await readWith({}, (read) => {
      assert.equal(read.seal.complete, true);
      assert.equal(read.seal.records.user, 30);
      assert.equal(membersOf(read).size, 30);
      assert.match(
        textOf(groupOf(read).attributes['member']?.[0]),
        /^<GUID=[0-9a-f-]{36}>;<SID=S-1-5-21-[\d-]+>;CN=Person/,
      );
      assert.notEqual(read.seal.token, null);
      assert.equal(read.seal.token?.invocationId, read.seal.proof?.server.invocationId);
    });
  });

  it('MaxPageSize smaller than the page asked for', async () => {
    await readWith({ maxPageSize: 4 }, ({ seal }) => {
      assert.equal(seal.records.user, 30);
      assert.ok((seal.proof?.searches[0]?.pages ?? 0) > 7);
    });
  });

  it('MaxValRange: members in ranges that the server chooses', async () => {
    await readWith({ maxValRange: 7 }, (read) => {
      assert.equal(membersOf(read).size, 30);
      assert.equal(read.seal.proof?.ranges.ended, read.seal.proof?.ranges.started);
      assert.ok((read.seal.proof?.ranges.started ?? 0) >= 1);
    });
  });

  it('members that change between the ranges are read again', async () => {
    let changed = false;
    const fewer = company(25);
    await readWith(
      {
        maxValRange: 7,
        mutateBetweenRanges: () => {
          if (changed) return null;
          changed = true;
          return fewer;
        },
      },
      (read) => {
        assert.equal(changed, true);
        assert.deepEqual([...membersOf(read)].sort(), Array.from({ length: 25 }, (_, number) => person(number)).sort());
        assert.equal(groupOf(read).held, undefined);
      },
    );
  });

  it('empty pages with a cookie', async () => {
    await readWith({ emptyPageWithCookie: [1, 3] }, ({ seal }) => {
      assert.equal(seal.complete, true);
      assert.equal(seal.records.user, 30);
    });
  });

  const INCOMPLETE: readonly (readonly [string, Partial<Quirks>, string])[] = [
    ['a page without the control', { pageWithoutControl: 2 }, 'NOT_PAGED'],
    ['a cookie that is discarded', { cookieDiscarded: { afterPages: 1, times: 100 } }, 'PAGING_LOST'],
    ['a time limit', { timeLimitExceededAfter: 12 }, 'SEARCH_CUT_SHORT'],
    ['a size limit', { sizeLimitExceeded: 12 }, 'SEARCH_CUT_SHORT'],
    ['a connection that ends', { disconnectAfter: 12 }, 'CONNECTION_LOST'],
    ['a notice of disconnection', { noticeOfDisconnection: 12 }, 'DISCONNECTED_BY_SERVER'],
    ['a locked account', { bindDataCode: '775' }, 'ACCOUNT_LOCKED'],
    ['a bind that wants encryption', { requireEncryption: true }, 'ENCRYPTION_REQUIRED'],
    ['silence', { silentAfter: 6 }, 'SERVER_SILENT'],
  ];
  for (const [what, quirks, code] of INCOMPLETE) {
    it(`${what}: incomplete, ${code}`, async () => {
      await readWith(quirks, ({ seal, failure }) => {
        assert.equal(failure?.code, code);
        assert.equal(seal.complete, false);
        assert.equal(seal.proof, null);
        assert.equal(seal.token, null);
        assert.ok(seal.records.user < 30);
      });
    });
  }
});

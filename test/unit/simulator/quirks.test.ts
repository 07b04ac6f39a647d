/** Each quirk of pages and ranges, and the same without it. */
import assert from 'node:assert/strict';
import { Asker, type Page, texts } from './asker.js';
import { BASE, READER, crowd, withDirectory } from './little-company.js';

const MANY = { base: `OU=Many,${BASE}`, filter: '(objectClass=user)', attributes: ['cn'] };
const GROUP = { base: `CN=Everybody,${BASE}`, scope: 'base' as const };
const TEN = crowd(10);

const names = (pages: readonly Page[]) => pages.flatMap(({ entries }) => entries).map(({ dn }) => dn);

describe('quirks of the simulator: pages', () => {
  it('maxPageSize: a search without pages ends with code 4, larger pages are cut', () =>
    withDirectory({ entries: TEN, quirks: { maxPageSize: 4 } }, async (asker) => {
      const unpaged = await asker.search(MANY);
      assert.equal(unpaged.code, 4);
      assert.equal(unpaged.entries.length, 4);
      const pages = await asker.pages({ ...MANY, page: { size: 100 } });
      assert.deepEqual(
        pages.map(({ entries }) => entries.length),
        [4, 4, 2],
      );
      assert.equal(new Set(names(pages)).size, 10);
    }));

  it('maxPageSize is 1,000 by default', () =>
    withDirectory({ entries: crowd(1001) }, async (asker) => {
      assert.equal((await asker.search(MANY)).code, 4);
      const pages = await asker.pages({ ...MANY, page: { size: 5000 } });
      assert.deepEqual(
        pages.map(({ entries }) => entries.length),
        [1000, 1],
      );
    }));

  it('none: a page that is full and the last has no cookie', () =>
    withDirectory({ entries: TEN }, async (asker) => {
      const pages = await asker.pages({ ...MANY, page: { size: 5 } });
      assert.deepEqual(
        pages.map(({ entries, code }) => [entries.length, code]),
        [
          [5, 0],
          [5, 0],
        ],
      );
      assert.deepEqual(pages.at(-1)?.cookie, Buffer.alloc(0));
    }));

  it('emptyPageWithCookie: nothing is lost, but a page is empty', () =>
    withDirectory({ entries: TEN, quirks: { emptyPageWithCookie: [1, 3, 5] } }, async (asker) => {
      const pages = await asker.pages({ ...MANY, page: { size: 5 } });
      assert.deepEqual(
        pages.map(({ entries }) => entries.length),
        [0, 5, 0, 5],
      );
      assert.equal(names(pages).length, 10);
    }));

  it('emptyPageWithCookie: also after the last entry', () =>
    withDirectory({ entries: TEN, quirks: { emptyPageWithCookie: [3] } }, async (asker) => {
      const pages = await asker.pages({ ...MANY, page: { size: 4 } });
      assert.deepEqual(
        pages.map(({ entries }) => entries.length),
        [4, 4, 0, 2],
      );
    }));

  it('pageWithoutControl: the answer lacks the control', () =>
    withDirectory({ entries: TEN, quirks: { pageWithoutControl: 2 } }, async (asker) => {
      const pages = await asker.pages({ ...MANY, page: { size: 4 } });
      assert.deepEqual(
        pages.map(({ cookie }) => cookie === null),
        [false, true],
      );
      assert.equal(names(pages).length, 8);
    }));

  it('a cookie is good on its own connection, once, for the same search', () =>
    withDirectory({ entries: TEN }, async (asker, directory) => {
      const begin = async () => {
        const { cookie } = await asker.search({ ...MANY, page: { size: 4 } });
        assert.ok(cookie);
        return { size: 4, cookie };
      };
      const other = await Asker.to(directory, READER);
      const foreign = await other.search({ ...MANY, page: await begin() });
      assert.equal(foreign.code, 12);
      assert.match(foreign.diagnostic, /^00000057: LdapErr: .*Error processing control/);
      other.close();
      assert.equal((await asker.search({ ...MANY, filter: '(cn=*)', page: await begin() })).code, 12);
      const page = await begin();
      assert.equal((await asker.search({ ...MANY, page })).code, 0);
      assert.equal((await asker.search({ ...MANY, page })).code, 12);
    }));

  it('maxResultSets: the oldest of too many searches on a connection is forgotten', () =>
    withDirectory({ entries: TEN, quirks: { maxResultSets: 2 } }, async (asker) => {
      const cookies: Buffer[] = [];
      for (let index = 0; index < 3; index += 1) {
        const { cookie } = await asker.search({ ...MANY, page: { size: 4 } });
        assert.ok(cookie);
        cookies.push(cookie);
      }
      const codes: number[] = [];
      for (const cookie of cookies) codes.push((await asker.search({ ...MANY, page: { size: 4, cookie } })).code);
      assert.deepEqual(codes, [12, 0, 0]);
    }));

  it('cookieDiscarded: so often the search has to begin again', () =>
    withDirectory({ entries: TEN, quirks: { cookieDiscarded: { afterPages: 2, times: 1 } } }, async (asker) => {
      const first = await asker.pages({ ...MANY, page: { size: 4 } });
      assert.deepEqual(
        first.map(({ code }) => code),
        [0, 0, 12],
      );
      const second = await asker.pages({ ...MANY, page: { size: 4 } });
      assert.equal(names(second).length, 10);
    }));

  for (const [quirk, code] of [
    ['timeLimitExceededAfter', 3],
    ['sizeLimitExceeded', 4],
  ] as const) {
    it(`${quirk}: the second page ends with code ${code}`, () =>
      withDirectory({ entries: TEN, quirks: { [quirk]: 6 } }, async (asker) => {
        const pages = await asker.pages({ ...MANY, page: { size: 4 } });
        assert.deepEqual(
          pages.map((page) => [page.code, page.entries.length]),
          [
            [0, 4],
            [code, 2],
          ],
        );
      }));
  }

  it('delayPerPageMs: each page takes its time', () =>
    withDirectory({ entries: TEN, quirks: { delayPerPageMs: 60 } }, async (asker) => {
      const started = performance.now();
      await asker.pages({ ...MANY, page: { size: 4 } });
      assert.ok(performance.now() - started >= 3 * 55);
    }));

  it('hideBelow: neither found nor a base, but still a member', () =>
    withDirectory({ entries: TEN, quirks: { hideBelow: [`ou=many,${BASE}`] } }, async (asker) => {
      assert.deepEqual((await asker.search({ filter: '(employeeID=*)' })).entries, []);
      const hidden = await asker.search(MANY);
      assert.equal(hidden.code, 32);
      assert.equal(hidden.matchedDn, BASE);
      assert.equal(texts((await asker.search(GROUP)).entries[0], 'member').length, 10);
    }));
});

describe('quirks of the simulator: ranges', () => {
  /** Names and sizes of the attributes of the group that came back. */
  async function ranges(asker: Asker, ...attributes: string[]): Promise<Record<string, number>> {
    const { entries } = await asker.search({ ...GROUP, attributes });
    const found = Object.entries(entries[0]?.attributes ?? {});
    return Object.fromEntries(found.map(([name, values]) => [name, values.length]));
  }

  it('maxValRange: the server chooses the range, the client asks for the next', () =>
    withDirectory({ entries: TEN, quirks: { maxValRange: 4 } }, async (asker) => {
      assert.deepEqual(await ranges(asker, 'member'), { 'member;range=0-3': 4 });
      assert.deepEqual(await ranges(asker, 'member;range=4-*'), { 'member;range=4-7': 4 });
      assert.deepEqual(await ranges(asker, 'member;range=8-*'), { 'member;range=8-*': 2 });
      assert.deepEqual(await ranges(asker, 'member;range=0-1'), { 'member;range=0-1': 2 });
      assert.deepEqual(await ranges(asker, 'Member;Range=8-9'), { 'member;range=8-*': 2 });
      assert.deepEqual(await ranges(asker, 'member;range=10-*'), {});
      assert.ok('member;range=0-3' in (await ranges(asker, '*')));
    }));

  it('maxValRange is 1,500 by default', () =>
    withDirectory({ entries: crowd(1500) }, async (asker, directory) => {
      assert.deepEqual(await ranges(asker, 'member'), { member: 1500 });
      directory.reload(crowd(1501));
      assert.deepEqual(await ranges(asker, 'member'), { 'member;range=0-1499': 1500 });
      assert.deepEqual(await ranges(asker, 'member;range=1500-*'), { 'member;range=1500-*': 1 });
    }));

  it('mutateBetweenRanges: the group is another by the second range, and its uSNChanged says so', async () => {
    const asked: unknown[] = [];
    const quirks = {
      maxValRange: 4,
      mutateBetweenRanges: (range: object) => {
        asked.push(range);
        return crowd(6);
      },
    };
    await withDirectory({ entries: TEN, quirks }, async (asker) => {
      const usn = async () =>
        texts((await asker.search({ ...GROUP, attributes: ['uSNChanged'] })).entries[0], 'uSNChanged')[0];
      const before = await usn();
      assert.deepEqual(await ranges(asker, 'member'), { 'member;range=0-3': 4 });
      assert.equal(await usn(), before);
      assert.deepEqual(await ranges(asker, 'member;range=4-*'), { 'member;range=4-*': 2 });
      assert.notEqual(await usn(), before);
    });
    assert.deepEqual(asked, [{ dn: GROUP.base, attribute: 'member', from: 4 }]);
  });
});

/** What comes in which batch, and what the seal says of it: of reads that end well, that fail, and that are stopped. */
import assert from 'node:assert/strict';
import { type ExtractSettings, extract } from '../../../engine/extract/extract.js';
import { StoppedError } from '../../../engine/model/errors.js';
import { type LdifEntry, type Quirks, startDirectory } from '../../support/directory/index.js';
import { readAll, settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const READER = { reader: 'secret' };

const people = (count: number): LdifEntry[] =>
  Array.from({ length: count }, (_, number) => ({
    dn: `CN=p${String(number)},${BASE}`,
    attributes: { objectClass: ['user'], mail: [`p${String(number)}@example.test`] },
  }));

async function withDirectory<T>(
  entries: readonly LdifEntry[],
  quirks: Partial<Quirks>,
  work: (settings: ReturnType<typeof settingsFor>) => Promise<T>,
): Promise<T> {
  const directory = await startDirectory({ entries, base: BASE, users: READER, quirks });
  try {
    return await work(settingsFor(directory.port, { user: 'reader', base: BASE, pageSize: 10 }));
  } finally {
    await directory.close();
  }
}

const read = (entries: readonly LdifEntry[], quirks: Partial<Quirks>, what: Partial<ExtractSettings>) =>
  withDirectory(entries, quirks, (settings) => readAll(settings, what));

describe('what a read tells of itself', () => {
  for (const [count, batchSize, batches] of [
    [1, 100, 1],
    [1, 1, 1],
    [2, 1, 2],
    [2, 2, 1],
    [3, 2, 2],
    [4, 2, 2],
  ] as const) {
    it(`${String(count)} in batches of ${String(batchSize)}: sent to the last, and none is empty, also before a failure`, async () => {
      const whole = await read(people(count), {}, { batchSize });
      assert.deepEqual([whole.batches, whole.seal.batches, whole.records.length], [batches, batches, count]);
      const cut = await read(people(9), { timeLimitExceededAfter: count }, { batchSize });
      assert.equal(cut.failure?.code, 'SEARCH_CUT_SHORT');
      assert.deepEqual([cut.batches, cut.seal.batches, cut.records.length], [batches, batches, count]);
    });
  }

  it('stopped, nothing that was begun is sent any more', () =>
    withDirectory(people(25), {}, async (settings) => {
      const stop = new AbortController();
      const what = { filter: '(mail=*)', attributes: [], batchSize: 3, contacts: true };
      const sizes: number[] = [];
      await assert.rejects(async () => {
        for await (const batch of extract(settings, what, stop.signal)) {
          sizes.push(batch.length);
          stop.abort();
        }
      }, StoppedError);
      assert.deepEqual([...new Set(sizes)], [3]);
      assert.ok(sizes.length < 8, sizes.join());
    }));

  it('a read that could not begin says nothing of what was to be read; one that was cut does', async () => {
    const refused = await read(people(1), { bindDataCode: '775' }, {});
    assert.deepEqual(['scope' in refused.seal, 'brought' in refused.seal, refused.seal.token], [false, false, null]);
    const cut = await read(people(9), { timeLimitExceededAfter: 3 }, {});
    assert.deepEqual([cut.seal.scope?.bases, cut.seal.brought?.objects], [[BASE.toLowerCase()], 3]);
  });

  it('who is set aside brings no value that would be counted', async () => {
    const computer = { dn: `CN=pc,${BASE}`, attributes: { objectClass: ['computer'], mail: ['pc@example.test'] } };
    const { seal } = await read([...people(2), computer], {}, {});
    assert.deepEqual([seal.brought?.objects, seal.brought?.attributes['mail'], seal.records.quarantined], [2, 2, 1]);
  });

  it('what is incomplete for one reason is so for that one', async () => {
    const { seal } = await read(people(2), {}, { canaries: [`CN=gone,${BASE}`] });
    assert.deepEqual(
      seal.incomplete.map(({ code }) => code),
      ['CANARY_MISSING'],
    );
  });
});

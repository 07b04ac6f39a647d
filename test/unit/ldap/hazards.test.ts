/** Hazards of reading that no other file has: negative controls, and limits of directories. `docs/hazards.md` lists all. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { plainDn, toRecord } from '../../../engine/extract/classify.js';
import type { Entry } from '../../../engine/ldap/entry.js';
import { startDirectory } from '../../support/directory/index.js';
import { mutate } from '../../campaigns/support/mutants.js';
import { randomOf } from '../../campaigns/support/random.js';
import { searchPage } from '../../campaigns/support/replies.js';
import { entry, pageEnd, result } from './ber-text.js';
import { plainClient, readAll, readFrom, settingsFor, withServer } from './reading.js';
import { behaved, pages, person } from './scripted-server.js';

const BASE = 'DC=example,DC=test';

describe('hazards: negative controls of the client library', () => {
  it('L11, negative control: among 400 mutants is one that blocks plain ldapts for good', async () => {
    let number = 0;
    await withServer(
      behaved(({ id }, socket) => {
        socket.write(mutate(searchPage(id), randomOf(1, number)).bytes);
        number += 1;
        return undefined;
      }),
      async ({ port }) => {
        const child = fork(join(__dirname, 'plain-searches.js'), [String(port), '400'], { stdio: 'ignore' });
        let timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
        let heard = 0;
        const expect = () => {
          heard += 1;
          clearTimeout(timer);
          // Each search has a time limit of 50 ms: where nothing is heard for so long, not even timers run.
          timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
        };
        child.on('message', expect);
        const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
        clearTimeout(timer);
        assert.ok(heard > 0, 'it began');
        assert.deepEqual([code, signal], [null, 'SIGKILL'], `after ${number} mutants`);
      },
    );
  }).timeout(60_000);

  it('L21, negative control: plain ldapts overlooks a name in another case, and gives text', async () => {
    const bytes = Buffer.from('0123456789abcdef');
    await withServer(
      behaved(({ id }) => [entry(id, 'CN=x', [['objectGUID', [bytes]]]), result(id, 0x65, 0)]),
      async ({ port }) => {
        const client = await plainClient(port);
        const search = async (name: string) =>
          (await client.search(BASE, { explicitBufferAttributes: [name] })).searchEntries[0]?.['objectGUID'];
        assert.equal(Buffer.isBuffer(await search('objectGUID')), true);
        assert.equal(await search('OBJECTGUID'), '0123456789abcdef');
        await client.unbind();
      },
    );
  });

  it('L23, negative control: for plain ldapts emptied and not returned are the same', async () => {
    await withServer(
      behaved(({ id }) => [entry(id, 'CN=x', [['mail', []]]), result(id, 0x65, 0)]),
      async ({ port }) => {
        const client = await plainClient(port);
        const { searchEntries } = await client.search(BASE, { attributes: ['mail', 'title'] });
        assert.deepEqual(searchEntries[0]?.['mail'], searchEntries[0]?.['title']);
        await client.unbind();
      },
    );
  });
});

describe('hazards: limits of directories', () => {
  it('2.2 MaxPageSize, negative control: a search without pages ends with code 4', async () => {
    const entries = Array.from({ length: 20 }, (_, number) => ({
      dn: `CN=Person ${number},${BASE}`,
      attributes: { objectClass: ['user'], mail: [`person${number}@example.test`] },
    }));
    const directory = await startDirectory({
      entries,
      base: BASE,
      users: { reader: 'secret' },
      quirks: { maxPageSize: 10 },
    });
    try {
      const client = await plainClient(directory.port, { bind: false });
      await client.bind('reader', 'secret');
      await assert.rejects(client.search(BASE, { filter: '(mail=*)' }), { code: 4 });
      await client.unbind();
      const { seal } = await readAll(settingsFor(directory.port, { user: 'reader', pageSize: 1000 }));
      assert.deepEqual([seal.complete, seal.records.user], [true, 20]);
    } finally {
      await directory.close();
    }
  });

  it('2.2 objects renamed mid-paging: one that comes twice comes twice with one id, and the read goes on', async () => {
    const twice = behaved(({ id, cookie }) =>
      cookie === '' ? [person(id, 1), pageEnd(id, 'next')] : [person(id, 1), person(id, 2), pageEnd(id, '')],
    );
    const { records, seal } = await readFrom(twice);
    assert.equal(seal.complete, true);
    assert.deepEqual([records.length, new Set(records.map((record) => record.id)).size], [3, 2]);
  });

  it('2.2 MaxConnections: a whole read is one connection', async () => {
    await withServer(pages([2, 2, 2]), async ({ port, sockets }) => {
      assert.equal((await readAll(settingsFor(port))).seal.complete, true);
      assert.equal(sockets.length, 1);
    });
  });
});

describe('hazards: names that replication makes', () => {
  const id = '00112233-4455-6677-8899-aabbccddeeff';
  const found = (dn: string): Entry => ({
    dn,
    attributes: { objectClass: ['user'], objectGUID: [id] },
    ranges: [],
    mark: null,
    shape: null,
    bytes: 1,
  });

  for (const dn of [
    `CN=Ada\\0ACNF:${id},${BASE}`,
    `<GUID=${id}>;CN=Okafor\\, Chidi\\0ACNF:${id},${BASE}`,
    `OU=x\nCNF:${id},${BASE}`,
  ]) {
    it(`2.5 CNF: ${JSON.stringify(plainDn(dn))} is set aside as a conflict, with its id, and counts as there`, () => {
      const record = toRecord(found(dn), null);
      assert.ok(record.kind === 'quarantined' && record.reason === 'NAME_CONFLICT' && record.id === id);
    });
  }

  for (const dn of [`CN=CNF:${id},${BASE}`, `CN=Ada,OU=x\\0ACNF:${id},${BASE}`, `CN=line\\0Afeed,${BASE}`]) {
    it(`2.5 CNF: ${dn} is no conflict of its own`, () => assert.equal(toRecord(found(dn), null).kind, 'user'));
  }
});

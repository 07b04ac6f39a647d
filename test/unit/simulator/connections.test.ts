/** What happens to connections: encryption, ends of every kind, silence, searches given up. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AbandonRequest } from 'ldapts';
import { type Certificates, makeCertificates } from '../../support/certificates.js';
import { startDirectory } from '../../support/directory/index.js';
import { Asker, Notice } from './asker.js';
import { BASE, LITTLE_COMPANY, READER, crowd, withDirectory } from './little-company.js';

const MANY = { base: `OU=Many,${BASE}`, filter: '(objectClass=user)', attributes: ['cn'] };
const TEN = crowd(10);

describe('quirks of the simulator: connections', () => {
  let folder: string;
  let certificates: Certificates;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    certificates = await makeCertificates(folder);
  });
  after(() => rm(folder, { recursive: true }));

  it('requireEncryption: code 8 in the clear, success after StartTLS', async () => {
    const { ca, cert, key } = certificates;
    const users = { [READER.user]: READER.password };
    const quirks = { requireEncryption: true };
    const directory = await startDirectory({ entries: LITTLE_COMPANY, base: BASE, users, tls: { cert, key }, quirks });
    const asker = await Asker.to(directory);
    const refused = await asker.bind(READER.user, READER.password);
    assert.equal(refused.code, 8);
    assert.match(refused.diagnostic, /^00002028: LdapErr: /);
    assert.equal(await asker.startTls(ca), 0);
    assert.equal((await asker.bind(READER.user, READER.password)).code, 0);
    assert.equal((await asker.search({ filter: '(cn=Ada)' })).entries.length, 1);
    assert.deepEqual(
      directory.transcript.map(({ kind, encrypted, result }) => [kind, encrypted, result]),
      [
        ['bind', false, 8],
        ['extended', false, 0],
        ['bind', true, 0],
        ['search', true, 0],
      ],
    );
    asker.close();
    await directory.close();
  });

  it('StartTLS without a certificate: code 52', () =>
    withDirectory({}, async (asker) => assert.equal(await asker.startTls(''), 52)));

  it('LDAPS: encrypted from the first byte', async () => {
    const { ca, cert, key } = certificates;
    const users = { [READER.user]: READER.password };
    const options = { entries: LITTLE_COMPANY, base: BASE, users, tls: { cert, key } };
    const directory = await startDirectory({ ...options, encryption: 'ldaps', quirks: { requireEncryption: true } });
    assert.equal(directory.url, `ldaps://127.0.0.1:${directory.port}`);
    const asker = await Asker.to(directory, READER, { ca });
    assert.equal((await asker.search({ filter: '(cn=Ada)' })).entries.length, 1);
    asker.close();
    await directory.close();
    await assert.rejects(startDirectory({ entries: [], base: BASE, encryption: 'ldaps' }), /needs a certificate/);
  });

  it('bindDataCode: every bind is refused, for that reason', () =>
    withDirectory({}, async (asker, directory) => {
      directory.setQuirks({ bindDataCode: '775' });
      const { code, diagnostic } = await asker.bind(READER.user, READER.password);
      assert.equal(code, 49);
      assert.match(diagnostic, /, data 775, /);
      directory.setQuirks({ bindDataCode: null });
      assert.equal((await asker.bind(READER.user, READER.password)).code, 0);
    }));

  it('disconnectAfter: the connection ends in the middle of a page', () =>
    withDirectory({ entries: TEN, quirks: { disconnectAfter: 6 } }, async (asker, directory) => {
      await assert.rejects(asker.pages({ ...MANY, page: { size: 4 } }), /the connection ended/);
      const search = directory.transcript.at(-1);
      assert.ok(search?.kind === 'search');
      assert.deepEqual([search.entries, search.result], [2, null]);
    }));

  it('noticeOfDisconnection: it says so first', () =>
    withDirectory({ entries: TEN, quirks: { noticeOfDisconnection: 6 } }, async (asker) => {
      await assert.rejects(
        asker.pages({ ...MANY, page: { size: 4 } }),
        (error) => error instanceof Notice && error.message === '52 1.3.6.1.4.1.1466.20036',
      );
    }));

  it('silentAfter: it stays connected and says nothing', () =>
    withDirectory({ entries: TEN, quirks: { silentAfter: 2 } }, async (asker) => {
      assert.equal((await asker.search(MANY)).code, 0);
      asker.ask(MANY);
      assert.equal(await asker.isSilent(150), true);
    }));
});

describe('the simulator, abandoning', () => {
  it('stops a search that is given up, and answers the next one', () =>
    withDirectory({ entries: TEN, quirks: { delayPerPageMs: 200 } }, async (asker, directory) => {
      const abandonId = asker.ask(MANY);
      asker.send(new AbandonRequest({ messageId: 99, abandonId }));
      while (directory.transcript.at(-1)?.kind !== 'abandon') await turn();
      directory.setQuirks({ delayPerPageMs: 0 });
      const { entries } = await asker.search({ ...MANY, filter: '(cn=Person 7)' });
      assert.deepEqual(
        entries.map(({ dn }) => dn),
        [`CN=Person 7,OU=Many,${BASE}`],
      );
      assert.equal(await asker.isSilent(300), true);
      assert.deepEqual(
        directory.transcript.map(({ kind, result }) => [kind, result]),
        [
          ['bind', 0],
          ['search', null],
          ['abandon', null],
          ['search', 0],
        ],
      );
    }));
});

/** The simulator as other people's clients see it: ldapts, and OpenLDAP's commands. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'ldapts';
import { type Certificates, makeCertificates } from '../../support/certificates.js';
import { type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { parseLdif, valuesOf } from '../../support/ldif.js';
import { BASE, LITTLE_COMPANY, READER, crowd } from './little-company.js';

const installed = spawnSync('ldapsearch', ['-VV']).error === undefined;

describe('the simulator and other clients', () => {
  let folder: string;
  let certificates: Certificates;
  let directory: SampleDirectory;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    certificates = await makeCertificates(folder);
    const { cert, key } = certificates;
    const users = { [READER.user]: READER.password };
    const entries = [...LITTLE_COMPANY, ...crowd(120)];
    directory = await startDirectory({ entries, base: BASE, users, tls: { cert, key } });
  });
  after(async () => {
    await directory.close();
    await rm(folder, { recursive: true });
  });

  describe('ldapts', () => {
    it('starts TLS, binds, pages and unbinds', async () => {
      const client = new Client({ url: directory.url });
      await client.startTLS({ ca: certificates.ca });
      await client.bind(READER.user, READER.password);
      const { searchEntries, searchReferences } = await client.search(BASE, {
        filter: '(&(objectClass=user)(employeeID=*))',
        attributes: ['employeeID', 'objectGUID'],
        paged: { pageSize: 50 },
        explicitBufferAttributes: ['objectGUID'],
      });
      assert.equal(searchEntries.length, 120);
      assert.ok(searchEntries.every((entry) => Buffer.isBuffer(entry['objectGUID'])));
      assert.ok(searchReferences.every((url) => url.includes('CN=Configuration')));
      await client.unbind();
      while (directory.transcript.at(-1)?.kind !== 'unbind') await turn();
    });

    it('is told that changes are not made here, and goes on', async () => {
      const client = new Client({ url: directory.url });
      await client.bind(READER.user, READER.password);
      for (const change of [
        () => client.add(`CN=New,${BASE}`, { objectClass: 'contact' }),
        () => client.del(`CN=Everybody,${BASE}`),
        () => client.modifyDN(`CN=Everybody,${BASE}`, 'CN=Nobody'),
        () => client.compare(`CN=Everybody,${BASE}`, 'cn', 'Everybody'),
      ]) {
        await assert.rejects(change, (error) => (error as { code?: unknown }).code === 53);
      }
      await assert.rejects(client.exop('1.2.3.4'), (error) => (error as { code?: unknown }).code === 2);
      assert.equal((await client.search(BASE, { filter: '(cn=Ada)' })).searchEntries.length, 1);
      await client.unbind();
    });
  });

  (installed ? describe : describe.skip)(`ldapsearch${installed ? '' : ' (not installed: package ldap-utils)'}`, () => {
    /** Runs an OpenLDAP command without waiting in the way of the simulator, which is in this process. */
    async function run(command: string, ...args: string[]): Promise<{ code: number; out: string; error: string }> {
      const env = { ...process.env, LDAPTLS_CACERT: certificates.caFile };
      try {
        const { stdout, stderr } = await promisify(execFile)(command, ['-x', '-H', directory.url, ...args], {
          env,
          timeout: 15_000,
        });
        return { code: 0, out: stdout, error: stderr };
      } catch (thrown) {
        const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string };
        return { code, out: stdout, error: stderr };
      }
    }
    const bound = ['-D', READER.user, '-w', READER.password];
    const search = (...args: string[]) => run('ldapsearch', '-LLL', '-o', 'ldif-wrap=no', ...args);
    const entriesOf = (out: string) => parseLdif(out.replace(/^# (refldap|pagedresults).*$/gm, ''));

    it('reads the RootDSE', async () => {
      const { out } = await search('-s', 'base', '-b', '');
      const [root] = parseLdif(out);
      assert.ok(root);
      assert.deepEqual(valuesOf(root, 'defaultNamingContext'), [BASE]);
    });

    it('says who is bound, and why somebody is not', async () => {
      const { out } = await run('ldapwhoami', ...bound);
      assert.equal(out.trim(), 'u:EXAMPLE\\reader');
      const refused = await run('ldapwhoami', '-D', READER.user, '-w', 'wrong');
      assert.equal(refused.code, 49);
      assert.match(refused.error, /data 52e/);
    });

    it('finds by an escaped binary value, a name in another script, a name with a comma', async () => {
      const { out } = await search(...bound, '-b', BASE, '(cn=山田太郎)', 'objectGUID');
      const [guid] = entriesOf(out).flatMap((entry) => valuesOf(entry, 'objectGUID'));
      assert.ok(guid !== undefined);
      const escaped = [...Buffer.from(guid)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
      const again = await search(...bound, '-b', BASE, `(objectGUID=${escaped})`, 'cn');
      assert.deepEqual(
        entriesOf(again.out).flatMap((entry) => valuesOf(entry, 'cn')),
        ['山田太郎'],
      );
      const comma = await search(...bound, '-b', `CN=Smith\\, Bob,OU=People,${BASE}`, '-s', 'base', 'cn');
      assert.deepEqual(
        entriesOf(comma.out).map(({ dn }) => dn),
        [`CN=Smith\\, Bob,OU=People,${BASE}`],
      );
    });

    it('reads in pages', async () => {
      const { code, out } = await search(...bound, '-b', BASE, '-E', '!pr=50/noprompt', '(employeeID=*)', 'cn');
      assert.equal(code, 0);
      assert.equal(entriesOf(out).length, 120);
      assert.equal(out.match(/^# pagedresults:/gm)?.length, 3);
    });

    it('shows ids before names', async () => {
      const control = '!1.2.840.113556.1.4.529=::MAMCAQE=';
      const { out } = await search(...bound, '-b', BASE, '-E', control, '(cn=Inner)', 'member');
      const [inner] = entriesOf(out);
      assert.match(inner?.dn ?? '', /^<GUID=[0-9a-f-]{36}>;<SID=S-1-5-21(-\d+){4}>;CN=Inner,/);
      assert.match(
        String(inner && valuesOf(inner, 'member')[0]),
        /^<GUID=[0-9a-f-]{36}>;<SID=S-1-5-21(-\d+){4}>;CN=Ada,OU=People,DC=example,DC=test$/,
      );
    });

    it('starts TLS, and searches in it', async () => {
      const { code, out } = await search('-ZZ', ...bound, '-b', BASE, '(cn=Ada)', 'mail');
      assert.equal(code, 0);
      assert.equal(entriesOf(out).length, 1);
      assert.equal(directory.transcript.at(-2)?.encrypted, true);
    });
  });
});

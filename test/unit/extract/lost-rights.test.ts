/** Rights that are lost on single attributes: what the seal says of them, and that the account takes nothing from anybody. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, openAccount } from '../../../engine/account/account.js';
import { parseCanary } from '../../../engine/extract/canaries.js';
import { readScopeOf } from '../../../engine/extract/read-scope.js';
import { ALWAYS_READ } from '../../../engine/extract/settings.js';
import type { Seal } from '../../../engine/model/run.js';
import { companyEntries, companySettings } from '../../support/company.js';
import { type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { valuesOf } from '../../support/ldif.js';
import { foundObjects } from '../../support/oracle/objects.js';
import { syncInto } from '../../support/whole-sync.js';
import { UNLIMITED } from '../account/support.js';
import { codeOf, readAll, settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const READER = 'EXAMPLE\\reader';

describe('rights lost on single attributes', () => {
  const entries = companyEntries();
  const { attributes } = companySettings('');
  let directory: SampleDirectory;
  let folder: string;
  let account: Account;
  before(async () => {
    directory = await startDirectory({ entries, base: BASE, users: { [READER]: 'secret' } });
  });
  after(() => directory.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rights-'));
    account = await openAccount(companySettings(join(folder, 'account.sqlite')));
  });
  afterEach(async () => {
    hide([]);
    await account.close();
    await rm(folder, { recursive: true, force: true });
  });

  const hide = (hideAttributes: readonly string[]) =>
    directory.setQuirks({ permissions: { 'u:example\\reader': { hideAttributes } } });
  const reader = () => settingsFor(directory.port, { user: READER, pageSize: 100 });
  const sync = () => syncInto(account, reader(), attributes);

  it('the seal says what was asked for, and how many objects brought a value', async () => {
    const { seal } = await sync();
    const asked = Object.keys(seal.brought?.attributes ?? {});
    assert.deepEqual(asked, [...new Set([...ALWAYS_READ, ...attributes])].sort());
    const people = seal.records.user + seal.records.contact;
    assert.equal(seal.brought?.objects, people + seal.records.group + seal.records['dynamic-group']);
    const titled = foundObjects(entries, true).filter((one) => one.attribute('title') !== null);
    assert.equal(seal.brought.attributes['title'], titled.length);
    hide(['title']);
    const again = await sync();
    assert.equal(again.seal.brought?.attributes['title'], 0);
    assert.equal(again.seal.complete, true, 'nothing else tells');
    assert.equal(again.seal.scope?.digest, seal.scope?.digest);
  });

  for (const hidden of [
    ['proxyAddresses'],
    ['mail', 'proxyAddresses'],
    ['title'],
    ['member'],
    ['objectSid'],
    ['userAccountControl'],
    ['displayName'],
  ]) {
    it(`${hidden.join(' and ')}: the run is held, the account as it was`, async () => {
      await sync();
      const before = await account.snapshot();
      hide(hidden);
      const { report } = await sync();
      assert.equal(report.outcome, 'held', JSON.stringify(report.changes));
      for (const name of hidden) {
        assert.ok(report.warnings?.some(({ code, message }) => code === 'ATTRIBUTE_LOST' && message.includes(name)));
      }
      assert.deepEqual(await account.snapshot(), before);
      hide([]);
      const { report: restored } = await sync();
      assert.deepEqual([restored.outcome, restored.warnings], ['unchanged', undefined]);
      assert.deepEqual(await account.snapshot(), before);
    });
  }

  it('negative control: from a seal that does not say it, titles are cleared, where limits allow it', async () => {
    await account.close();
    const rules = { limits: UNLIMITED, holdUnusual: true };
    account = await openAccount({ ...companySettings(join(folder, 'control.sqlite')), rules });
    const untold = (seal: Seal): Seal => {
      const { brought, ...rest } = seal;
      assert.ok(brought);
      return rest;
    };
    await syncInto(account, reader(), attributes, untold);
    hide(['title']);
    const { report } = await syncInto(account, reader(), attributes, untold);
    assert.equal(report.outcome, 'committed');
    assert.ok((await account.snapshot()).users.every((one) => one.attributes['title'] === undefined));
  });

  it('a canary that must have values of attributes notices it, and more: a right lost on one branch', async () => {
    const ada = entries.find((entry) => valuesOf(entry, 'proxyAddresses').length > 0)?.dn ?? '';
    const read = (canaries: readonly string[]) => readAll(reader(), { canaries });
    const line = `${ada}: mail, proxyaddresses`;
    assert.equal((await read([line])).seal.complete, true);
    hide(['proxyAddresses']);
    const { failure, seal } = await read([line]);
    assert.equal(failure?.code, 'CANARY_ATTRIBUTE_MISSING');
    assert.deepEqual(failure.params, { number: 1, count: 1, attribute: 'proxyaddresses' });
    assert.ok(!failure.message.includes(ada));
    assert.equal(seal.complete, false);
    assert.equal((await read([ada])).seal.complete, true, 'negative control: the object itself can be seen');
  });

  it('canaries are written with attributes behind a colon', async () => {
    assert.deepEqual(parseCanary('CN=a,DC=b'), { object: 'CN=a,DC=b', attributes: [] });
    assert.deepEqual(parseCanary(' CN=a,DC=com: mail ,  proxyAddresses '), {
      object: 'CN=a,DC=com',
      attributes: ['mail', 'proxyAddresses'],
    });
    const id = '0f3a9c52-7f1e-4c39-9f1b-2b8f4a0f3c11';
    assert.deepEqual(parseCanary(`${id}:title`), { object: id, attributes: ['title'] });
    assert.deepEqual(parseCanary('CN=a\\3A b,DC=c'), { object: 'CN=a\\3A b,DC=c', attributes: [] });
    for (const wrong of ['somebody', ': mail', 'somebody: mail']) assert.equal(parseCanary(wrong), null);
    assert.equal(await codeOf(readAll(reader(), { canaries: ['somebody: mail'] })), 'SETTING_INVALID');
  });

  it('the scope is the same for every spelling, and another for every setting', () => {
    const settings = { filter: '(mail=*)', attributes: ['title'], batchSize: 1, contacts: true };
    const digest = (bases: readonly string[], rest: Partial<Parameters<typeof readScopeOf>[1]> = {}) =>
      readScopeOf(bases, { ...settings, ...rest }).digest;
    const one = digest([BASE]);
    for (const same of [
      digest(['dc=Example, dc=test']),
      digest([BASE], { attributes: ['TITLE', 'title'], filter: ' (mail=*)' }),
      digest([BASE], { batchSize: 500, canaries: ['CN=a'] }),
    ]) {
      assert.equal(same, one);
    }
    const others = [
      digest([`OU=a,${BASE}`]),
      digest([]),
      digest([BASE], { filter: '(cn=*)' }),
      digest([BASE], { exclude: [`OU=a,${BASE}`] }),
      digest([BASE], { contacts: false }),
      digest([BASE], { publicFolders: true }),
      digest([BASE], { emailDomains: ['example.com'] }),
      digest([BASE], { attributes: [] }),
    ];
    assert.equal(new Set([one, ...others]).size, others.length + 1);
  });
});

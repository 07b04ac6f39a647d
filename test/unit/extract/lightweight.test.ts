/** AD LDS: the states of accounts are computed when they are asked for, and a domain controller is not asked. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, openAccount } from '../../../engine/account/account.js';
import { companyEntries, companySettings } from '../../support/company.js';
import { type Quirks, type SampleDirectory, startDirectory } from '../../support/directory/index.js';
import { syncInto } from '../../support/whole-sync.js';
import { settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const READER = 'EXAMPLE\\reader';
const COMPUTED = 'msDS-User-Account-Control-Computed';

describe('AD LDS', () => {
  let directory: SampleDirectory;
  let folder: string;
  let account: Account;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lightweight-'));
    account = await openAccount(companySettings(join(folder, 'account.sqlite')));
  });
  afterEach(async () => {
    await account.close();
    await directory.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(quirks: Partial<Quirks>): Promise<void> {
    directory = await startDirectory({ entries: companyEntries(), base: BASE, users: { [READER]: 'secret' }, quirks });
  }
  const sync = () => syncInto(account, settingsFor(directory.port, { user: READER, pageSize: 100 }), []);
  const asked = () => directory.transcript.some((one) => one.kind === 'search' && one.attributes.includes(COMPUTED));
  const disabled = async () =>
    (await account.snapshot()).users.flatMap(({ address, enabled }) => (enabled ? [] : [address]));

  it('is asked for the computed state by itself, and people are disabled as a domain controller would have them', async () => {
    await start({});
    await sync();
    const expected = await disabled();
    assert.ok(expected.length > 3);
    assert.equal(asked(), false, 'a domain controller says it in userAccountControl, and computes nothing');
    await account.close();
    await directory.close();
    await start({ lightweight: true });
    account = await openAccount(companySettings(join(folder, 'other.sqlite')));
    const { seal } = await sync();
    assert.equal(asked(), true);
    assert.equal(seal.complete, true);
    assert.ok((seal.brought?.attributes[COMPUTED] ?? 0) > 200);
    assert.deepEqual(await disabled(), expected);
  });

  it('a right to it that is lost enables nobody', async () => {
    await start({ lightweight: true });
    await sync();
    const before = await disabled();
    directory.setQuirks({ permissions: { 'u:example\\reader': { hideAttributes: [COMPUTED] } } });
    const { report } = await sync();
    assert.equal(report.outcome, 'held');
    assert.ok(report.warnings?.some(({ code, message }) => code === 'ATTRIBUTE_LOST' && message.includes(COMPUTED)));
    assert.deepEqual(await disabled(), before);
  });

  it('negative control: whoever may not see it from the beginning sees everybody enabled', async () => {
    const permissions = { 'u:example\\reader': { hideAttributes: [COMPUTED] } };
    await start({ lightweight: true, permissions });
    await sync();
    assert.deepEqual(await disabled(), []);
  });
});

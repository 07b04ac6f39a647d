/** 2.5 Odd RDNs: 23 names that a directory takes, read, carried to the account, and written to again under the name as read. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAccount } from '../../engine/account/account.js';
import { extract } from '../../engine/extract/extract.js';
import { parseExtractedMessage } from '../../engine/model/message.js';
import { dnKey, firstRdnValue } from '../../engine/model/dn.js';
import type { DirectoryObject } from '../../engine/model/records.js';
import { companySettings, startSimulator } from '../support/company.js';
import { ldapmodify } from '../support/ldapmodify.js';
import { ldapsearch } from '../support/ldapsearch.js';
import { type LdifEntry, valuesOf } from '../support/ldif.js';
import type { TestDirectory } from '../support/programs.js';
import { startSamba } from '../support/samba.js';
import { settingsFor, syncInto } from '../support/whole-sync.js';

/** Pairs, for an object could not have one of them as a key. */
const NAMES: readonly (readonly [what: string, value: string])[] = [
  ['comma', 'Okafor, Chidi'],
  ['leading number sign', '#robot'],
  ['quotes', 'The "Boss"'],
  ['plus', 'R+D'],
  ['equals', 'a=b'],
  ['semicolon and angle brackets', 'x;<y>z'],
  ['backslash', 'back\\slash'],
  ['leading space', ' leading'],
  ['trailing space', 'trailing '],
  ['Chinese', '山田太郎'],
  ['emoji', '👩‍🚀 astronaut'],
  ['right to left', 'שלום \u202eabc'],
  ['zero width', 'zero\u200bwidth'],
  ['NUL', 'nul\0inside'],
  ['TAB', 'tab\tinside'],
  ['line feed', 'line\nfeed'],
  ['64 characters', 'x'.repeat(64)],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['HTML', '<img src=x onerror=alert(1)>'],
  ['formula', '=HYPERLINK("http://x.test")'],
  ['NFC twin', 'Zoë twin'],
  ['NFD twin', 'Zoe\u0308 twin'],
];
const ODD = 'OU=Odd,DC=example,DC=test';

/** Every character but letters and digits as the hexadecimal pairs of its bytes (RFC 4514, section 2.4): right for any. */
function nameOf(value: string): string {
  const escaped = value.replace(/[^A-Za-z0-9]/gu, (char) => Buffer.from(char).toString('hex').replace(/../g, '\\$&'));
  return `CN=${escaped},${ODD}`;
}

function entries(): LdifEntry[] {
  const people = NAMES.map(([, value], number) => ({
    dn: nameOf(value),
    attributes: { objectClass: ['user'], sAMAccountName: [`odd${number}`], mail: [`odd${number}@example.com`] },
  }));
  const member = people.map(({ dn }) => dn);
  return [
    { dn: ODD, attributes: { objectClass: ['organizationalUnit'] } },
    ...people,
    { dn: `CN=All,${ODD}`, attributes: { objectClass: ['group'], sAMAccountName: ['odd-all'], member } },
  ];
}

describe('23 odd names', function () {
  this.timeout(120_000);

  it('are 23', () => assert.equal(NAMES.length, 23));

  for (const [server, start] of [
    ['the simulator', startSimulator],
    ['Samba', startSamba],
  ] as const) {
    describe(server, () => {
      let directory: TestDirectory;
      const read = new Map<string, DirectoryObject>();

      before(async () => {
        directory = await start(entries());
        const settings = { filter: '(objectClass=user)', attributes: [], batchSize: 100, contacts: true };
        const batches = extract({ ...settingsFor(directory), base: ODD }, settings, AbortSignal.timeout(30_000));
        for (let index = 0; ; index += 1) {
          const next = await batches.next();
          if (next.done === true) {
            assert.equal(next.value.seal.complete, true);
            break;
          }
          const message = { topic: 'batch', payload: next.value, run: runOf(index) };
          // Over a broker and back.
          const carried = parseExtractedMessage(JSON.parse(JSON.stringify(message)));
          assert.ok(carried.topic === 'batch');
          for (const record of carried.payload) {
            assert.ok(record.kind === 'user', `${record.kind} ${record.dn}`);
            const [mail] = record.attributes['mail'] ?? [];
            assert.ok(typeof mail === 'string');
            read.set(mail, record);
          }
        }
      });
      after(() => directory.stop());

      for (const [number, [what, value]] of NAMES.entries()) {
        const address = `odd${number}@example.com`;
        it(`${what}: read and carried unchanged`, () => {
          const record = read.get(address);
          assert.ok(record);
          assert.equal(firstRdnValue(record.dn), value);
          assert.deepEqual(record.attributes['cn'], [value]);
          assert.equal(dnKey(record.dn), dnKey(nameOf(value)));
        });

        it(`${what}: is found under the name that was read, and no other is`, async () => {
          const record = read.get(address);
          assert.ok(record);
          const { entries: found, code } = await ldapsearch(directory, {
            base: record.dn,
            scope: 'base',
            attributes: ['mail'],
          });
          assert.equal(code, 0);
          assert.deepEqual(
            found.map((entry) => valuesOf(entry, 'mail').map(String)),
            [[address]],
          );
        });

        if (server !== 'Samba') continue;
        it(`${what}: can be written to under the name that was read, and is the same object after`, async () => {
          const record = read.get(address);
          assert.ok(record);
          await describeObject(directory, record.dn, value);
          const { entries: after } = await ldapsearch(directory, {
            base: `<GUID=${record.id}>`,
            scope: 'base',
            attributes: ['description', 'cn', 'mail'],
          });
          const [entry] = after;
          assert.ok(entry);
          assert.deepEqual(valuesOf(entry, 'mail').map(String), [address]);
          assert.deepEqual(valuesOf(entry, 'cn').map(String), [value]);
          assert.deepEqual(valuesOf(entry, 'description').map(String), [value]);
        });
      }

      it('come to the account, each as itself, and all into the group', async () => {
        const folder = await mkdtemp(join(tmpdir(), 'odd-'));
        const account = await openAccount(companySettings(join(folder, 'odd.sqlite')));
        try {
          const { report } = await syncInto(account, { ...settingsFor(directory), base: ODD }, []);
          assert.equal(report.changes.usersAdded, 23);
          const { users, groups } = await account.snapshot();
          const names = new Map(users.map(({ address, name }) => [address, name]));
          for (const [number, [, value]] of NAMES.entries()) {
            // A database of text has no NUL: the account shows that there was something.
            const kept = value.replaceAll('\0', '\ufffd');
            assert.equal(names.get(`odd${number}@example.com`)?.trim(), kept.trim());
          }
          assert.equal(groups.find(({ name }) => name === 'All')?.members.length, 23);
        } finally {
          await account.close();
          await rm(folder, { recursive: true, force: true });
        }
      });
    });
  }
});

function runOf(batch: number) {
  return { id: 'odd-names-1', source: 'odd', mode: 'full' as const, startedAt: '2026-01-01T00:00:00.000Z', batch };
}

/** Writes a description, as a program would that was given our name. */
function describeObject(directory: TestDirectory, dn: string, text: string): Promise<void> {
  const base64 = (value: string) => Buffer.from(value).toString('base64');
  const change = `dn:: ${base64(dn)}\nchangetype: modify\nreplace: description\ndescription:: ${base64(text)}\n`;
  return ldapmodify(directory, change);
}

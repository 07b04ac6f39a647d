import assert from 'node:assert/strict';
import type { Entry } from '../../../engine/ldap/entry.js';
import { plainDn, toRecord } from '../../../engine/extract/classify.js';
import { ALWAYS_READ, DOCUMENTED_FILTER, extract } from '../../../engine/extract/extract.js';
import { SettingError } from '../../../engine/model/errors.js';
import { batchMessage, parseExtractedMessage, sealMessage } from '../../../engine/model/message.js';
import type { Run } from '../../../engine/model/run.js';
import { entry, message, pageEnd, result, tlv } from '../ldap/ber-text.js';
import { plainClient, readAll, readFrom, settingsFor, withServer } from '../ldap/reading.js';
import { type Answer, BIND, EXTENDED, SEARCH, behaved, pages, person } from '../ldap/scripted-server.js';

const GUID = '00112233-4455-6677-8899-aabbccddeeff';
const RUN: Run = { id: 'run-00000001', source: 'test', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 };

function found(classes: readonly string[], more: Entry['attributes'] = { objectGUID: [GUID] }, dn = 'CN=x'): Entry {
  return { dn, attributes: { ...more, objectClass: [...classes] }, ranges: [], mark: null, shape: null, bytes: 100 };
}

describe('kinds of objects', () => {
  const KINDS: readonly (readonly [string, readonly string[]])[] = [
    ['user', ['top', 'person', 'organizationalPerson', 'user']],
    ['user', ['TOP', 'PERSON', 'organizationalPerson', 'inetOrgPerson']],
    ['user', ['person']],
    ['contact', ['top', 'person', 'organizationalPerson', 'contact']],
    ['group', ['top', 'group']],
    ['group', ['groupOfNames']],
    ['group', ['groupOfUniqueNames']],
    ['dynamic-group', ['top', 'msExchBaseClass', 'msExchDynamicDistributionList']],
  ];
  for (const [kind, classes] of KINDS) {
    it(`${classes.join(', ')} is a ${kind}`, () => assert.equal(toRecord(found(classes), null).kind, kind));
  }

  for (const classes of [
    ['top', 'person', 'organizationalPerson', 'user', 'computer'],
    ['top', 'person', 'organizationalPerson', 'user', 'computer', 'msDS-GroupManagedServiceAccount'],
    ['top', 'printQueue'],
    [],
  ]) {
    it(`${classes.join(', ') || 'no class'} is set aside`, () => {
      const record = toRecord(found(classes), null);
      assert.ok(record.kind === 'quarantined' && record.reason === 'UNSUPPORTED_CLASS');
      assert.equal(record.id, GUID);
    });
  }

  it('an object without an id is set aside; elsewhere than in Active Directory the id is the entryUUID', () => {
    const none = toRecord(found(['user'], {}), null);
    assert.ok(none.kind === 'quarantined' && none.reason === 'NO_ID' && none.id === null);
    const other = toRecord(found(['inetOrgPerson'], { entryUUID: ['0A0B0C0D-0000-1000-8000-000000000000'] }), null);
    assert.ok(other.kind === 'user' && other.id === '0a0b0c0d-0000-1000-8000-000000000000');
  });

  it('the name is the plain one', () => {
    const names = ['CN=a,DC=x', `<GUID=${GUID}>;<SID=S-1-5-21-1-2-3-4>;CN=a,DC=x`, `<GUID=${GUID}>;CN=a,DC=x`];
    assert.deepEqual(names.map(plainDn), ['CN=a,DC=x', 'CN=a,DC=x', 'CN=a,DC=x']);
    assert.equal(plainDn('CN=<GUID=1>;CN=b'), 'CN=<GUID=1>;CN=b');
  });
});

describe('extract', () => {
  it('gives batches of the size asked for, and a seal that counts them', async () => {
    await withServer(pages([2, 2, 2, 1]), async ({ port }) => {
      const settings = { filter: '(mail=*)', attributes: [], batchSize: 3, contacts: true };
      const sizes: number[] = [];
      const batches = extract(settingsFor(port), settings, new AbortController().signal);
      for (;;) {
        const next = await batches.next();
        if (next.done === true) {
          assert.equal(next.value.seal.batches, 3);
          assert.deepEqual(next.value.seal.records.user, 7);
          break;
        }
        sizes.push(next.value.length);
      }
      assert.deepEqual(sizes, [3, 3, 1]);
    });
  });

  it('an empty directory is a whole read of nothing', async () => {
    const { seal, records } = await readFrom(pages([0]));
    assert.equal(seal.complete, true);
    assert.deepEqual([seal.batches, records.length], [0, 0]);
  });

  it('what it sends is what the contract says', async () => {
    const { records, seal } = await readFrom(pages([2, 2]));
    const batch = parseExtractedMessage(batchMessage(RUN, 0, records));
    assert.equal(batch.topic, 'batch');
    const end = parseExtractedMessage(JSON.parse(JSON.stringify(sealMessage(RUN, seal))));
    assert.ok(end.topic === 'seal' && end.payload.complete);
  });

  it('the proof says what was seen', async () => {
    await withServer(pages([2, 1]), async ({ port }) => {
      const { seal } = await readAll(settingsFor(port));
      assert.deepEqual(seal.proof, {
        searches: [{ base: 'DC=example,DC=test', pages: 2, entries: 3, ended: true }],
        ranges: { started: 0, ended: 0 },
        identityAtStart: 'bound as CN=Reader,DC=example,DC=test',
        identityAtEnd: 'bound as CN=Reader,DC=example,DC=test',
        server: {
          url: `ldap://127.0.0.1:${port}`,
          dnsHostName: null,
          namingContext: 'DC=example,DC=test',
          invocationId: null,
        },
        usnBefore: '4711',
        usnAfter: '4711',
      });
      const figures = seal.stages[0]?.figures ?? {};
      assert.equal(figures['pages'], 2);
      assert.equal(figures['entries'], 3);
      assert.equal(figures['requests'], 5);
      assert.equal(figures['tls'], 'none');
      assert.ok(Number(figures['receivedBytes']) > 100);
    });
  });

  it('takes the default naming context where no base is set', async () => {
    const { seal } = await readFrom(pages([1]), { base: null });
    assert.equal(seal.proof?.searches[0]?.base, 'DC=example,DC=test');
  });

  it('a directory without one default is a setting to fill in', async () => {
    const dse: Answer = ({ operation, id }) =>
      operation === BIND
        ? result(id, 0x61, 0)
        : [entry(id, '', [['namingContexts', ['dc=a', 'dc=b']]]), result(id, 0x65, 0)];
    await assert.rejects(readFrom(dse, { base: null }), { code: 'BASE_MISSING' });
  });

  it('a server that hides its RootDSE and its settings is read all the same', async () => {
    const hides: Answer = (request, socket) =>
      request.operation === SEARCH && request.cookie === null
        ? result(request.id, 0x65, 50)
        : pages([1])(request, socket);
    const { seal } = await readFrom(hides);
    assert.equal(seal.complete, true);
    assert.deepEqual([seal.token, seal.proof?.usnBefore, seal.proof?.server.invocationId], [null, null, null]);
  });

  it('a wrong filter is a setting, and nothing is sent', async () => {
    await withServer(pages([1]), async ({ port, sockets }) => {
      await assert.rejects(readAll(settingsFor(port), { filter: '(mail=*' }), SettingError);
      assert.equal(sockets.length, 0);
    });
  });

  it('contacts are left out where they are not wanted, and counted', async () => {
    const contact = (id: number) =>
      entry(id, 'CN=c', [
        ['objectClass', ['top', 'person', 'contact']],
        ['objectGUID', [Buffer.alloc(16, 1)]],
      ]);
    const answer = behaved(({ id }) => [person(id, 1), contact(id), pageEnd(id, '')]);
    assert.equal((await readFrom(answer)).seal.records.contact, 1);
    const { seal } = await readFrom(answer, {}, { contacts: false });
    assert.equal(seal.records.contact, 0);
    assert.equal(seal.stages[0]?.figures['contactsLeftOut'], 1);
    assert.equal(seal.complete, true);
  });

  it('additional attributes are asked for once, in the spelling of the settings or of the standard ones', async () => {
    await withServer(pages([1]), async ({ port, requests }) => {
      await readAll(settingsFor(port), {
        attributes: ['MAIL', 'telephoneNumber', 'telephonenumber'],
        filter: DOCUMENTED_FILTER,
      });
      const sent =
        requests.find(({ operation, base }) => operation === SEARCH && base !== '')?.bytes.toString('latin1') ?? '';
      const asked = sent.slice(sent.indexOf('msExchDynamicDistributionList'));
      for (const name of ALWAYS_READ)
        assert.equal(asked.split(`${String.fromCharCode(name.length)}${name}`).length, 2, name);
      assert.equal(asked.toLowerCase().split('telephonenumber').length, 2);
    });
  });

  it('somebody else bound at the end is no proof', async () => {
    let asked = 0;
    const whoAmI = (id: number) => {
      asked += 1;
      return message(id, tlv(0x78, tlv(0x0a, 0), tlv(4), tlv(4), tlv(0x8b, asked === 1 ? 'u:EXAMPLE\\svc' : '')));
    };
    const dse = (id: number) => [
      entry(id, '', [['supportedExtension', ['1.3.6.1.4.1.4203.1.11.3']]]),
      result(id, 0x65, 0),
    ];
    const answer: Answer = (request, socket) => {
      if (request.operation === EXTENDED) return whoAmI(request.id);
      if (request.operation === SEARCH && request.base === '') return dse(request.id);
      return pages([1])(request, socket);
    };
    const { seal, failure } = await readFrom(answer);
    assert.equal(failure?.code, 'IDENTITY_CHANGED');
    assert.equal(seal.complete, false);
    assert.equal(seal.proof, null);
  });

  it('somebody else bound at the end, negative control: plain ldapts does not ask, and gives what that one may see', async () => {
    // After the first page a proxy behind the name has handed the connection to somebody who may see less.
    const answer: Answer = (request, socket) => pages([2, 0])(request, socket);
    await withServer(answer, async ({ port }) => {
      const client = await plainClient(port);
      const { searchEntries } = await client.search('DC=example,DC=test', {
        paged: { pageSize: 2 },
        filter: '(mail=*)',
      });
      assert.equal(searchEntries.length, 2);
      await client.unbind();
    });
  });

  it('a failure in the search itself sends no batch without records, and says so', async () => {
    const refused = behaved(({ id, operation }) => result(id, operation === SEARCH ? 0x65 : 0x78, 50, 'no'));
    const { seal, failure, batches } = await readFrom(refused);
    assert.deepEqual([seal.complete, seal.batches, batches, failure === null], [false, 0, 0, false]);
  });

  it('a failure before the first batch gives an incomplete seal and the failure', async () => {
    const { seal, failure } = await readAll(settingsFor(1));
    assert.equal(failure?.code, 'CONNECTION_REFUSED');
    assert.deepEqual([seal.complete, seal.batches], [false, 0]);
    assert.equal(seal.incomplete[0]?.code, 'CONNECTION_REFUSED');
  });
});

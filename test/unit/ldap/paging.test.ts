import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { extract } from '../../../engine/extract/extract.js';
import { entry, message, pageEnd, reference, result, tlv } from './ber-text.js';
import { plainClient, readAll, readFrom, settingsFor, withServer } from './reading.js';
import { type Answer, BIND, SEARCH, behaved, pages, person } from './scripted-server.js';

const PAGED = { filter: '(mail=*)', paged: { pageSize: 2 } };

describe('paging', () => {
  it('L1: goes on over an empty page with a cookie', async () => {
    const { records, seal } = await readFrom(pages([2, 0, 2, 0, 0, 1]));
    assert.equal(records.length, 5);
    assert.equal(seal.complete, true);
    assert.deepEqual(seal.proof?.searches, [{ base: 'DC=example,DC=test', pages: 6, entries: 5, ended: true }]);
  });

  it('L1, negative control: plain ldapts stops at the empty page and reports success', async () => {
    await withServer(pages([2, 0, 2]), async ({ port }) => {
      const client = await plainClient(port);
      const { searchEntries } = await client.search('DC=example,DC=test', PAGED);
      assert.equal(searchEntries.length, 2);
      await client.unbind();
    });
  });

  const withoutControl = behaved(({ id }) => [person(id, 1), person(id, 2), result(id, 0x65, 0)]);

  it('L2: a reply without the paging control is not a last page', async () => {
    const { records, seal, failure } = await readFrom(withoutControl);
    assert.equal(failure?.code, 'NOT_PAGED');
    assert.equal(seal.complete, false);
    assert.equal(seal.proof, null);
    assert.equal(seal.incomplete[0]?.code, 'NOT_PAGED');
    assert.equal(records.length, seal.records.user);
  });

  it('L2, negative control: plain ldapts takes it for the last page', async () => {
    await withServer(withoutControl, async ({ port }) => {
      const client = await plainClient(port);
      const { searchEntries } = await client.search('DC=example,DC=test', PAGED);
      assert.equal(searchEntries.length, 2);
      await client.unbind();
    });
  });

  it('L2: a server that sends more than a page is not paging', async () => {
    const answer = behaved(({ id }) => [person(id, 1), person(id, 2), person(id, 3), pageEnd(id, '')]);
    assert.equal((await readFrom(answer)).failure?.code, 'NOT_PAGED');
  });

  for (const code of [3, 4, 11, 51, 52, 53, 80]) {
    it(`L3: result code ${code} means incomplete, whatever came before it`, async () => {
      const { seal, failure } = await readFrom(behaved(({ id }) => [person(id, 1), pageEnd(id, '', code)]));
      assert.equal(failure?.code, 'SEARCH_CUT_SHORT');
      assert.equal(seal.complete, false);
      assert.equal(failure.transient, true);
    });
  }

  it('L3, negative control: plain ldapts with a sizeLimit reports success', async () => {
    await withServer(
      behaved(({ id }) => [person(id, 1), result(id, 0x65, 4)]),
      async ({ port }) => {
        const client = await plainClient(port);
        const { searchEntries } = await client.search('DC=example,DC=test', { filter: '(mail=*)', sizeLimit: 5 });
        assert.equal(searchEntries.length, 1);
        await client.unbind();
      },
    );
  });

  it('L4: asks the server for no time limit; negative control: plain ldapts asks for 10 s', async () => {
    // Behind base, scope and aliases: sizeLimit 0, then timeLimit.
    const timeLimit = (bytes: Buffer) => /0a01020a0100020100(0201..)/.exec(bytes.toString('hex'))?.[1];
    await withServer(pages([1]), async ({ port, requests }) => {
      await readAll(settingsFor(port));
      const client = await plainClient(port);
      await client.search('DC=example,DC=test', PAGED);
      await client.unbind();
      const limits = requests.filter(({ base }) => base !== '').map(({ bytes }) => timeLimit(bytes));
      assert.deepEqual(limits, ['020100', '02010a']);
    });
  });

  it('L6: a connection cut between two pages is no proof, and no cookie crosses connections', async () => {
    const cut = behaved(({ id, cookie }, socket) => {
      if (cookie === '') return [person(id, 1), pageEnd(id, '1')];
      socket.destroy();
      return undefined;
    });
    await withServer(cut, async ({ port, sockets, requests }) => {
      const { seal, failure, records } = await readAll(settingsFor(port));
      assert.equal(failure?.code, 'CONNECTION_LOST');
      assert.equal(seal.complete, false);
      assert.equal(records.length, seal.records.user);
      // Begun again twice, each time with the first page.
      assert.equal(sockets.length, 3);
      const cookies = requests.flatMap(({ cookie }) => (cookie === null ? [] : [cookie]));
      assert.deepEqual(cookies, ['', '1', '', '1', '', '1']);
      assert.equal(seal.stages[0]?.figures['searchesBegunAgain'], 2);
    });
  });

  /** Cuts the connection, or forgets the cookie, once before the second page. */
  function cutOnce(how: 'connection' | 'cookie', dnsHostNames: readonly string[] = ['dc1']): Answer {
    let cuts = 0;
    let sessions = 0;
    return (request, socket) => {
      const { id, operation, base, cookie } = request;
      if (operation === SEARCH && base === '') {
        const host = dnsHostNames[Math.min(sessions, dnsHostNames.length - 1)] ?? '';
        sessions += 1;
        return [entry(id, '', [['dnsHostName', [host]]]), result(id, 0x65, 0)];
      }
      if (cookie === '1' && cuts === 0) {
        cuts += 1;
        if (how === 'cookie') return result(id, 0x65, 12);
        socket.destroy();
        return undefined;
      }
      return pages([2, 2, 1])(request, socket);
    };
  }

  for (const how of ['connection', 'cookie'] as const) {
    it(`L6: after a lost ${how} the search begins again on the same server, and each object comes once`, async () => {
      await withServer(cutOnce(how), async ({ port, sockets }) => {
        const { seal, records, failure } = await readAll(settingsFor(port));
        assert.equal(failure, null);
        assert.equal(seal.complete, true);
        assert.deepEqual([records.length, new Set(records.map(({ id }) => id)).size], [5, 5]);
        assert.deepEqual(seal.proof?.searches, [{ base: 'DC=example,DC=test', pages: 3, entries: 5, ended: true }]);
        assert.equal(sockets.length, how === 'connection' ? 2 : 1);
      });
    });
  }

  it('L6: a server that is another one after the cut is not believed', async () => {
    const { seal, failure } = await readFrom(cutOnce('connection', ['dc1', 'dc2']));
    assert.equal(failure?.code, 'CONNECTION_LOST');
    assert.equal(seal.proof, null);
  });

  it('a discarded cookie (code 12) is incomplete and says so', async () => {
    const answer = behaved(({ id, cookie }) =>
      cookie === '' ? [person(id, 1), pageEnd(id, '1')] : result(id, 0x65, 12, '00000057: LdapErr: DSID-0C0907AB'),
    );
    const { failure } = await readFrom(answer);
    assert.equal(failure?.code, 'PAGING_LOST');
    assert.match(failure.message, /code 12, 00000057/);
  });

  it('references are counted and never followed', async () => {
    await withServer(
      behaved(({ id }) => [person(id, 1), reference(id, 'ldap://127.0.0.1:1/DC=other'), pageEnd(id, '')]),
      async ({ port, sockets }) => {
        const { seal } = await readAll(settingsFor(port));
        assert.equal(seal.complete, true);
        assert.equal(seal.stages[0]?.figures['referencesNotFollowed'], 1);
        assert.equal(sockets.length, 1);
      },
    );
  });

  it('a referral instead of the search is an error that names the setting', async () => {
    const { failure } = await readFrom(behaved(({ id }) => result(id, 0x65, 10)));
    assert.equal(failure?.code, 'BASE_ELSEWHERE');
    assert.match(failure.message, /"base"/);
  });

  it('asks for the next page while the last is being worked on, and no further', async () => {
    await withServer(pages([2, 2, 2, 2, 2, 2]), async ({ port, requests }) => {
      const settings = { filter: '(mail=*)', attributes: [], batchSize: 1, contacts: true };
      for await (const batch of extract(settingsFor(port), settings, new AbortController().signal)) {
        assert.equal(batch.length, 1);
        await sleep(100);
        break;
      }
      const asked = requests.filter(({ operation, base }) => operation === SEARCH && base !== '').length;
      assert.ok(asked === 2 || asked === 3, `${asked} pages asked for while one record was taken`);
    });
  });

  it('a negative integer or trailing bytes in the paging control are malformed', async () => {
    const broken = (id: number) => {
      const value = tlv(0x30, tlv(2, 0), tlv(4, 'x').subarray(0, 2));
      return message(
        id,
        tlv(0x65, tlv(0x0a, 0), tlv(4), tlv(4)),
        tlv(0xa0, tlv(0x30, tlv(4, '1.2.840.113556.1.4.319'), tlv(4, value))),
      );
    };
    const { failure } = await readFrom(behaved(({ id }) => [person(id, 1), broken(id)]));
    assert.equal(failure?.code, 'MALFORMED_REPLY');
  });

  it('reads what comes in one burst, in single bytes, and everything between, the same', async () => {
    const bytesOf = (id: number) =>
      Buffer.concat([person(id, 1), person(id, 2), entry(id, 'CN=x', [['mail', []]]), pageEnd(id, '')]);
    const whole = await readFrom(
      behaved(({ id }) => bytesOf(id)),
      { pageSize: 10 },
    );
    for (const size of [1, 2, 3, 7, 64, 200]) {
      const sliced = behaved(({ id }, socket) => {
        socket.setNoDelay(true);
        const bytes = bytesOf(id);
        const pump = (at: number) => {
          if (at < bytes.length) socket.write(bytes.subarray(at, at + size), () => setImmediate(pump, at + size));
        };
        pump(0);
        return undefined;
      });
      const { records, seal } = await readFrom(sliced, { pageSize: 10 });
      assert.deepEqual(JSON.stringify(records), JSON.stringify(whole.records));
      assert.equal(seal.complete, true);
    }
  });

  it('binds once and asks in this order: bind, RootDSE, pages, RootDSE', async () => {
    await withServer(pages([1]), async ({ port, requests }) => {
      await readAll(settingsFor(port));
      assert.deepEqual(
        requests.map(({ operation, base }) => (operation === BIND ? 'bind' : base === '' ? 'RootDSE' : 'page')),
        ['bind', 'RootDSE', 'page', 'RootDSE'],
      );
    });
  });
});

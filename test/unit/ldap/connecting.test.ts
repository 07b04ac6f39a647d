import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { Client } from 'ldapts';
import { openSession } from '../../../engine/ldap/session.js';
import type { DirectorySettings } from '../../../engine/ldap/settings.js';
import { type DirectorySyncError, SettingError, StoppedError } from '../../../engine/model/errors.js';
import { type Certificates, makeCertificates } from '../../support/certificates.js';
import { entry, pageEnd, result } from './ber-text.js';
import { USER, codeOf, plainClient, readAll, settingsFor, within, withServer, withSession } from './reading.js';
import { type Answer, BIND, EXTENDED, behaved, listen, pages, person, startScripted } from './scripted-server.js';

const nothing = () => Promise.resolve('opened');
const open = (settings: DirectorySettings) => codeOf(withSession(settings, nothing));
const OPENED = 'no error: "opened"';
const quick = (changes: Partial<DirectorySettings['timeouts']>) => ({
  timeouts: { connect: 2_000, idle: 2_000, run: 60_000, ...changes },
});

describe('connecting', () => {
  let folder: string;
  let certificates: Certificates;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'connecting-'));
    certificates = await makeCertificates(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe('errors that name the setting', () => {
    it('connection refused', async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as net.AddressInfo;
      server.close();
      await once(server, 'close');
      assert.equal(await open(settingsFor(port)), 'CONNECTION_REFUSED');
    });

    it('a name that cannot be resolved', async () => {
      const servers = [{ host: 'no-such-host.invalid', port: 389 }];
      assert.equal(await open(settingsFor(1, { servers })), 'HOST_NOT_FOUND');
    }).timeout(15_000);

    it('TLS where the port speaks plain LDAP', async () => {
      await withServer(
        ({ id }) => result(id, 0x61, 0),
        async ({ port, sockets }) => {
          const opening = open(settingsFor(port, { encryption: 'ldaps' }));
          await sleep(100);
          // A plain server takes the handshake for a broken message and hangs up.
          for (const socket of sockets) socket.end(Buffer.from([0x30, 0x0c, 2, 1, 0, 0x78, 7, 0x0a, 1, 2, 4, 0, 4, 0]));
          assert.equal(await opening, 'SERVER_NOT_TLS');
        },
      );
    });

    it('plain LDAP where the port speaks TLS', async () => {
      const server = await startScripted(() => undefined, { cert: certificates.cert, key: certificates.key });
      try {
        assert.equal(await open(settingsFor(server.port)), 'CLOSED_UNANSWERED');
      } finally {
        await server.close();
      }
    });

    it('plain LDAP where the port speaks TLS, and answers with an alert', async () => {
      await withServer(
        () => Buffer.from([0x15, 0x03, 0x01, 0, 2, 2, 70]),
        async ({ port }) => assert.equal(await open(settingsFor(port)), 'SERVER_SPEAKS_TLS'),
      );
    });

    const overTls = async (changes: Partial<DirectorySettings>) => {
      const server = await startScripted(pages([1]), { cert: certificates.cert, key: certificates.key });
      try {
        return await open(settingsFor(server.port, { encryption: 'ldaps', ...changes }));
      } finally {
        await server.close();
      }
    };

    it('a certificate that is not trusted is refused unless its authority is given', async () => {
      assert.equal(await overTls({}), 'CERTIFICATE_UNTRUSTED');
      assert.equal(await overTls({ tls: { ca: certificates.ca } }), OPENED);
    });

    it('a certificate for another host is refused; negative control: without verification it is accepted', async () => {
      const other = { ca: certificates.ca, servername: 'other.example.test' };
      assert.equal(await overTls({ tls: other }), 'CERTIFICATE_WRONG_HOST');
      assert.equal(await overTls({ tls: { ...other, rejectUnauthorized: false } }), OPENED);
    });

    it('TLS versions that have nothing in common', async () => {
      const options: tls.TlsOptions = { cert: certificates.cert, key: certificates.key, maxVersion: 'TLSv1.2' };
      const server = await startScripted(pages([1]), options);
      try {
        const settings = settingsFor(server.port, {
          encryption: 'ldaps',
          tls: { ca: certificates.ca, minVersion: 'TLSv1.3' },
        });
        assert.equal(await open(settings), 'TLS_FAILED');
      } finally {
        await server.close();
      }
    });

    it('says which TLS version and cipher protect the connection', async () => {
      const server = await startScripted(pages([1]), { cert: certificates.cert, key: certificates.key });
      try {
        const settings = settingsFor(server.port, { encryption: 'ldaps', tls: { ca: certificates.ca } });
        const { seal } = await readAll(settings);
        const figures = seal.stages[0]?.figures ?? {};
        assert.equal(figures['tls'], 'TLSv1.3');
        assert.match(String(figures['cipher']), /^TLS_/);
        assert.equal(seal.proof?.server.url, `ldaps://127.0.0.1:${server.port}`);
      } finally {
        await server.close();
      }
    });
  });

  describe('bind', () => {
    const DATA: readonly (readonly [string, string])[] = [
      ['525', 'USER_UNKNOWN'],
      ['52e', 'PASSWORD_WRONG'],
      ['530', 'LOGON_HOURS'],
      ['531', 'LOGON_WORKSTATION'],
      ['532', 'PASSWORD_EXPIRED'],
      ['533', 'ACCOUNT_DISABLED'],
      ['701', 'ACCOUNT_EXPIRED'],
      ['773', 'PASSWORD_MUST_CHANGE'],
      ['775', 'ACCOUNT_LOCKED'],
      ['9999', 'CREDENTIALS_REFUSED'],
    ];
    for (const [data, expected] of DATA) {
      it(`code 49 with data ${data} becomes ${expected}`, async () => {
        const text = `80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data ${data}, v2580\0`;
        await withServer(
          ({ id }) => result(id, 0x61, 49, text),
          async ({ port }) => assert.equal(await open(settingsFor(port)), expected),
        );
      });
    }

    it('account lockout: a refused logon is sent once, to one server only', async () => {
      const refuse: Answer = ({ id }) => result(id, 0x61, 49, 'data 52e');
      await withServer(refuse, async (first) => {
        await withServer(refuse, async (second) => {
          const servers = [first, second].map(({ port }) => ({ host: '127.0.0.1', port }));
          assert.equal(await open(settingsFor(1, { servers })), 'PASSWORD_WRONG');
          assert.deepEqual([first.requests.length, second.requests.length], [1, 0]);
        });
      });
    });

    it('account lockout, negative control: the usual loop over servers sends the wrong password to each', async () => {
      const refuse: Answer = ({ id }) => result(id, 0x61, 49, 'data 52e');
      await withServer(refuse, async (first) => {
        await withServer(refuse, async (second) => {
          for (const { port } of [first, second]) await assert.rejects(plainClient(port));
          assert.deepEqual([first.requests.length, second.requests.length], [1, 1]);
        });
      });
    });

    it('code 8 says which setting to change', async () => {
      await withServer(
        ({ id }) => result(id, 0x61, 8, '00002028: LdapErr: DSID-0C090259'),
        async ({ port }) => {
          await assert.rejects(withSession(settingsFor(port), nothing), (error: DirectorySyncError) => {
            assert.equal(error.code, 'ENCRYPTION_REQUIRED');
            assert.match(error.message, /"encryption" to LDAPS \(port 636\)/);
            assert.match(error.message, /00002028/);
            return true;
          });
        },
      );
    });

    it('L17: an empty password is refused before anything is sent', async () => {
      await withServer(pages([1]), async ({ port, sockets }) => {
        await assert.rejects(withSession(settingsFor(port, { password: '' }), nothing), SettingError);
        assert.equal(sockets.length, 0);
      });
    });

    it('L17, negative control: plain ldapts sends it and reports success', async () => {
      await withServer(pages([1]), async ({ port, requests }) => {
        const client = await plainClient(port, { bind: false });
        await client.bind(USER, '');
        assert.equal(requests.length, 1);
        await client.unbind();
      });
    });

    it('L26: binds with a simple bind, and no other mechanism', async () => {
      await withServer(pages([1]), async ({ port, requests }) => {
        await open(settingsFor(port, { user: 'svc@example' }));
        // Version 3, the name, then [0] simple.
        assert.match(requests[0]?.bytes.toString('latin1') ?? '', /\x02\x01\x03\x04\x0bsvc@example\x80\x06secret$/);
        // The library takes such a name for a mechanism.
        assert.equal(await open(settingsFor(port, { user: 'EXTERNAL' })), 'SETTING_INVALID');
        assert.equal(requests.filter(({ operation }) => operation === BIND).length, 1);
      });
    });

    it('errors carry neither password nor the name of the user', async () => {
      await withServer(
        ({ id }) => result(id, 0x61, 49, 'data 52e'),
        async ({ port }) => {
          await assert.rejects(withSession(settingsFor(port, { password: 'hunter2' }), nothing), (error: Error) => {
            assert.doesNotMatch(
              `${error.message} ${JSON.stringify(error)} ${String(error.cause)}`,
              /hunter2|CN=Reader/,
            );
            return true;
          });
        },
      );
    });
  });

  describe('servers in order of preference', () => {
    it('takes the next server where one does not answer, and keeps it for the run', async () => {
      await withServer(pages([2, 1]), async ({ port, sockets }) => {
        const servers = [
          { host: '127.0.0.1', port: 1 },
          { host: '127.0.0.1', port },
        ];
        const { seal } = await readAll(settingsFor(1, { servers }));
        assert.equal(seal.complete, true);
        assert.equal(seal.proof?.server.url, `ldap://127.0.0.1:${port}`);
        assert.equal(sockets.length, 1);
      });
    });

    it('says of each server why it could not be used', async () => {
      const servers = [
        { host: '127.0.0.1', port: 1 },
        { host: '127.0.0.1', port: 2 },
      ];
      await assert.rejects(openSession(settingsFor(1, { servers }), new AbortController().signal), {
        code: 'NO_SERVER',
        params: { list: '127.0.0.1:1 CONNECTION_REFUSED, 127.0.0.1:2 CONNECTION_REFUSED' },
      });
    });
  });

  describe('time limits', () => {
    const silentSearch = behaved(() => undefined);

    it('L12: a server that goes silent is given up at the idle limit', async () => {
      const { failure } = await withServer(silentSearch, ({ port }) =>
        readAll(settingsFor(port, quick({ idle: 100 }))),
      );
      assert.equal(failure?.code, 'SERVER_SILENT');
    });

    it('L12, negative control: plain ldapts waits for ever', async () => {
      await withServer(silentSearch, async ({ port }) => {
        const client = await plainClient(port);
        assert.equal(await within(500, client.search('DC=example,DC=test')), 'hangs');
      });
    });

    /** A page of eight entries, one every 60 ms: never silent for long, but longer than 300 ms in all. */
    const slow = behaved(({ id, cookie }, socket) => {
      const messages = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => person(id, number));
      messages.push(cookie === null ? result(id, 0x65, 0) : pageEnd(id, ''));
      messages.forEach((bytes, index) => setTimeout(() => socket.write(bytes), 60 * index));
      return undefined;
    });

    it('L13: a slow but flowing page longer than the idle limit is read', async () => {
      const changes = { pageSize: 100, ...quick({ idle: 300 }) };
      const { seal } = await withServer(slow, ({ port }) => readAll(settingsFor(port, changes)));
      assert.equal(seal.complete, true);
      assert.equal(seal.records.user, 8);
    });

    it('L13, negative control: plain ldapts aborts it although it is healthy', async () => {
      await withServer(slow, async ({ port }) => {
        const client = await plainClient(port, { timeout: 300 });
        assert.match(await within(2_000, client.search('DC=example,DC=test')), /^rejects: .*timed out/);
      });
    });

    it('the limit of the whole run ends a read that only trickles', async () => {
      const changes = { pageSize: 100, ...quick({ run: 200 }) };
      const { failure } = await withServer(slow, ({ port }) => readAll(settingsFor(port, changes)));
      assert.equal(failure?.code, 'RUN_TOO_LONG');
    });

    it('a server that takes the connection and does not answer the bind', async () => {
      await withServer(
        () => undefined,
        async ({ port }) => assert.equal(await open(settingsFor(port, quick({ connect: 150 }))), 'CONNECT_TIMEOUT'),
      );
    });
  });

  describe('the connection is never made anew', () => {
    /** Hangs up after the first page; whoever comes again finds a directory that shows anonymous users less. */
    const hangsUp: Answer = (request, socket) => {
      if (request.operation !== BIND && request.base !== '' && request.cookie === null) {
        return [person(request.id, 1), result(request.id, 0x65, 0)];
      }
      return behaved(({ id }) => {
        setTimeout(() => socket.end(), 20);
        return [person(id, 1), person(id, 2), pageEnd(id, '')];
      })(request, socket);
    };

    it('L5: after an idle close every operation fails, and nothing is sent', async () => {
      await withServer(hangsUp, async ({ port, sockets }) => {
        const session = await openSession(settingsFor(port), new AbortController().signal);
        for (const socket of sockets) socket.end();
        await sleep(50);
        assert.equal(await codeOf(session.highestUsn()), 'CONNECTION_LOST');
        assert.equal(sockets.length, 1);
        await session.close();
      });
    });

    it('L5, negative control: plain ldapts connects again and searches without a bind', async () => {
      await withServer(hangsUp, async ({ port, sockets, requests }) => {
        const client = await plainClient(port);
        for (const socket of sockets) socket.end();
        await sleep(50);
        const { searchEntries } = await client.search('DC=example,DC=test');
        assert.equal(searchEntries.length, 1);
        assert.equal(sockets.length, 2);
        assert.equal(requests.filter(({ operation }) => operation === BIND).length, 1);
        await client.unbind();
      });
    });
  });

  describe('StartTLS', () => {
    /** Answers the StartTLS request, then does `next` with the socket. */
    const startTls =
      (next: (socket: net.Socket, id: number) => void): Answer =>
      ({ operation, id }, socket) => {
        if (operation === EXTENDED) next(socket, id);
        return undefined;
      };
    const accepted = (id: number) => result(id, 0x78, 0);

    const upgrades: Answer = startTls((socket, id) => {
      socket.removeAllListeners('data');
      socket.write(accepted(id));
      const secure = new tls.TLSSocket(socket, {
        isServer: true,
        secureContext: tls.createSecureContext({ cert: certificates.cert, key: certificates.key }),
      });
      listen(secure, (request) => {
        const answer = pages([2, 1])(request, secure);
        if (answer !== undefined) secure.write(Buffer.isBuffer(answer) ? answer : Buffer.concat(answer));
      });
    });

    const settings = (port: number) =>
      settingsFor(port, { encryption: 'starttls', tls: { ca: certificates.ca }, ...quick({ connect: 300 }) });

    it('encrypts before the bind', async () => {
      await withServer(upgrades, async ({ port, requests }) => {
        const { seal } = await readAll(settings(port));
        assert.equal(seal.complete, true);
        assert.equal(seal.stages[0]?.figures['tls'], 'TLSv1.3');
        // In the clear, nothing but the request to encrypt.
        assert.deepEqual(
          requests.map(({ operation }) => operation),
          [EXTENDED],
        );
      });
    });

    it('verifies the certificate', async () => {
      await withServer(upgrades, async ({ port }) => {
        assert.equal(await open({ ...settings(port), tls: {} }), 'CERTIFICATE_UNTRUSTED');
      });
    });

    it('L14: accepted, then silence: given up at the limit for connecting', async () => {
      const answer = startTls((socket, id) => socket.write(accepted(id)));
      await withServer(answer, async ({ port }) => assert.equal(await open(settings(port)), 'CONNECT_TIMEOUT'));
    });

    it('L14, negative control: plain ldapts hangs whatever its time limits', async () => {
      await withServer(
        startTls((socket, id) => socket.write(accepted(id))),
        async ({ port }) => {
          const client = new Client({ url: `ldap://127.0.0.1:${port}`, timeout: 100, connectTimeout: 100 });
          assert.equal(await within(600, client.startTLS({ ca: certificates.ca })), 'hangs');
        },
      );
    });

    it('L15: accepted, then a reset', async () => {
      const answer = startTls((socket, id) => socket.write(accepted(id), () => socket.resetAndDestroy()));
      await withServer(answer, async ({ port }) => {
        assert.match(await open(settings(port)), /^(SERVER_NOT_TLS|CONNECTION_LOST)$/);
      });
    });

    it('L15: accepted, then garbage', async () => {
      const answer = startTls((socket, id) => {
        socket.write(accepted(id));
        setTimeout(() => socket.write('this is not a handshake at all'), 30);
      });
      await withServer(answer, async ({ port }) => assert.equal(await open(settings(port)), 'SERVER_NOT_TLS'));
    });

    it('L15: plaintext injected behind the answer is never taken for encrypted', async () => {
      const answer = startTls((socket, id) => {
        socket.write(
          Buffer.concat([accepted(id), result(id + 1, 0x61, 0), entry(id + 2, '', [['dnsHostName', ['evil']]])]),
        );
      });
      await withServer(answer, async ({ port, requests }) => {
        assert.equal(await open(settings(port)), 'MALFORMED_REPLY');
        assert.equal(requests.length, 1);
      });
    });

    it('refused by the server', async () => {
      await withServer(
        startTls((socket, id) => socket.write(result(id, 0x78, 52))),
        async ({ port }) => assert.equal(await open(settings(port)), 'STARTTLS_REFUSED'),
      );
    });
  });

  it('L16: encryption none with TLS settings speaks plain LDAP; negative control: plain ldapts speaks TLS', async () => {
    const first: number[] = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk: Buffer) => {
        first.push(chunk[0] ?? 0);
        socket.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    await open(settingsFor(port, { tls: { ca: certificates.ca } }));
    const client = new Client({ url: `ldap://127.0.0.1:${port}`, tlsOptions: { ca: certificates.ca } });
    await client.bind(USER, 'secret').catch(() => undefined);
    server.close();
    assert.deepEqual(first, [0x30, 0x16]);
  });

  it('stopping ends a read at once, and is told as such', async () => {
    await withServer(
      behaved(() => undefined),
      async ({ port }) => {
        const abort = new AbortController();
        const reading = readAll(settingsFor(port), {}, abort.signal);
        setTimeout(() => abort.abort(), 50);
        const started = performance.now();
        await assert.rejects(reading, StoppedError);
        assert.ok(performance.now() - started < 1_000);
      },
    );
  });

  it('stopping ends connecting at once', async () => {
    await withServer(
      () => undefined,
      async ({ port }) => {
        const abort = new AbortController();
        setTimeout(() => abort.abort(), 50);
        await assert.rejects(openSession(settingsFor(port), abort.signal), StoppedError);
      },
    );
  });
});

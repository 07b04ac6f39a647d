import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import http, { type IncomingMessage } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { generate } from 'selfsigned';
import { TokenSource } from '../../../engine/transport/oauth.js';
import { pinOf } from '../../../engine/transport/peer.js';
import { type EndpointSettings, createSender } from '../../../engine/transport/sender.js';
import { minimumOf } from '../../../engine/runtime/tls.js';
import { withServer } from './asking.js';
import { endpointOf, people, runOf, sealOf, sharedCertificates, withReceiver } from './support.js';

const never = new AbortController().signal;
const TOKEN = 'a-token-of-thirty-two-characters-or-more';
const OTHER_PIN = Buffer.alloc(32, 7).toString('base64');

async function sendRun(endpoint: EndpointSettings, id: string) {
  const sender = createSender(endpoint, never);
  try {
    await sender.open(runOf(id));
    await sender.send(0, people(3));
    return { report: await sender.seal(sealOf([people(3)])), warnings: sender.warnings() };
  } finally {
    sender.close();
  }
}

/** An authority of its own, and a client certificate from it for `name`. */
async function clientCertificate(name: string) {
  const authority = await generate([{ name: 'commonName', value: 'Client authority' }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const client = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [{ name: 'extKeyUsage', clientAuth: true }],
  });
  return { ca: authority.cert, cert: client.cert, key: client.private };
}

describe('a client certificate', () => {
  it('proves a sender by fingerprint or name; another of that authority, or of another one, does not', async () => {
    const made = await clientCertificate('site-7');
    const fingerprint = new X509Certificate(made.cert).fingerprint256;
    for (const known of [fingerprint, 'CN=site-7']) {
      const senders = [{ id: 'seven', keys: [], certificates: [known] }];
      await withReceiver({ senders, clientCertificates: made.ca }, async (around) => {
        const { ca } = around.certificates;
        const proof = { kind: 'certificate' } as const;
        const own = { ...around.endpoint, proof, tls: { ca, cert: made.cert, key: made.key } };
        const { report } = await sendRun(own, 'by-certificate');
        assert.deepEqual(
          [report.stages[1]?.figures['sender'], report.stages[1]?.figures['proof']],
          ['seven', 'certificate'],
        );
        const foreign = await clientCertificate('site-7');
        const tls = { ca, cert: foreign.cert, key: foreign.key };
        await assert.rejects(sendRun({ ...own, tls }, 'by-another-1'), { code: 'KEY_REFUSED' });
        await assert.rejects(sendRun({ ...own, tls: { ca } }, 'by-none-001'), { code: 'KEY_REFUSED' });
      });
    }
  });
});

describe('OAuth 2.0 client credentials', () => {
  const oauth = (port: number) =>
    ({
      kind: 'oauth',
      tokenUrl: new URL(`https://127.0.0.1:${String(port)}/token`),
      clientId: 'site 1',
      clientSecret: 'secret:+/&',
      scope: 'directory',
    }) as const;

  it('fetches a token once, sends it, and once more where it is refused', async () => {
    const senders = [{ id: 'one', keys: [], tokens: [TOKEN] }];
    await withReceiver({ senders }, async ({ endpoint }) => {
      const given = ['an-old-token-which-the-receiver-no-longer-knows', TOKEN];
      const asked: string[] = [];
      const answer = (request: IncomingMessage) => {
        const basic = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
        asked.push(basic);
        return { access_token: given[Math.min(asked.length, 2) - 1], token_type: 'Bearer', expires_in: 3600 };
      };
      await withServer(
        {},
        (request, response) => response.end(JSON.stringify(answer(request))),
        async (port) => {
          const { report } = await sendRun({ ...endpoint, proof: oauth(port) }, 'by-oauth-1');
          assert.equal(report.outcome, 'committed');
          assert.deepEqual(asked, Array<string>(2).fill('site+1:secret%3A%2B%2F%26'));
        },
      );
    });
  });

  it('a server that gives none, or something else, is an error without what was sent', async () => {
    const endpoint = endpointOf(1, await sharedCertificates(), { deadlineMs: 2_000 });
    const cases = [
      [401, '{"error":"invalid_client","error_description":"secret:+/&"}', 'TOKEN_NOT_GIVEN'],
      [200, '<html>', 'NOT_A_RECEIVER'],
      [200, '{"access_token":"x y","token_type":"Bearer"}', 'NOT_A_RECEIVER'],
      [302, '', 'NOT_A_RECEIVER'],
    ] as const;
    for (const [status, body, code] of cases) {
      await withServer(
        {},
        (_, response) => response.writeHead(status).end(body),
        async (port) => {
          await assert.rejects(
            sendRun({ ...endpoint, proof: oauth(port) }, 'no-token-1'),
            (error: Error & { code?: string }) => {
              assert.equal(error.code, code);
              return !error.message.includes('secret:');
            },
          );
        },
      );
    }
  });

  it('a token is kept until a minute before its end, and fetched once for all who wait', async () => {
    let fetched = 0;
    let now = 0;
    const fetch = () => Promise.resolve({ token: `t${String((fetched += 1))}`, expiresInS: 600 });
    const source = new TokenSource(fetch, () => now);
    assert.deepEqual(await Promise.all([source.token(), source.token(), source.token()]), ['t1', 't1', 't1']);
    now = 539_000;
    assert.equal(await source.token(), 't1');
    now = 541_000;
    assert.equal(await source.token(), 't2');
    source.forget('t2');
    source.forget('t2');
    assert.deepEqual(await Promise.all([source.token(), source.token()]), ['t3', 't3']);
  });
});

describe('a proxy', () => {
  /** An HTTP proxy that knows CONNECT only, and `user:password`. */
  async function withProxy(test: (url: URL, seen: string[]) => Promise<void>) {
    const seen: string[] = [];
    const proxy = http.createServer((_, response) => response.writeHead(400).end());
    proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
      const { authorization } = { authorization: request.headers['proxy-authorization'] ?? '' };
      seen.push(`${request.url ?? ''} ${authorization}`);
      if (authorization !== `Basic ${Buffer.from('user:p@ss:word').toString('base64')}`) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
        return;
      }
      const [host = '', port] = (request.url ?? '').split(':');
      const far = connect({ host, port: Number(port) }, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.pipe(socket).pipe(far);
      });
      far.on('error', () => socket.destroy());
      socket.on('error', () => far.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      await test(new URL(`http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`), seen);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  }

  it('is gone through with user name and password, and sees nothing but where to', async () => {
    await withReceiver({}, async ({ endpoint }) => {
      await withProxy(async (url, seen) => {
        const proxy = { url, user: 'user', password: 'p@ss:word' };
        const { report } = await sendRun({ ...endpoint, proxy }, 'by-proxy-1');
        assert.equal(report.outcome, 'committed');
        assert.ok(seen.length >= 1 && seen.every((one) => one.startsWith(new URL(endpoint.url).host)));
      });
    });
  });

  it('that wants another password, or is none, is an error that says so, without the password', async () => {
    await withReceiver({}, async ({ endpoint }) => {
      await withProxy(async (url) => {
        const proxy = { url, user: 'user', password: 'canary-password' };
        await assert.rejects(sendRun({ ...endpoint, proxy }, 'by-proxy-2'), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'PROXY_LOGON');
          return !JSON.stringify([error.message, error]).includes('canary');
        });
      });
      const nobody = { url: new URL('http://127.0.0.1:9'), user: '', password: '' };
      const hurried = { ...endpoint, deadlineMs: 1_500, proxy: nobody };
      await assert.rejects(sendRun(hurried, 'by-proxy-3'), { code: 'CONNECTION_REFUSED' });
    });
  });
});

describe('pins and the connection’s own faults', () => {
  it('a pinned key is talked to; a certificate without one is not, trusted as it may be', async () => {
    await withReceiver({}, async ({ endpoint, certificates }) => {
      const pins = [pinOf(new X509Certificate(certificates.cert)), OTHER_PIN];
      assert.equal((await sendRun({ ...endpoint, pins }, 'pinned-001')).report.outcome, 'committed');
      const others = [OTHER_PIN, Buffer.alloc(32, 8).toString('base64')];
      await assert.rejects(sendRun({ ...endpoint, pins: others }, 'pinned-002'), { code: 'PIN_MISMATCH' });
      // Also where nobody checks who issued it.
      const unchecked = { ...endpoint, pins: others, tls: { rejectUnauthorized: false } };
      await assert.rejects(sendRun(unchecked, 'pinned-003'), { code: 'PIN_MISMATCH' });
      assert.throws(() => createSender({ ...endpoint, pins: [OTHER_PIN] }, never), { code: 'PINS_NOT_VALID' });
    });
  });

  it('a certificate that is not checked, TLS below 1.2, and one that ends soon show in report and status', async () => {
    await withReceiver({}, async ({ endpoint }) => {
      assert.deepEqual((await sendRun(endpoint, 'no-warning')).warnings, [], 'control');
      const unchecked = await sendRun({ ...endpoint, tls: { rejectUnauthorized: false } }, 'unchecked-1');
      assert.deepEqual(unchecked.warnings, [{ code: 'CERTIFICATE_NOT_CHECKED', days: 0 }]);
      assert.equal(unchecked.report.stages[0]?.figures['warnings'], 'CERTIFICATE_NOT_CHECKED');
      const lowered = await sendRun({ ...endpoint, minimumTls: 'TLSv1' }, 'lowered-01');
      assert.deepEqual(
        lowered.warnings.map(({ code }) => code),
        ['TLS_LOWERED'],
      );
    });
  });

  it('SecurityProtocol numbers mean what they mean in .NET', () => {
    assert.deepEqual([4032, 3072, 768, 15_360, 12_288, 0].map(minimumOf), [
      'TLSv1',
      'TLSv1.2',
      'TLSv1.1',
      'TLSv1.2',
      'TLSv1.3',
      'TLSv1.2',
    ]);
    for (const number of [48, 1, 4033, 65_536])
      assert.throws(() => minimumOf(number), { code: 'SECURITY_PROTOCOL_NOT_VALID' });
  });

  it('link-local addresses are never connected to', () => {
    for (const host of ['169.254.169.254', '[fe80::1]', '[fd00:ec2::254]', '100.100.100.200', '0.0.0.0'])
      assert.throws(() => createSender(endpointOf(1, { ca: '' }, { url: `https://${host}/x` }), never), {
        code: 'URL_NOT_VALID',
      });
  });
});

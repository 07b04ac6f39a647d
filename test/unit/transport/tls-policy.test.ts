import assert from 'node:assert/strict';
import http, { type ServerResponse } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { type DetailedPeerCertificate, type PeerCertificate, type SecureVersion, connect } from 'node:tls';
import axios from 'axios';
import { generate } from 'selfsigned';
import { DirectorySyncError } from '../../../engine/model/errors.js';
import { type EndpointSettings, createSender } from '../../../engine/transport/sender.js';
import { WEAK_KEY, clientTls } from '../../../engine/runtime/tls.js';
import { withServer } from './asking.js';
import { endpointOf, runOf, sharedCertificates, startReceiver, withFolder, withReceiver } from './support.js';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;
/** What Node.js 22 ships with; Node.js 24 is at level 2 by itself. */
const AS_SHIPPED = 'DEFAULT@SECLEVEL=1';

interface Made {
  cert: string;
  key: string;
}

async function selfSigned(
  over: { name?: string; keySize?: number; algorithm?: string; from?: number; to?: number } = {},
): Promise<Made> {
  const name = over.name ?? '127.0.0.1';
  const made = await generate([{ name: 'commonName', value: name }], {
    keySize: over.keySize ?? 2048,
    algorithm: over.algorithm ?? 'sha256',
    notBeforeDate: new Date(Date.now() + (over.from ?? -1) * DAY_MS),
    notAfterDate: new Date(Date.now() + (over.to ?? 30) * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, keyCertSign: true },
      { name: 'subjectAltName', altNames: [isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }] },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A leaf signed by an authority, with the given hash. */
async function issued(algorithm: string): Promise<Made & { ca: string }> {
  const authority = await selfSigned({ name: 'authority.example' });
  const leaf = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    algorithm,
    keySize: 2048,
    ca: { key: authority.key, cert: authority.cert },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  return { cert: leaf.cert, key: leaf.private, ca: authority.cert };
}

const fine = (_: unknown, response: ServerResponse) => response.end('fine');

/** The code of the error with which the sender refuses such a server, and what plain axios, told to be lax, makes of it. */
async function refusal(
  server: https.ServerOptions,
  endpoint: Partial<EndpointSettings>,
  lax: https.AgentOptions | null,
): Promise<string> {
  let code = '';
  await withServer(server, fine, async (port) => {
    const sender = createSender(endpointOf(port, { ca: '' }, { ...endpoint, deadlineMs: 3000 }), never);
    const error: unknown = await sender.open(runOf('tls-policy')).catch((thrown: unknown) => thrown);
    sender.close();
    assert.ok(error instanceof DirectorySyncError);
    assert.match(error.message, /certificate|TLS|Certificate/);
    code = error.code;
    if (lax === null) return;
    const httpsAgent = new https.Agent(lax);
    const answer = await axios.get(`https://127.0.0.1:${String(port)}/`, { httpsAgent, proxy: false });
    assert.equal(answer.data, 'fine', 'control: without the policy the connection is made');
  });
  return code;
}

describe('the TLS policy', () => {
  it('refuses a certificate of an authority that is not trusted', async () => {
    const made = await sharedCertificates();
    assert.equal(await refusal(made, { tls: {} }, { ca: made.ca }), 'CERTIFICATE_UNTRUSTED');
    const own = await selfSigned();
    assert.equal(await refusal(own, { tls: {} }, { ca: own.cert }), 'CERTIFICATE_UNTRUSTED');
  });

  it('refuses a certificate for another name, and takes it for the name that is set', async () => {
    const made = await selfSigned({ name: 'elsewhere.example' });
    const lax = { ca: made.cert, servername: 'elsewhere.example' };
    assert.equal(await refusal(made, { tls: { ca: made.cert } }, lax), 'CERTIFICATE_WRONG_HOST');
    await withServer(made, fine, async (port) => {
      const named = createSender(endpointOf(port, { ca: made.cert }, { tls: lax }), never);
      await assert.rejects(named.open(runOf('tls-policy')), { code: 'NOT_A_RECEIVER' });
      named.close();
    });
  });

  it('refuses a certificate before and after its time', async () => {
    for (const when of [
      { from: -10, to: -1 },
      { from: 1, to: 10 },
    ]) {
      const made = await selfSigned(when);
      assert.equal(
        await refusal(made, { tls: { ca: made.cert } }, { rejectUnauthorized: false }),
        'CERTIFICATE_EXPIRED',
      );
    }
  });

  it('refuses RSA keys of fewer than 2048 bits, which Node.js 22 accepts', async () => {
    const made = await selfSigned({ keySize: 1024 });
    const server = { ...made, ciphers: 'DEFAULT@SECLEVEL=0' };
    const code = await refusal(server, { tls: { ca: made.cert } }, { ca: made.cert, ciphers: AS_SHIPPED });
    assert.equal(code, 'CERTIFICATE_WEAK');
  });

  it('looks at the keys itself, should OpenSSL be set more laxly', async () => {
    const weak = await selfSigned({ keySize: 1024 });
    const strong = await selfSigned();
    assert.equal(await identityFault(weak), WEAK_KEY);
    assert.equal(await identityFault(strong), null);
    const { checkServerIdentity } = clientTls({}, 'TLSv1.2');
    const leaf = { subjectaltname: 'IP Address:127.0.0.1', subject: { CN: 'x' }, bits: 2048, modulus: 'AA' };
    const root = { bits: 1024, modulus: 'AA' };
    const chain = { ...leaf, issuerCertificate: { ...leaf, issuerCertificate: root } };
    assert.equal(
      codeOf(checkServerIdentity?.('127.0.0.1', chain as PeerCertificate & DetailedPeerCertificate)),
      WEAK_KEY,
    );
  });

  it('refuses a certificate that was signed with SHA-1', async () => {
    const made = await issued('sha1');
    const server = { ...made, ciphers: 'DEFAULT@SECLEVEL=0' };
    const code = await refusal(server, { tls: { ca: made.ca } }, { ca: made.ca, ciphers: 'DEFAULT@SECLEVEL=0' });
    assert.equal(code, 'CERTIFICATE_WEAK');
  });

  it('refuses TLS 1.1 and below; and TLS 1.2, where the setting says 1.3', async () => {
    const { ca, cert, key } = await sharedCertificates();
    const only = (version: SecureVersion): https.ServerOptions => ({
      cert,
      key,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const lax = (minVersion: SecureVersion) => ({ ca, minVersion, ciphers: 'DEFAULT@SECLEVEL=0' });
    assert.equal(await refusal(only('TLSv1'), { tls: { ca } }, lax('TLSv1')), 'TLS_REFUSED');
    assert.equal(await refusal(only('TLSv1.1'), { tls: { ca } }, lax('TLSv1.1')), 'TLS_REFUSED');
    const strict = { tls: { ca }, minimumTls: 'TLSv1.3' } as const;
    assert.equal(await refusal(only('TLSv1.2'), strict, lax('TLSv1.2')), 'TLS_REFUSED');
  });

  it('refuses ciphers without forward secrecy', async () => {
    const { ca, cert, key } = await sharedCertificates();
    const server = { cert, key, maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' } as const;
    const lax = { ca, ciphers: 'AES128-GCM-SHA256' };
    assert.equal(await refusal(server, { tls: { ca } }, lax), 'TLS_REFUSED');
  });

  it('says that something is not TLS at all', async () => {
    const server = http.createServer((_, response) => response.end('plain'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const sender = createSender(endpointOf(port, { ca: '' }, { tls: {}, deadlineMs: 3000 }), never);
    await assert.rejects(sender.open(runOf('tls-policy')), { code: 'TLS_REFUSED' });
    sender.close();
    server.close();
  });

  it('holds at the receiver’s own port: no TLS 1.1, no cipher without forward secrecy', async () => {
    await withReceiver({}, async ({ endpoint, certificates: { ca } }) => {
      const port = Number(new URL(endpoint.url).port);
      const old = { ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      await assert.rejects(handshake(port, old));
      await assert.rejects(handshake(port, { ca, maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }));
      assert.equal(await handshake(port, { ca, maxVersion: 'TLSv1.2' }), 'TLSv1.2');
      assert.equal(await handshake(port, { ca }), 'TLSv1.3');
    });
  });

  it('refuses a weak or unreadable certificate when the port is opened, and says which port is in use', async () => {
    await withFolder(async (folder) => {
      const { receiver, endpoint, certificates } = await startReceiver(join(folder, 'spool.sqlite'));
      const at = { host: '127.0.0.1', port: 0 };
      const weak = await selfSigned({ keySize: 1024 });
      await assert.rejects(receiver.listen({ ...at, tls: weak }), { code: 'CERTIFICATE_NOT_USABLE' });
      await assert.rejects(receiver.listen({ ...at, tls: { cert: 'x', key: 'y' } }), {
        code: 'CERTIFICATE_NOT_USABLE',
      });
      const { cert, key } = certificates;
      const taken = { ...at, port: Number(new URL(endpoint.url).port), tls: { cert, key } };
      await assert.rejects(receiver.listen(taken), { code: 'PORT_IN_USE' });
      await receiver.close();
    });
  });
});

/** What our own check says to the certificate that such a server shows; null where it has nothing against it. */
async function identityFault(made: Made): Promise<string | null> {
  let fault: string | null = null;
  await withServer({ ...made, ciphers: 'DEFAULT@SECLEVEL=0' }, fine, async (port) => {
    const { checkServerIdentity } = clientTls({}, 'TLSv1.2');
    const options = { host: '127.0.0.1', port, ca: made.cert, ciphers: 'DEFAULT@SECLEVEL=0', checkServerIdentity };
    fault = await new Promise((resolve, reject) => {
      const socket = connect({ ...options, checkServerIdentity: checkServerIdentity ?? assert.fail() }, () => {
        resolve(null);
        socket.destroy();
      });
      socket.on('error', (error: Error) => {
        const code = codeOf(error);
        if (code === null) reject(error);
        else resolve(code);
      });
    });
  });
  return fault;
}

function codeOf(error: Error | undefined): string | null {
  const code = error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}

function handshake(port: number, options: https.AgentOptions): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ...options }, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

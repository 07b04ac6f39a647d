/** TLS case by case: what our sender makes of servers, and our receiver of clients. The rest of the policy is in tls-policy. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import http, { type ServerResponse } from 'node:http';
import type https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, type SecureVersion, connect } from 'node:tls';
import { generate } from 'selfsigned';
import { pinOf } from '../../../engine/transport/peer.js';
import type { Port } from '../../../engine/transport/port.js';
import { type EndpointSettings, createSender } from '../../../engine/transport/sender.js';
import { withServer } from './asking.js';
import { endpointOf, runOf, startReceiver, withFolder } from './support.js';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;
const LAX = 'DEFAULT:@SECLEVEL=0';

interface Pair {
  readonly cert: string;
  readonly key: string;
}
interface Wanted {
  readonly bits?: number;
  readonly hash?: string;
  readonly from?: number;
  readonly to?: number;
  readonly ip?: string;
  readonly issuer?: Pair;
  readonly authority?: boolean;
}

async function certificate({
  bits = 2048,
  hash = 'sha256',
  from = -1,
  to = 90,
  ip = '127.0.0.1',
  issuer,
  authority,
}: Wanted): Promise<Pair> {
  const made = await generate(
    [{ name: 'commonName', value: authority === true ? `authority ${String(Math.random())}` : ip }],
    {
      keySize: bits,
      algorithm: hash,
      notBeforeDate: new Date(Date.now() + from * DAY_MS),
      notAfterDate: new Date(Date.now() + to * DAY_MS),
      ...(issuer && { ca: issuer }),
      extensions: [
        { name: 'basicConstraints', cA: authority ?? false },
        { name: 'subjectAltName', altNames: [{ type: 7, ip }] },
      ],
    },
  );
  return { cert: made.cert, key: made.private };
}

const made = new Map<string, Pair>();
const of = (name: string): Pair => made.get(name) ?? assert.fail(name);
const pinFor = (name: string) => pinOf(new X509Certificate(of(name).cert));
const OTHER = Buffer.alloc(32, 9).toString('base64');

const fine = (_: unknown, response: ServerResponse) => response.end('fine');
const only = (version: SecureVersion): https.ServerOptions => ({
  minVersion: version,
  maxVersion: version,
  ciphers: LAX,
});
const cipher = (name: string): https.ServerOptions => ({ maxVersion: 'TLSv1.2', ciphers: `${name}:@SECLEVEL=0` });
const suite = (name: string): https.ServerOptions => ({ minVersion: 'TLSv1.3', ciphers: name });

type Case = readonly [
  name: string,
  expected: string,
  server: () => https.ServerOptions,
  endpoint?: () => Partial<EndpointSettings>,
];
const OK = 'OK';
const good = () => of('good');
const weakServer = (name: string) => () => ({ ...of(name), ciphers: LAX });
const unchecked = () => ({ tls: { rejectUnauthorized: false } });

const SENDER: readonly Case[] = [
  ['RSA 2048 from the trusted authority', OK, good],
  ['RSA 3072', OK, () => of('rsa3072')],
  ['RSA 1024', 'CERTIFICATE_WEAK', weakServer('rsa1024')],
  ['RSA 1024, though nobody checks who issued it', 'CERTIFICATE_WEAK', weakServer('rsa1024'), unchecked],
  ['an authority of RSA 1024', 'CERTIFICATE_WEAK', weakServer('by1024'), () => ({ tls: { ca: of('ca1024').cert } })],
  ['signed with SHA-1', 'CERTIFICATE_WEAK', weakServer('sha1')],
  ['signed with SHA-1, though nobody checks who issued it', 'CERTIFICATE_WEAK', weakServer('sha1'), unchecked],
  ['signed with SHA-1, and TLS lowered', 'CERTIFICATE_WEAK', weakServer('sha1'), () => ({ minimumTls: 'TLSv1' })],
  ['RSA 1024, and TLS lowered', 'CERTIFICATE_WEAK', weakServer('rsa1024'), () => ({ minimumTls: 'TLSv1' })],
  ['signed with SHA-384', OK, () => of('sha384')],
  ['expired', 'CERTIFICATE_EXPIRED', () => of('expired')],
  ['not valid yet', 'CERTIFICATE_EXPIRED', () => of('future')],
  ['expired, though nobody checks', OK, () => of('expired'), unchecked],
  ['for another address', 'CERTIFICATE_WRONG_HOST', () => of('elsewhere')],
  ['for another address, though nobody checks', OK, () => of('elsewhere'), unchecked],
  ['self-signed', 'CERTIFICATE_UNTRUSTED', () => of('self')],
  ['self-signed, and trusted', OK, () => of('self'), () => ({ tls: { ca: of('self').cert } })],
  ['self-signed, though nobody checks', OK, () => of('self'), unchecked],
  ['from an authority that nobody knows', 'CERTIFICATE_UNTRUSTED', () => of('foreign')],
  ['from a private authority, with only the public ones trusted', 'CERTIFICATE_UNTRUSTED', good, () => ({ tls: {} })],
  ['the pinned key', OK, good, () => ({ pins: [pinFor('good'), OTHER] })],
  ['the pinned authority', OK, good, () => ({ pins: [OTHER, pinFor('ca')] })],
  ['another key than the pinned ones', 'PIN_MISMATCH', good, () => ({ pins: [pinFor('self'), OTHER] })],
  [
    'another key than the pinned ones, though nobody checks',
    'PIN_MISMATCH',
    good,
    () => ({ pins: [pinFor('self'), OTHER], ...unchecked() }),
  ],
  ['TLS 1.0', 'TLS_REFUSED', () => ({ ...good(), ...only('TLSv1') })],
  ['TLS 1.1', 'TLS_REFUSED', () => ({ ...good(), ...only('TLSv1.1') })],
  ['TLS 1.2', OK, () => ({ ...good(), ...only('TLSv1.2') })],
  ['TLS 1.3', OK, () => ({ ...good(), minVersion: 'TLSv1.3' })],
  [
    'TLS 1.2, where 1.3 is the least',
    'TLS_REFUSED',
    () => ({ ...good(), ...only('TLSv1.2') }),
    () => ({ minimumTls: 'TLSv1.3' }),
  ],
  ['TLS 1.3, where 1.3 is the least', OK, good, () => ({ minimumTls: 'TLSv1.3' })],
  ['TLS 1.0, lowered to it', OK, () => ({ ...good(), ...only('TLSv1') }), () => ({ minimumTls: 'TLSv1' })],
  ['TLS 1.1, lowered to it', OK, () => ({ ...good(), ...only('TLSv1.1') }), () => ({ minimumTls: 'TLSv1.1' })],
  [
    'TLS 1.0, lowered to 1.1',
    'TLS_REFUSED',
    () => ({ ...good(), ...only('TLSv1') }),
    () => ({ minimumTls: 'TLSv1.1' }),
  ],
  ...[
    'AES128-GCM-SHA256',
    'AES256-GCM-SHA384',
    'AES256-SHA',
    'ECDHE-RSA-AES128-SHA256',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-AES256-SHA',
    'NULL-SHA256',
    'DHE-RSA-AES256-GCM-SHA384',
  ].map((name): Case => [`cipher ${name}`, 'TLS_REFUSED', () => ({ ...good(), ...cipher(name), dhparam: 'auto' })]),
  ...['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'].map((name): Case => [
    `cipher ${name}`,
    OK,
    () => ({ ...good(), ...cipher(name) }),
  ]),
  ...['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'].map((name): Case => [
    `suite ${name}`,
    OK,
    () => ({ ...good(), ...suite(name) }),
  ]),
  [
    'a server that wants a client certificate, and none',
    'CERTIFICATE_WANTED',
    () => ({ ...good(), requestCert: true, ca: of('ca').cert, maxVersion: 'TLSv1.3' }),
    () => ({ deadlineMs: 1_200 }),
  ],
  [
    'a server that wants a client certificate, and one',
    OK,
    () => ({ ...good(), requestCert: true, ca: of('ca').cert }),
    () => ({ tls: { ca: of('ca').cert, ...of('client') } }),
  ],
];

async function outcomeOfSender([, , server, endpoint = () => ({})]: Case): Promise<string> {
  let outcome = '';
  await withServer(server(), fine, async (port) => {
    const sender = createSender(endpointOf(port, { ca: of('ca').cert }, { deadlineMs: 4_000, ...endpoint() }), never);
    await sender.open(runOf('tls-matrix')).catch((error: unknown) => (outcome = (error as { code: string }).code));
    sender.close();
  });
  // It was talked to, and found to be no receiver: TLS had nothing against it.
  return outcome === 'NOT_A_RECEIVER' ? OK : outcome;
}

type ClientCase = readonly [name: string, expected: boolean, client: ConnectionOptions, port?: Partial<Port>];
const version = (least: SecureVersion, most = least): ConnectionOptions => ({
  minVersion: least,
  maxVersion: most,
  ciphers: LAX,
});
const RECEIVER: readonly ClientCase[] = [
  ['a client of today', true, {}],
  ['TLS 1.0', false, version('TLSv1')],
  ['TLS 1.1', false, version('TLSv1.1')],
  ['TLS 1.2', true, version('TLSv1.2')],
  ['TLS 1.2, where 1.3 is the least', false, version('TLSv1.2'), { minimumTls: 'TLSv1.3' }],
  ['TLS 1.3, where 1.3 is the least', true, version('TLSv1.3'), { minimumTls: 'TLSv1.3' }],
  ['TLS 1.0, lowered to it', true, version('TLSv1'), { minimumTls: 'TLSv1' }],
  ['TLS 1.0, lowered to 1.1', false, version('TLSv1'), { minimumTls: 'TLSv1.1' }],
  ['RSA key exchange', false, { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }],
  ['CBC', false, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-SHA384' }],
  ['no encryption', false, { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' }],
  ['ECDHE with GCM', true, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }],
];

describe(`TLS, case by case, on Node.js ${process.versions.node}`, () => {
  before(async function () {
    this.timeout(60_000);
    const ca = await certificate({ authority: true });
    const ca1024 = await certificate({ authority: true, bits: 1024 });
    const foreign = await certificate({ authority: true });
    const wanted: Record<string, Wanted> = {
      good: { issuer: ca },
      rsa3072: { issuer: ca, bits: 3072 },
      rsa1024: { issuer: ca, bits: 1024 },
      by1024: { issuer: ca1024 },
      sha1: { issuer: ca, hash: 'sha1' },
      sha384: { issuer: ca, hash: 'sha384' },
      expired: { issuer: ca, from: -20, to: -10 },
      future: { issuer: ca, from: 10, to: 20 },
      elsewhere: { issuer: ca, ip: '192.0.2.1' },
      foreign: { issuer: foreign },
      self: {},
      client: { issuer: ca },
    };
    made.set('ca', ca).set('ca1024', ca1024);
    for (const [name, what] of Object.entries(wanted)) made.set(name, await certificate(what));
  });

  for (const one of SENDER) {
    it(`a sender, and ${one[0]}: ${one[1]}`, async () => assert.equal(await outcomeOfSender(one), one[1]));
  }

  for (const [name, expected, client, at = {}] of RECEIVER) {
    it(`a receiver, and ${name}: ${expected ? 'talked to' : 'refused'}`, async () => {
      await withFolder(async (folder) => {
        const { receiver } = await startReceiver(join(folder, 'spool.sqlite'));
        const { port } = await receiver.listen({ host: '127.0.0.1', port: 0, tls: { ...good() }, ...at });
        const talked = await new Promise<boolean>((resolve) => {
          const socket = connect({ host: '127.0.0.1', port, ca: of('ca').cert, ...client }, () => resolve(true));
          socket.on('error', () => resolve(false)).on('secureConnect', () => socket.destroy());
        });
        await receiver.close();
        assert.equal(talked, expected);
      });
    });
  }

  it('has forty cases at least, and as the control plain Node.js accepts what it should not', async () => {
    assert.ok(SENDER.length + RECEIVER.length >= 40, String(SENDER.length + RECEIVER.length));
    await withServer(weakServer('rsa1024')(), fine, async (port) => {
      const accepted = await new Promise((resolve) => {
        const socket = connect({ host: '127.0.0.1', port, ca: of('ca').cert, ciphers: 'DEFAULT@SECLEVEL=1' }, () =>
          resolve(true),
        );
        socket.on('error', () => resolve(false)).on('secureConnect', () => socket.destroy());
      });
      assert.equal(accepted, true);
    });
    const plain = http.createServer(fine);
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const sender = createSender(
      endpointOf((plain.address() as AddressInfo).port, { ca: '' }, { tls: {}, deadlineMs: 2_000 }),
      never,
    );
    await assert.rejects(sender.open(runOf('tls-matrix')), { code: 'TLS_REFUSED' });
    sender.close();
    plain.close();
  });
});

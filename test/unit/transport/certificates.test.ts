import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../support/certificates.js';

describe('certificates for the sample and for tests', () => {
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'certificates-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  it('are RSA 2048, issued by the authority beside them, for the names asked for', async () => {
    const made = await makeCertificates(join(folder, 'new'), { hosts: ['dc1.example.test'] });
    const server = new X509Certificate(made.cert);
    assert.equal(server.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
    assert.ok(server.checkIssued(new X509Certificate(made.ca)));
    assert.ok(server.verify(new X509Certificate(made.ca).publicKey));
    assert.ok(server.checkPrivateKey(createPrivateKey(made.key)));
    for (const ip of ['127.0.0.1', '::1']) assert.ok(server.checkIP(ip), ip);
    for (const name of ['localhost', 'dc1.example.test']) assert.ok(server.checkHost(name), name);
    assert.equal(server.checkHost('dc2.example.test'), undefined);
  });

  it('are used again while they are valid for 30 more days and cover the names, else made anew', async () => {
    const at = join(folder, 'again');
    const first = await makeCertificates(at);
    assert.equal((await makeCertificates(at)).cert, first.cert);
    const wider = await makeCertificates(at, { hosts: ['receiver.example.test'], days: 29 });
    assert.notEqual(wider.cert, first.cert);
    assert.notEqual((await makeCertificates(at)).cert, wider.cert, 'valid for fewer than 30 days');
  });
});

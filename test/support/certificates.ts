/**
 * A certificate authority and a server certificate in a folder, for the sample program and for tests. The authority's own
 * key is thrown away once it has signed: nothing else can be issued in its name.
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** PEM texts, and the files they are in. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  /** Names and addresses that the certificate is for, beside 127.0.0.1, localhost and ::1. */
  readonly hosts?: readonly string[];
  /** How long it is valid; 365 by default. */
  readonly days?: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const STILL_VALID_FOR_MS = 30 * DAY_MS;
const ALWAYS = ['127.0.0.1', 'localhost', '::1'];

/**
 * Writes `ca.pem`, `cert.pem` and `key.pem` (RSA 2048, SHA-256) into `folder`, or reads those that are there, if they
 * cover `hosts` and stay valid for another 30 days.
 */
export async function makeCertificates(folder: string, options: CertificateOptions = {}): Promise<Certificates> {
  const hosts = [...new Set([...ALWAYS, ...(options.hosts ?? [])])];
  const files = {
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'cert.pem'),
    keyFile: join(folder, 'key.pem'),
  };
  const existing = await readExisting(files, hosts);
  if (existing) return { ...existing, ...files };

  const made = await issue(hosts, options.days ?? 365);
  await mkdir(folder, { recursive: true });
  await writeFile(files.caFile, made.ca);
  await writeFile(files.certFile, made.cert);
  await writeFile(files.keyFile, made.key, { mode: 0o600 });
  return { ...made, ...files };
}

type Pems = Pick<Certificates, 'ca' | 'cert' | 'key'>;

type Files = Pick<Certificates, 'caFile' | 'certFile' | 'keyFile'>;

/** Null where there are none, or none that will do. */
async function readExisting(files: Files, hosts: readonly string[]): Promise<Pems | null> {
  try {
    const [ca, cert, key] = await Promise.all([
      readFile(files.caFile, 'utf8'),
      readFile(files.certFile, 'utf8'),
      readFile(files.keyFile, 'utf8'),
    ]);
    return stillGood({ ca, cert, key }, hosts) ? { ca, cert, key } : null;
  } catch {
    return null;
  }
}

function stillGood({ ca, cert }: Pems, hosts: readonly string[]): boolean {
  const authority = new X509Certificate(ca);
  const server = new X509Certificate(cert);
  const until = Date.now() + STILL_VALID_FOR_MS;
  return (
    [authority, server].every((one) => Date.parse(one.validTo) > until) &&
    server.checkIssued(authority) &&
    hosts.every((host) => (isIP(host) ? server.checkIP(host) : server.checkHost(host)) !== undefined)
  );
}

async function issue(hosts: readonly string[], days: number): Promise<Pems> {
  // A day back, so that a clock that is a little behind does not refuse it.
  const notBeforeDate = new Date(Date.now() - DAY_MS);
  const notAfterDate = new Date(Date.now() + days * DAY_MS);
  const common = { keySize: 2048, algorithm: 'sha256', notBeforeDate, notAfterDate };
  const authority = await generate([{ name: 'commonName', value: 'Directory Sync sample authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: hosts.map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}

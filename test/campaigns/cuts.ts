/**
 * A small read, cut after every single byte of each direction: `npm run cuts -- --json --check`. Whatever arrived before the
 * cut, it must never be taken for everything. `--step N` cuts at every Nth byte only, `--tls` reads over LDAPS. With `--once`
 * further connections are let through, where else they are dead: then the read may be made good, and must be exact.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { benchOptions, conclude, numberOption } from '../../bench/support/verdict.js';
import { plainDn } from '../../engine/extract/classify.js';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import { makeCertificates } from '../support/certificates.js';
import { startDirectory } from '../support/directory/index.js';
import {
  type Direction,
  type Fault,
  type FaultKind,
  berMessages,
  startFaultProxy,
  tlsRecords,
} from '../support/fault-proxy.js';
import type { LdifEntry } from '../support/ldif.js';
import { readAll, settingsFor } from '../unit/ldap/reading.js';

const BASE = 'DC=example,DC=test';
const USER = `CN=Reader,${BASE}`;
const PEOPLE = 5;
const PROGRESS_MS = 2_000;

/** Five people in three pages, and a group of them in three ranges. */
function company(): LdifEntry[] {
  const people = Array.from({ length: PEOPLE }, (_, number) => ({
    dn: `CN=Person ${number},${BASE}`,
    attributes: { objectClass: ['user'], mail: [`person${number}@example.test`] },
  }));
  const member = people.map(({ dn }) => dn);
  return [
    ...people,
    { dn: `CN=All,${BASE}`, attributes: { objectClass: ['group'], mail: ['all@example.test'], member } },
  ];
}

interface Outcome {
  readonly complete: boolean;
  readonly records: number;
  /** Each object once, and the group with each of its members once. */
  readonly exact: boolean;
  /** Why it is incomplete. */
  readonly code: string;
}

async function readOnce(settings: DirectorySettings): Promise<Outcome> {
  const { seal, records, failure } = await readAll(settings, { filter: '(mail=*)' });
  const proven = seal.complete || seal.proof !== null || seal.token !== null;
  const names = company().map(({ dn }) => dn);
  const members = records.flatMap((record) => (record.kind === 'group' ? (record.attributes['member'] ?? []) : []));
  const exact =
    records.every((record) => record.kind !== 'quarantined' && record.held === undefined) &&
    isDeepStrictEqual(records.map(({ dn }) => dn).sort(), [...names].sort()) &&
    isDeepStrictEqual(
      members.map((value) => (typeof value === 'string' ? plainDn(value) : '')).sort(),
      names.slice(0, PEOPLE).sort(),
    );
  return { complete: proven, records: records.length, exact, code: failure?.code ?? 'none' };
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const options = benchOptions(argv);
  const step = numberOption(argv, 'step', 1);
  const encrypted = argv.includes('--tls');
  const once = argv.includes('--once');
  const folder = await mkdtemp(join(tmpdir(), 'directory-sync-cuts-'));
  const { ca, cert, key } = await makeCertificates(folder);
  const directory = await startDirectory({
    entries: company(),
    base: BASE,
    users: { [USER]: 'secret' },
    quirks: { maxValRange: 2 },
    ...(encrypted ? { tls: { cert, key }, encryption: 'ldaps' } : {}),
  });
  let faults: readonly Fault[] = [];
  /** Number of the first connection of the read at hand. */
  let first = 0;
  const further: readonly Fault[] = once ? [] : [{ kind: 'cut', direction: 'up', at: { byte: 0 } }];
  const framing = encrypted ? tlsRecords : berMessages;
  const proxy = await startFaultProxy({
    to: { host: '127.0.0.1', port: directory.port },
    faults: (connection) => (connection === first ? faults : further),
    framing,
  });
  const settings: DirectorySettings = {
    ...settingsFor(proxy.port, { user: USER }),
    ...(encrypted ? { encryption: 'ldaps' as const, tls: { ca } } : {}),
    timeouts: { connect: 1_000, idle: 1_000, run: 10_000 },
  };

  const whole = await readOnce(settings);
  if (!whole.complete || !whole.exact || whole.records !== PEOPLE + 1)
    throw new Error(`The read without a cut failed: ${whole.code}.`);
  const passed = { ...proxy.bytes };
  const needed = { down: passed.down, up: passed.up - farewell(encrypted) };
  const wrong: string[] = [];
  const codes: Record<string, number> = {};
  let cuts = 0;
  let told = Date.now();
  for (const direction of ['down', 'up'] satisfies Direction[]) {
    for (const kind of ['cut', 'reset'] satisfies FaultKind[]) {
      for (let byte = 0; byte < needed[direction]; byte += step) {
        faults = [{ kind, direction, at: { byte } }];
        first = proxy.connections;
        const { complete, exact, code } = await readOnce(settings);
        cuts += 1;
        codes[code] = (codes[code] ?? 0) + 1;
        if (complete && !(once && exact)) wrong.push(`${kind} ${direction} at ${byte} of ${needed[direction]}`);
        if (Date.now() - told > PROGRESS_MS) {
          told = Date.now();
          console.log(`  ${kind}, ${direction}: byte ${byte} of ${needed[direction]}`);
        }
      }
    }
  }
  // Negative control: with no harm done the same read is a proof, so the cuts are what takes it away.
  faults = [];
  first = proxy.connections;
  const after = await readOnce(settings);
  await proxy.close();
  await directory.close();
  await rm(folder, { recursive: true, force: true });
  for (const line of wrong.slice(0, 20)) console.error(line);
  const figures = [
    {
      name: once
        ? 'cuts after which the read was taken for whole, and was not'
        : 'cuts after which the read was taken for whole',
      value: wrong.length,
      limit: 0,
    },
    { name: 'reads without a cut that were not whole', value: after.complete && after.exact ? 0 : 1, limit: 0 },
  ];
  conclude(
    `cuts: ${cuts} of a read of ${passed.down} bytes down, ${passed.up} up`,
    figures,
    { cuts, passed, codes },
    options,
  );
}

/** Bytes of the goodbye, behind which nothing is awaited: the unbind request, and over TLS its record and the closing alert. */
function farewell(encrypted: boolean): number {
  const unbind = 7;
  const record = 5 + 16 + 1;
  return encrypted ? unbind + record + 2 + record : unbind;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(2);
});

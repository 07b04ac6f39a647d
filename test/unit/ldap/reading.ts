/** Short ways to read in tests: settings that work, everything a read gives, plain ldapts for the negative controls. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'ldapts';
import { type ExtractOutcome, type ExtractSettings, extract } from '../../../engine/extract/extract.js';
import { type Session, openSession } from '../../../engine/ldap/session.js';
import { type DirectorySettings } from '../../../engine/ldap/settings.js';
import type { DirectorySyncError } from '../../../engine/model/errors.js';
import type { ExtractedRecord } from '../../../engine/model/records.js';
import { type Answer, type ScriptedServer, startScripted } from './scripted-server.js';

export const USER = 'CN=Reader,DC=example,DC=test';

export function settingsFor(port: number, changes: Partial<DirectorySettings> = {}): DirectorySettings {
  return {
    servers: [{ host: '127.0.0.1', port }],
    encryption: 'none',
    tls: {},
    user: USER,
    password: 'secret',
    base: 'DC=example,DC=test',
    pageSize: 2,
    timeouts: { connect: 2_000, idle: 2_000, run: 60_000 },
    maxMessageBytes: 32 * 1024 * 1024,
    ...changes,
  };
}

export interface WholeRead extends ExtractOutcome {
  readonly records: ExtractedRecord[];
  readonly batches: number;
}

/** Reads to the end and gives everything. */
export async function readAll(
  directory: DirectorySettings,
  changes: Partial<ExtractSettings> = {},
  signal = new AbortController().signal,
): Promise<WholeRead> {
  const settings = { filter: '(mail=*)', attributes: [], batchSize: 100, contacts: true, ...changes };
  const batches = extract(directory, settings, signal);
  const records: ExtractedRecord[] = [];
  for (let count = 0; ; count += 1) {
    const next = await batches.next();
    if (next.done === true) return { ...next.value, records, batches: count };
    records.push(...next.value);
  }
}

/** Starts a server with `answer`, and stops it after `work`, whatever happens. */
export async function withServer<T>(answer: Answer, work: (server: ScriptedServer) => Promise<T>): Promise<T> {
  const server = await startScripted(answer);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** Reads from a server that answers with `answer`. */
export function readFrom(
  answer: Answer,
  changes: Partial<DirectorySettings> = {},
  what: Partial<ExtractSettings> = {},
): Promise<WholeRead> {
  return withServer(answer, ({ port }) => readAll(settingsFor(port, changes), what));
}

/** Opens a session and closes it after `work`. */
export async function withSession<T>(settings: DirectorySettings, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(settings, new AbortController().signal);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** The code of the error that a promise rejects with, or what it resolved to. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    return `no error: ${JSON.stringify(await work)}`;
  } catch (error) {
    return (error as DirectorySyncError).code;
  }
}

/** The library on its own, for the negative controls. Bound, unless told otherwise. */
export async function plainClient(port: number, options: { timeout?: number; bind?: boolean } = {}): Promise<Client> {
  const client = new Client({
    url: `ldap://127.0.0.1:${port}`,
    ...(options.timeout ? { timeout: options.timeout } : {}),
  });
  if (options.bind !== false) await client.bind(USER, 'secret');
  return client;
}

/** What a promise does within `milliseconds`: its value or error as text, or `hangs`. */
export function within(milliseconds: number, work: Promise<unknown>): Promise<string> {
  const said = work.then(
    (value) => `resolves: ${JSON.stringify(value)}`,
    (error: unknown) => `rejects: ${String(error)}`,
  );
  return Promise.race([said, sleep(milliseconds, 'hangs')]);
}

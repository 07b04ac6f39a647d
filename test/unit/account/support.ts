/** Short ways to say what a directory says, and accounts on real files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, type AccountSettings, openAccount } from '../../../engine/account/account.js';
import { countRecords } from '../../../engine/model/message.js';
import type {
  Contact,
  DynamicGroup,
  EnrichedRecord,
  Group,
  Member,
  Members,
  Quarantined,
  User,
} from '../../../engine/model/records.js';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';
import type { Limits } from '../../../engine/account/rules.js';
import type { Change, Report } from '../../../engine/model/report.js';
import type { Run, Seal } from '../../../engine/model/run.js';
import { dropStore, newStore } from '../../support/account-store.js';

const dnOf = (id: string) => `CN=${id},DC=example,DC=com`;

export function user(id: string, rest: Partial<User> = {}): User {
  return { kind: 'user', ...person(id), enabled: true, ...rest };
}

export function contact(id: string, rest: Partial<Contact> = {}): Contact {
  return { kind: 'contact', ...person(id), enabled: true, ...rest };
}

export function group(id: string, rest: Partial<Group> = {}): Group {
  return { kind: 'group', ...person(id), primary: null, scope: 'universal', type: 'security', ...rest };
}

export function dynamicGroup(id: string, rest: Partial<DynamicGroup> = {}): DynamicGroup {
  return { ...group(id), kind: 'dynamic-group', filter: '(mail=*)', filterBase: null, ...rest };
}

export function members(groupId: string, add: readonly (string | Member)[], rest: Partial<Members> = {}): Members {
  const parsed = add.map((one) => (typeof one === 'string' ? { id: one } : one));
  return { kind: 'members', group: groupId, add: parsed, part: 1, parts: 1, ...rest };
}

export function quarantined(id: string | null, rest: Partial<Quarantined> = {}): Quarantined {
  return {
    kind: 'quarantined',
    id,
    dn: dnOf(id ?? 'nobody'),
    reason: 'UNSUPPORTED_CLASS',
    detail: 'A computer.',
    ...rest,
  };
}

function person(id: string) {
  return { id, dn: dnOf(id), sid: null, name: id, primary: `${id}@example.com`, aliases: [], attributes: {} };
}

const NO_LIMIT = { count: null, percent: null };
export const UNLIMITED: Limits = {
  users: NO_LIMIT,
  groups: NO_LIMIT,
  members: NO_LIMIT,
  membersPerGroup: NO_LIMIT,
  addresses: NO_LIMIT,
  values: NO_LIMIT,
};

/** Accounts in one temporary folder, or in the PostgreSQL that `ACCOUNT_STORE` names. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'account-'));
  readonly #open: Account[] = [];
  readonly #stores: AccountSettings['store'][] = [];
  #files = 0;
  #runs = 0;

  settings(rest: Partial<AccountSettings> = {}): AccountSettings {
    this.#files += 1;
    const store = newStore(join(this.folder, `account-${String(this.#files)}.db`));
    this.#stores.push(store);
    return {
      name: 'test',
      store,
      domains: [],
      attributes: [],
      linkAliases: true,
      acknowledgeDisabled: true,
      contacts: true,
      // Most histories here are unusual, and take much away. What is held is tested elsewhere.
      rules: { holdUnusual: false, limits: UNLIMITED },
      ...rest,
    };
  }

  async open(settings = this.settings()): Promise<Account> {
    const account = await openAccount(settings);
    this.#open.push(account);
    return account;
  }

  run(rest: Partial<Run> = {}): Run {
    this.#runs += 1;
    const startedAt = new Date(Date.UTC(2026, 0, 1) + this.#runs * 60_000).toISOString();
    return {
      id: `run-${String(this.#runs).padStart(5, '0')}`,
      source: 'hq',
      mode: 'full',
      startedAt,
      batch: 0,
      ...rest,
    };
  }

  async close(): Promise<void> {
    for (const account of this.#open.splice(0)) await account.close();
    for (const store of this.#stores.splice(0)) await dropStore(store);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export function seal(batches: number, rest: Partial<Seal> = {}): Seal {
  const complete = rest.complete ?? true;
  return {
    kind: 'seal',
    batches,
    records: countRecords([]),
    complete,
    incomplete: complete ? [] : [{ code: 'CUT', message: 'The read was cut.' }],
    proof: null,
    token: null,
    stages: [],
    ...rest,
  };
}

/** One whole run of batches: its report. */
export async function sync(
  account: Account,
  run: Run,
  records: readonly EnrichedRecord[],
  { complete = true, dryRun = false, batchSize = 3 } = {},
): Promise<Report> {
  const batches = Math.ceil(records.length / batchSize);
  for (let index = 0; index < batches; index += 1) {
    await account.stage(run, index, records.slice(index * batchSize, (index + 1) * batchSize));
  }
  return account.apply(run, seal(batches, { complete }), { dryRun });
}

/** All changes of a run, as `change kind id what`. */
export async function changesOf(account: Account, runId: string): Promise<Change[]> {
  const all: Change[] = [];
  for await (const batch of account.changes(runId)) all.push(...batch);
  return all;
}

/** The changes of a run in short. */
export async function changeLines(account: Account, runId: string): Promise<string[]> {
  return (await changesOf(account, runId)).map(
    ({ change, id, what }) => `${change} ${id}${what === null ? '' : ` ${what}`}`,
  );
}

/** What was set aside, in short, sorted. */
export function asideLines(report: Report): string[] {
  return report.setAside.map(({ id, reason }) => `${reason} ${id ?? '-'}`).sort();
}

/** How records are sent: whole, and by the source `hq`, unless it says otherwise. */
export interface Sent {
  readonly complete?: boolean;
  readonly source?: string;
}

/** Syncs records in a run of their own: what it changed, what it set aside, and its report. */
export async function outcomeOf(
  workshop: Workshop,
  account: Account,
  records: readonly EnrichedRecord[],
  { complete = true, source = 'hq' }: Sent,
) {
  const run = workshop.run({ source });
  const report = await sync(account, run, records, { complete });
  return { changes: await changeLines(account, run.id), aside: asideLines(report), report };
}

/** How much there is in an account, as a report tells it. */
export function totalsIn({ users, contacts, groups }: AccountSnapshot): Report['totals'] {
  const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);
  return {
    users: users.length,
    contacts: contacts.length,
    groups: groups.length,
    members: sum(groups.map(({ members }) => members.length)),
    aliases: sum([...users, ...contacts].map(({ aliases }) => aliases.length)),
  };
}

/** The members of the group of that name, their domains left out; undefined where there is no such group. */
export async function memberNames(account: Account, name: string): Promise<string[] | undefined> {
  const { groups } = await account.snapshot();
  return groups.find((one) => one.name === name)?.members.map((one) => one.replace(/@.*/, ''));
}

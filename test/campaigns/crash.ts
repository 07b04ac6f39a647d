/**
 * `npm run crash -- --count N --seed N --json --check`: a process that applies a run is killed with SIGKILL, at a named point
 * (account open, run staged) or at a random moment, and started again until it ends. Then the account is what the oracle
 * says, and the journal has each change once.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type AccountSettings, openAccount } from '../../engine/account/account.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import type { Run } from '../../engine/model/run.js';
import { seeded } from '../support/fault-proxy.js';
import { AccountOracle } from '../support/oracle/history.js';
import { UNLIMITED, changeLines, group, members, seal, sync, user } from '../unit/account/support.js';
import { runCases, verdict } from './campaign.js';

const APPLIER = join(__dirname, '..', 'unit', 'account', 'programs', 'applier.js');
const PEOPLE = Array.from({ length: 300 }, (_, index) => `p${String(index)}`);
export const AS_IT_SHOULD = 'as it should be';

/** One crash. Answers how it ended. */
export async function oneCrash(seed: number): Promise<string> {
  const any = seeded(seed);
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  try {
    const rules = { userLeft: 'downgrade', graceDays: 0, graceRuns: 1 } as const;
    const settings: AccountSettings = {
      name: 'crash',
      store: { kind: 'sqlite', file: join(folder, 'account.sqlite') },
      domains: [],
      attributes: [],
      linkAliases: true,
      acknowledgeDisabled: true,
      contacts: true,
      exclusive: true,
      rules: { ...rules, limits: UNLIMITED, holdUnusual: false },
    };
    const oracle = new AccountOracle(rules);
    const directory = () => ({
      people: PEOPLE.filter(() => any(5) > 0).map((id) => ({
        id,
        name: `N${String(any(3))}`,
        enabled: any(9) > 0,
        aliases: [],
      })),
      groups: [{ id: 'g1', members: PEOPLE.filter(() => any(2) === 0) }],
      complete: true,
      day: 0,
      others: true,
    });
    const [before, after] = [directory(), directory()];
    const first = await openAccount(settings);
    await sync(first, runOf(1), recordsOf(before), { batchSize: 100 });
    await first.close();
    oracle.run(before);
    oracle.run(after);

    const records = recordsOf(after);
    const batches = Array.from({ length: Math.ceil(records.length / 100) }, (_, index) =>
      records.slice(index * 100, index * 100 + 100),
    );
    const work = JSON.stringify({ settings, run: runOf(2), seal: seal(batches.length), batches });
    const moments = ['open', 'staged', any(350), any(350)] as const;
    await applied(work, moments[any(moments.length)] ?? 0);
    const lines = await applied(work, null);
    if (!/applied (?:committed|unchanged)/.test(lines)) return `not finished: ${lines.slice(0, 80)}`;

    const account = await openAccount(settings);
    try {
      if (!isDeepStrictEqual(await account.snapshot(), oracle.snapshot())) return 'another account';
      const changes = await changeLines(account, runOf(2).id);
      return new Set(changes).size === changes.length ? AS_IT_SHOULD : 'a change twice';
    } finally {
      await account.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs the program; kills it when it has said that word, or after so many milliseconds. What it said. */
async function applied(work: string, killAt: string | number | null): Promise<string> {
  const child = spawn(process.execPath, [APPLIER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
    if (typeof killAt === 'string' && said.includes(killAt)) child.kill('SIGKILL');
  });
  child.stdin.on('error', () => undefined); // It was killed while it read.
  child.stdin.end(work);
  if (typeof killAt === 'number') {
    await Promise.race([ended, sleep(killAt)]);
    child.kill('SIGKILL');
  }
  await ended;
  return said;
}

function runOf(number: number): Run {
  const startedAt = new Date(Date.UTC(2026, 0, number)).toISOString();
  return { id: `run-0000${String(number)}`, source: 'hq', mode: 'full', startedAt, batch: 0 };
}

function recordsOf({
  people,
  groups,
}: {
  people: readonly { id: string; name: string; enabled: boolean }[];
  groups: readonly { id: string; members: readonly string[] }[];
}): EnrichedRecord[] {
  return [
    ...people.map((one) => user(one.id, one)),
    ...groups.flatMap((one) => [group(one.id), members(one.id, one.members)]),
  ];
}

async function main(argv: readonly string[]): Promise<void> {
  const { counts, firstOf, cases, seed } = await runCases(
    { title: 'crashes', count: 50, atATime: 2, one: oneCrash },
    argv,
  );
  const wrong = cases - (counts[AS_IT_SHOULD] ?? 0);
  verdict(
    'crashes of an account',
    [{ name: 'crashes that leave another account', value: wrong, limit: 0 }],
    { cases, seed, counts, firstOf },
    argv,
  );
}

if (require.main === module) void main(process.argv.slice(2));

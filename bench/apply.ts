/**
 * Applying: 100,000 people, 2,000 groups, 250,000 memberships, into the embedded store, against the `.import` of sqlite3 of
 * the same rows (where that program is installed). `node dist/bench/apply.js [people]`
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Account, openAccount } from '../engine/account/account.js';
import type { EnrichedRecord } from '../engine/model/records.js';
import { noRecords } from '../engine/model/records.js';
import type { Report } from '../engine/model/report.js';

const PEOPLE = Number(process.argv[2] ?? 100_000);
const GROUPS = Math.max(1, Math.round(PEOPLE / 50));
const MEMBERS_PER_GROUP = 125;
const BATCH = 1_000;
const ATTRIBUTES = ['department', 'title', 'company'];

const guid = (number: number, kind: number) => {
  const hex = ((number * 2654435761) >>> 0).toString(16).padStart(8, '0');
  return `${hex}-${String(kind).padStart(4, '0')}-4000-8000-${String(number).padStart(12, '0')}`;
};

function person(number: number, title: string): EnrichedRecord {
  const name = `person${String(number)}`;
  return {
    kind: 'user',
    id: guid(number, 1),
    dn: `CN=Person ${String(number)},OU=Department ${String(number % 200)},OU=People,DC=example,DC=com`,
    sid: `S-1-5-21-1004336348-1177238915-682003330-${String(number + 1000)}`,
    name: `Person ${String(number)}`,
    primary: `${name}@example.com`,
    aliases: number % 2 === 0 ? [`${name}@example.org`] : [],
    enabled: number % 20 !== 0,
    attributes: { department: [`Department ${String(number % 200)}`], title: [title], company: ['Example'] },
  };
}

function memberNumbers(group: number): number[] {
  return Array.from({ length: MEMBERS_PER_GROUP }, (_, index) => (group * 7919 + index * 104729) % PEOPLE);
}

function* directory(change: number): Generator<EnrichedRecord> {
  for (let number = 0; number < PEOPLE; number += 1) {
    yield person(number, change > 0 && number % 100 === 0 ? `Title ${String(change)}` : 'Engineer');
  }
  for (let number = 0; number < GROUPS; number += 1) {
    const id = guid(number, 2);
    const changed = change > 0 && number % 100 === 0;
    const numbers = [...new Set(memberNumbers(number))].slice(changed ? 1 : 0);
    yield {
      kind: 'group',
      id,
      dn: `CN=Group ${String(number)},OU=Groups,DC=example,DC=com`,
      sid: null,
      name: `Group ${String(number)}`,
      primary: null,
      aliases: [],
      attributes: {},
      scope: 'universal',
      type: 'distribution',
    };
    yield {
      kind: 'members',
      group: id,
      part: 1,
      parts: 1,
      add: numbers.map((member) => ({
        id: guid(member, 1),
        sid: `S-1-5-21-1004336348-1177238915-682003330-${String(member + 1000)}`,
        dn: `CN=Person ${String(member)},OU=Department ${String(member % 200)},OU=People,DC=example,DC=com`,
      })),
    };
  }
}

let runs = 0;
/** One whole run; the records are made beforehand, so that only the account is measured. */
async function run(account: Account, change: number): Promise<{ report: Report; ms: number; delay: number }> {
  const batches: EnrichedRecord[][] = [];
  for (const record of directory(change)) {
    const last = batches.at(-1);
    if (last && last.length < BATCH) last.push(record);
    else batches.push([record]);
  }
  runs += 1;
  const startedAt = new Date(Date.UTC(2026, 0, 1) + runs * 1000).toISOString();
  const what = {
    id: `bench-${String(runs).padStart(6, '0')}`,
    source: 'bench',
    mode: 'full',
    startedAt,
    batch: 0,
  } as const;
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const started = performance.now();
  const window: Promise<void>[] = [];
  for (const [index, batch] of batches.entries()) {
    if (window.length >= 4) await window.shift();
    window.push(account.stage(what, index, batch));
  }
  await Promise.all(window);
  const seal = {
    kind: 'seal' as const,
    batches: batches.length,
    records: noRecords(),
    complete: true,
    incomplete: [],
    proof: null,
    token: null,
    stages: [],
  };
  const report = await account.apply(what, seal, { dryRun: false });
  const ms = performance.now() - started;
  loop.disable();
  return { report, ms, delay: loop.percentile(99.9) / 1e6 };
}

/** Loads the rows of the account's tables with sqlite3's own `.import`, in one transaction. Null where there is no sqlite3. */
function importMs(folder: string, source: string): number | null {
  const target = join(folder, 'import.db');
  const tables = ['entry', 'address', 'attribute', 'member', 'object', 'journal'];
  const sqlite3 = (file: string, script: string) => spawnSync('sqlite3', [file], { input: script, encoding: 'utf8' });
  const dumped = sqlite3(
    source,
    `.mode csv\n${tables.map((table) => `.once ${join(folder, `${table}.csv`)}\nSELECT * FROM ${table};`).join('\n')}\n.once ${join(folder, 'schema.sql')}\n.schema\n`,
  );
  if (dumped.error || dumped.status !== 0) return null;
  sqlite3(target, `PRAGMA journal_mode=WAL;\n.read ${join(folder, 'schema.sql')}\n`);
  writeFileSync(
    join(folder, 'load.sql'),
    `.mode csv\nPRAGMA synchronous=FULL;\nBEGIN;\n${IMPORTED.map((table) => `.import ${join(folder, `${table}.csv`)} ${table}`).join('\n')}\nCOMMIT;\n`,
  );
  const started = performance.now();
  const loaded = sqlite3(target, `.read ${join(folder, 'load.sql')}\n`);
  const ms = performance.now() - started;
  if (loaded.status !== 0 || loaded.stderr) console.error(loaded.stderr.slice(0, 300));
  return ms;
}
const IMPORTED = process.env['BENCH_TABLES']?.split(',') ?? ['entry', 'address', 'attribute', 'member', 'journal'];

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-apply-'));
  const file = join(folder, 'account.db');
  const account = await openAccount({
    name: 'bench',
    store: { kind: 'sqlite', file },
    domains: ['example.com', 'example.org'],
    attributes: ATTRIBUTES,
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
  });
  try {
    const lines: [string, Awaited<ReturnType<typeof run>>][] = [];
    lines.push(['first load', await run(account, 0)]);
    lines.push(['nothing changed', await run(account, 0)]);
    lines.push(['1 % changed', await run(account, 1)]);
    lines.push(['nothing changed', await run(account, 1)]);
    lines.push(['1 % changed', await run(account, 2)]);
    await account.close();
    const base = importMs(folder, file);
    const first = lines[0]?.[1].ms ?? 1;
    console.log(
      `${String(PEOPLE)} people, ${String(GROUPS)} groups, ${String(GROUPS * MEMBERS_PER_GROUP)} memberships; database ${String(Math.round(statSync(file).size / 2 ** 20))} MiB; memory ${String(Math.round(process.memoryUsage().rss / 2 ** 20))} MiB`,
    );
    if (base !== null) console.log(`sqlite3 .import of the same rows  ${base.toFixed(0)} ms`);
    for (const [name, { report, ms, delay }] of lines) {
      const figures = report.stages.at(-1)?.figures ?? {};
      const against =
        name === 'first load'
          ? base === null
            ? ''
            : `${(ms / base).toFixed(2)} × .import`
          : `${(ms / first).toFixed(2)} × first load`;
      console.log(
        `${name.padEnd(18)} ${ms.toFixed(0).padStart(6)} ms  ${against.padEnd(18)} stage ${String(figures['stageMs'])} plan ${String(figures['planMs'])} commit ${String(figures['commitMs'])} ms  loop p99.9 ${delay.toFixed(1)} ms  ${report.outcome}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();

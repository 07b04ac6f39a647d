/** A directory, a host and its account: what is killed, and what must be true behind it. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { AccountSettings } from '../../../engine/account/account.js';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';
import { startDirectory, type SampleDirectory } from '../../support/directory/index.js';
import { type LdifEntry, parseLdif } from '../../support/ldif.js';
import { dropStore, newStore } from '../../support/account-store.js';
import { AccountOracle, type RunNow } from '../../support/oracle/history.js';
import { UNLIMITED } from '../../unit/account/support.js';
import { openHere } from '../support/here.js';
import type { Ending, Host, StartHost } from './hosts.js';
import type { Armed, Point } from './points.js';

export const BASE = 'DC=example,DC=test';
export const STAFF = `OU=Staff,${BASE}`;
export const USER = `CN=Reader,CN=Users,${BASE}`;
export const PASSWORD = 'secret';
const PEOPLE = Array.from({ length: 60 }, (_, index) => `p${String(index)}`);
const GROUPS = ['g1', 'g2', 'g3'];
type Any = (below: number) => number;

/** When to kill: at a named point, when the log of the database has grown by so many pages, or after a time. */
export type Kill =
  { readonly point: Point; readonly nth: number } | { readonly pages: number } | { readonly ms: number };

export interface World {
  readonly directory: SampleDirectory;
  readonly folder: string;
  readonly settings: AccountSettings;
  /** One kill and what follows. */
  crash(any: Any, kill: Kill): Promise<{ outcome: string; reached: boolean }>;
  close(): Promise<void>;
}

export const AS_IT_SHOULD = 'as it should be';
export const RULES = { userLeft: 'remove', graceDays: 0, graceRuns: 1 } as const;
const PAGE_BYTES = 4_120;

export interface WorldOptions {
  readonly hostFor: (world: {
    directory: SampleDirectory;
    folder: string;
    settings: AccountSettings;
  }) => Promise<StartHost>;
  readonly transactions: boolean;
}

export async function openWorld(any: Any, { hostFor, transactions }: WorldOptions): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  const arm = join(folder, 'arm.json');
  process.env['CRASH_ARM'] = arm;
  const armed = (what: Partial<Armed>) =>
    writeFileSync(
      arm,
      JSON.stringify({ statement: null, when: 'before', nth: 1, transactions, ...what } satisfies Armed),
    );
  armed({});
  const file = join(folder, 'account.sqlite');
  const store = newStore(file);
  const settings: AccountSettings = {
    name: 'crash',
    store,
    domains: [],
    attributes: ['title'],
    linkAliases: true,
    acknowledgeDisabled: true,
    contacts: true,
    exclusive: true,
    rules: { ...RULES, limits: UNLIMITED, holdUnusual: false },
  };
  const directory = await startDirectory({
    entries: entriesOf(draw(any)),
    base: BASE,
    users: { [USER]: PASSWORD },
    encryption: 'plain',
  });
  const start = await hostFor({ directory, folder, settings });
  const oracle = new AccountOracle(RULES);
  let before = oracle.snapshot();
  let host: Host | null = null;
  let usual = 300;

  const look = async (since: string | null) => {
    const account = await openHere({ ...settings, exclusive: false });
    try {
      const snapshot = onlyOurs(await account.snapshot());
      const runs = (await account.history(10)).map(({ run }) => run).reverse();
      const newer = runs.slice(since === null ? 0 : runs.indexOf(since) + 1);
      const lines: string[] = [];
      for (const run of newer) {
        for await (const batch of account.changes(run)) lines.push(...batch.map((change) => JSON.stringify(change)));
      }
      return { snapshot, lines, last: runs.at(-1) ?? null };
    } finally {
      await account.close();
    }
  };
  let last: string | null = null;

  /** Until a run has been reported, twice: the second look takes away what the first left empty. */
  const finish = async (): Promise<string | null> => {
    let failures = 0;
    for (let reported = 0; reported < 2;) {
      host ??= await start();
      const ending: Ending = host === null ? 'killed' : await host.run();
      if (ending !== 'killed' && / (?:committed|unchanged) true/.test(ending.reported)) reported += 1;
      else if ((failures += 1) > 3) return ending === 'killed' ? 'does not start again' : ending.reported.slice(0, 120);
      if (ending === 'killed') host = null;
    }
    return null;
  };

  return {
    directory,
    folder,
    settings,
    async crash(any, kill) {
      const now = draw(any);
      directory.reload(entriesOf(now));
      if ('point' in kill) {
        if (kill.point.opening === true) {
          await host?.stop();
          host = null;
        }
        armed({ statement: kill.point.statement, when: kill.point.when, nth: kill.nth });
      }
      const current = host ?? (await start());
      const began = performance.now();
      const reached = current === null || (await killed(current, kill, usual, file));
      host = reached ? null : current;
      if (!reached) usual = 0.8 * usual + 0.2 * (performance.now() - began);
      armed({});

      const found = await look(last);
      oracle.run(now);
      const [once, half] = [oracle.snapshot(), found.snapshot];
      const whole = isDeepStrictEqual(half, before) || isDeepStrictEqual(half, once);
      if (!whole) return { outcome: 'half applied', reached };
      const failure = await finish();
      if (failure !== null) return { outcome: failure, reached };
      oracle.run(now);
      before = oracle.snapshot();
      const after = await look(last);
      ({ last } = after);
      if (!isDeepStrictEqual(after.snapshot, before)) return { outcome: 'another account', reached };
      const twice = new Set(after.lines).size !== after.lines.length;
      return { outcome: twice ? 'a change twice' : AS_IT_SHOULD, reached };
    },
    async close() {
      armed({});
      await host?.stop();
      await directory.close();
      await dropStore(store);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Lets the host run until it is killed; false where it came to its end before. */
async function killed(host: Host, kill: Kill, usual: number, file: string): Promise<boolean> {
  const running = host.run();
  const run = { over: false };
  void running.then(() => (run.over = true));
  if ('pages' in kill) {
    const start = sizeOf(`${file}-wal`);
    const enough = () => Math.abs(sizeOf(`${file}-wal`) - start) >= kill.pages * PAGE_BYTES;
    while (!enough() && !run.over) await turn();
    host.process.kill('SIGKILL');
  } else if ('ms' in kill) {
    await Promise.race([running, sleep((kill.ms / 1000) * usual)]);
    host.process.kill('SIGKILL');
  }
  return (await running) === 'killed' || !('point' in kill);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** People and groups without groups in them: two complete runs bring any account to what is drawn. */
export function draw(any: Any): RunNow {
  return {
    people: PEOPLE.filter(() => any(5) > 0).map((id) => ({
      id,
      name: `N${String(any(3))}`,
      enabled: any(9) > 0,
      aliases: any(2) === 0 ? [`${id}-a@example.com`] : [],
    })),
    groups: GROUPS.filter(() => any(6) > 0).map((id) => ({ id, members: PEOPLE.filter(() => any(3) === 0) })),
    complete: true,
    day: 0,
    others: true,
  };
}

/** The directory that says so. */
export function entriesOf({ people, groups }: RunNow): LdifEntry[] {
  const here = new Set(people.map(({ id }) => id));
  const person = ({ id, name, enabled, aliases }: RunNow['people'][number]) => `dn: CN=${id},${STAFF}
objectClass: user
displayName: ${name}
mail: ${id}@example.com
userAccountControl: ${enabled ? '512' : '514'}
${['SMTP:' + id + '@example.com', ...aliases.map((alias) => `smtp:${alias}`)].map((proxy) => `proxyAddresses: ${proxy}\n`).join('')}`;
  const list = ({ id, members }: RunNow['groups'][number]) => `dn: CN=${id},${STAFF}
objectClass: group
groupType: 8
${(members ?? [])
  .filter((member) => here.has(member))
  .map((member) => `member: CN=${member},${STAFF}\n`)
  .join('')}`;
  return parseLdif(
    [`dn: ${STAFF}\nobjectClass: organizationalUnit\n`, ...people.map(person), ...groups.map(list)].join('\n'),
  );
}

/** Without the groups that every domain has. */
export function onlyOurs(account: AccountSnapshot): AccountSnapshot {
  return { ...account, groups: account.groups.filter(({ name }) => GROUPS.includes(name)) };
}

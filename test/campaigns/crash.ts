/**
 * `npm run crash -- --count N --seed N --store sqlite|postgres --json --check`: a process with a whole sync is killed with SIGKILL, at a named point, when
 * the database's log has grown by some pages, or at a random moment, started again, and ends its work. Behind each kill the
 * account is as before or as after; in the end it is the oracle's, and the journal has each change once.
 *
 * `--node-red`: the process is a Node-RED with the documented flow, over HTTPS. `--control`: without transactions, to see the
 * harm. Then each world begins with a sync that nobody kills, which must be right all the same, and kills must do harm.
 */
import { numberOption } from '../../bench/support/verdict.js';
import { seeded } from '../support/fault-proxy.js';
import { inStore, storeName, verdict } from './campaign.js';
import { flowOf } from './crash/flow.js';
import { startInNodeRed, startSyncer } from './crash/hosts.js';
import { POINTS, type Point } from './crash/points.js';
import { AS_IT_SHOULD, BASE, type Kill, PASSWORD, USER, type WorldOptions, openWorld } from './crash/world.js';

export { AS_IT_SHOULD } from './crash/world.js';

const CRASHES_IN_A_WORLD = 10;
/** Percent of crashes without transactions, about 60 measured: many come before anything of the account is written, or behind its end. */
const MOST_HARMLESS = 95;
/** So long that the sync has ended before. */
const BEHIND_THE_END: Kill = { ms: 100_000 };
type Any = (below: number) => number;

const inProgram: WorldOptions['hostFor'] = ({ directory, settings }) =>
  Promise.resolve(
    startSyncer({
      account: settings,
      directory: {
        servers: [{ host: directory.host, port: directory.port }],
        encryption: 'none',
        tls: {},
        user: USER,
        password: PASSWORD,
        base: BASE,
        pageSize: 20,
        timeouts: { connect: 5_000, idle: 10_000, run: 60_000 },
        maxMessageBytes: 1024 * 1024,
      },
    }),
  );
const inNodeRed: WorldOptions['hostFor'] = async (world) => startInNodeRed(world.folder, await flowOf(world));

/** Of five kills three are at named points, one by the growth of SQLite's log, one at a random moment. */
function drawKill(any: Any, points: readonly Point[]): Kill {
  const kind = any(5);
  if (kind === 0 && storeName() === 'sqlite') return { pages: 1 + any(60) };
  if (kind < 2) return { ms: any(1_100) };
  const point = points[any(points.length)];
  if (point?.opening === true) return { point, nth: 1 };
  return point ? { point, nth: any(4) === 0 ? 2 + any(2) : 1 } : { ms: 0 };
}

function nameOf(kill: Kill): string {
  if ('point' in kill) return kill.point.name;
  return 'pages' in kill ? 'by the growth of the log' : 'at a random moment';
}

/** One crash of a new world, behind a first run: drawn, or at the point of that name. Answers how it ended. */
export async function oneCrash(
  seed: number,
  { at, transactions = true }: { at?: string; transactions?: boolean } = {},
) {
  const any = seeded(seed);
  const world = await openWorld(any, { hostFor: inProgram, transactions });
  try {
    await world.crash(any, BEHIND_THE_END);
    const point = POINTS.find(({ name }) => name === at);
    const points = POINTS.filter(({ receiver }) => receiver !== true);
    return (await world.crash(any, point ? { point, nth: 1 } : drawKill(any, points))).outcome;
  } finally {
    await world.close();
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const nodeRed = argv.includes('--node-red');
  const transactions = !argv.includes('--control');
  const cases = numberOption(argv, 'count', 50);
  const seed = numberOption(argv, 'seed', 1);
  const points = POINTS.filter(({ receiver }) => nodeRed || receiver !== true);
  const counts: Record<string, number> = {};
  const firstOf: Record<string, number> = {};
  const reached: Record<string, number> = {};
  const undisturbed = { right: 0, wrong: 0 };
  let done = 0;
  for (let at = seed; done < cases; at += 1) {
    const any = seeded(at);
    const world = await openWorld(any, { hostFor: nodeRed ? inNodeRed : inProgram, transactions });
    try {
      if (!transactions) {
        const { outcome } = await world.crash(any, BEHIND_THE_END);
        undisturbed[outcome === AS_IT_SHOULD ? 'right' : 'wrong'] += 1;
      }
      for (let crash = 0; crash < CRASHES_IN_A_WORLD && done < cases; crash += 1) {
        const kill = drawKill(any, points);
        const result = await world.crash(any, kill);
        done += 1;
        counts[result.outcome] = (counts[result.outcome] ?? 0) + 1;
        firstOf[result.outcome] ??= at;
        if (result.reached) reached[nameOf(kill)] = (reached[nameOf(kill)] ?? 0) + 1;
        // What was half applied stays so: a new world begins.
        if (result.outcome !== AS_IT_SHOULD) break;
      }
    } finally {
      await world.close();
    }
    console.log(`  crashes: ${String(done)} of ${String(cases)} ${JSON.stringify(counts)}`);
  }
  const wrong = done - (counts[AS_IT_SHOULD] ?? 0);
  const never = points.filter(({ name }) => reached[name] === undefined).map(({ name }) => name);
  const details = { cases: done, seed, store: storeName(), nodeRed, transactions, counts, firstOf, reached, never };
  if (transactions) {
    const figure = { name: 'crashes that leave another account', value: wrong, limit: 0 };
    verdict(`crashes of ${nodeRed ? 'a Node-RED' : 'a sync'}`, [figure], details, argv);
    return;
  }
  verdict(
    'crashes without transactions',
    [
      { name: 'syncs that nobody killed, and that leave another account', value: undisturbed.wrong, limit: 0 },
      { name: 'percent of crashes that do no harm', value: (100 * (done - wrong)) / done, limit: MOST_HARMLESS },
    ],
    { ...details, undisturbed },
    argv,
  );
}

if (require.main === module) void inStore(process.argv, () => main(process.argv.slice(2)));

/**
 * Mutated answers of a directory, behind the guard: `npm run fuzz -- --count 1000000 --seed 1 --json --check`. None may make
 * the event loop stand still, throw what nobody foresaw, or leave memory behind. A hundredth of them, 10,000 of a million,
 * go through the real extract node in Node-RED (`--node N` for another number, `--node 0` for none). `--only N` repeats one.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { benchOptions, conclude, numberOption } from '../../bench/support/verdict.js';
import { result, tlv, integer, message } from '../unit/ldap/ber-text.js';
import { type Asked, REQUEST_ID, feed } from './support/behind-guard.js';
import { mutate } from './support/mutants.js';
import { type Random, randomOf } from './support/random.js';
import { searchPage } from './support/replies.js';
import { throughNode } from './support/through-node.js';
import { startWatchdog } from './support/watchdog.js';

const LONGEST_MS = 100;
const MOST_GROWTH_MIB = 8;
const STANDS_STILL_MS = 10_000;
const PROGRESS_MS = 2_000;

const REPLIES: readonly [readonly [Asked, Buffer], ...(readonly [Asked, Buffer])[]] = [
  ['search', searchPage(REQUEST_ID)],
  ['search', searchPage(REQUEST_ID)],
  ['search', searchPage(REQUEST_ID)],
  ['bind', result(REQUEST_ID, 0x61, 49, '80090308: LdapErr: DSID-0C09044E, comment: x, data 52e, v4563')],
  ['extended', message(REQUEST_ID, tlv(0x78, integer(0, 0x0a), tlv(4), tlv(4), tlv(0x8b, 'u:EXAMPLE\\svc')))],
];

interface Case {
  readonly asked: Asked;
  readonly kind: string;
  readonly chunks: readonly Buffer[];
}

function caseOf(random: Random): Case {
  const [asked, reply] = random.pick(REPLIES);
  const { bytes, kind } = mutate(reply, random);
  return { asked, kind, chunks: inChunks(bytes, random) };
}

function inChunks(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let more = random.below(4); more > 0 && at < bytes.length; more -= 1) {
    const size = 1 + random.below(bytes.length - at);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return at < bytes.length ? [...chunks, bytes.subarray(at)] : chunks;
}

interface Outcome {
  /** Time of the clock, or of the processor where that is less: a busy machine may have let us wait. */
  readonly milliseconds: number;
  /** How it ended; null where it threw. */
  readonly end: string | null;
  readonly error: unknown;
}

function once({ asked, chunks }: Case): Outcome {
  const started = performance.now();
  const used = process.cpuUsage();
  const took = () => {
    const { user, system } = process.cpuUsage(used);
    return Math.min(performance.now() - started, (user + system) / 1000);
  };
  try {
    const end = feed(asked, chunks);
    return { milliseconds: took(), end, error: null };
  } catch (error) {
    return { milliseconds: took(), end: null, error };
  }
}

async function behindGuard(count: number, seed: number) {
  const watchdog = startWatchdog('fuzz', STANDS_STILL_MS);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const ends: Record<string, number> = {};
  const thrown: string[] = [];
  let longest = 0;
  let slowest = -1;
  let heapEarly = 0;
  let told = Date.now();
  for (let number = 0; number < count; number += 1) {
    if (number % 250 === 0) {
      watchdog.beat(number);
      await turn();
      // Everything that is loaded and compiled once is there by now.
      if (heapEarly === 0 && number >= count / 5) heapEarly = heap();
      if (Date.now() - told > PROGRESS_MS) {
        told = Date.now();
        console.log(`  ${number.toLocaleString('en')} of ${count.toLocaleString('en')} behind the guard`);
      }
    }
    const one = caseOf(randomOf(seed, number));
    const { milliseconds, end, error } = once(one);
    if (end === null) thrown.push(`${number} (${one.kind}): ${String(error)}`);
    else ends[end] = (ends[end] ?? 0) + 1;
    if (milliseconds > longest) [longest, slowest] = [milliseconds, number];
  }
  await turn();
  const growth = heap() - heapEarly;
  await watchdog.stop();
  return { ends, thrown, longest, slowest, growth };
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const options = benchOptions(argv);
  const seed = numberOption(argv, 'seed', 1);
  if (argv.includes('--only')) {
    const one = caseOf(randomOf(seed, Number(argv[argv.indexOf('--only') + 1])));
    console.log(one.asked, one.kind, Buffer.concat(one.chunks).toString('hex'));
    console.log(once(one));
    return;
  }
  const count = numberOption(argv, 'count', 100_000);
  const nodeCount = argv.includes('--node') ? Number(argv[argv.indexOf('--node') + 1]) : Math.ceil(count / 100);
  const unhandled: string[] = [];
  process.on('uncaughtException', (error) => unhandled.push(String(error)));
  process.on('unhandledRejection', (error) => unhandled.push(String(error)));

  const started = Date.now();
  const guard = await behindGuard(count, seed);
  const seconds = (Date.now() - started) / 1000;
  let told = 0;
  const node =
    nodeCount === 0
      ? null
      : await throughNode('5', nodeCount, seed, (done) => {
          if (Date.now() - told < PROGRESS_MS) return;
          told = Date.now();
          console.log(`  ${done.toLocaleString('en')} of ${nodeCount.toLocaleString('en')} through the node`);
        });

  const thrown = [...guard.thrown, ...unhandled];
  for (const line of thrown.slice(0, 20)) console.error(line);
  const figures = [
    { name: 'longest case behind the guard, ms', value: guard.longest, limit: LONGEST_MS },
    { name: 'errors that nobody foresaw behind the guard', value: thrown.length, limit: 0 },
    { name: 'growth of the heap from the first fifth to the end, MiB', value: guard.growth, limit: MOST_GROWTH_MIB },
    ...(node === null
      ? []
      : [
          { name: "longest delay of Node-RED's event loop, ms", value: node.longestDelay, limit: LONGEST_MS },
          { name: 'uncaught errors in Node-RED', value: node.uncaught.length + (node.alive ? 0 : 1), limit: 0 },
          { name: 'runs through the node that were not made', value: nodeCount - node.runs, limit: 0 },
        ]),
  ];
  const { ends, slowest } = guard;
  conclude(`fuzz, seed ${seed}: ${count} mutants`, figures, { seed, count, seconds, ends, slowest, node }, options);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(2);
});

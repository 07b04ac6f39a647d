/**
 * `npm run bench:transmit [-- --people N --groups N --runs N --largest N --json --check]`: a large company over loopback HTTPS
 * to a receiver that stores durably, in a process of its own, against plain axios that posts the same JSON with gzip to a
 * server that throws it away, and against a raw copy of the same bytes over TLS. In turn within each round; ratios of the
 * middle ones. Then memory, at three sizes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../test/support/certificates.js';
import { median } from './support/measure.js';
import { type Figure, benchOptions, conclude, numberOption } from './support/verdict.js';
import type { SideFigures, SideJob, SideKind } from './transmit/job.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const groups = numberOption(argv, 'groups', 2_000);
const rounds = numberOption(argv, 'runs', 5);
const largest = numberOption(argv, 'largest', 400_000);
const SMALLEST = 10_000;
const MIDDLE = 100_000;
const KINDS: readonly SideKind[] = ['ours', 'axios', 'axios-fast', 'raw'];
/**
 * The heap of the processes whose memory is measured: without a bound, V8 lets garbage lie as long as the machine has room, and
 * a run of seconds says more about that than about what has to be kept.
 */
const SMALL_HEAP = ['--max-old-space-size=40', '--max-semi-space-size=2'];

interface Result {
  readonly sender: SideFigures;
  readonly receiver: SideFigures;
}

type Task = Pick<SideJob, 'kind' | 'people' | 'groups' | 'handOver' | 'random'>;

/** One transfer: the receiving side and the sending side, each in a process of its own. */
async function transfer(task: Task, execArgv: readonly string[] = []): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-transmit-'));
  try {
    const { ca, cert, key } = await makeCertificates(folder);
    const job: SideJob = { ...task, batchSize: 1_000, folder, ca, cert, key, port: 0 };
    const receiving = start('receiving.js', job, execArgv);
    const [port] = (await once(receiving, 'message')) as [number];
    const sending = start('sending.js', { ...job, port }, execArgv);
    const [sender] = (await once(sending, 'message')) as [SideFigures];
    receiving.send('end');
    const [receiver] = (await once(receiving, 'message')) as [SideFigures];
    receiving.kill();
    sending.kill();
    return { sender, receiver };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function start(file: string, job: SideJob, execArgv: readonly string[]): ChildProcess {
  const child = fork(join(__dirname, 'transmit', file), { execArgv: [...execArgv] });
  child.send(job);
  child.on('exit', (code) => {
    if (code !== null && code !== 0) throw new Error(`${file} ended with ${String(code)}`);
  });
  return child;
}

function show(name: string, { sender, receiver }: Result): void {
  const side = ({ cpuSeconds, peakMiB, delayP999Ms }: SideFigures) =>
    `${cpuSeconds.toFixed(2)} s cpu, ${peakMiB.toFixed(0)} MiB, delay ${delayP999Ms.toFixed(1)} ms`;
  const { seconds, wireBytes } = sender;
  console.log(
    `  ${name.padEnd(12)} ${seconds.toFixed(2)} s  ${(wireBytes / 2 ** 20).toFixed(1)} MiB  sender: ${side(sender)}  receiver: ${side(receiver)}`,
  );
}

async function main(): Promise<void> {
  const results: Record<SideKind, Result[]> = { ours: [], axios: [], 'axios-fast': [], raw: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const kind of KINDS) {
      const result = await transfer({ kind, people, groups, handOver: false, random: false });
      results[kind].push(result);
      show(kind, result);
    }
  }
  const disorderly = await transfer({ kind: 'ours', people: SMALLEST, groups: 200, handOver: false, random: true });
  const memory: Record<string, Result> = {};
  for (const size of [SMALLEST, MIDDLE, largest]) {
    const task = { kind: 'ours', people: size, groups: Math.floor(size / 50), handOver: true, random: false } as const;
    const result = await transfer(task, SMALL_HEAP);
    memory[String(size)] = result;
    show(String(size), result);
  }
  const middle = (kind: SideKind, of: (result: Result) => number) => median(results[kind].map(of));
  const wall = (kind: SideKind) => middle(kind, ({ sender }) => sender.seconds);
  const ratio = ({ sender }: Result) => sender.wireBytes / sender.jsonBytes;
  conclude(
    `${String(people)} people and ${String(groups)} groups over HTTPS, ${String(rounds)} rounds`,
    [
      {
        name: 'wall time against plain axios with gzip, nothing stored',
        value: wall('ours') / wall('axios'),
        limit: 1,
      },
      { name: 'bytes on the wire against the JSON', value: middle('ours', ratio), limit: 0.1 },
      ...flat(memory),
      {
        name: 'sender: event loop delay, 99.9th percentile, ms',
        value: middle('ours', (one) => one.sender.delayP999Ms),
        limit: 20,
      },
      {
        name: 'receiver: event loop delay, 99.9th percentile, ms',
        value: middle('ours', (one) => one.receiver.delayP999Ms),
        limit: 20,
      },
    ],
    {
      objectsPerSecond: Math.round((people + 2 * groups) / wall('ours')),
      wallAgainstAxiosWithGzipLevel1: wall('ours') / wall('axios-fast'),
      wallAgainstRawCopy: wall('ours') / wall('raw'),
      processorAgainstAxios: middle('ours', processor) / middle('axios', processor),
      bytesWithAttributesByChance: ratio(disorderly),
      jsonBytes: results.ours[0]?.sender.jsonBytes,
      results,
      memory,
    },
    benchOptions(argv),
  );
}

function processor({ sender, receiver }: Result): number {
  return sender.cpuSeconds + receiver.cpuSeconds;
}

function flat(memory: Readonly<Record<string, Result>>): Figure[] {
  const peak = (size: number, side: keyof Result) => memory[String(size)]?.[side].peakMiB ?? Number.NaN;
  return (['sender', 'receiver'] as const).flatMap((side) =>
    [...new Set([MIDDLE, largest])].map((size) => ({
      name: `${side}: memory with ${String(size)} people against ${String(SMALLEST)}`,
      value: peak(size, side) / peak(SMALLEST, side),
      limit: 1.2,
    })),
  );
}

void main();

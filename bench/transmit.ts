/**
 * `npm run bench:transmit [-- --people N --groups N --runs N --json --check]`: a large company over loopback HTTPS to a receiver
 * that stores durably, in a process of its own, against plain axios that posts the same JSON with gzip to a server that
 * throws it away, and against a raw copy of the same bytes over TLS. In turn within each round; ratios of the middle ones.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../test/support/certificates.js';
import { median } from './support/measure.js';
import { benchOptions, conclude, numberOption } from './support/verdict.js';
import type { SideFigures, SideJob, SideKind } from './transmit/job.js';

const argv = process.argv.slice(2);
const people = numberOption(argv, 'people', 100_000);
const groups = numberOption(argv, 'groups', 2_000);
const rounds = numberOption(argv, 'runs', 3);
const largest = numberOption(argv, 'largest', 400_000);
const KINDS: readonly SideKind[] = ['ours', 'axios', 'raw'];

interface Result {
  readonly sender: SideFigures;
  readonly receiver: SideFigures;
}

/** One transfer: the receiving side and the sending side, each in a process of its own. */
async function transfer(kind: SideKind, size: { people: number; groups: number }, handOver = false): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-transmit-'));
  try {
    const { ca, cert, key } = await makeCertificates(folder);
    const job: SideJob = { kind, ...size, batchSize: 1_000, folder, ca, cert, key, handOver, port: 0 };
    const receiving = start('receiving.js', job);
    const [port] = (await once(receiving, 'message')) as [number];
    const sending = start('sending.js', { ...job, port });
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

function start(file: string, job: SideJob): ChildProcess {
  const child = fork(join(__dirname, 'transmit', file));
  child.send(job);
  child.on('exit', (code) => {
    if (code !== null && code !== 0) throw new Error(`${file} ended with ${String(code)}`);
  });
  return child;
}

async function main(): Promise<void> {
  const results: Record<SideKind, Result[]> = { ours: [], axios: [], raw: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const kind of KINDS) {
      const result = await transfer(kind, { people, groups });
      results[kind].push(result);
      const { seconds, wireBytes, cpuSeconds, peakMiB, delayP999Ms } = result.sender;
      console.log(
        `  ${kind.padEnd(6)} ${seconds.toFixed(2)} s  ${(wireBytes / 2 ** 20).toFixed(1)} MiB  sender: ${cpuSeconds.toFixed(2)} s cpu, ${peakMiB.toFixed(0)} MiB, delay ${delayP999Ms.toFixed(1)} ms  receiver: ${result.receiver.cpuSeconds.toFixed(2)} s cpu, ${result.receiver.peakMiB.toFixed(0)} MiB, delay ${result.receiver.delayP999Ms.toFixed(1)} ms`,
      );
    }
  }
  const small = await transfer('ours', { people: 10_000, groups: 200 }, true);
  const large = await transfer('ours', { people: largest, groups: Math.floor(largest / 50) }, true);
  const middle = (kind: SideKind, of: (result: Result) => number) => median(results[kind].map(of));
  const wall = (kind: SideKind) => middle(kind, ({ sender }) => sender.seconds);
  const [ours] = results.ours;
  const json = ours?.sender.jsonBytes ?? 1;
  conclude(
    `${String(people)} people and ${String(groups)} groups over HTTPS`,
    [
      {
        name: 'wall time against plain axios with gzip, nothing stored',
        value: wall('ours') / wall('axios'),
        limit: 1,
      },
      { name: 'bytes on the wire against the JSON', value: (ours?.sender.wireBytes ?? 0) / json, limit: 0.1 },
      {
        name: `sender: memory with ${String(largest)} people against 10,000`,
        value: large.sender.peakMiB / small.sender.peakMiB,
        limit: 1.25,
      },
      {
        name: `receiver: memory with ${String(largest)} people against 10,000`,
        value: large.receiver.peakMiB / small.receiver.peakMiB,
        limit: 1.25,
      },
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
      wallAgainstRawCopy: wall('ours') / wall('raw'),
      jsonBytes: json,
      results,
      memory: { small, large },
    },
    benchOptions(argv),
  );
}

void main();

/** Runs one client on Node.js: reads, counts, and prints its figures. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type ClientFigures, type ReadJob, readJob } from './job.js';

/** Calls `read` with this process's job; it resolves to the number of entries. */
export function runClient(read: (job: ReadJob) => Promise<number>): void {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const work = async () => {
    delay.enable();
    const entries = await read(readJob());
    delay.disable();
    const figures: ClientFigures = {
      entries,
      peakMegabytes: process.resourceUsage().maxRSS / 1024,
      loopP999: delay.percentile(99.9) / 1e6,
      loopMax: delay.max / 1e6,
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  };
  work().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
}

/** Ends the process when its event loop, or one long call, stands still for good: a campaign must stop by itself. */
import { Worker } from 'node:worker_threads';

const SCRIPT = `
const { workerData } = require('node:worker_threads');
const beats = new Int32Array(workerData.beats);
let last = -1;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  if (now === last) {
    require('node:fs').writeSync(2, workerData.what + ' stands still at ' + Atomics.load(beats, 1) + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  last = now;
}, workerData.milliseconds);
`;

export interface Watchdog {
  /** Says that it goes on, and with which case. */
  beat(number: number): void;
  stop(): Promise<void>;
}

export function startWatchdog(what: string, milliseconds: number): Watchdog {
  const shared = new SharedArrayBuffer(8);
  const beats = new Int32Array(shared);
  const worker = new Worker(SCRIPT, { eval: true, workerData: { beats: shared, what, milliseconds } });
  return {
    beat(number) {
      Atomics.add(beats, 0, 1);
      Atomics.store(beats, 1, number);
    },
    async stop() {
      await worker.terminate();
    },
  };
}

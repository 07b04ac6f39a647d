/** Prints how far this process, and the thread of a worker in it, step back: the 19th field of their stat (proc(5)). */
import { readFileSync, readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { startWorker } from '../../../../engine/runtime/worker.js';
import type { Calculator } from '../threads/calculator.js';

const threads = () => readdirSync('/proc/self/task');
const stepsOf = (thread: string) =>
  Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16]);

async function main(): Promise<void> {
  const own = getPriority();
  const before = new Set(threads());
  const calculator = startWorker<Calculator>(join(__dirname, '..', 'threads', 'calculator.js'), { log: null });
  await calculator.call('add', 1, 1);
  const others = threads()
    .filter((thread) => !before.has(thread))
    .map(stepsOf);
  process.stdout.write(JSON.stringify({ own, others }));
  await calculator.close();
}

void main();

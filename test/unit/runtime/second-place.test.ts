import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { startWorker } from '../../../engine/runtime/worker.js';
import type { Calculator } from './threads/calculator.js';

/** By thread, how far each steps back: the 19th field of its stat (proc(5)). */
function stepsBack(): Map<string, number> {
  const fieldsOf = (thread: string) => readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1);
  return new Map(
    readdirSync('/proc/self/task').map((thread) => [thread, Number(fieldsOf(thread)?.split(' ')[16])] as const),
  );
}

describe('a worker thread', () => {
  it('steps back behind the thread that serves the editor, and leaves the process where it was', async () => {
    const own = getPriority();
    const before = process.platform === 'linux' ? stepsBack() : new Map<string, number>();
    const calculator = startWorker<Calculator>(join(__dirname, 'threads', 'calculator.js'), { log: null });
    try {
      assert.equal(await calculator.call('add', 1, 1), 2);
      assert.equal(getPriority(), own, 'the process as a whole has the place that it had');
      if (process.platform !== 'linux') return;
      const during = stepsBack();
      assert.equal(during.get(String(process.pid)), own);
      const further = [...during].filter(([thread, steps]) => steps > own && !before.has(thread));
      assert.equal(further.length, 1, 'one thread steps back');
    } finally {
      await calculator.close();
    }
  });

  it('steps back from where its process was put', () => {
    if (process.platform !== 'linux') return;
    const program = join(__dirname, 'programs', 'places.js');
    for (const [steps, place] of [
      [0, 10],
      [4, 14],
      [15, 19],
    ] as const) {
      const { stdout } = spawnSync('nice', ['-n', String(steps - getPriority()), process.execPath, program], {
        encoding: 'utf8',
      });
      const { own, others } = JSON.parse(stdout) as { own: number; others: number[] };
      assert.ok(own >= steps, String(own));
      assert.ok(
        others.some((one) => one > own) && others.every((one) => one >= own),
        `${String(own)}: ${others.join()}`,
      );
      if (getPriority() === 0) assert.ok(own === steps && others.includes(place), `${String(own)}: ${others.join()}`);
    }
  });
});

import assert from 'node:assert/strict';
import { Turns } from '../../../engine/runtime/turns.js';

describe('turns of the event loop', () => {
  /** In which turn, counted by a chain of immediates, each of three pieces of work was done. */
  async function turnsOf(wait: () => Promise<void>): Promise<number[]> {
    let turn = 0;
    let counting = true;
    const count = () => {
      turn += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const done: number[] = [];
    await Promise.all(
      [1, 2, 3].map(async () => {
        await wait();
        done.push(turn);
      }),
    );
    counting = false;
    return done;
  }

  it('bring one piece of work each, in order', async () => {
    const turns = new Turns();
    const done = await turnsOf(() => turns.next());
    assert.equal(new Set(done).size, 3);
    assert.deepEqual(
      [...done].sort((one, other) => one - other),
      done,
    );
  });

  it('negative control: what waits for the next turn only is all done in that one', async () => {
    const done = await turnsOf(() => new Promise((resolve) => setImmediate(resolve)));
    assert.equal(new Set(done).size, 1);
  });
});

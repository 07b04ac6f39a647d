import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Slots } from '../../../engine/runtime/slots.js';
import { Turnstile } from '../../../engine/runtime/turnstile.js';

describe('turnstile', () => {
  it('a thousand triggers at once are two runs, one after the other', async () => {
    const turnstile = new Turnstile();
    let runs = 0;
    let now = 0;
    const work = async () => {
      runs += 1;
      assert.equal((now += 1), 1, 'one at a time');
      await sleep(10);
      now -= 1;
    };
    const passed = await Promise.all(Array.from({ length: 1000 }, () => turnstile.pass(work)));
    assert.deepEqual([runs, passed.filter((how) => how === 'coalesced').length], [2, 998]);
  });

  it('those who come in the moment between two runs do not slip past the one that waits', async () => {
    const turnstile = new Turnstile();
    let now = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, (now += 1));
      await sleep(1);
      now -= 1;
    };
    const all: Promise<unknown>[] = [];
    for (let round = 0; round < 200; round += 1) {
      all.push(turnstile.pass(work));
      await Promise.resolve();
      if (round % 3 === 0) await sleep(1);
    }
    await Promise.all(all);
    assert.equal(most, 1);
  });

  it('an error is the runner’s own; the one behind goes on', async () => {
    const turnstile = new Turnstile();
    const first = turnstile.pass(() => Promise.reject(new Error('first')));
    const second = turnstile.pass(() => Promise.resolve());
    await assert.rejects(first, /first/);
    assert.equal(await second, 'done');
  });

  it('whoever comes after one was sent away takes its place', async () => {
    const turnstile = new Turnstile();
    const done: string[] = [];
    const first = turnstile.pass(() => sleep(20).then(() => void done.push('first')));
    const sentAway = turnstile.pass(() => Promise.resolve(void done.push('sent away')));
    turnstile.cancelNext();
    const next = turnstile.pass(() => Promise.resolve(void done.push('next')));
    assert.deepEqual(await Promise.all([first, sentAway, next]), ['done', 'coalesced', 'done']);
    assert.deepEqual(done, ['first', 'next']);
  });

  it('the one that waits can be sent away', async () => {
    const turnstile = new Turnstile();
    const first = turnstile.pass(() => sleep(10));
    const second = turnstile.pass(() => assert.fail('not to be run'));
    turnstile.cancelNext();
    assert.deepEqual([await first, await second], ['done', 'coalesced']);
  });
});

describe('slots', () => {
  it('so many at a time, in order, and a failure gives its slot back', async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) =>
        slots.use(async () => {
          order.push(index);
          await sleep(1);
          if (index % 2 === 0) throw new Error('even');
          return index;
        }),
      ),
    );
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(
      results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
      [1, 3, 5],
    );
  });
});

/** The wrapper: whatever a node's work throws, and wherever, Node-RED goes on and the operator hears of it once. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node, NodeDef, NodeInitializer } from 'node-red';
import { ContractError, StoppedError } from '../../engine/model/errors.js';
import { type Handlers, type Life, runNode } from '../../nodes/shared/wrap.js';
import { type Flow, startFlow } from '../support/flow.js';

const broken = () => new ContractError('BROKEN', { message: 'broken on purpose', status: 'broken' });

/** A node type `test-subject` whose work is `build`. */
function subject(build: (life: Life) => Handlers): NodeInitializer {
  return (RED) => {
    RED.nodes.registerType('test-subject', function (this: Node, config: NodeDef) {
      RED.nodes.createNode(this, config);
      runNode(RED, this, build);
    });
  };
}

describe('the wrapper of all handlers', () => {
  let flow: Flow;
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');

  beforeEach(() => {
    unhandled.length = 0;
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  });
  afterEach(async () => {
    await flow.stop();
    await sleep(10);
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  });
  const start = async (initializer: NodeInitializer) => {
    flow = await startFlow(
      [
        { id: 'subject', type: 'test-subject', wires: [['out']] },
        { id: 'out', type: 'helper', wires: [] },
      ],
      {
        types: [initializer],
      },
    );
  };

  const failing: [string, (life: Life) => Handlers][] = [
    ['a rejection', () => ({ input: () => Promise.reject(broken()) })],
    ['a rejection after a while', () => ({ input: () => sleep(5).then(() => Promise.reject(broken())) })],
    [
      'a throw before the first await',
      () => ({
        input: () => {
          throw broken();
        },
      }),
    ],
    [
      'a throw after something was sent',
      () => ({
        input: (_message, send) => {
          send({ payload: 1 });
          throw broken();
        },
      }),
    ],
    [
      'settings that are wrong',
      () => {
        throw broken();
      },
    ],
  ];
  for (const [what, build] of failing) {
    it(`${what} is one done(error) with its code, a red ring, and no unhandled rejection`, async () => {
      await start(subject(build));
      flow.send('subject', { payload: 1 });
      await flow.until('error', () => flow.caught().length > 0);
      await sleep(20);
      assert.deepEqual(
        flow.caught().map(({ code, source }) => [code, source]),
        [['BROKEN', 'subject']],
      );
      assert.deepEqual([flow.completed('subject'), flow.statuses('subject').at(-1), unhandled], [0, 'broken', []]);
    });
  }

  it('the same without the wrapper ends the process: the rejection is nobody’s', async () => {
    await start((RED) => {
      RED.nodes.registerType('test-subject', function (this: Node, config: NodeDef) {
        RED.nodes.createNode(this, config);
        this.on('input', () => void Promise.reject(broken()));
      });
    });
    flow.send('subject', { payload: 1 });
    await flow.until('rejection', () => unhandled.length > 0);
    assert.deepEqual(flow.caught(), []);
  });

  it('something that is no error of ours becomes one', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    await start(subject(() => ({ input: () => Promise.reject('a text') })));
    flow.send('subject', {});
    await flow.until('error', () => flow.caught().length > 0);
    assert.equal(flow.caught()[0]?.code, 'UNEXPECTED');
  });

  it('work that belongs to no message shows its error, and goes on', async () => {
    let life: Life | undefined;
    await start(subject((given) => ((life = given), { input: () => Promise.resolve() })));
    await life?.background(() => Promise.reject(broken()));
    await flow.until('red', () => flow.statuses('subject').includes('broken'));
    flow.send('subject', {});
    await flow.until('done', () => flow.completed('subject') === 1);
    assert.deepEqual(unhandled, []);
  });

  it('what was stopped with its node is done, without an error', async () => {
    await start(subject(() => ({ input: () => Promise.reject(new StoppedError()) })));
    flow.send('subject', {});
    await flow.until('done', () => flow.completed('subject') === 1);
    assert.deepEqual(flow.caught(), []);
  });

  it('closing aborts the work at hand and waits for it', async () => {
    let ended = false;
    await start(
      subject((life) => ({
        input: () =>
          new Promise((resolve) => {
            life.signal.addEventListener('abort', () => {
              setTimeout(() => {
                ended = true;
                resolve();
              }, 50);
            });
          }),
      })),
    );
    flow.send('subject', {});
    await sleep(20);
    await flow.redeploy([]);
    assert.ok(ended);
  });

  it('an error in a close handler is shown, and the node closes', async () => {
    const closes = [
      () => Promise.reject(broken()),
      () => {
        throw broken();
      },
    ];
    for (const [index, close] of closes.entries()) {
      if (index > 0) await flow.stop();
      await start(subject(() => ({ close })));
      const before = Date.now();
      await flow.redeploy([]);
      assert.ok(Date.now() - before < 1_000);
      assert.deepEqual(unhandled, []);
    }
  });

  it('work that ignores the abort does not hold a deploy up for ever', async () => {
    await start(subject(() => ({ input: () => sleep(60_000, undefined, { ref: false }) })));
    flow.send('subject', {});
    await sleep(20);
    const before = Date.now();
    await flow.stop();
    assert.ok(Date.now() - before < 5_000);
    await start(subject(() => ({})));
  });

  it('what is done again and again ends when it is stopped, or with the node; what it throws is shown', async () => {
    let stopped = 0;
    let going = 0;
    await start(
      subject((life) => {
        const stop = life.every(1, () => {
          stopped += 1;
          if (stopped === 3) stop();
        });
        life.every(1, () => {
          going += 1;
          throw broken();
        });
        return {};
      }),
    );
    await flow.until('some time', () => going > 10 && stopped === 3);
    assert.ok(flow.statuses('subject').includes('broken'));
    await flow.redeploy([]);
    const before = going;
    await sleep(30);
    assert.deepEqual([going, stopped, unhandled], [before, 3, []]);
  });
});

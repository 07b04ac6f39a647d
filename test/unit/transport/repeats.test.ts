import assert from 'node:assert/strict';
import { Value } from '@sinclair/typebox/value';
import { Problem } from '../../../engine/transport/problem.js';
import { BatchAnswer, OpenAnswer, StateAnswer } from '../../../engine/transport/protocol.js';
import { ask, json, open, outcomeOf, put, ready, seal, sendReady, state } from './asking.js';
import { OTHER_KEY, batchesOf, people, sealOf, withReceiver } from './support.js';

const batches = batchesOf(people(30), 10);

describe('the five routes', () => {
  it('take a run made by hand, and say at every step where it stands', async () => {
    await withReceiver({}, async (around) => {
      const opened = await ask(around, open('by-hand-01'));
      assert.equal(opened.status, 201);
      assert.ok(Value.Check(OpenAnswer, opened.body));
      for (const [index, records] of batches.entries()) {
        const answer = await ask(around, put('by-hand-01', index, records));
        assert.equal(answer.status, 200);
        assert.ok(Value.Check(BatchAnswer, answer.body));
        assert.equal(answer.body.records, 10);
      }
      const before = await ask(around, state('by-hand-01'));
      assert.ok(Value.Check(StateAnswer, before.body));
      assert.deepEqual([before.body.state, before.body.stored], ['open', [[0, 2]]]);

      const sealed = await ask(around, seal('by-hand-01', batches, sealOf(batches)));
      assert.equal(sealed.status, 200);
      assert.ok(Value.Check(StateAnswer, sealed.body));
      assert.equal(sealed.body.report?.outcome, 'committed');
      assert.deepEqual((await ask(around, state('by-hand-01'))).body, sealed.body);
    });
  });

  it('give the same answer to the same request, however often, and the run is handed over once', async () => {
    await withReceiver({}, async (around) => {
      const steps = [
        open('repeated-1'),
        ...batches.map((records, index) => put('repeated-1', index, records)),
        seal('repeated-1', batches, sealOf(batches)),
      ];
      for (const step of steps) {
        const answers = await Promise.all([step, step, step].map((one) => ask(around, one)));
        const again = await ask(around, step);
        for (const answer of answers) {
          assert.equal(answer.status, again.status);
          assert.deepEqual(answer.body, again.body);
        }
      }
      assert.equal(around.received.length, 1);
      assert.deepEqual(around.received[0]?.records, batches.flat());
    });
  });

  it('take batches in any order, and hand them over in theirs', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('any-order-1'));
      for (const index of [2, 0, 1]) await ask(around, put('any-order-1', index, batches[index] ?? []));
      await ask(around, seal('any-order-1', batches, sealOf(batches)));
      assert.deepEqual(around.received[0]?.indexes, [0, 1, 2]);
    });
  });

  it('refuse what contradicts what was said before', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('contrary-1'));
      await ask(around, put('contrary-1', 0, people(10)));
      const other = { run: { id: 'contrary-1', source: 'other', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z' } };
      assert.equal(outcomeOf(await ask(around, { ...open('contrary-1'), content: json(other) })), '409 run-differs');
      assert.equal(outcomeOf(await ask(around, put('contrary-1', 0, people(9)))), '422 batch-differs');
      assert.equal(outcomeOf(await ask(around, put('never-opened', 0, people(9)))), '404 run-unknown');
      assert.equal(outcomeOf(await ask(around, state('never-opened'))), '404 run-unknown');

      assert.equal((await ask(around, seal('contrary-1', [people(10)], sealOf([people(10)])))).status, 200);
      assert.equal(outcomeOf(await ask(around, put('contrary-1', 1, people(9)))), '409 run-sealed');
      const twice = seal('contrary-1', [people(10)], sealOf([people(10)], { complete: false }));
      assert.equal(outcomeOf(await ask(around, twice)), '409 run-sealed');
      assert.equal(outcomeOf(await ask(around, { method: 'DELETE', path: '/v1/runs/contrary-1' })), '409 run-sealed');
    });
  });

  it('refuse a run of another key on every route', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('mine-is-it'));
      const foreign = [
        open('mine-is-it', OTHER_KEY),
        put('mine-is-it', 0, people(1), OTHER_KEY),
        seal('mine-is-it', [], sealOf([]), OTHER_KEY),
        state('mine-is-it', OTHER_KEY),
        { method: 'DELETE', path: '/v1/runs/mine-is-it', key: OTHER_KEY },
      ];
      for (const asked of foreign) assert.equal(outcomeOf(await ask(around, asked)), '403 not-your-run', asked.method);
      assert.equal(around.received.length, 0);
      // The control: the same key has a run of its own.
      assert.equal((await ask(around, open('mine-is-it-2', OTHER_KEY))).status, 201);
    });
  });

  it('name the missing batches, and take the run once they have come', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('with-a-gap'));
      await ask(around, put('with-a-gap', 1, batches[1] ?? []));
      const answer = await ask(around, seal('with-a-gap', batches, sealOf(batches)));
      assert.equal(outcomeOf(answer), '409 batches-missing');
      assert.deepEqual(answer.body['missing'], [0, 2]);
      assert.equal(around.received.length, 0, 'a run with a gap is not handed over');

      for (const index of [0, 2]) await ask(around, put('with-a-gap', index, batches[index] ?? []));
      assert.equal((await ask(around, seal('with-a-gap', batches, sealOf(batches)))).status, 200);
      assert.deepEqual(around.received[0]?.records, batches.flat());
    });
  });

  it('refuse a seal that does not fit the batches', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('seal-fits-1'));
      for (const [index, records] of batches.entries()) await ask(around, put('seal-fits-1', index, records));
      const other = batchesOf(people(30, 1), 10);
      const wrong = {
        'another content': seal('seal-fits-1', other, sealOf(other)),
        'fewer batches': seal('seal-fits-1', batches.slice(0, 2), sealOf(batches.slice(0, 2))),
        'complete with another number of batches': seal('seal-fits-1', batches, sealOf(batches, { batches: 4 })),
      };
      for (const [what, asked] of Object.entries(wrong)) {
        assert.equal(outcomeOf(await ask(around, asked)), '422 seal-differs', what);
      }
      assert.equal(around.received.length, 0);
      assert.equal((await ask(around, seal('seal-fits-1', batches, sealOf(batches)))).status, 200);
    });
  });

  it('forget a run that was given up', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('given-up-1'));
      assert.equal((await ask(around, { method: 'DELETE', path: '/v1/runs/given-up-1' })).status, 204);
      assert.equal(outcomeOf(await ask(around, state('given-up-1'))), '404 run-unknown');
    });
  });

  it('answer anything else with problem details that say nothing of the content', async () => {
    await withReceiver({}, async (around) => {
      const asked = {
        '404 not-found': { method: 'GET', path: '/v1/elsewhere' },
        '405 method-not-allowed': { method: 'GET', path: '/v1/runs' },
        '415 media-type': { ...open('not-valid-1'), fields: { 'Content-Type': 'text/plain' } },
        '400 not-valid': { ...open('not-valid-1'), content: json({ run: { id: 'canary-canary', canary: 1 } }) },
      };
      for (const [expected, what] of Object.entries(asked)) {
        const answer = await ask(around, what);
        assert.equal(outcomeOf(answer), expected);
        assert.ok(Value.Check(Problem, answer.body));
        assert.match(String(answer.body.correlation), /^[0-9a-f-]{36}$/);
        assert.ok(!JSON.stringify(answer.body).includes('canary'), expected);
      }
      const query = ready(around, state('not-valid-1'));
      assert.equal(outcomeOf(await sendReady(around, { ...query, path: `${query.path}?all` })), '404 not-found');
      assert.equal(around.problems.length, 5, 'every refusal is told to the receiver’s side');
    });
  });
});

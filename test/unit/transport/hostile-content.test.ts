import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { contentDigest } from '../../../engine/transport/signature.js';
import { ask, bomb, dribble, open, outcomeOf, put, putContent, ready, state } from './asking.js';
import { type Around, people, withReceiver } from './support.js';

const MIB = 1024 * 1024;

/** Sends a batch of these lines, and gives the outcome. */
async function lines(around: Around, text: string | Buffer): Promise<string> {
  return outcomeOf(await ask(around, putContent('hostile-01', 0, gzipSync(text))));
}

const person = people(1)[0] ?? assert.fail();
const line = (over: object) => `${JSON.stringify({ ...person, ...over })}\n`;

describe('content that is meant to hurt', () => {
  it('is refused where it is not as agreed, without a word of what it holds', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('hostile-01'));
      const deep = `{"kind":"user","x":${'['.repeat(100)}${']'.repeat(100)}}\n`;
      const cases: Record<string, string | Buffer> = {
        'not JSON': 'canary canary\n',
        'an unknown kind': line({ kind: 'printer' }),
        'no kind': '[]\n',
        'a number for a name': line({ name: 7 }),
        'no line feed at the end': JSON.stringify(person),
        'an empty line': `\n${line({})}`,
        'bytes that are not UTF-8': Buffer.concat([
          Buffer.from('{"kind":"'),
          Buffer.from([0xc3, 0x28]),
          Buffer.from('"}\n'),
        ]),
        'a byte order mark': `\uFEFF${line({})}`,
        'a key __proto__': '{"kind":"user","__proto__":{"canary":true}}\n',
        'a key constructor, deeper': line({ attributes: { title: [] }, more: { constructor: {} } }),
        'a key __proto__, escaped': '{"kind":"user","\\u005f_proto__":{}}\n',
        'a hundred levels': deep,
      };
      for (const [what, text] of Object.entries(cases)) {
        assert.equal(await lines(around, text), '400 not-valid', what);
      }
      assert.equal(outcomeOf(await ask(around, putContent('hostile-01', 0, Buffer.from('not gzip')))), '400 not-valid');
      const cut = gzipSync(line({})).subarray(0, -9);
      assert.equal(outcomeOf(await ask(around, putContent('hostile-01', 0, cut))), '400 not-valid', 'cut gzip');
      assert.ok(!JSON.stringify(around.problems).includes('canary'));

      assert.deepEqual((await ask(around, state('hostile-01'))).body['stored'], []);
      // The control: the same line without a fault is stored.
      assert.equal(await lines(around, line({})), '200');
    });
  });

  it('would reach into prototypes, if such keys were let in', () => {
    const parsed = JSON.parse('{"__proto__":{"admin":true}}') as object;
    assert.equal((Object.assign({}, parsed) as { admin?: boolean }).admin, true);
  });

  it('is refused when it is larger than the limits, one by one', async () => {
    const limits = { compressedBytes: 4000, batchBytes: 100_000, recordBytes: 2000, records: 50, batches: 2 };
    await withReceiver({ limits }, async (around) => {
      await ask(around, open('hostile-01'));
      const noise = Array.from({ length: 8000 }, () => Math.random().toString(36)[5]).join('');
      assert.equal(await lines(around, noise), '413 too-large', 'compressed bytes');
      assert.equal(await lines(around, line({ name: 'a'.repeat(2000) })), '413 too-large', 'one record');
      assert.equal(await lines(around, line({}).repeat(51)), '413 too-large', 'records');
      const wide = line({ name: 'a'.repeat(1500) });
      assert.equal(await lines(around, wide.repeat(60)), '413 too-large', 'records or bytes');
      assert.equal(outcomeOf(await ask(around, put('hostile-01', 2, people(1)))), '413 too-large', 'batches');
      // The controls, just within.
      assert.equal(await lines(around, line({ name: 'a'.repeat(1400) }).repeat(50)), '200');
      assert.equal(outcomeOf(await ask(around, put('hostile-01', 1, people(1)))), '200');
    });
  });

  it('cannot fill the memory: 256 MiB in a quarter of one is cut off early', async () => {
    const content = await bomb(256 * MIB);
    assert.ok(content.length < MIB / 2);
    await withReceiver({}, async (around) => {
      await ask(around, open('hostile-01'));
      const before = process.memoryUsage().rss;
      let peak = before;
      const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
      const answer = await ask(around, putContent('hostile-01', 0, content));
      clearInterval(watch);
      assert.equal(outcomeOf(answer), '413 too-large');
      assert.ok(peak - before < 64 * MIB, `${String(Math.round((peak - before) / MIB))} MiB more`);
    });
  });

  it('would fill it: the same gzip, inflated as it comes', async () => {
    const content = await bomb(128 * MIB);
    assert.equal(gunzipSync(content).length, 128 * MIB, `of ${String(content.length)} bytes`);
  });

  it('is refused for its ratio, before the bytes are too many', async () => {
    await withReceiver({ limits: { recordBytes: 16 * MIB, ratio: 100 } }, async (around) => {
      await ask(around, open('hostile-01'));
      const answer = await ask(around, putContent('hostile-01', 0, await bomb(8 * MIB)));
      assert.equal(outcomeOf(answer), '413 too-large');
      assert.match(String(answer.body['detail']), /100 times/);
    });
  });

  it('is refused when it is not what its digest says', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('hostile-01'));
      const asked = put('hostile-01', 0, people(1));
      const wrong = { ...asked, fields: { ...asked.fields, 'Content-Digest': contentDigest(Buffer.from('other')) } };
      assert.equal(outcomeOf(await ask(around, wrong)), '400 digest-mismatch');
      const without = { ...asked, fields: { ...asked.fields, 'Content-Digest': 'md5=:AAAA:' } };
      assert.equal(outcomeOf(await ask(around, without)), '400 digest-mismatch');
    });
  });

  it('is refused when it comes too slowly, and when its announced length is too much', async () => {
    await withReceiver({ limits: { contentMs: 300, compressedBytes: 1000 } }, async (around) => {
      await ask(around, open('hostile-01'));
      for (const [length, expected] of [
        [1000, 408],
        [1001, 413],
      ] as const) {
        const { answer, end } = await dribble(around, ready(around, put('hostile-01', 0, people(1))), length);
        assert.equal(await answer, expected);
        end();
      }
    });
  });

  it('is not waited for without a signature', async () => {
    await withReceiver({}, async (around) => {
      const { method, path } = ready(around, put('hostile-01', 0, people(1)));
      const { answer, end } = await dribble(around, { method, path, headers: {}, content: undefined }, 4 * MIB);
      assert.equal(await answer, 401);
      end();
    });
  });

  it('does not take more at a time than the limit says', async () => {
    await withReceiver({ limits: { requests: 2, contentMs: 5000 } }, async (around) => {
      await ask(around, open('hostile-01'));
      const hanging = await Promise.all(
        [0, 1].map((batch) => dribble(around, ready(around, put('hostile-01', batch, people(1))), 100)),
      );
      await delay(300);
      const answer = await ask(around, put('hostile-01', 2, people(1)));
      assert.equal(outcomeOf(answer), '503 busy');
      assert.equal(answer.headers['retry-after'], '1');
      for (const { end } of hanging) end();
      await delay(100);
      assert.equal(
        outcomeOf(await ask(around, put('hostile-01', 2, people(1)))),
        '200',
        'control: there is room again',
      );
    });
  });

  it('cannot pile up runs', async () => {
    await withReceiver({ limits: { openRuns: 2 } }, async (around) => {
      for (const id of ['piled-up-1', 'piled-up-2']) assert.equal((await ask(around, open(id))).status, 201);
      const answer = await ask(around, open('piled-up-3'));
      assert.equal(outcomeOf(answer), '429 too-many-runs');
      assert.equal(answer.headers['retry-after'], '60');
      await ask(around, { method: 'DELETE', path: '/v1/runs/piled-up-1' });
      assert.equal((await ask(around, open('piled-up-3'))).status, 201);
    });
  });
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { contentDigest } from '../../../engine/transport/signature.js';
import { type Ready, ask, open, outcomeOf, put, ready, sendReady, state } from './asking.js';
import { KEY, people, startReceiver, withFolder, withReceiver } from './support.js';

describe('requests that prove nothing', () => {
  it('are refused without a signature, with an unknown key and with a wrong one', async () => {
    await withReceiver({}, async (around) => {
      const { headers, ...rest } = ready(around, open('unsigned-1'));
      const unsigned = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('Signature')));
      const refused = [
        await sendReady(around, { ...rest, headers: unsigned }),
        await ask(around, open('unsigned-1', { id: 'nobody', key: KEY.key })),
        await ask(around, open('unsigned-1', { id: KEY.id, key: 'a key of 32 characters that is wrong' })),
      ];
      for (const answer of refused) assert.equal(outcomeOf(answer), '401 signature-refused');
      const [first, ...others] = refused.map(({ body }) => ({ ...body, correlation: null }));
      for (const other of others) assert.deepEqual(other, first, 'the answer does not say which of the two was wrong');
      // The control: it was the signature.
      assert.equal((await ask(around, open('unsigned-1'))).status, 201);
    });
  });

  it('are refused when the body, the path, the host, the method or the type is another than was signed', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('forged-01'));
      await ask(around, open('forged-02'));
      const other = ready(around, put('forged-01', 0, people(2))).content;
      const make = (change: (original: Ready) => Ready) => change(ready(around, put('forged-01', 0, people(1))));
      const forged: Record<string, [string, Ready]> = {
        body: ['400 digest-mismatch', make((original) => ({ ...original, content: other }))],
        'body and digest': [
          '401 signature-refused',
          make((original) => ({
            ...original,
            content: other,
            headers: { ...original.headers, 'Content-Digest': contentDigest(other ?? Buffer.alloc(0)) },
          })),
        ],
        run: [
          '401 signature-refused',
          make((original) => ({ ...original, path: original.path.replace('-01', '-02') })),
        ],
        batch: ['401 signature-refused', make((original) => ({ ...original, path: original.path.replace(/0$/, '1') }))],
        host: [
          '401 signature-refused',
          make((original) => ({ ...original, headers: { ...original.headers, Host: 'elsewhere.example' } })),
        ],
        type: [
          '401 signature-refused',
          make((original) => ({ ...original, headers: { ...original.headers, 'Content-Type': 'application/json' } })),
        ],
        encoding: [
          '401 signature-refused',
          make((original) => ({ ...original, headers: { ...original.headers, 'Content-Encoding': 'identity' } })),
        ],
      };
      for (const [what, [expected, request]] of Object.entries(forged)) {
        assert.equal(outcomeOf(await sendReady(around, request)), expected, what);
      }
      const asGet = { ...ready(around, state('forged-01')), method: 'DELETE' };
      assert.equal(outcomeOf(await sendReady(around, asGet)), '401 signature-refused', 'method');
      const now = await ask(around, state('forged-01'));
      assert.deepEqual(now.body['stored'], [], 'nothing was stored');
      // The control: without a change it is taken.
      assert.equal(
        (
          await sendReady(
            around,
            make((original) => original),
          )
        ).status,
        200,
      );
    });
  });

  it('are refused when they are too old, or of the future', async () => {
    await withReceiver({}, async (around) => {
      for (const [minutes, expected] of [
        [-6, '401 signature-stale'],
        [-4, '201'],
        [4, '201'],
        [6, '401 signature-stale'],
      ] as const) {
        const asked = { ...open('of-its-time'), at: Date.now() + minutes * 60_000 };
        assert.equal(outcomeOf(await ask(around, asked)), expected, `${String(minutes)} minutes`);
      }
    });
  });

  it('are refused when they were received before, also after the receiver was started again', async () => {
    await withFolder(async (folder) => {
      const spool = join(folder, 'spool.sqlite');
      const first = await startReceiver(spool);
      const request = ready(first, open('replayed-1'));
      assert.equal((await sendReady(first, request)).status, 201);
      assert.equal(outcomeOf(await sendReady(first, request)), '401 signature-replayed');
      await first.receiver.close();

      const second = await startReceiver(spool, { port: Number(new URL(first.endpoint.url).port) });
      try {
        assert.equal(outcomeOf(await sendReady(second, request)), '401 signature-replayed');
        // The control: the same request with a nonce of its own is taken.
        assert.equal((await ask(second, open('replayed-1'))).status, 201);
      } finally {
        await second.receiver.close();
      }
    });
  });

  it('would do harm: a signature is all that stands between anybody and the run', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('harmed-001'));
      const removal = { method: 'DELETE', path: '/v1/runs/harmed-001', key: { id: KEY.id, key: 'x'.repeat(32) } };
      assert.equal(outcomeOf(await ask(around, removal)), '401 signature-refused');
      assert.equal((await ask(around, { ...removal, key: KEY })).status, 204, 'with the key, the run is gone');
    });
  });
});

import assert from 'node:assert/strict';
import { createSender } from '../../../engine/transport/sender.js';
import { ask, open, outcomeOf, put, state } from './asking.js';
import { KEY, OTHER_KEY, people, runOf, withReceiver } from './support.js';

const never = new AbortController().signal;
const NEXT = { id: KEY.id, key: 'the next key of the first site, quite as long' };
const TOKEN = 'a-token-of-thirty-two-characters-or-more';

describe('several senders', () => {
  it('have keys that are rotated in the middle of a run, and the run stays theirs', async () => {
    const senders = [{ id: 'one', keys: [KEY, NEXT] }];
    await withReceiver({ senders }, async (around) => {
      assert.equal((await ask(around, open('rotated-1', KEY))).status, 201);
      assert.equal((await ask(around, put('rotated-1', 0, people(2), NEXT))).status, 200);
      assert.equal((await ask(around, state('rotated-1', KEY))).status, 200);
      // The control: a key of that id that is neither.
      const wrong = { id: KEY.id, key: 'neither the one nor the other, but as long' };
      assert.equal(outcomeOf(await ask(around, state('rotated-1', wrong))), '401 signature-refused');
    });
  });

  it('write their own sources only', async () => {
    const senders = [
      { id: 'one', keys: [KEY], sources: ['elsewhere.test', 'DC=Example, DC=test'] },
      { id: 'two', keys: [OTHER_KEY], sources: ['example.test', 'another.test'] },
    ];
    await withReceiver({ senders }, async (around) => {
      assert.equal(outcomeOf(await ask(around, open('sources-01', KEY))), '403 source-refused');
      assert.equal((await ask(around, open('sources-01', OTHER_KEY))).status, 201);
      const sender = createSender(around.endpoint, never);
      await assert.rejects(sender.open(runOf('sources-02')), { code: 'SOURCE_REFUSED' });
      // A source that is named after its base is the same in every spelling.
      await sender.open({ ...runOf('sources-03'), source: 'dc=example,dc=test' });
      sender.close();
    });
  });

  it('may ask so often and no more, and are told when again', async () => {
    const senders = [
      { id: 'one', keys: [KEY], requestsPerMinute: 60 },
      { id: 'two', keys: [OTHER_KEY] },
    ];
    await withReceiver({ senders }, async (around) => {
      const many = (key: typeof KEY) =>
        Promise.all(Array.from({ length: 14 }, () => ask(around, state('none-such', key))));
      const answers = await many(KEY);
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.length >= 2 && refused.length <= 4, String(refused.length));
      assert.equal(outcomeOf(refused[0] ?? assert.fail()), '429 too-many-requests');
      assert.ok(Number(refused[0]?.headers['retry-after']) >= 1);
      assert.ok(
        (await many(OTHER_KEY)).every(({ status }) => status === 404),
        'control: the other is not held up',
      );
      // A sender waits as long as it is told, and gets there.
      const sender = createSender(around.endpoint, never);
      await sender.open(runOf('after-a-while'));
      sender.close();
    });
  });

  it('who is refused again and again learns nothing more and fills no log; who can prove it is still served', async () => {
    await withReceiver({}, async (around) => {
      const wrong = { id: KEY.id, key: 'x'.repeat(32) };
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask(around, state('none-such', wrong))));
      const outcomes = new Set(answers.map(outcomeOf));
      assert.deepEqual([...outcomes].sort(), ['401 signature-refused', '429 too-many-refusals']);
      assert.ok(around.problems.length <= 12, String(around.problems.length));
      assert.equal(outcomeOf(await ask(around, state('none-such'))), '404 run-unknown');
    });
  });

  it('prove themselves by a token, and by no other', async () => {
    const senders = [
      { id: 'one', keys: [KEY] },
      { id: 'two', keys: [], tokens: [TOKEN, `${TOKEN}-next`] },
    ];
    await withReceiver({ senders }, async (around) => {
      for (const token of [TOKEN, `${TOKEN}-next`]) {
        const sender = createSender({ ...around.endpoint, proof: { kind: 'bearer', token } }, never);
        await sender.open(runOf('by-token-1'));
        sender.close();
      }
      const wrong = createSender({ ...around.endpoint, proof: { kind: 'bearer', token: `${TOKEN}-not` } }, never);
      await assert.rejects(wrong.open(runOf('by-token-1')), { code: 'TOKEN_REFUSED' });
      wrong.close();
      // Whoever signs is somebody else: the run is not theirs.
      assert.equal(outcomeOf(await ask(around, state('by-token-1'))), '403 not-your-run');
      // A request that bears a token is not signed as well: a wrong token is not made up for by a signature.
      const both = { ...state('by-token-1'), fields: { Authorization: `Bearer ${TOKEN}x` } };
      assert.equal(outcomeOf(await ask(around, both)), '401 token-refused');
    });
  });

  it('are checked when the receiver starts', async () => {
    const cases = [
      [
        [
          { id: 'one', keys: [KEY] },
          { id: 'one', keys: [OTHER_KEY] },
        ],
        'SENDER_TWICE',
      ],
      [
        [
          { id: 'one', keys: [KEY] },
          { id: 'two', keys: [KEY] },
        ],
        'SENDER_TWICE',
      ],
      [[{ id: 'one', keys: [] }], 'SENDER_WITHOUT_PROOF'],
      [[{ id: 'one', keys: [], tokens: ['short'] }], 'TOKEN_NOT_VALID'],
    ] as const;
    for (const [senders, code] of cases)
      await assert.rejects(
        withReceiver({ senders }, () => Promise.resolve()),
        { code },
      );
  });
});

/** Who may do what: made from the routes themselves, so that a new route is in it. */
import assert from 'node:assert/strict';
import { METHOD, type Route, pathOf } from '../../../engine/transport/protocol.js';
import { type Asked, ask, json, open, outcomeOf, put, ready, seal, sendReady, state } from './asking.js';
import { KEY, OTHER_KEY, people, sealOf, withReceiver } from './support.js';

const TOKEN = 'a-token-of-thirty-two-characters-or-more';
const STRANGER = { id: 'site-9', key: 'the key of somebody whom nobody here knows' };
const records = people(2);

/** The request of each route, by whoever. */
function requestOf(name: Route['name'], run: string, key: typeof KEY): Asked {
  if (name === 'open') return open(run, key);
  if (name === 'batch') return put(run, 0, records, key);
  if (name === 'seal') return seal(run, [records], sealOf([records]), key);
  return { ...state(run, key), method: METHOD[name], path: pathOf({ name, run }) };
}

/** What becomes of it, for each role that is not the owner's. */
const ROLES: Readonly<Record<string, readonly [outcome: string, change: (asked: Asked) => Asked]>> = {
  'nobody, without any proof': ['401 signature-refused', (asked) => asked],
  'a stranger with a key of their own': ['401 signature-refused', (asked) => ({ ...asked, key: STRANGER })],
  'somebody with the name of the owner': [
    '401 signature-refused',
    (asked) => ({ ...asked, key: { ...STRANGER, id: KEY.id } }),
  ],
  'somebody with a token that nobody knows': ['401 token-refused', (asked) => bearing(asked, `${TOKEN}-not`)],
  'another sender, with its key': ['403 not-your-run', (asked) => ({ ...asked, key: OTHER_KEY })],
  'another sender, with its token': ['403 not-your-run', (asked) => bearing(asked, TOKEN)],
  'the owner, an hour ago': ['401 signature-stale', (asked) => ({ ...asked, at: Date.now() - 3_600_000 })],
};

function bearing(asked: Asked, token: string): Asked {
  return { ...asked, fields: { ...asked.fields, Authorization: `Bearer ${token}` } };
}

describe('routes and roles', () => {
  for (const name of Object.keys(METHOD) as Route['name'][]) {
    it(`${METHOD[name]} ${pathOf({ name, run: '{run}', batch: 0 })}: the owner only`, async () => {
      const senders = [
        { id: 'one', keys: [KEY] },
        { id: 'two', keys: [OTHER_KEY], tokens: [TOKEN] },
      ];
      await withReceiver({ senders }, async (around) => {
        const run = `roles-${name}-1`;
        await ask(around, open(run));
        if (name === 'seal') await ask(around, put(run, 0, records));
        for (const [role, [outcome, change]] of Object.entries(ROLES)) {
          const request = ready(around, change(requestOf(name, run, KEY)));
          const unproved = role.startsWith('nobody');
          const headers = Object.fromEntries(
            Object.entries(request.headers).filter(([field]) => !unproved || !field.startsWith('Signature')),
          );
          assert.equal(outcomeOf(await sendReady(around, { ...request, headers })), outcome, role);
        }
        assert.ok((await ask(around, requestOf(name, run, KEY))).status < 300, 'control: the owner may');
      });
    });
  }
});

describe('what is not as agreed', () => {
  const line = JSON.stringify(records[0]);
  const cases: readonly (readonly [what: string, content: string])[] = [
    ['a key twice', line.replace('"name"', '"name":"Somebody else","name"')],
    ['a key twice, written otherwise', line.replace('"name"', '"n\\u0061me" :"Somebody else", "name"')],
    ['a field that nobody knows', line.replace('"name"', '"nmae":"x","name"')],
    ['a field too many inside', line.replace('"attributes":{', '"attributes":{"x":[{"base64":"eA==","more":1}],')],
  ];
  for (const [what, content] of cases) {
    it(`${what} is refused, in a batch`, async () => {
      await withReceiver({}, async (around) => {
        await ask(around, open('not-agreed'));
        const raw = (text: string) => ({ ...put('not-agreed', 0, []), content: Buffer.from(text) });
        const sent = (text: string) => {
          const asked = raw(`${text}\n`);
          const fields = { 'Content-Type': asked.fields?.['Content-Type'] };
          return ask(around, { ...asked, fields });
        };
        assert.equal(outcomeOf(await sent(content)), '400 not-valid');
        assert.equal((await sent(line)).status, 200, 'control: without it, it is taken');
      });
    });
  }

  it('blanks and escapes that say the same are no fault', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('spelt-else'));
      const spaced = `${JSON.stringify(records[0], null, 1).replace(/\n/g, ' ').replace('Person', 'P\\u0065rson \\"name\\": \\\\')}\n`;
      const asked = put('spelt-else', 0, []);
      const fields = { 'Content-Type': asked.fields?.['Content-Type'] };
      assert.equal((await ask(around, { ...asked, fields, content: Buffer.from(spaced) })).status, 200);
    });
  });

  it('a seal that counts other records than are stored is refused', async () => {
    await withReceiver({}, async (around) => {
      await ask(around, open('miscounted'));
      await ask(around, put('miscounted', 0, records));
      const other = { ...sealOf([records]).records, user: 1, contact: 1 };
      const answer = await ask(around, seal('miscounted', [records], sealOf([records], { records: other })));
      assert.equal(outcomeOf(answer), '422 seal-differs');
      const extra = json({
        ...(JSON.parse(String(seal('miscounted', [records], sealOf([records])).content)) as object),
        more: 1,
      });
      const asked = { ...seal('miscounted', [records], sealOf([records])), content: extra };
      assert.equal(outcomeOf(await ask(around, asked)), '400 not-valid');
      assert.equal((await ask(around, seal('miscounted', [records], sealOf([records])))).status, 200, 'control');
    });
  });
});

import assert from 'node:assert/strict';
import { type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import fc from 'fast-check';
import { quickCheck } from '../../../engine/model/quick-check.js';
import { Attributes, DirectoryObject, EnrichedRecord, User } from '../../../engine/model/records.js';
import { Seal } from '../../../engine/model/run.js';
import { closed } from '../../../engine/transport/closed.js';

const person = {
  kind: 'user',
  id: '0f3a9c52-7f1e-4c39-9f1b-2b8f4a0f3c11',
  dn: 'CN=Ada,DC=example,DC=test',
  sid: null,
  name: 'Ada',
  primary: null,
  aliases: [],
  attributes: { title: ['Countess', { base64: '' }], manager: [] },
  enabled: true,
};

/** Values of which many are nearly what a schema asks for. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, undefined, '', []),
    fc.record({ base64: fc.string({ maxLength: 2 }) }),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('title', 'base64', '__proto__', ''), tie('any'), { maxKeys: 3 }),
  ),
})).any;

const SCHEMAS: readonly [string, TSchema][] = [
  ['attributes', Attributes],
  ['a user', User],
  ['what a directory says of an object', DirectoryObject],
  ['a user on the wire', closed(User)],
  ['a batch', Type.Array(EnrichedRecord)],
  ['a seal', Seal],
  [
    'a dictionary of lists that have a length',
    { ...Type.Object({}, { additionalProperties: Type.Array(Type.String(), { maxItems: 1 }) }) },
  ],
  [
    'a dictionary of texts that have a length',
    { ...Type.Object({}, { additionalProperties: Type.Array(Type.String({ maxLength: 1 })) }) },
  ],
];

describe('the quick check of a schema', () => {
  for (const [name, schema] of SCHEMAS) {
    it(`says of any value what the compiler’s own says: ${name}`, () => {
      const compiled = TypeCompiler.Compile(schema);
      const isGood = quickCheck(schema);
      const near = fc.oneof(
        value,
        fc.dictionary(fc.string({ maxLength: 3 }), value, { maxKeys: 3 }),
        fc
          .tuple(fc.constantFrom(...Object.keys(person), 'aside', 'held'), value)
          .map(([key, one]) => ({ ...person, [key]: one })),
        value.map((title) => ({ ...person, attributes: { title } })),
        value.map((one) => ({ ...person, attributes: { title: [one] } })),
      );
      fc.assert(
        fc.property(
          fc.oneof(
            near,
            near.map((one) => [one]),
          ),
          (one) => {
            assert.equal(isGood(one), compiled.Check(one));
          },
        ),
        { numRuns: 1_000 },
      );
    });
  }

  it('takes and refuses: both come before', () => {
    assert.ok(quickCheck(User)(person));
    assert.ok(!quickCheck(User)({ ...person, attributes: { title: 'Countess' } }));
    assert.ok(!quickCheck(User)({ ...person, attributes: { title: ['Countess', 1] } }));
    assert.ok(!quickCheck(User)({ ...person, attributes: [] }));
    assert.ok(!quickCheck(User)({ ...person, attributes: null }));
  });

  it('looks at what is hidden from loops, and not at what a prototype has', () => {
    const hidden = Object.defineProperty({}, 'title', { value: 'Countess', enumerable: false });
    assert.ok(!quickCheck(Attributes)(hidden));
    assert.ok(quickCheck(Attributes)(Object.create({ title: 'Countess' })));
  });
});

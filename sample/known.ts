/** The addresses that the sample account knows before its first run, from mail flow and by hand: sample/known.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { contractFault, parserOf } from '../engine/model/check.js';

const Known = Type.Object({
  address: Type.String(),
  name: Type.Optional(Type.String()),
  origin: Type.Union([Type.Literal('manual'), Type.Literal('mail-flow')]),
});
const parseKnown = parserOf(Type.Array(Known), contractFault('sample/known.json'));

/** An address and where it is known from. */
export type KnownAddress = Static<typeof Known>;

export function knownAddresses(): KnownAddress[] {
  return parseKnown(JSON.parse(readFileSync(join(__dirname, '..', '..', 'sample', 'known.json'), 'utf8')));
}

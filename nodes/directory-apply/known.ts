/** Addresses that are known from elsewhere, as `directory-apply` takes them. */
import { type Static, Type } from '@sinclair/typebox';
import { contractFault, parserOf } from '../../engine/model/check.js';

const Known = Type.Array(
  Type.Object({
    address: Type.String({ minLength: 3, maxLength: 320 }),
    name: Type.Optional(Type.String()),
    origin: Type.Union([Type.Literal('manual'), Type.Literal('mail-flow')]),
  }),
);

/** Throws `ContractError` where `msg.payload` is not such a list. */
export const parseKnown: (payload: unknown) => Static<typeof Known> = parserOf(
  Known,
  contractFault('msg.payload of the topic "known"'),
);

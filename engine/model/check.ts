/** Parses untrusted data once, at the edge: a schema in, a typed value or a clear error out. */
import type { Static, TSchema } from '@sinclair/typebox';
import { Errors } from '@sinclair/typebox/errors';
import { ContractError, type DirectorySyncError } from './errors.js';
import { quickCheck } from './quick-check.js';

/** Turns a fault (JSON pointer and what was expected there) into the error to throw. Never given the value itself. */
export type FaultToError = (pointer: string, expected: string) => DirectorySyncError;

/**
 * Compiles `schema` into a parser: it returns its argument, typed, or throws what `toError` makes of the first fault.
 * Compile once, at module level; the parser itself is quick enough for every batch.
 */
export function parserOf<T extends TSchema>(schema: T, toError: FaultToError): (value: unknown) => Static<T> {
  const isGood = quickCheck(schema);
  return (value) => {
    if (isGood(value)) return value;
    const fault = Errors(schema, value).First();
    throw toError(fault?.path ?? '', fault?.message ?? 'valid data');
  };
}

/** A fault in something that another node or another machine sent. `what` names it: "the batch", "the seal". */
export function contractFault(what: string): FaultToError {
  return (pointer, expected) =>
    new ContractError('NOT_AS_AGREED', {
      message: `${what} is not as docs/messages.md says: ${expected} at ${pointer || 'its top'}. Look at what the nodes before change in it.`,
      status: 'unexpected message',
      params: { what, pointer, expected },
    });
}

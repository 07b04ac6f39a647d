/** Bytes behind the guard: a wire over a socket that is none, and the decoder of search entries, as a search has them. */
import { Socket } from 'node:net';
import { cookieOf } from '../../../engine/ldap/controls.js';
import { EntryDecoder } from '../../../engine/ldap/entry.js';
import { OPERATION } from '../../../engine/ldap/result.js';
import { AttributeNames } from '../../../engine/ldap/syntax.js';
import { Wire } from '../../../engine/ldap/wire.js';
import { DirectoryError } from '../../../engine/model/errors.js';
import { integer, message, tlv } from '../../unit/ldap/ber-text.js';

/** Takes what is written and says nothing. */
class SilentSocket extends Socket {
  override write(_chunk: unknown, encodingOrDone?: unknown, done?: () => void): boolean {
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
    if (typeof callback === 'function') queueMicrotask(() => void Reflect.apply(callback, undefined, []));
    return true;
  }
}

/** What requests look like, as far as the wire looks: an id and an operation. */
const REQUESTS = { search: OPERATION.searchRequest, bind: OPERATION.bindRequest, extended: OPERATION.extendedRequest };
export type Asked = keyof typeof REQUESTS;

export const REQUEST_ID = 2;
const NAMES = new AttributeNames(['member', 'mail', 'objectGUID', 'objectSid', 'thumbnailPhoto', 'proxyAddresses']);
const LIMITS = { maxMessageBytes: 32 * 1024 * 1024, idle: 60_000 };

/**
 * Gives the chunks to a wire on which a request waits for its answer. Tells how that ended: `answered`, `waiting` for more
 * (then the idle limit ends it), or the code of the error. Throws what should never be thrown.
 */
export function feed(asked: Asked, chunks: readonly Buffer[]): string {
  let end = 'waiting';
  let receive: (chunk: Buffer) => void = () => undefined;
  const wire = new Wire({ socket: new SilentSocket(), receive: (take) => (receive = take) }, LIMITS);
  wire.on('error', () => undefined);
  wire.resume();
  const decoder = new EntryDecoder(NAMES);
  wire.expect(REQUESTS[asked], {
    expectsMany: true,
    entry: (bytes, place) => void decoder.decode(bytes, place),
    reference: () => undefined,
    done: (result) => {
      end = 'answered';
      if (asked === 'search' && result.code === 0) {
        try {
          cookieOf(result);
        } catch (error) {
          if (!(error instanceof DirectoryError)) throw error;
          end = error.code;
        }
      }
    },
    failed: (error) => {
      if (!(error instanceof DirectoryError)) throw error;
      // The wire makes this of an error that it did not foresee.
      if (error.params['where'] === 'unreadable') throw error;
      end = error.code;
    },
  });
  wire.write(message(REQUEST_ID, tlv(REQUESTS[asked], integer(0))));
  for (const chunk of chunks) receive(chunk);
  wire.destroy();
  return end;
}

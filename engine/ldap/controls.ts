/** Request controls that a search sends, and the answer to the paging control. */
import { BerWriter, Control } from 'ldapts';
import { DirectoryError } from '../model/errors.js';
import { BerCursor, TAG } from './ber.js';
import type { Result } from './result.js';

export const PAGED_RESULTS = '1.2.840.113556.1.4.319';
export const EXTENDED_DN = '1.2.840.113556.1.4.529';

/** A control with a value, always critical: a server that does not know it must refuse, not ignore it. */
class ValueControl extends Control {
  constructor(
    type: string,
    private readonly value: Buffer,
  ) {
    super(type, { critical: true });
  }

  protected override writeControl(writer: BerWriter): void {
    writer.writeBuffer(this.value, TAG.octetString);
  }
}

/** Simple paged results (RFC 2696). Not the library's class, which it keeps for paging on its own. */
export function pagedResults(size: number, cookie: Buffer): Control {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(size);
  writer.writeBuffer(cookie, TAG.octetString);
  writer.endSequence();
  return new ValueControl(PAGED_RESULTS, Buffer.from(writer.buffer));
}

/** Names with GUID and SID before them, the GUID dashed ([MS-ADTS] 3.1.1.3.4.1.5, flag 1). */
export function extendedDn(): Control {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(1);
  writer.endSequence();
  return new ValueControl(EXTENDED_DN, Buffer.from(writer.buffer));
}

/** The cookie for the next page, empty after the last one. Throws `DirectoryError` where the server did not page. */
export function cookieOf(result: Result): Buffer {
  const value = result.controls.get(PAGED_RESULTS);
  if (value === undefined || value === null) throw notPaged();
  const cursor = new BerCursor();
  cursor.set(value, 0);
  const end = cursor.enter(TAG.sequence, value.length, 'paging control');
  cursor.at = cursor.enter(TAG.integer, end, 'size in the paging control');
  return cursor.octets(TAG.octetString, end, 'cookie of the paging control');
}

/** The server sent more than a page, or a page without saying whether it is the last. */
export function notPaged(): DirectoryError {
  return new DirectoryError('NOT_PAGED', {
    message:
      'The directory server answered a paged search without paging, so it cannot be known whether everything was read. Nothing is removed. Use a server that supports the paged results control (RFC 2696), and no LDAP proxy that drops it.',
    status: 'server does not page',
  });
}

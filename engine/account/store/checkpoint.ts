/** The log of the embedded store, brought into the file while nobody waits for it. */
import type { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from '../../runtime/sqlite.js';

/**
 * Brings the log into the file, and cuts it to its limit (`journal_size_limit`) where nobody reads in it: that is left to whoever writes
 * first after it, so something is written, which changes nothing. Waits for nobody. It fails where the disk is full; the log then keeps
 * what it has, and the next one tries again.
 */
export function checkpoint(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(PASSIVE)');
    // Nothing is left for this one, which keeps others from writing while it works.
    const { busy } = database.prepare('PRAGMA wal_checkpoint(RESTART)').get() ?? {};
    const { application_id: id } = database.prepare('PRAGMA application_id').get() ?? {};
    // The same value in a row would not be written. This number is nobody's.
    if (busy === 0) database.exec(`PRAGMA application_id=${String(id)}`);
  } catch {
    return;
  } finally {
    database.exec(`PRAGMA busy_timeout=${String(BUSY_TIMEOUT_MS)}`);
  }
}

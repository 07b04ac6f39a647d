/**
 * Canaries: objects that the user who reads must be able to see. A directory leaves out what the user may not see and says
 * nothing of it, so a right that was taken away looks like people who left. A canary in the branch concerned tells.
 */
import type { Session } from '../ldap/session.js';
import { DirectoryError } from '../model/errors.js';
import { guidToBytes } from '../model/identifiers.js';

/** Looks for every canary, by any of the sessions. Null where all are there, else why the read is incomplete. */
export async function missingCanary(
  canaries: readonly string[],
  sessions: readonly Session[],
): Promise<DirectoryError | null> {
  for (const [index, canary] of canaries.entries()) {
    const base = guidToBytes(canary) === null ? canary : `<GUID=${canary}>`;
    let seen = false;
    for (const session of sessions) seen ||= await session.sees(base);
    if (!seen) return canaryMissing(index + 1, canaries.length);
  }
  return null;
}

function canaryMissing(number: number, count: number): DirectoryError {
  return new DirectoryError('CANARY_MISSING', {
    message: `Object ${number} of ${count} in "canaries" cannot be read, so it is not known what else cannot. Nothing is removed. Look at the rights of "user" of the directory server; if the object was moved or deleted on purpose, correct "canaries" of the extract node.`,
    status: 'canary missing',
    params: { number, count },
  });
}

/**
 * Canaries: objects that the user who reads must be able to see, and attributes of theirs that must have a value. A directory
 * leaves out what the user may not see and says nothing of it, so a right that was taken away looks like people who left, or
 * like values that were emptied. A canary in the branch concerned tells.
 */
import type { Session } from '../ldap/session.js';
import { isDistinguishedName } from '../model/dn.js';
import { DirectoryError } from '../model/errors.js';
import { guidToBytes } from '../model/identifiers.js';

/** One canary as it is written: `name or objectGUID`, or `name or objectGUID: attribute, attribute`. */
export interface Canary {
  readonly object: string;
  readonly attributes: readonly string[];
}

/** A colon behind the object, and names of attributes up to the end: in a name, such a colon is written `\3A`. */
const WITH_ATTRIBUTES = /^(.*?)\s*:\s*([A-Za-z][A-Za-z0-9-]*(?:\s*,\s*[A-Za-z][A-Za-z0-9-]*)*)\s*$/s;

/** Null where the line names no object. */
export function parseCanary(line: string): Canary | null {
  const [, before, list] = WITH_ATTRIBUTES.exec(line) ?? [];
  const object = (before ?? line).trim();
  if (!isDistinguishedName(object) && guidToBytes(object) === null) return null;
  return { object, attributes: list === undefined ? [] : list.split(',').map((name) => name.trim()) };
}

/** Those that cannot be read with this session. */
export async function unseen(canaries: readonly Canary[], session: Session): Promise<ReadonlySet<Canary>> {
  const found = new Set<Canary>();
  for (const canary of canaries) if ((await session.sees(baseOf(canary), [])) === null) found.add(canary);
  return found;
}

/**
 * Looks for every canary, by any of the sessions that are named for it; null: not for this one, yet. Null where all are there, else
 * why the read is incomplete.
 */
export async function missingCanary(
  canaries: readonly Canary[],
  sessionsFor: (canary: Canary) => readonly Session[] | null,
): Promise<DirectoryError | null> {
  for (const [index, canary] of canaries.entries()) {
    const sessions = sessionsFor(canary);
    if (sessions === null) continue;
    const seen = new Set<string>();
    let there = false;
    for (const session of sessions) {
      const found = await session.sees(baseOf(canary), canary.attributes);
      there ||= found !== null;
      for (const name of found ?? []) seen.add(name.toLowerCase());
    }
    if (!there) return canaryMissing(index + 1, canaries.length);
    const attribute = canary.attributes.find((name) => !seen.has(name.toLowerCase()));
    if (attribute !== undefined) return attributeMissing(index + 1, canaries.length, attribute);
  }
  return null;
}

function baseOf({ object }: Canary): string {
  return guidToBytes(object) === null ? object : `<GUID=${object}>`;
}

function canaryMissing(number: number, count: number): DirectoryError {
  return new DirectoryError('CANARY_MISSING', {
    message: `Object ${number} of ${count} in "canaries" cannot be read, so it is not known what else cannot. Nothing is removed. Look at the rights of "user" of the directory server; if the object was moved or deleted on purpose, correct "canaries" of the extract node.`,
    status: 'canary missing',
    params: { number, count },
  });
}

function attributeMissing(number: number, count: number, attribute: string): DirectoryError {
  return new DirectoryError('CANARY_ATTRIBUTE_MISSING', {
    message: `Object ${number} of ${count} in "canaries" can be read, but has no value of ${attribute}, so it is not known whose values of it cannot be read. Nothing is removed. Look at the rights of "user" of the directory server on that attribute; if it was emptied on purpose, correct "canaries" of the extract node.`,
    status: 'canary lacks a value',
    params: { number, count, attribute },
  });
}

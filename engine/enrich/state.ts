/** Is an account enabled? From `userAccountControl`, the type of its mailbox and, if wanted, the day on which it expires. */
import { type AttributeMap, valuesOf } from './attributes.js';
import { integerOf } from './integers.js';
import { NEVER, fileTime } from './values.js';

/** ADS_UF_ACCOUNTDISABLE, MS-ADTS 2.2.16. */
const DISABLED = 0x2n;

/**
 * Values of `msExchRecipientTypeDetails` whose accounts are disabled by nature: nobody logs on as a room, and the owner of
 * a linked mailbox logs on in another forest. That their account is disabled says nothing of the mailbox.
 */
const DISABLED_BY_NATURE: ReadonlySet<bigint> = new Set([
  2n, // linked mailbox
  4n, // shared mailbox
  16n, // room
  32n, // equipment
  33_554_432n, // linked user
  8_589_934_592n, // the same, with the mailbox in Exchange Online: room
  17_179_869_184n, // equipment
  34_359_738_368n, // shared
  137_438_953_472n, // team mailbox
  274_877_906_944n, // team, in Exchange Online
  2_199_023_255_552n, // linked room
]);

/**
 * True where the account may be used. A directory without `userAccountControl` has no such state: enabled. Null where the
 * attribute is there but is no integer: then nothing may be said, and nothing changed. `expiredBy`: the moment by which an
 * account that has expired counts as disabled; null: expiry does not count.
 */
export function enabledOf(attributes: AttributeMap, expiredBy: Date | null = null): boolean | null {
  if (isDisabledByNature(attributes)) return true;
  if (expiredBy !== null && hasExpired(attributes, expiredBy)) return false;
  // AD LDS computes the state instead of storing it; elsewhere the computed bits do not have this one.
  const computed = integerOf(attributes, 'msDS-User-Account-Control-Computed') ?? 0n;
  if ((computed & DISABLED) !== 0n) return false;
  if (valuesOf(attributes, 'userAccountControl').length === 0) return true;
  const control = integerOf(attributes, 'userAccountControl');
  return control === null ? null : (control & DISABLED) === 0n;
}

/** Whether the account of a mailbox of this type is one that nobody logs on with. */
export function isDisabledByNature(attributes: AttributeMap): boolean {
  const type = integerOf(attributes, 'msExchRecipientTypeDetails');
  return type !== null && DISABLED_BY_NATURE.has(type);
}

/** A date that cannot be read is none: somebody would be locked out by a typing error. */
function hasExpired(attributes: AttributeMap, by: Date): boolean {
  const expires = integerOf(attributes, 'accountExpires');
  const time = expires === null ? null : fileTime(String(expires));
  return time !== null && time !== NEVER && Date.parse(time) <= by.getTime();
}

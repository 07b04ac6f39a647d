/**
 * Additional attributes in a form for people and programs that are no directory: times as ISO 8601, identifiers as text, names
 * without ids in front, photos as a hash. A value that cannot be decoded is set aside, and not its object.
 */
import { createHash } from 'node:crypto';
import { guidToText, sidToText } from '../model/identifiers.js';
import type { AttributeValue, Attributes } from '../model/records.js';
import type { EnrichSettings } from './settings.js';

/** What became of a record's attributes: the readable ones, and the names of those with values set aside, with the reason (null: none). */
export interface Values {
  readonly attributes: Attributes;
  readonly aside: Record<string, string> | null;
}

type Reader = (value: AttributeValue) => AttributeValue | null;

/** What stands for "there is no such time" ([MS-ADA1] 2.1: accountExpires is 0 or 2^63 - 1 where it never does). */
export const NEVER = 'never';
const LARGEST = 9_223_372_036_854_775_807n;
/** Milliseconds from 1601, where FILETIME begins, to 1970. */
const FILETIME_EPOCH = 11_644_473_600_000n;
const GENERALIZED = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2}))?)?(?:[.,](\d+))?(Z|[+-]\d{2}(?:\d{2})?)$/;
const EXTENDED_NAME = /^(?:<(?:GUID|SID)=[^>]*>;)+/i;
const SHA_256 = 'sha-256:';
const LESS = 0x3c;
/** What ISO 8601 writes without an agreement about more digits. */
const LAST_YEAR = 9999;

const FILETIMES = [
  'accountExpires',
  'badPasswordTime',
  'lastLogoff',
  'lastLogon',
  'lastLogonTimestamp',
  'lockoutTime',
  'msDS-LastSuccessfulInteractiveLogonTime',
  'msDS-UserPasswordExpiryTimeComputed',
  'ms-Mcs-AdmPwdExpirationTime',
  'pwdLastSet',
];
const TIMES = ['whenCreated', 'whenChanged', 'createTimestamp', 'modifyTimestamp', 'msExchWhenMailboxCreated'];
const SIDS = ['sIDHistory', 'securityIdentifier', 'tokenGroups', 'msExchMasterAccountSid'];
const GUIDS = [
  'mS-DS-ConsistencyGuid',
  'msExchMailboxGuid',
  'msExchArchiveGUID',
  'attributeSecurityGUID',
  'schemaIDGUID',
];
const PHOTOS = new Set(['thumbnailphoto', 'jpegphoto', 'photo', 'thumbnaillogo']);

const READERS: ReadonlyMap<string, Reader> = new Map([
  ...FILETIMES.map((name) => [name.toLowerCase(), textReader(fileTime)] as const),
  ...TIMES.map((name) => [name.toLowerCase(), textReader(generalizedTime)] as const),
  ...SIDS.map((name) => [name.toLowerCase(), bytesReader(sidToText)] as const),
  ...GUIDS.map((name) => [name.toLowerCase(), bytesReader(guidToText)] as const),
]);
const REASONS = { undecodable: 'The value cannot be decoded.', large: 'The photo is larger than the limit.' };

/** How the attribute of a name is given. */
interface Way {
  readonly consumed: boolean;
  /** Text or bytes as they were read, but for ids in front of names. */
  readonly plain: boolean;
  readonly photo: boolean;
  readonly read: Reader;
}
/** A name like any other, which an assignment would take for the prototype. */
const ORDINARY = { enumerable: true, configurable: true, writable: true };
const MOST_NAMES = 10_000;
const ways = new Map<string, Way>();

/**
 * Gives the attributes as the settings say, without those that the record's own fields are made of (`consumed`, lower case).
 * With neither `readable` nor `photo` the values stay as they were read.
 */
export function valuesFor(
  read: Attributes,
  consumed: ReadonlySet<string>,
  { readable = false, photo, managers = false }: EnrichSettings,
): Values {
  const attributes: Attributes = {};
  let aside: Record<string, string> | null = null;
  for (const name in read) {
    const values = read[name];
    const way = ways.get(name) ?? wayOf(name, consumed);
    if (values === undefined || way.consumed) continue;
    // Nearly all values: one text that stays as it is.
    if (way.plain && !hasName(values)) {
      attributes[name] = values;
      continue;
    }
    // Managers are looked up by the ids in front of the name.
    const asRead = way.photo ? photo === undefined : !readable || (managers && name.toLowerCase() === 'manager');
    const kept = asRead ? values : way.photo && photo ? photosOf(values, photo) : readBy(way.read, values);
    if (name === '__proto__') Object.defineProperty(attributes, name, { value: kept, ...ORDINARY });
    else attributes[name] = kept;
    if (kept.length < values.length) (aside ??= {})[name] = way.photo ? REASONS.large : REASONS.undecodable;
  }
  return { attributes, aside };
}

function wayOf(name: string, consumed: ReadonlySet<string>): Way {
  const key = name.toLowerCase();
  const read = READERS.get(key) ?? plainName;
  const photo = PHOTOS.has(key);
  const plain = read === plainName && !photo && name !== '__proto__';
  const way = { consumed: consumed.has(key), plain, photo, read };
  if (ways.size < MOST_NAMES) ways.set(name, way);
  return way;
}

function readBy(read: Reader, values: AttributeValue[]): AttributeValue[] {
  return values.map(read).filter((value) => value !== null);
}

/** Whether one of the values may be a name with ids in front. */
function hasName(values: readonly AttributeValue[]): boolean {
  for (const value of values) if (typeof value === 'string' && value.charCodeAt(0) === LESS) return true;
  return false;
}

function photosOf(
  values: readonly AttributeValue[],
  { as, mostBytes }: NonNullable<EnrichSettings['photo']>,
): AttributeValue[] {
  const kept: AttributeValue[] = [];
  for (const value of values) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64');
    if (as === 'hash') kept.push(`${SHA_256}${createHash('sha256').update(bytes).digest('hex')}`);
    else if (bytes.length <= mostBytes) kept.push(value);
  }
  return kept;
}

/** A FILETIME, in steps of 100 ns since 1601, to the millisecond below; null where it is none that a calendar has. */
export function fileTime(text: string): string | null {
  if (!/^-?\d{1,19}$/.test(text)) return null;
  const value = BigInt(text);
  if (value === 0n || value === LARGEST) return NEVER;
  return isoOf(Number(value / 10_000n - FILETIME_EPOCH));
}

/** GeneralizedTime (RFC 4517, section 3.3.13) in UTC. */
export function generalizedTime(text: string): string | null {
  const [, year, month, day, hour, minute = '00', second = '00', fraction = '', zone = 'Z'] =
    GENERALIZED.exec(text) ?? [];
  if (year === undefined) return null;
  const offset = zone === 'Z' ? zone : `${zone.slice(0, 3)}:${zone.slice(3) || '00'}`;
  const milliseconds = `${fraction}000`.slice(0, 3);
  return isoOf(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`));
}

function isoOf(milliseconds: number): string | null {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= LAST_YEAR ? date.toISOString() : null;
}

function textReader(read: (text: string) => string | null): Reader {
  return (value) => (typeof value === 'string' ? read(value.trim()) : null);
}

/** Text stays as it is: extract reads the best known identifiers itself. */
function bytesReader(read: (bytes: Buffer) => string | null): Reader {
  return (value) => (typeof value === 'string' ? value : read(Buffer.from(value.base64, 'base64')));
}

function plainName(value: AttributeValue): AttributeValue {
  return typeof value === 'string' && value.startsWith('<') ? value.replace(EXTENDED_NAME, '') : value;
}

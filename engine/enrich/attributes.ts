/**
 * Reads the attributes of an object by name, whatever the case of the name: directories compare names without case. Mostly every
 * name is spelled as here, and then no index is made: every object of a directory passes through.
 */
import type { Attributes, AttributeValue } from '../model/records.js';

/** The attributes of one object. */
export interface AttributeMap {
  /** The values by name, given in the spelling of {@link SPELLINGS} or in lower case; undefined where it is absent. */
  get(name: string): readonly AttributeValue[] | undefined;
}

/** The names that enrich asks for, as extract spells them. */
const SPELLINGS = [
  'accountExpires',
  'cn',
  'department',
  'displayName',
  'givenName',
  'groupType',
  'mail',
  'mailNickname',
  'manager',
  'member',
  'msDS-User-Account-Control-Computed',
  'msExchDynamicDLBaseDN',
  'msExchDynamicDLFilter',
  'msExchMasterAccountSid',
  'msExchRecipientTypeDetails',
  'msExchShadowProxyAddresses',
  'objectClass',
  'objectSid',
  'primaryGroupID',
  'proxyAddresses',
  'sAMAccountName',
  'sn',
  'targetAddress',
  'telephoneNumber',
  'title',
  'uniqueMember',
  'userAccountControl',
  'userPrincipalName',
] as const;
const BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(SPELLINGS.map((name) => [name.toLowerCase(), name]));
const MOST_NAMES = 10_000;
/** Whether a name is spelled as here, or not one of these at all. */
const usual = new Map<string, boolean>(SPELLINGS.map((name) => [name, true]));
const NONE: readonly AttributeValue[] = [];

/** Makes them readable. Where a name comes twice in different case, the values are joined. */
export function byName(attributes: Attributes): AttributeMap {
  for (const name in attributes) if (!isUsual(name)) return indexed(attributes);
  // None of the names that are asked for is one that every object has.
  return { get: (name) => attributes[name] };
}

function isUsual(name: string): boolean {
  const known = usual.get(name);
  if (known !== undefined) return known;
  const spelling = BY_LOWER_CASE.get(name.toLowerCase());
  const is = spelling === undefined || spelling === name;
  if (usual.size < MOST_NAMES) usual.set(name, is);
  return is;
}

function indexed(attributes: Attributes): AttributeMap {
  const map = new Map<string, readonly AttributeValue[]>();
  for (const [name, values] of Object.entries(attributes)) {
    const key = name.toLowerCase();
    const before = map.get(key);
    map.set(key, before ? [...before, ...values] : values);
  }
  return { get: (name) => map.get(name.toLowerCase()) };
}

/** All values of an attribute, binary ones included; none where it is absent. */
export function valuesOf(attributes: AttributeMap, name: string): readonly AttributeValue[] {
  return attributes.get(name) ?? NONE;
}

/** The values that are text and not blank, trimmed. */
export function textsOf(attributes: AttributeMap, name: string): string[] {
  const texts: string[] = [];
  for (const value of valuesOf(attributes, name)) {
    const text = typeof value === 'string' ? value.trim() : '';
    if (text !== '') texts.push(text);
  }
  return texts;
}

/** The first value that is text and not blank, or null. */
export function textOf(attributes: AttributeMap, name: string): string | null {
  for (const value of valuesOf(attributes, name)) {
    const text = typeof value === 'string' ? value.trim() : '';
    if (text !== '') return text;
  }
  return null;
}

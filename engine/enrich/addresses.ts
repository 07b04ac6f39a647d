/**
 * The addresses of an object, from `proxyAddresses`, `mail`, `msExchShadowProxyAddresses` and (of contacts) `targetAddress`.
 *
 * `SMTP:` marks the primary address and `smtp:` an alias; the marks of other systems (X400, X500, SIP, EUM) are no mail
 * addresses. Which is primary, in order: the one valid `SMTP:`; of several the one that equals `mail`, else the first in the
 * alphabet; without any `mail`; without that the alphabetically first `smtp:`; then what the shadow copy says, by the same
 * rules; and of a contact its target. All others that are valid are aliases.
 */
import { domainToASCII } from 'node:url';
import { type AttributeMap, textsOf } from './attributes.js';

/** `primary` is null where the object has no valid address; `aliases` are sorted and without the primary. */
export interface Addresses {
  readonly primary: string | null;
  readonly aliases: string[];
}

/** RFC 3696 section 3: 64 characters before the @ and 255 behind it. */
const LONGEST_ADDRESS = 320;
const BLANK_OR_CONTROL = /[\s\p{Cc}\p{Cs}]/u;
const ASCII = /^[\x21-\x7e]*$/;
const SMTP = /^smtp:/i;
const MARK_LENGTH = 'smtp:'.length;
/** ASCII, nothing to be put in lower case, one `@`. */
const PLAIN = /^[!-?[-~]+@[!-?[-~]+$/;
const NONE: readonly string[] = [];
const UNMARKED = { primaries: NONE, aliases: NONE };
/** The mark of an address of another system: `X500:/o=…`. */
const OTHER_MARK = /^(?!smtp:)[A-Za-z][A-Za-z0-9-]*:/i;

/** Chooses the primary address and the aliases by the rules above. Lower case, trimmed, each address once. */
export function addressesOf(attributes: AttributeMap, kind = 'user'): Addresses {
  const { primaries, aliases } = marked(attributes, 'proxyAddresses');
  const mail = mailOf(attributes);
  const shadow = marked(attributes, 'msExchShadowProxyAddresses');
  const targets = kind === 'contact' ? targetsOf(attributes) : NONE;

  const own = primaries.length < 2 ? undefined : primaries.find((address) => mail.includes(address));
  const first = own ?? primaries[0] ?? mail[0] ?? aliases[0];
  const primary = first ?? shadow.primaries[0] ?? shadow.aliases[0] ?? targets[0] ?? null;
  let count = 0;
  for (const list of [primaries, mail, aliases]) count = gatherOthers(list, primary, count);
  if (shadow !== UNMARKED)
    for (const list of [shadow.primaries, shadow.aliases]) count = gatherOthers(list, primary, count);
  if (targets.length > 0) count = gatherOthers(targets, primary, count);
  return { primary, aliases: eachOnce(gathered.slice(0, count)) };
}

/**
 * Addresses of the object at hand. The list that is kept is cut out of it: just as long as it must be, and not a literal, for
 * the reason told in `ldap/entry.ts`.
 */
const gathered: string[] = [];

function gatherOthers(list: readonly string[], primary: string | null, from: number): number {
  let count = from;
  for (const address of list) if (address !== primary) gathered[count++] = address;
  return count;
}

/**
 * The address in lower case, or null where the text is not one: exactly one `@`, something on both sides, no blanks. Beyond
 * ASCII, the domain is written in its ASCII form (RFC 5891), as mail servers do, and the part before it composed (NFC), so that
 * both spellings are one address.
 */
export function normalAddress(text: string): string | null {
  return isPlain(text) ? text : otherAddress(text);
}

/** Nearly all addresses are of this form, which costs one look. */
function isPlain(text: string): boolean {
  return text.length <= LONGEST_ADDRESS && PLAIN.test(text);
}

function otherAddress(text: string): string | null {
  const address = text.trim().toLowerCase();
  const at = address.indexOf('@');
  const valid =
    at > 0 &&
    at === address.lastIndexOf('@') &&
    at < address.length - 1 &&
    address.length <= LONGEST_ADDRESS &&
    !BLANK_OR_CONTROL.test(address);
  if (!valid) return null;
  return ASCII.test(address) ? address : international(address.slice(0, at), address.slice(at + 1));
}

function international(local: string, domain: string): string | null {
  const ascii = ASCII.test(domain) ? domain : domainToASCII(domain);
  return ascii === '' ? null : `${local.normalize('NFC')}@${ascii}`;
}

/** Addresses of other systems, mark and all, as they are written in the directory; each once, sorted. */
export function otherAddressesOf(attributes: AttributeMap): string[] {
  const proxies = [...textsOf(attributes, 'proxyAddresses'), ...textsOf(attributes, 'msExchShadowProxyAddresses')];
  return [...new Set(proxies.filter((text) => OTHER_MARK.test(text)))].sort();
}

/** Takes the aliases that are in none of the domains out of the others. */
export function apart(aliases: readonly string[], domains: ReadonlySet<string>): { own: string[]; outside: string[] } {
  const isOwn = (address: string) => domains.has(address.slice(address.indexOf('@') + 1));
  return { own: aliases.filter(isOwn), outside: aliases.filter((address) => !isOwn(address)) };
}

/** Mail domains as addresses have them: lower case, in ASCII. */
export function domainSet(domains: readonly string[]): ReadonlySet<string> {
  return new Set(domains.map((domain) => domainToASCII(domain.trim().toLowerCase()) || domain.trim().toLowerCase()));
}

/** Where mail to a contact goes: with the mark of SMTP, or without any. */
function targetsOf(attributes: AttributeMap): string[] {
  const texts = textsOf(attributes, 'targetAddress').filter((text) => !OTHER_MARK.test(text));
  return addresses(texts.map((text) => text.replace(SMTP, '')));
}

/** Only `SMTP` in capitals makes an address primary; every other spelling (`smtp`, `Smtp`) is an alias, as in Exchange. */
function marked(attributes: AttributeMap, name: string): { primaries: readonly string[]; aliases: readonly string[] } {
  const values = attributes.get(name);
  if (values === undefined) return UNMARKED;
  const primaries: string[] = [];
  const aliases: string[] = [];
  for (const value of values) {
    if (typeof value !== 'string') continue;
    const isPrimary = value.startsWith('SMTP:');
    if (isPrimary || value.startsWith('smtp:')) {
      const plain = value.slice(MARK_LENGTH);
      if (isPlain(plain)) {
        (isPrimary ? primaries : aliases).push(plain);
        continue;
      }
    }
    const text = value.trim();
    const address = SMTP.test(text) ? normalAddress(text.slice(MARK_LENGTH)) : null;
    if (address !== null) (text.startsWith('SMTP') ? primaries : aliases).push(address);
  }
  return { primaries: eachOnce(primaries), aliases: eachOnce(aliases) };
}

/** Mostly one, and mostly valid. */
function mailOf(attributes: AttributeMap): readonly string[] {
  const values = attributes.get('mail');
  if (values === undefined) return NONE;
  const [value] = values;
  const address = values.length === 1 && typeof value === 'string' && isPlain(value) ? value : null;
  return address === null ? addresses(textsOf(attributes, 'mail')) : [address];
}

/** Valid addresses, each once, sorted. */
function addresses(texts: readonly string[]): string[] {
  return eachOnce(texts.map(normalAddress).filter((address) => address !== null));
}

/** Sorted: LDAP promises no order of values, and equal input must give an equal record. */
function eachOnce(list: string[]): string[] {
  if (list.length < 2) return list;
  const [first = '', second = ''] = list;
  // Most lists are of two, and to sort one costs more than to look.
  if (list.length > 2) list.sort();
  else if (first > second) {
    list[0] = second;
    list[1] = first;
  }
  let before: string | null = null;
  for (const one of list) {
    if (one === before) return [...new Set(list)];
    before = one;
  }
  return list;
}

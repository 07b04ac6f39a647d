/**
 * The addresses of an object, from `proxyAddresses` and `mail`.
 *
 * `SMTP:` marks the primary address and `smtp:` an alias; the marks of other systems (X400, X500, SIP, EUM) are no
 * addresses here. The rules, in order: the one valid `SMTP:`; of several the one that equals `mail`, else the first in the
 * alphabet; without any `mail`; without that the alphabetically first `smtp:`. All others that are valid are aliases.
 */
import { type AttributeMap, textsOf } from './attributes.js';

/** `primary` is null where the object has no valid address; `aliases` are sorted and without the primary. */
export interface Addresses {
  readonly primary: string | null;
  readonly aliases: string[];
}

/** RFC 3696 section 3: 64 characters before the @ and 255 behind it. */
const LONGEST_ADDRESS = 320;
const BLANK_OR_CONTROL = /[\s\p{Cc}\p{Cs}]/u;

/** Chooses the primary address and the aliases by the rules above. Lower case, trimmed, each address once. */
export function addressesOf(attributes: AttributeMap): Addresses {
  const proxies = textsOf(attributes, 'proxyAddresses');
  const primaries = marked(proxies, 'SMTP');
  const aliases = markedAliases(proxies);
  const mail = addresses(textsOf(attributes, 'mail'));

  const primary = primaries.find((address) => mail.includes(address)) ?? primaries[0] ?? mail[0] ?? aliases[0] ?? null;
  const others = new Set([...primaries, ...mail, ...aliases]);
  if (primary !== null) others.delete(primary);
  return { primary, aliases: [...others].sort() };
}

/** The address in lower case, or null where the text is not one: exactly one `@`, something on both sides, no blanks. */
export function normalAddress(text: string): string | null {
  const address = text.trim().toLowerCase();
  const at = address.indexOf('@');
  const valid =
    at > 0 &&
    at === address.lastIndexOf('@') &&
    at < address.length - 1 &&
    address.length <= LONGEST_ADDRESS &&
    !BLANK_OR_CONTROL.test(address);
  return valid ? address : null;
}

function marked(proxies: readonly string[], mark: string): string[] {
  return addresses(proxies.filter((text) => text.startsWith(`${mark}:`)).map((text) => text.slice(mark.length + 1)));
}

/** Only `SMTP` in capitals makes an address primary; every other spelling (`smtp`, `Smtp`) is an alias, as in Exchange. */
function markedAliases(proxies: readonly string[]): string[] {
  return addresses(
    proxies
      .filter((text) => /^smtp:/i.test(text) && !text.startsWith('SMTP:'))
      .map((text) => text.slice('smtp:'.length)),
  );
}

/** Valid addresses, each once, sorted: LDAP promises no order of values, and equal input must give an equal record. */
function addresses(texts: readonly string[]): string[] {
  const valid = texts.map(normalAddress).filter((address) => address !== null);
  return [...new Set(valid)].sort();
}

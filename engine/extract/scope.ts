/** Which part of a directory is read: from which bases, without which branches, and whose addresses count. */
import { dnKey, parseDn } from '../model/dn.js';
import { SettingError } from '../model/errors.js';
import type { AttributeValue, ExtractedRecord } from '../model/records.js';
import { isPublicFolder } from './classify.js';
import type { ExtractSettings } from './settings.js';

/** A name as the list of its parts' keys, the object's own first. */
type Path = readonly string[];

function pathOf(dn: string): Path {
  return (parseDn(dn) ?? []).map((_, index, names) => partKey(names[index] ?? []));
}

function partKey(parts: readonly { type: string; value: string }[]): string {
  return parts
    .map(({ type, value }) => `${type.toLowerCase()}=${value.toLowerCase()}`)
    .sort()
    .join('\0');
}

function isWithin(path: Path, base: Path): boolean {
  const above = path.length - base.length;
  return above >= 0 && base.every((part, index) => part === path[above + index]);
}

/** Whether the object of this name is `base` or below it. Names are compared part by part, with the case folded. */
export function isBelow(dn: string, base: string): boolean {
  return isWithin(pathOf(dn), pathOf(base));
}

/**
 * The names to search below: those included, without any that lies below another, else the base. Throws `SettingError`
 * where one lies outside of the base.
 */
export function searchBases(base: string, include: readonly string[]): string[] {
  const outside = include.findIndex((name) => !isBelow(name, base));
  if (outside >= 0) throw outsideOfBase(outside + 1);
  const bases = new Map(include.map((name) => [dnKey(name), name]));
  const all = [...bases.values()];
  const highest = all.filter((name) => !all.some((other) => other !== name && isBelow(name, other)));
  return highest.length > 0 ? highest : [base];
}

const MOST_PARENTS = 10_000;

/** Judges records as they are read, and counts those that are left out by why. */
export class Scope {
  readonly leftOut = { contacts: 0, excluded: 0, otherDomains: 0 };
  readonly #contacts: boolean;
  readonly #excluded: readonly Path[];
  readonly #domains: ReadonlySet<string>;
  /** Whether what is directly below a name is excluded, by the name as it is spelled. */
  readonly #parents = new Map<string, boolean>();

  constructor({ contacts, exclude = [], emailDomains = [] }: ExtractSettings) {
    this.#contacts = contacts;
    this.#excluded = exclude.map(pathOf);
    this.#domains = new Set(emailDomains.map((domain) => domain.toLowerCase()));
  }

  /** Whether the record is to be sent. What was set aside is, wherever it can be told that it is not excluded. */
  wants(record: ExtractedRecord): boolean {
    if (this.#excluded.length > 0 && this.#isExcluded(record.dn)) return this.#without('excluded');
    if (record.kind === 'contact' && !this.#contacts && !isPublicFolder(record.attributes['objectClass'] ?? [])) {
      return this.#without('contacts');
    }
    if (this.#domains.size > 0 && (record.kind === 'user' || record.kind === 'contact')) {
      // An address that could not be read may be one of them.
      if (record.held === undefined && !this.#hasAddress(record.attributes)) return this.#without('otherDomains');
    }
    return true;
  }

  #without(why: keyof Scope['leftOut']): false {
    this.leftOut[why] += 1;
    return false;
  }

  #isExcluded(dn: string): boolean {
    const cut = endOfFirstPart(dn);
    if (cut < 0) return false;
    const parent = dn.slice(cut + 1);
    let below = this.#parents.get(parent);
    if (below === undefined) {
      const path = pathOf(parent);
      below = this.#excluded.some((base) => isWithin(path, base));
      if (this.#parents.size < MOST_PARENTS) this.#parents.set(parent, below);
    }
    if (below) return true;
    const siblings = this.#excluded.filter((base) => base.length > 0);
    if (siblings.length === 0) return false;
    const path = pathOf(dn);
    return siblings.some((base) => base.length === path.length && isWithin(path, base));
  }

  #hasAddress(attributes: Readonly<Record<string, readonly AttributeValue[]>>): boolean {
    for (const [name, values] of Object.entries(attributes)) {
      const lowerName = name.toLowerCase();
      const isMail = lowerName === 'mail';
      if (!isMail && lowerName !== 'proxyaddresses') continue;
      for (const value of values) {
        if (typeof value !== 'string') continue;
        const address = isMail ? value : /^smtp:(.*)$/is.exec(value)?.[1];
        const domain = address
          ?.slice(address.lastIndexOf('@') + 1)
          .trim()
          .toLowerCase();
        if (domain !== undefined && this.#domains.has(domain)) return true;
      }
    }
    return false;
  }
}

/** Where the comma behind the first part of a name is; -1 where there is none. */
function endOfFirstPart(dn: string): number {
  let quoted = false;
  for (let at = 0; at < dn.length; at += 1) {
    const char = dn.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) return at;
  }
  return -1;
}

function outsideOfBase(line: number): SettingError {
  return new SettingError('INCLUDE_OUTSIDE', {
    message: `Line ${line} of "include" lies outside of the base of the directory server. Correct it, or leave "base" of the directory server blank.`,
    status: 'include is wrong',
    params: { setting: 'include', line },
  });
}

/**
 * What an administrator should correct before the first run, as IdFix would say it: addresses that two have, that are none, that
 * are too long; conflict objects; people of other forests in groups.
 */
import type { EnrichedRecord, ExtractedRecord } from '../model/records.js';
import type { Finding, FindingSummary } from '../model/run.js';
import { normalAddress } from './addresses.js';
import { type AttributeMap, textOf, valuesOf } from './attributes.js';
import { Duplicates, sidHash } from './duplicates.js';

/** The seal carries so many of them; all are on the node's second output. */
const MOST_IN_SEAL = 100;
/** Characters, as Exchange, Microsoft 365 and the schema of Active Directory take them. Lower case. */
const LONGEST: readonly (readonly [string, number])[] = [
  ['mail', 256],
  ['proxyAddresses', 256],
  ['userPrincipalName', 113],
  ['displayName', 256],
  ['cn', 64],
  ['givenName', 64],
  ['sn', 64],
  ['sAMAccountName', 256],
  ['mailNickname', 64],
  ['title', 128],
  ['department', 64],
  ['telephoneNumber', 64],
];
/** The name of an object that lost to another of the same name (its RDN ends with a line feed, CNF: and its id). */
const CONFLICT = /(?:\\0A|\n)CNF:[0-9a-f-]{36}/i;
const SMTP = /^smtp:/i;
const TWIN = [
  'TWIN',
  'Two accounts of one person: the mailbox, and the account in another forest that it is linked to.',
] as const;
const DUPLICATE = ['DUPLICATE', 'Another object has this, too.'] as const;

export class Findings {
  readonly #duplicates = new Duplicates();
  readonly #summary: FindingSummary = { count: 0, codes: {}, first: [] };
  /** Linked mailboxes: the id of each with the hash of the SID of the person's own account. */
  readonly #masters = new Map<string, number>();

  get summary(): FindingSummary {
    return this.#summary;
  }

  /** What is to be said of an object, and of the records made of it. */
  note(read: ExtractedRecord, attributes: AttributeMap, made: readonly EnrichedRecord[]): Finding[] {
    const found: Finding[] = [];
    const tell = (code: string, detail: string, more: Partial<Finding> = {}) =>
      found.push({ code, id: read.id, dn: read.dn, attribute: null, value: null, other: null, detail, ...more });
    if (CONFLICT.test(read.dn))
      tell('CONFLICT_OBJECT', 'Two objects were made with one name; this one lost. Delete it or rename it.');
    if (read.kind === 'quarantined') {
      return this.#counted(found);
    }
    for (const { attribute, text } of addressTexts(attributes)) {
      if (normalAddress(text) === null) tell('INVALID_ADDRESS', 'This is no mail address.', { attribute, value: text });
      else if (text !== text.trim()) tell('BLANKS', 'There are blanks around the address.', { attribute, value: text });
    }
    const upn = textOf(attributes, 'userPrincipalName');
    if (upn !== null && normalAddress(upn) === null) {
      tell('INVALID_UPN', 'This is no user principal name.', { attribute: 'userPrincipalName', value: upn });
    }
    for (const [attribute, longest] of LONGEST) {
      const long = valuesOf(attributes, attribute).find((value) => typeof value === 'string' && value.length > longest);
      if (long === undefined) continue;
      tell('TOO_LONG', `A value has more than ${longest} characters.`, { attribute });
    }
    this.#noteRecords(made, attributes, tell);
    return this.#counted(found);
  }

  /** Members of other forests, known once they have been looked up. */
  noteMembers(records: readonly EnrichedRecord[]): Finding[] {
    const found: Finding[] = [];
    for (const record of records) {
      if (record.kind !== 'members') continue;
      for (const { external, sid = null, dn = '' } of record.add) {
        if (external !== true) continue;
        const detail = 'A member of another forest, of whom no directory that was asked knows.';
        found.push({
          code: 'EXTERNAL_MEMBER',
          id: record.group,
          dn,
          attribute: 'member',
          value: sid,
          other: null,
          detail,
        });
      }
    }
    return this.#counted(found);
  }

  #noteRecords(made: readonly EnrichedRecord[], attributes: AttributeMap, tell: Tell): void {
    const [record] = made;
    if (record === undefined || record.kind === 'members' || record.kind === 'quarantined') return;
    for (const [attribute, detail] of Object.entries(record.aside ?? {}))
      tell('VALUE_SET_ASIDE', detail, { attribute });
    const primaries = valuesOf(attributes, 'proxyAddresses').filter(
      (value) => typeof value === 'string' && value.trim().startsWith('SMTP:'),
    );
    if (primaries.length > 1) {
      tell('SEVERAL_PRIMARIES', 'More than one SMTP: marks a primary address.', { attribute: 'proxyAddresses' });
    }
    const mail = normalAddress(textOf(attributes, 'mail') ?? '');
    if (mail !== null && record.primary !== null && mail !== record.primary) {
      tell('PRIMARY_NOT_MAIL', 'The primary address is another than mail.', { attribute: 'mail', value: mail });
    }
    const master = record.kind === 'user' ? (record.masterSid ?? null) : null;
    if (master !== null) this.#masters.set(record.id, sidHash(master));
    const owner = this.#duplicates.owner(record.id, record.sid);
    const addresses = [record.primary, ...record.aliases, ...(record.outside ?? [])];
    for (const address of addresses) if (address !== null) this.#claim(address, 'proxyAddresses', record, owner, tell);
    const upn = textOf(attributes, 'userPrincipalName')?.toLowerCase();
    if (upn !== undefined) this.#claim(`upn:${upn}`, 'userPrincipalName', record, owner, tell);
  }

  #claim(
    key: string,
    attribute: string,
    { id, sid }: { id: string; sid: string | null },
    owner: number,
    tell: Tell,
  ): void {
    const other = this.#duplicates.note(key, owner);
    if (other === null) return;
    const value = key.replace(/^upn:/, '');
    const own = this.#masters.get(id);
    const others = other.id === null ? undefined : this.#masters.get(other.id);
    const isTwin = (own !== undefined && own === other.sidHash) || (others !== undefined && others === sidHash(sid));
    const [code, detail] = isTwin ? TWIN : DUPLICATE;
    tell(code, detail, { attribute, value, other: other.id });
  }

  #counted(found: Finding[]): Finding[] {
    const { codes, first } = this.#summary;
    for (const finding of found) {
      this.#summary.count += 1;
      codes[finding.code] = (codes[finding.code] ?? 0) + 1;
      if (first.length < MOST_IN_SEAL) first.push(finding);
    }
    return found;
  }
}

type Tell = (code: string, detail: string, more?: Partial<Finding>) => void;

/** What is written where a mail address belongs, blanks and all. */
function addressTexts(attributes: AttributeMap): { attribute: string; text: string }[] {
  const texts = (attribute: string) =>
    valuesOf(attributes, attribute).flatMap((value) => (typeof value === 'string' ? [{ attribute, text: value }] : []));
  return [
    ...texts('mail').filter(({ text }) => text !== ''),
    ...texts('proxyAddresses')
      .filter(({ text }) => SMTP.test(text.trim()))
      .map(({ attribute, text }) => ({ attribute, text: text.replace(/^\s*smtp:/i, '') })),
  ];
}

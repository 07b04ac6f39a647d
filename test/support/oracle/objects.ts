/**
 * The oracle's reading of LDIF entries: which of them the documented filter finds, of what kind each is, its addresses and
 * its state. Written from the rules on paper, and sharing no code with the engine: it is the second opinion.
 */
import type { LdifEntry } from '../ldif.js';

/** A person, a contact or a list, as the rules see it. */
export interface Found {
  readonly kind: 'user' | 'contact' | 'group' | 'dynamic-group';
  /** The distinguished name, in one spelling. */
  readonly key: string;
  readonly name: string;
  readonly primary: string | null;
  readonly aliases: readonly string[];
  readonly enabled: boolean;
  /** Distinguished names of the members, in one spelling. */
  readonly members: readonly string[];
  /** The first value of an attribute, whatever the case of its name. */
  attribute(name: string): string | null;
}

/** What `(|(mail=*)(proxyaddresses=*)(objectclass=group)(objectclass=msExchDynamicDistributionList))` finds. */
export function foundObjects(entries: readonly LdifEntry[], contactsToo: boolean): Found[] {
  return entries
    .map(readEntry)
    .filter((found) => found !== null)
    .filter((found) => contactsToo || found.kind !== 'contact');
}

function readEntry(entry: LdifEntry): Found | null {
  const values = attributeReader(entry);
  const classes = new Set(values('objectClass').map((one) => one.toLowerCase()));
  const isList = classes.has('group') || classes.has('msexchdynamicdistributionlist');
  const hasAddress = values('mail').length + values('proxyAddresses').length > 0;
  if (!isList && !hasAddress) return null;
  const kind = kindFrom(classes);
  if (kind === null) return null;
  return {
    kind,
    key: nameKey(entry.dn),
    name: values('displayName')[0] ?? values('cn')[0] ?? entry.dn,
    ...chosenAddresses(values('mail'), values('proxyAddresses')),
    enabled: isEnabled(values('userAccountControl')[0], values('msExchRecipientTypeDetails')[0]),
    members: values('member').map(nameKey),
    attribute: (name) => values(name)[0] ?? null,
  };
}

function kindFrom(classes: ReadonlySet<string>): Found['kind'] | null {
  if (classes.has('msexchdynamicdistributionlist')) return 'dynamic-group';
  if (classes.has('group')) return 'group';
  if (classes.has('contact')) return 'contact';
  return classes.has('user') && !classes.has('computer') ? 'user' : null;
}

function attributeReader(entry: LdifEntry): (name: string) => string[] {
  const all = new Map<string, string[]>();
  for (const [name, values] of Object.entries(entry.attributes)) {
    const key = name.toLowerCase();
    all.set(key, [...(all.get(key) ?? []), ...values.map((value) => value.toString())]);
  }
  return (name) => all.get(name.toLowerCase()) ?? [];
}

/** One spelling of a distinguished name. The sample escapes one way only, so that lower case is enough. */
export function nameKey(dn: string): string {
  return dn.toLowerCase();
}

/** The primary address and the others, by the marks in proxyAddresses and by mail. */
function chosenAddresses(mails: string[], proxies: string[]): { primary: string | null; aliases: string[] } {
  const mail = mails.map(asAddress).find((address) => address !== null) ?? null;
  const upper: string[] = [];
  const lower: string[] = [];
  for (const proxy of proxies) {
    const colon = proxy.indexOf(':');
    const mark = proxy.slice(0, colon);
    const address = asAddress(proxy.slice(colon + 1));
    if (address === null || mark.toLowerCase() !== 'smtp') continue;
    (mark === 'SMTP' ? upper : lower).push(address);
  }
  let primary: string | null;
  if (upper.length === 1) primary = upper[0] ?? null;
  else if (upper.length > 1) primary = mail !== null && upper.includes(mail) ? mail : first(upper);
  else primary = mail ?? first(lower);

  const others = [...upper, ...lower, ...(mail === null ? [] : [mail])].filter((address) => address !== primary);
  return { primary, aliases: unique(others) };
}

/** An address in lower case without spaces around it; null for what is none. */
function asAddress(text: string): string | null {
  const [local, domain, more] = text.trim().toLowerCase().split('@');
  const usable = local && domain && more === undefined && !/\s/.test(local) && !/\s/.test(domain);
  return usable ? `${local}@${domain}` : null;
}

/** Bit 2 says disabled; mailboxes that nobody logs on to are disabled by nature: linked, shared, room, equipment. */
function isEnabled(control: string | undefined, recipientType: string | undefined): boolean {
  if (['2', '4', '16', '32'].includes(recipientType ?? '')) return true;
  return control === undefined || Math.floor(Number(control) / 2) % 2 === 0;
}

function first(list: readonly string[]): string | null {
  return unique(list)[0] ?? null;
}

/** Each once, in the order of their code units. */
export function unique(list: readonly string[]): string[] {
  return [...new Set(list)].sort();
}

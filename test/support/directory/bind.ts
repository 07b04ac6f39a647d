/** Simple binds as Active Directory does them: the forms of a name, and why one is refused. */
import { type DirectoryObject, firstText, valuesIn } from './object.js';
import type { Store } from './store.js';
import type { Domain } from './topology.js';

/** Who is bound. */
export interface Identity {
  /** Null for one who is not in the directory. */
  readonly object: DirectoryObject | null;
  /** As Who am I? says it: `u:EXAMPLE\someone`. */
  readonly authzId: string;
}

/** Passwords by name, in any form that a bind takes. */
export type Users = Readonly<Record<string, string>>;

/** Who binds, or the data code of the refusal (a Windows error number in hexadecimal). */
export function authenticate(
  name: string,
  password: string,
  { store, domains, home, users }: { store: Store; domains: readonly Domain[]; home: Domain; users: Users },
): Identity | string {
  const object = findAccount(name, store, domains);
  const literal = Object.entries(users).find(([key]) => key.toLowerCase() === name.toLowerCase());
  if (!object && !literal) return '525';
  const passwords = object
    ? [
        ...(valuesIn(object, 'userpassword') ?? []).map(String),
        ...Object.entries(users).flatMap(([key, one]) => (findAccount(key, store, domains) === object ? [one] : [])),
      ]
    : [literal?.[1]];
  if (!passwords.includes(password)) return '52e';
  const refusal = object && accountState(object);
  if (refusal) return refusal;
  const account = object ? (firstText(object, 'samaccountname') ?? firstText(object, 'name') ?? '') : shortName(name);
  const domain = domains.find(({ key }) => key === object?.context) ?? home;
  return { object, authzId: `u:${domain.netbiosName}\\${account}` };
}

/** By distinguished name, `DOMAIN\account`, user principal name, or `account@domain` (MS-ADTS 5.1.1.1.1). */
export function findAccount(name: string, store: Store, domains: readonly Domain[]): DirectoryObject | null {
  const key = store.keyOfName(name);
  const named = key === null ? undefined : store.get(key);
  if (named) return named;

  const [, netbios, account] = /^([^\\]+)\\(.+)$/.exec(name) ?? [];
  if (netbios !== undefined && account !== undefined) {
    const domain = domains.find(({ netbiosName }) => netbiosName.toLowerCase() === netbios.toLowerCase());
    return domain ? byText(store, 'samaccountname', account, domain) : null;
  }
  if (!name.includes('@')) return null;
  const principal = byText(store, 'userprincipalname', name);
  if (principal) return principal;
  const at = name.lastIndexOf('@');
  const domain = domains.find(({ dnsName }) => dnsName.toLowerCase() === name.slice(at + 1).toLowerCase());
  return domain ? byText(store, 'samaccountname', name.slice(0, at), domain) : null;
}

function byText(store: Store, lowerName: string, text: string, domain?: Domain): DirectoryObject | null {
  const wanted = text.toLowerCase();
  for (const object of store.all()) {
    if (domain && object.context !== domain.key) continue;
    if (firstText(object, lowerName)?.toLowerCase() === wanted) return object;
  }
  return null;
}

const DISABLED = 0x2;
const PASSWORD_EXPIRED = 0x800000;
/** 1601-01-01 to 1970-01-01 in milliseconds: times of accounts count 100 ns from the former. */
const FILETIME_EPOCH_MS = 11_644_473_600_000n;

function accountState(object: DirectoryObject): string | null {
  const flags = Number(firstText(object, 'useraccountcontrol') ?? '0');
  const expires = BigInt(firstText(object, 'accountexpires') ?? '0');
  const now = (BigInt(Date.now()) + FILETIME_EPOCH_MS) * 10_000n;
  if (flags & DISABLED) return '533';
  if (expires > 0n && expires < now) return '701';
  if (flags & PASSWORD_EXPIRED) return '532';
  if (BigInt(firstText(object, 'lockouttime') ?? '0') > 0n) return '775';
  if (firstText(object, 'pwdlastset') === '0') return '773';
  return null;
}

function shortName(name: string): string {
  return /^(?:[^\\]+\\|cn=)?([^,@]+)/i.exec(name)?.[1] ?? name;
}

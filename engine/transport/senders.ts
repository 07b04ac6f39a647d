/** Who may send, how they prove it, and what for: as an administrator of the receiver set it, checked at start. */
import { SettingError } from '../model/errors.js';
import { checkKey } from './keys.js';
import type { SharedKey } from './signature.js';

/** One sender. It needs at least one way to prove who it is. */
export interface SenderSettings {
  /** Its name in reports and logs. Its runs are its own, whichever key or token it uses. */
  readonly id: string;
  /** Keys for signatures; several, also of one id, while they are rotated. No two senders have keys of the same id. */
  readonly keys: readonly SharedKey[];
  /** Bearer tokens; several while they are rotated. */
  readonly tokens?: readonly string[];
  /**
   * Client certificates: SHA-256 fingerprints in hexadecimal, or `CN=name` for any that the authority of the receiver's
   * tls-config issued to that name. Either way the certificate has to come from that authority.
   */
  readonly certificates?: readonly string[];
  /** The sources whose runs it may send; none named: any. */
  readonly sources?: readonly string[];
  /** Requests a minute; a tenth of it at once. */
  readonly requestsPerMinute?: number;
}

/** Two hundred requests a second: a sender on the same machine needs fewer. */
export const DEFAULT_REQUESTS_PER_MINUTE = 12_000;
const SHORTEST_TOKEN = 32;

/** The settings of all senders, with what was left out. Throws `SettingError` for those that cannot be used. */
export function checkSenders(senders: readonly SenderSettings[]): readonly Required<SenderSettings>[] {
  const ids = new Set<string>();
  const keyIds = new Set<string>();
  return senders.map((sender) => {
    const { id, keys, tokens = [], certificates = [], sources = [] } = sender;
    if (ids.has(id)) throw twice('sender', id);
    ids.add(id);
    for (const key of keys) checkKey(key, 'directory-receive');
    for (const keyId of new Set(keys.map((key) => key.id))) {
      if (keyIds.has(keyId)) throw twice('key', keyId);
      keyIds.add(keyId);
    }
    for (const token of tokens) checkToken(token, 'directory-receive');
    if (keys.length + tokens.length + certificates.length === 0) throw noProof(id);
    const requestsPerMinute = sender.requestsPerMinute ?? DEFAULT_REQUESTS_PER_MINUTE;
    const fingerprints = certificates.map(normalized);
    return { id, keys, tokens, certificates: fingerprints, sources, requestsPerMinute };
  });
}

/** Returns the token. Throws `SettingError` if it can be guessed, or is none (RFC 6750 section 2.1). */
export function checkToken(token: string, node: string): string {
  if (token.length >= SHORTEST_TOKEN && /^[A-Za-z0-9._~+/-]+=*$/.test(token)) return token;
  throw new SettingError('TOKEN_NOT_VALID', {
    message: `The token of the ${node} must have ${String(SHORTEST_TOKEN)} or more letters, digits or - . _ ~ + /. Make a random one and enter it at both ends.`,
    status: 'token not valid',
    params: { setting: 'token', node },
  });
}

/** `AB:CD…` → `abcd…`; `CN=name` stays. */
function normalized(certificate: string): string {
  return certificate.startsWith('CN=') ? certificate : certificate.replace(/[:\s]/g, '').toLowerCase();
}

function twice(what: 'sender' | 'key', id: string): SettingError {
  return new SettingError('SENDER_TWICE', {
    message: `There are two ${what}s with the name "${id}" in the directory-receive. Give each a name of its own.`,
    status: `${what} twice`,
    params: { setting: 'senders', id },
  });
}

function noProof(id: string): SettingError {
  return new SettingError('SENDER_WITHOUT_PROOF', {
    message: `The sender "${id}" of the directory-receive has neither key, token nor certificate. Give it one.`,
    status: 'sender without key',
    params: { setting: 'senders', id },
  });
}

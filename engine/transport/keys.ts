/** What a URL and a shared key must be before they are used; said while the flow starts, not when the run fails. */
import { SettingError } from '../model/errors.js';
import { mayConnectTo } from './addresses.js';
import type { SharedKey } from './signature.js';

/** As long as the output of SHA-256, as RFC 2104 recommends for HMAC. */
const SHORTEST_KEY = 32;

/** Returns the key. Throws `SettingError` if its id has other characters than an id may, or the key is too short. */
export function checkKey(key: SharedKey, node: string): SharedKey {
  if (!/^[A-Za-z0-9._@-]{1,64}$/.test(key.id)) {
    throw new SettingError('KEY_ID_NOT_VALID', {
      message: `The key id of the ${node} must have 1 to 64 letters, digits, dots, hyphens, underscores or @. Change it at both ends.`,
      status: 'key id not valid',
      params: { setting: 'keyId', node },
    });
  }
  if (key.key.length < SHORTEST_KEY) {
    throw new SettingError('KEY_TOO_SHORT', {
      message: `The key of the ${node} must have ${String(SHORTEST_KEY)} characters or more. Make a random one, for example with "openssl rand -base64 32", and enter it at both ends.`,
      status: 'key too short',
      params: { setting: 'key', node, characters: SHORTEST_KEY },
    });
  }
  return key;
}

/** Parses the URL of a receiver. Throws `SettingError` unless it is https, without credentials, query and fragment. */
export function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  // The URL is not repeated: it may hold a password, which is one reason to refuse it.
  if (url?.protocol !== 'https:' || url.username || url.password || url.search || url.hash) {
    throw new SettingError('URL_NOT_VALID', {
      message:
        'The URL of the directory-endpoint must be https://host[:port]/path, without user name, password, query or fragment. Data is never sent in the clear.',
      status: 'URL not valid',
      params: { setting: 'url' },
    });
  }
  if (mayConnectTo(url.hostname)) return url;
  throw new SettingError('URL_NOT_VALID', {
    message: 'The URL of the directory-endpoint is a link-local address, which is never connected to.',
    status: 'URL not valid',
    params: { setting: 'url' },
  });
}

/** The settings of a `directory-endpoint` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import type { ProofSettings } from '../../engine/transport/proof.js';
import type { EndpointSettings } from '../../engine/transport/sender.js';
import { type MinimumTls, minimumOf } from '../../engine/runtime/tls.js';
import {
  KEY_ID,
  entriesOf,
  oneOf,
  requiredText,
  settingInvalid,
  settingMissing,
  settingsOf,
  text,
  wholeNumber,
} from '../shared/settings.js';

/** What proves to a receiver who is sending. Each may name an environment variable as `${NAME}`: Node-RED puts in its value. */
export interface EndpointCredentials {
  key?: string;
  token?: string;
  clientSecret?: string;
}

const SHORTEST_KEY = 32;

const parse = settingsOf(
  'directory-endpoint',
  Type.Object({
    url: requiredText('^https://'),
    proof: oneOf(['signature', 'bearer', 'oauth', 'certificate']),
    keyId: text(''),
    tokenUrl: text(''),
    clientId: text(''),
    scope: text(''),
    tls: text(''),
    minimumTls: oneOf(['TLSv1.2', 'TLSv1.3']),
    securityProtocol: text('', '^[0-9]{0,6}$'),
    pins: text(''),
    proxy: text(''),
    underWay: wholeNumber(1, 16, 4),
    deadline: wholeNumber(1, 86_400, 300),
  }),
);
type Parsed = ReturnType<typeof parse>;

/** Without what is read from other nodes: `tlsConfig` and `proxyConfig` are their ids, or blank. */
export interface EndpointNodeSettings {
  readonly endpoint: Omit<EndpointSettings, 'tls' | 'proxy' | 'spoolFolder'>;
  readonly tlsConfig: string;
  readonly proxyConfig: string;
}

/** Throws `SettingError`. */
export function endpointSettings(stored: object, credentials: EndpointCredentials | undefined): EndpointNodeSettings {
  const parsed = parse(stored);
  const { url, deadline, underWay, tls, proxy } = parsed;
  if (!URL.canParse(url)) throw settingInvalid('url', 'The setting "url" of directory-endpoint is no address.');
  const endpoint = {
    url,
    proof: proofOf(parsed, credentials ?? {}),
    minimumTls: minimumTlsOf(parsed),
    pins: entriesOf(parsed.pins),
    underWay,
    deadlineMs: deadline * 1000,
  };
  return { endpoint, tlsConfig: tls, proxyConfig: proxy };
}

function proofOf(parsed: Parsed, credentials: EndpointCredentials): ProofSettings {
  switch (parsed.proof) {
    case 'signature':
      if (parsed.keyId === '') throw settingMissing('keyId', 'directory-endpoint');
      if (!new RegExp(KEY_ID).test(parsed.keyId)) {
        throw settingInvalid('keyId', 'The setting "keyId" of directory-endpoint is not as it must be.');
      }
      return { kind: 'signature', keyId: parsed.keyId, key: keyOf('directory-endpoint', credentials.key) };
    case 'bearer':
      return { kind: 'bearer', token: keyOf('directory-endpoint', credentials.token, 'token') };
    case 'oauth':
      return oauthOf(parsed, credentials);
    case 'certificate':
      if (parsed.tls === '') throw settingMissing('tls', 'directory-endpoint');
      return { kind: 'certificate' };
  }
}

function oauthOf({ tokenUrl, clientId, scope }: Parsed, { clientSecret = '' }: EndpointCredentials): ProofSettings {
  const url = URL.canParse(tokenUrl) ? new URL(tokenUrl) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw settingInvalid('tokenUrl', 'The setting "tokenUrl" of directory-endpoint must be an https:// address.');
  }
  if (clientId === '') throw settingMissing('clientId', 'directory-endpoint');
  if (clientSecret === '') throw settingMissing('clientSecret', 'directory-endpoint');
  return { kind: 'oauth', tokenUrl: url, clientId, clientSecret, scope };
}

/** A SecurityProtocol number, where there is one, says more than the choice. */
export function minimumTlsOf({
  minimumTls,
  securityProtocol,
}: {
  readonly minimumTls: MinimumTls;
  readonly securityProtocol: string;
}): MinimumTls {
  return securityProtocol === '' ? minimumTls : minimumOf(Number(securityProtocol));
}

/** The key or token of a sender or receiver, which must be long enough that nobody can try them all. */
export function keyOf(type: string, key = '', setting = 'key'): string {
  if (key === '') throw settingMissing(setting, type);
  if (key.length < SHORTEST_KEY) {
    throw settingInvalid(setting, `The setting "${setting}" of ${type} must have ${SHORTEST_KEY} characters or more.`);
  }
  return key;
}

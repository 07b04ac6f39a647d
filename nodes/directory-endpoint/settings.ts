/** The settings of a `directory-endpoint` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import type { EndpointSettings } from '../../engine/transport/sender.js';
import {
  KEY_ID,
  oneOf,
  requiredText,
  settingInvalid,
  settingMissing,
  settingsOf,
  text,
  wholeNumber,
} from '../shared/settings.js';

/** The key by which the receiver knows the sender. */
export interface EndpointCredentials {
  key?: string;
}

const SHORTEST_KEY = 32;

const parse = settingsOf(
  'directory-endpoint',
  Type.Object({
    url: requiredText('^https://'),
    keyId: requiredText(KEY_ID),
    tls: text(''),
    minimumTls: oneOf(['TLSv1.2', 'TLSv1.3']),
    deadline: wholeNumber(1, 86_400, 300),
  }),
);

/** Without `tls`, which is read from another node: `tlsConfig` is that node's id, or blank. */
export function endpointSettings(
  stored: object,
  credentials: EndpointCredentials | undefined,
): { readonly endpoint: Omit<EndpointSettings, 'tls'>; readonly tlsConfig: string } {
  const { url, keyId, minimumTls, deadline, tls } = parse(stored);
  if (!URL.canParse(url)) throw settingInvalid('url', 'The setting "url" of directory-endpoint is no address.');
  const key = keyOf('directory-endpoint', credentials);
  const proof = { kind: 'signature', keyId, key } as const;
  return { endpoint: { url, proof, minimumTls, deadlineMs: deadline * 1000 }, tlsConfig: tls };
}

/** The key of a sender or receiver, which must be long enough that nobody can try them all. */
export function keyOf(type: string, credentials: EndpointCredentials | undefined): string {
  const key = credentials?.key ?? '';
  if (key === '') throw settingMissing('key', type);
  if (key.length < SHORTEST_KEY) {
    throw settingInvalid('key', `The setting "key" of ${type} must have ${SHORTEST_KEY} characters or more.`);
  }
  return key;
}

/** The settings of a `directory-receive` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import { type EndpointCredentials, keyOf } from '../directory-endpoint/settings.js';
import { KEY_ID, requiredText, settingMissing, settingsOf, text } from '../shared/settings.js';

const NO_PORT = 0;

const parse = settingsOf(
  'directory-receive',
  Type.Object({
    path: text('/directory-sync', '^/[A-Za-z0-9._~/-]*$'),
    port: Type.Integer({ minimum: NO_PORT, maximum: 65_535, default: NO_PORT }),
    host: text('0.0.0.0'),
    tls: text(''),
    keyId: requiredText(KEY_ID),
  }),
);

/** `listen` is null where the receiver is reached through Node-RED's own server. `tlsConfig`: the id of a tls-config node. */
export interface ReceiveSettings {
  readonly path: string;
  readonly keys: readonly { id: string; key: string }[];
  readonly listen: { readonly host: string; readonly port: number; readonly tlsConfig: string } | null;
}

/** Throws `SettingError`. */
export function receiveSettings(stored: object, credentials: EndpointCredentials | undefined): ReceiveSettings {
  const { path, port, host, tls, keyId } = parse(stored);
  const keys = [{ id: keyId, key: keyOf('directory-receive', credentials) }];
  if (port === NO_PORT) return { path, keys, listen: null };
  if (tls === '') throw settingMissing('tls', 'directory-receive');
  return { path, keys, listen: { host, port, tlsConfig: tls } };
}

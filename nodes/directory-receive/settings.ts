/** The settings of a `directory-receive` node, as the engine takes them. */
import { type Static, Type } from '@sinclair/typebox';
import { contractFault, parserOf } from '../../engine/model/check.js';
import type { SenderSettings } from '../../engine/transport/receiver.js';
import type { MinimumTls } from '../../engine/runtime/tls.js';
import { keyOf, minimumTlsOf } from '../directory-endpoint/settings.js';
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

const NO_PORT = 0;
/** Further senders that can be entered; each has a place of its own among the credentials. */
export const FURTHER_SENDERS = 32;

/** `key` and `nextKey` of the first sender; `key_3` and `nextKey_3` of the one in place 3. */
export type ReceiveCredentials = Readonly<Partial<Record<string, string>>>;

/** What Node-RED has to know of them. */
export function credentialTypes(): Record<string, { type: 'password' }> {
  const places = Array.from({ length: FURTHER_SENDERS }, (_, index) => `_${index + 1}`);
  const names = ['', ...places].flatMap((place) => [`key${place}`, `nextKey${place}`]);
  return Object.fromEntries(names.map((name) => [name, { type: 'password' as const }]));
}

const Further = Type.Object({
  id: Type.String({ pattern: KEY_ID }),
  proof: Type.Union([Type.Literal('signature'), Type.Literal('bearer'), Type.Literal('certificate')]),
  /** For `certificate`: SHA-256 fingerprints or `CN=…`; blank: the sender's name as CN. */
  certificate: Type.String(),
  sources: Type.String(),
  perMinute: Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^[0-9]{0,7}$' })]),
  place: Type.Integer({ minimum: 1, maximum: FURTHER_SENDERS }),
});
const parseFurther = parserOf(Type.Array(Further), contractFault('The setting "senders" of directory-receive'));

const parse = settingsOf(
  'directory-receive',
  Type.Object({
    path: text('/directory-sync', '^/[A-Za-z0-9._~/-]*$'),
    port: Type.Integer({ minimum: NO_PORT, maximum: 65_535, default: NO_PORT }),
    host: text('0.0.0.0'),
    tls: text(''),
    minimumTls: oneOf(['TLSv1.2', 'TLSv1.3']),
    securityProtocol: text('', '^[0-9]{0,6}$'),
    keyId: requiredText(KEY_ID),
    sources: text(''),
    perMinute: wholeNumber(1, 1_000_000, 12_000),
  }),
);

/** `listen` is null where the receiver is reached through Node-RED's own server. `tlsConfig`: the id of a tls-config node. */
export interface ReceiveSettings {
  readonly path: string;
  readonly senders: readonly SenderSettings[];
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly tlsConfig: string;
    readonly minimumTls: MinimumTls;
  } | null;
}

/** Throws `SettingError`. */
export function receiveSettings(stored: object, credentials: ReceiveCredentials = {}): ReceiveSettings {
  const parsed = parse(stored);
  const { path, port, host, tls, keyId, sources, perMinute } = parsed;
  const first = {
    id: keyId,
    keys: secretsOf(credentials, '').map((key) => ({ id: keyId, key })),
    sources: entriesOf(sources),
    requestsPerMinute: perMinute,
  };
  const { senders: further } = stored as { readonly senders?: unknown };
  const senders = [first, ...parseFurther(further ?? []).map((one) => furtherSender(one, credentials))];
  if (port === NO_PORT) return { path, senders, listen: null };
  if (tls === '') throw settingMissing('tls', 'directory-receive');
  return { path, senders, listen: { host, port, tlsConfig: tls, minimumTls: minimumTlsOf(parsed) } };
}

function furtherSender(
  { id, proof, certificate, sources, perMinute, place }: Static<typeof Further>,
  credentials: ReceiveCredentials,
): SenderSettings {
  const general = {
    id,
    sources: entriesOf(sources),
    ...(perMinute !== '' && { requestsPerMinute: Number(perMinute) }),
  };
  if (proof === 'certificate') {
    const certificates = certificate.trim() === '' ? [`CN=${id}`] : entriesOf(certificate);
    return { ...general, keys: [], certificates };
  }
  const secrets = secretsOf(credentials, `_${place}`);
  if (proof === 'bearer') return { ...general, keys: [], tokens: secrets };
  return { ...general, keys: secrets.map((key) => ({ id, key })) };
}

/** The key or token, and the next one while it is being rotated. */
function secretsOf(credentials: ReceiveCredentials, place: string): string[] {
  const next = credentials[`nextKey${place}`] ?? '';
  const key = keyOf('directory-receive', credentials[`key${place}`], 'key');
  if (next === key) throw settingInvalid('key', 'The setting "key" of directory-receive is the same as the next one.');
  return next === '' ? [key] : [key, keyOf('directory-receive', next, 'key')];
}

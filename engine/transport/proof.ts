/** How a sender proves who it is, one way for each kind of settings. */
import { type TokenSettings, TokenSource } from './oauth.js';
import { checkKey } from './keys.js';
import { checkToken } from './senders.js';
import { type SignedMessage, sign } from './signature.js';

/**
 * `signature`: every request is signed with a shared key, which is never sent. `bearer`: a token is sent with every request.
 * `oauth`: such a token is fetched from an authorization server. `certificate`: that of the TLS settings.
 */
export type ProofSettings =
  | { readonly kind: 'signature'; readonly keyId: string; readonly key: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | ({ readonly kind: 'oauth' } & TokenSettings)
  | { readonly kind: 'certificate' };

export interface Proof {
  readonly kind: ProofSettings['kind'];
  /** The header fields that prove a request. Rejects with `Fault` where they cannot be had. */
  fields(message: SignedMessage): Promise<Record<string, string>>;
  /** The receiver refused what `fields` gave. True: what it gives next is another, so that trying again makes sense. */
  renew(refused: Record<string, string>): boolean;
}

/** Throws `SettingError` for a key or token that cannot be used. `fetchToken` is used for `oauth` only. */
export function proofOf(
  settings: ProofSettings,
  fetchToken: (settings: TokenSettings) => Promise<{ token: string; expiresInS: number }>,
): Proof {
  switch (settings.kind) {
    case 'signature': {
      const key = checkKey({ id: settings.keyId, key: settings.key }, 'directory-endpoint');
      return { kind: 'signature', fields: (message) => Promise.resolve(sign(message, key)), renew: () => false };
    }
    case 'bearer': {
      const fields = bearer(checkToken(settings.token, 'directory-endpoint'));
      return { kind: 'bearer', fields: () => Promise.resolve(fields), renew: () => false };
    }
    case 'oauth': {
      const source = new TokenSource(() => fetchToken(settings));
      return {
        kind: 'oauth',
        fields: async () => bearer(await source.token()),
        renew: (refused) => source.forget(refused['Authorization']?.slice('Bearer '.length) ?? ''),
      };
    }
    case 'certificate':
      return { kind: 'certificate', fields: () => Promise.resolve({}), renew: () => false };
  }
}

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

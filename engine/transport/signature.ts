/**
 * HTTP Message Signatures (RFC 9421) with hmac-sha256, and Content-Digest (RFC 9530): what proves that a request comes from
 * somebody who holds the key, was meant for this receiver and this path, and was not changed on the way.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type InnerList, parseByteSequences, parseInnerLists, writeBytes, writeString } from './structured-fields.js';

/** What a signature can cover of a request. `fields`: names in lower case; a field sent more than once is joined with `, `. */
export interface SignedMessage {
  readonly method: string;
  /** Host, and the port where it is not the scheme's own; in lower case. */
  readonly authority: string;
  /** Absolute path, as sent (percent-encoded), without the query. */
  readonly path: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** A shared key. `id` is public and names it; `key` is the secret, used as the bytes of its UTF-8. */
export interface SharedKey {
  readonly id: string;
  readonly key: string;
}

/** Why a signature was refused. Only the first is ever said to somebody who did not prove to hold the key. */
export type Refusal = 'signature-refused' | 'signature-stale' | 'signature-replayed';

export type Verdict =
  | { readonly ok: true; readonly keyId: string; readonly nonce: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** Says which of our signatures in a message is ours to check (RFC 9421 section 7.2.5). */
export const TAG = 'dirflow-v1';
/** How far `created` may be from our clock, either way. A nonce is remembered for twice as long. */
export const WINDOW_S = 300;

const LABEL = 'dirflow';
const ALWAYS_COVERED = ['@method', '@authority', '@path'];
const COVERED_WITH_CONTENT = ['content-digest', 'content-type'];
const COVERED_WHERE_PRESENT = ['content-encoding'];

/** The value of Content-Digest for the content as it is sent, that is: compressed. */
export function contentDigest(content: Uint8Array): string {
  return `sha-256=${writeBytes(createHash('sha256').update(content).digest())}`;
}

/** Does Content-Digest hold the SHA-256 of the content? Other algorithms beside it are ignored, as RFC 9530 asks. */
export function digestMatches(field: string | undefined, content: Uint8Array): boolean {
  const claimed = parseByteSequences(field ?? '')?.get('sha-256');
  const actual = createHash('sha256').update(content).digest();
  return claimed?.length === actual.length && timingSafeEqual(claimed, actual);
}

/** The fields `Signature-Input` and `Signature` for a message. Every call takes a new nonce. */
export function sign(message: SignedMessage, key: SharedKey, now = Date.now()): Record<string, string> {
  const covered = requiredComponents(message).map(writeString).join(' ');
  const parameters = [
    `created=${String(Math.floor(now / 1000))}`,
    `nonce=${writeString(randomBytes(18).toString('base64url'))}`,
    `keyid=${writeString(key.id)}`,
    'alg="hmac-sha256"',
    `tag=${writeString(TAG)}`,
  ];
  const input = `(${covered});${parameters.join(';')}`;
  const base = signatureBase(message, requiredComponents(message), input);
  return {
    'Signature-Input': `${LABEL}=${input}`,
    Signature: `${LABEL}=${writeBytes(hmacSha256(key.key, base ?? ''))}`,
  };
}

/**
 * Checks the one signature of a message that bears our tag: it covers what it must, its key is one of `keys`, it is right,
 * and it was made within {@link WINDOW_S} of now. Whether the nonce is new is for the caller to see.
 */
export function verify(message: SignedMessage, keys: readonly SharedKey[], now = Date.now()): Verdict {
  const refused: Verdict = { ok: false, refusal: 'signature-refused' };
  const [label, input] = ours(message) ?? [];
  const signature =
    label === undefined ? undefined : parseByteSequences(message.fields.get('signature') ?? '')?.get(label);
  if (!input || !signature) return refused;

  const { created, expires, nonce, keyid, alg } = Object.fromEntries(input.parameters);
  const wellFormed =
    typeof created === 'number' &&
    typeof nonce === 'string' &&
    /^[\x21-\x7e]{16,128}$/.test(nonce) &&
    (alg === undefined || alg === 'hmac-sha256') &&
    requiredComponents(message).every((component) => input.items.includes(component));
  const base = signatureBase(message, input.items, input.text);
  if (!wellFormed || base === null) return refused;

  // An unknown key costs the same time as a known one, so that ids cannot be found out. While a key is rotated there are two.
  const named = keys.filter(({ id }) => id === keyid);
  const candidates = named.length > 0 ? named : [{ id: '', key: 'nobody' }];
  const matching = candidates.filter((candidate) => {
    const expected = hmacSha256(candidate.key, base);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
  const key = named.find((candidate) => matching.includes(candidate));
  if (!key) return refused;

  const seconds = now / 1000;
  const fresh = Math.abs(seconds - created) <= WINDOW_S && (expires === undefined || Number(expires) >= seconds);
  return fresh ? { ok: true, keyId: key.id, nonce } : { ok: false, refusal: 'signature-stale' };
}

/** HMAC-SHA-256 of a signature base (RFC 9421 section 3.3.3). */
export function hmacSha256(key: string | Buffer, base: string): Buffer {
  return createHmac('sha256', key).update(base, 'utf8').digest();
}

/** The text that is signed (RFC 9421 section 2.5), or null if a component is unknown, absent or named twice. */
export function signatureBase(message: SignedMessage, components: readonly string[], input: string): string | null {
  const lines: string[] = [];
  for (const component of components) {
    const value = componentValue(message, component);
    if (value === undefined) return null;
    lines.push(`${writeString(component)}: ${value}`);
  }
  if (new Set(components).size !== components.length) return null;
  return [...lines, `"@signature-params": ${input}`].join('\n');
}

function componentValue(message: SignedMessage, component: string): string | undefined {
  if (component === '@method') return message.method;
  if (component === '@authority') return message.authority;
  if (component === '@path') return message.path;
  return message.fields.get(component);
}

/** A message with content must have its digest and type covered; one without must not be able to grow a content unseen. */
function requiredComponents({ fields }: SignedMessage): string[] {
  const present = COVERED_WHERE_PRESENT.filter((name) => fields.has(name));
  const hasContent = COVERED_WITH_CONTENT.some((name) => fields.has(name)) || present.length > 0;
  return [...ALWAYS_COVERED, ...(hasContent ? COVERED_WITH_CONTENT : []), ...present];
}

/** The label and input of the signature with our tag; null if there is none, or more than one to choose from. */
function ours({ fields }: SignedMessage): readonly [string, InnerList] | null {
  const inputs = [...(parseInnerLists(fields.get('signature-input') ?? '') ?? [])];
  const [only, ...others] = inputs.filter(([, input]) => input.parameters.get('tag') === TAG);
  return only && others.length === 0 ? only : null;
}

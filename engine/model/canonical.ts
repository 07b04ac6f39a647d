/** Canonical JSON and digests: equal data has an equal digest, whatever the order of its keys. */
import { createHash } from 'node:crypto';

/** JSON with sorted keys and no white space (RFC 8785 for the values we use: text, integers, booleans, null). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(
      Object.entries(part).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)),
    );
  });
}

/** `sha-256:<hex>` of the canonical JSON. */
export function digestOf(value: unknown): string {
  return `sha-256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

/**
 * Names of sources. A source that was given none is named after its base, so a name may be a distinguished name, and of that
 * every spelling is the same source.
 */
import { dnKey, isDistinguishedName } from './dn.js';

/** The same text for every spelling of a source's name. */
export function sourceKey(name: string): string {
  return isDistinguishedName(name) ? dnKey(name) : name;
}

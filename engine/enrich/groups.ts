/** Scope and type of a group, from the bits of `groupType` (MS-ADTS 2.2.12). */
import type { Group } from '../model/records.js';
import type { AttributeMap } from './attributes.js';
import { integerOf } from './integers.js';

const GLOBAL = 0x2n;
const DOMAIN_LOCAL = 0x4n;
const UNIVERSAL = 0x8n;
const SECURITY = 0x80000000n;

/** A directory without `groupType` says neither: scope null, and a group for distribution only. */
export function scopeAndType(attributes: AttributeMap): Pick<Group, 'scope' | 'type'> {
  const bits = integerOf(attributes, 'groupType') ?? 0n;
  return { scope: scopeOf(bits), type: (bits & SECURITY) === 0n ? 'distribution' : 'security' };
}

function scopeOf(bits: bigint): Group['scope'] {
  if ((bits & UNIVERSAL) !== 0n) return 'universal';
  if ((bits & GLOBAL) !== 0n) return 'global';
  return (bits & DOMAIN_LOCAL) !== 0n ? 'domain-local' : null;
}

/**
 * What an object that was set aside may have been. It counts as present, so nothing may be removed because it says nothing: neither
 * itself from a group, nor, if it is a group, those in it from the groups above.
 */
import { kindOf } from '../extract/classify.js';
import type { ObjectKind, Quarantined } from '../model/records.js';
import { type AttributeMap, byName, valuesOf } from './attributes.js';

/** Its kind by its classes; `unknown` where they were not read, `none` where it is of a class that has no place in an account. */
export type KindAside = ObjectKind | 'unknown' | 'none';

/** From what is shown of it. */
export function kindAside({ shown = {} }: Quarantined): KindAside {
  const classes = valuesOf(byName(shown), 'objectClass');
  return classes.length === 0 ? 'unknown' : (kindOf(classes) ?? 'none');
}

/** Whether it may be a group, of either kind. */
export function mayBeGroup(record: Quarantined): boolean {
  const kind = kindAside(record);
  return kind === 'group' || kind === 'dynamic-group' || kind === 'unknown';
}

/** The classes of an object, or, where they were not read, one that says of which kind it was taken for. */
export function classesShown(attributes: AttributeMap, kind: ObjectKind): string[] {
  const classes = valuesOf(attributes, 'objectClass').filter((value) => typeof value === 'string');
  if (classes.length > 0) return classes;
  return [kind === 'dynamic-group' ? 'msExchDynamicDistributionList' : kind];
}

/** The members of dynamic distribution lists: the directory runs each list's stored filter, and so its own rules. */
import { DirectoryError, SettingError } from '../model/errors.js';
import type { DynamicGroup, EnrichedRecord, Quarantined } from '../model/records.js';
import type { Lookup } from './lookup.js';
import { inParts } from './members.js';

/** For the report. */
export interface DynamicFigures {
  dynamicLists: number;
  dynamicMembers: number;
  dynamicRefused: number;
}

/** Answers that will be the same next time: somebody has to correct the list. */
const REFUSED = new Set(['SEARCH_REFUSED', 'BASE_NOT_FOUND', 'BASE_ELSEWHERE']);

/**
 * The list and its members; the list set aside where the directory refuses its filter; its members held where the directory
 * did not answer. Throws what is neither.
 */
export async function resolved(
  list: DynamicGroup,
  lookup: Lookup,
  membersPerRecord: number,
  figures: DynamicFigures,
): Promise<EnrichedRecord[]> {
  figures.dynamicLists += 1;
  if (list.filter === null) return [list, ...inParts(list.id, [], 1, 'The list has no filter.')];
  try {
    const ids = await lookup.idsBelow(list.filterBase, list.filter);
    const members = ids.flatMap((id) => (id === null ? [] : [{ id }]));
    figures.dynamicMembers += members.length;
    const held = members.length === ids.length ? null : 'The id of somebody on the list could not be read.';
    return [list, ...inParts(list.id, members, membersPerRecord, held)];
  } catch (error) {
    if (error instanceof SettingError || (error instanceof DirectoryError && REFUSED.has(error.code))) {
      figures.dynamicRefused += 1;
      return [setAside(list, error)];
    }
    if (!(error instanceof DirectoryError)) throw error;
    return [list, ...inParts(list.id, [], 1, `The directory did not answer (${error.code}).`)];
  }
}

/** The codes of a list's fault are the list's own: the settings of the node, which a message may name, are right. */
function setAside({ id, dn, name }: DynamicGroup, { code, params }: DirectoryError | SettingError): Quarantined {
  const why =
    code === 'FILTER_INVALID'
      ? `msExchDynamicDLFilter is no LDAP filter (${String(params['what'])}, at character ${String(params['position'])}).`
      : code === 'SEARCH_REFUSED'
        ? 'The directory refuses to search by msExchDynamicDLFilter.'
        : 'msExchDynamicDLBaseDN does not exist, or the user may not see it.';
  return {
    kind: 'quarantined',
    id,
    dn,
    reason: 'DYNAMIC_FILTER_REFUSED',
    detail: why,
    shown: { objectClass: ['msExchDynamicDistributionList'], displayName: [name] },
  };
}

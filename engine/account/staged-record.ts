/**
 * A record on its way to the store: reduced to what the account takes of it, so that only a change that matters makes it
 * another record, and as JSON, which is cheaper to hand to a thread than objects.
 */
import type { EnrichedRecord, Member, Members } from '../model/records.js';

/** What is needed to find a record again, and its JSON. */
export interface StagedRecord {
  readonly kind: EnrichedRecord['kind'];
  /** Of the object; of a members record: of its group. */
  readonly id: string;
  readonly part: number | null;
  readonly parts: number | null;
  readonly held: boolean;
  readonly json: string;
}

/** Prepares the records of a batch. `attributes`: the names that the account takes. */
export function toStaged(records: readonly EnrichedRecord[], attributes: readonly string[]): StagedRecord[] {
  const names = new Set(attributes.map((name) => name.toLowerCase()));
  return records.map((record) => (record.kind === 'members' ? stagedMembers(record) : stagedObject(record, names)));
}

type ObjectRecord = Exclude<EnrichedRecord, Members>;

/** An object without an id is known by its name, so that it too counts as present. */
function stagedObject(record: ObjectRecord, names: ReadonlySet<string>): StagedRecord {
  const { kind, id, dn } = record;
  return {
    kind,
    id: id?.toLowerCase() ?? `?${dn}`,
    part: null,
    parts: null,
    held: false,
    json: JSON.stringify(contentOf(record, names)),
  };
}

/** Text in the order of its code units: the same list always gives the same JSON. */
const sorted = (list: readonly string[]) => [...new Set(list.map((one) => one.toLowerCase()))].sort();

function contentOf(record: ObjectRecord, names: ReadonlySet<string>) {
  if (record.kind === 'quarantined') return { dn: record.dn, reason: record.reason, detail: record.detail };
  const { dn, sid, name } = record;
  const shared = { dn, sid, name, address: record.primary?.toLowerCase() ?? null };
  if (record.kind === 'group' || record.kind === 'dynamic-group') {
    return { ...shared, scope: record.scope, type: record.type };
  }
  const aliases = sorted(record.aliases).filter((alias) => alias !== shared.address);
  return { ...shared, enabled: record.enabled ? 1 : 0, aliases, ...valuesOf(record.attributes, names) };
}

/** One string per attribute; others are problems. An attribute returned without a value says as much as none. */
function valuesOf(attributes: ObjectRecordAttributes, names: ReadonlySet<string>) {
  const values = new Map<string, string>();
  const problems = new Map<string, 'SEVERAL_VALUES' | 'NOT_A_STRING'>();
  for (const [shown, list] of Object.entries(attributes)) {
    const name = shown.toLowerCase();
    const [value] = list;
    if (value === undefined || !names.has(name)) continue;
    if (list.length > 1) problems.set(name, 'SEVERAL_VALUES');
    else if (typeof value !== 'string') problems.set(name, 'NOT_A_STRING');
    else values.set(name, value);
  }
  return { attributes: inOrder(values), problems: inOrder(problems) };
}
type ObjectRecordAttributes = Extract<EnrichedRecord, { kind: 'user' }>['attributes'];

function inOrder(map: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...map].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * Members by the best that is known of them. `ids`, with the SIDs of the same members in `sidsOfIds`; `sids` and `names` of
 * those without an id. One of whom nothing is known may be anybody, so that the group is held.
 */
function stagedMembers({ group, add, part, parts, held }: Members): StagedRecord {
  const content = {
    ids: [] as string[],
    sidsOfIds: [] as (string | null)[],
    sids: [] as string[],
    names: [] as string[],
  };
  let isHeld = held !== undefined;
  for (const member of add) isHeld = !addMember(content, member) || isHeld;
  const json = JSON.stringify(isHeld ? {} : content);
  return { kind: 'members', id: group.toLowerCase(), part, parts, held: isHeld, json };
}

/** False where nothing says who is meant. */
function addMember(
  content: { ids: string[]; sidsOfIds: (string | null)[]; sids: string[]; names: string[] },
  { id = '', sid = '', dn = '' }: Member,
): boolean {
  if (id !== '') {
    content.ids.push(id.toLowerCase());
    content.sidsOfIds.push(sid === '' ? null : sid);
  } else if (sid !== '') content.sids.push(sid);
  else if (dn !== '') content.names.push(dn);
  return id !== '' || sid !== '' || dn !== '';
}

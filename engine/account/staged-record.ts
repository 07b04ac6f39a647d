/**
 * A record on its way to the store: reduced to what the account takes of it, so that only a change that matters makes it
 * another record, and as JSON, which is cheaper to hand to a thread than objects.
 */
import { hash } from 'node:crypto';
import { setImmediate as soon } from 'node:timers/promises';
import type { EnrichedRecord, Member, Members } from '../model/records.js';
import { isAddress, keyText, nameKey, storable } from './texts.js';

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

/** About half a millisecond: of so many objects, or so many members of groups. A collection of garbage that comes in between takes its own. */
const SLICE = 100;
const MEMBERS_LIKE_AN_OBJECT = 16;

/**
 * Prepares the records of a batch, in slices, so that whatever else the thread has to do comes in between: a batch may hold
 * tens of thousands of members. `attributes`: the names that the account takes.
 */
export async function toStaged(
  records: readonly EnrichedRecord[],
  attributes: readonly string[],
): Promise<StagedRecord[]> {
  const names = new Names(attributes);
  const staged: StagedRecord[] = [];
  let done = 0;
  for (const record of records) {
    if (done >= SLICE) {
      done = 0;
      await soon();
    }
    done += record.kind === 'members' ? 1 + record.add.length / MEMBERS_LIKE_AN_OBJECT : 1;
    staged.push(record.kind === 'members' ? stagedMembers(record) : stagedObject(record, names));
  }
  return staged;
}

/** The names that the account takes. A directory spells each in one way, so that folding its case once is enough. */
class Names {
  /** In lower case, in the order of their code units. */
  readonly inOrder: readonly string[];
  readonly #places = new Map<string, number>();

  constructor(attributes: readonly string[]) {
    this.inOrder = [...new Set(attributes.map((name) => name.toLowerCase()))].sort();
  }

  /** Its place in that order; -1 where the account does not take it. */
  placeOf(shown: string): number {
    const known = this.#places.get(shown);
    if (known !== undefined) return known;
    const place = this.inOrder.indexOf(shown.toLowerCase());
    this.#places.set(shown, place);
    return place;
  }
}

/** Names one list of names that the account takes, in whatever order and case it has them. */
export function takesOf(attributes: readonly string[]): string {
  return hash('sha256', JSON.stringify(new Names(attributes).inOrder), 'base64url');
}

/** What no database takes as text, as JSON writes it; also where a text only looks like it. */
const SUSPECT = /\\u(?:0000|d[89a-f])/;

function jsonOf(content: object): string {
  const json = JSON.stringify(content);
  if (!json.includes('\\u') || !SUSPECT.test(json)) return json;
  return JSON.stringify(content, (_name, value: unknown) => (typeof value === 'string' ? storable(value) : value));
}

type ObjectRecord = Exclude<EnrichedRecord, Members>;

/** An object without an id is known by its name, so that it too counts as present. */
function stagedObject(record: ObjectRecord, names: Names): StagedRecord {
  const { kind, id, dn } = record;
  return {
    kind,
    id: storable(id === null ? `?${keyText(dn)}` : keyText(id.toLowerCase())),
    part: null,
    parts: null,
    held: false,
    json: jsonOf(contentOf(record, names)),
  };
}

/** Lower case, each once, in the order of their code units: the same list always gives the same JSON. */
function inOneOrder(list: readonly string[]): readonly string[] {
  if (list.length === 0) return list;
  const lower = list.map((one) => one.toLowerCase());
  return lower.length < 2 ? lower : [...new Set(lower)].sort();
}

function contentOf(record: ObjectRecord, names: Names) {
  if (record.kind === 'quarantined') return { dn: record.dn, reason: record.reason, detail: record.detail };
  const { dn, name } = record;
  const sid = record.sid === null ? null : keyText(record.sid);
  const address = record.primary !== null && isAddress(record.primary) ? record.primary.toLowerCase() : null;
  if (record.kind === 'group' || record.kind === 'dynamic-group') {
    return { dn, sid, name, address, scope: record.scope, type: record.type };
  }
  const all = inOneOrder(record.aliases.every(isAddress) ? record.aliases : record.aliases.filter(isAddress));
  const aliases = address !== null && all.includes(address) ? all.filter((alias) => alias !== address) : all;
  const { attributes, problems } = valuesOf(record.attributes, names);
  const shared = { dn, sid, name, address, enabled: record.enabled ? 1 : 0, aliases, attributes, problems };
  if (record.kind === 'contact' || record.masterSid === undefined) return shared;
  return { ...shared, master_sid: keyText(record.masterSid), linked: record.linked === true ? 1 : 0 };
}

/** One string per attribute; others are problems. An attribute returned without a value says as much as none. */
function valuesOf(attributes: ObjectRecordAttributes, names: Names) {
  const values: (string | undefined)[] = [];
  const problems: ('SEVERAL_VALUES' | 'NOT_A_STRING' | undefined)[] = [];
  for (const shown in attributes) {
    const place = names.placeOf(shown);
    const list = attributes[shown];
    const value = list?.[0];
    if (place === -1 || list === undefined || value === undefined) continue;
    if (list.length > 1) problems[place] = 'SEVERAL_VALUES';
    else if (typeof value !== 'string') problems[place] = 'NOT_A_STRING';
    else values[place] = value;
  }
  return { attributes: byName(values, names), problems: byName(problems, names) };
}
type ObjectRecordAttributes = Extract<EnrichedRecord, { kind: 'user' }>['attributes'];

/** Made in one order, objects are alike for whoever writes them as JSON, which is quicker then. */
function byName(values: readonly (string | undefined)[], { inOrder }: Names): Readonly<Record<string, string>> {
  const named: Record<string, string> = {};
  for (let place = 0; place < values.length; place += 1) {
    const name = inOrder[place];
    const value = values[place];
    if (name !== undefined && value !== undefined) named[name] = value;
  }
  return named;
}

/**
 * Members by the best that is known of them. `ids`, with the SIDs of the same members in `sidsOfIds`; `sids` and `names` (as
 * canonical keys) of those without an id. One of whom nothing is known may be anybody, so that the group is held.
 */
function stagedMembers({ group, add, part, parts, held }: Members): StagedRecord {
  const content = {
    ids: [] as string[],
    sidsOfIds: [] as (string | null)[],
    sids: [] as string[],
    names: [] as string[],
  };
  let why = held;
  const known = new Set<string>();
  for (const member of add) if (!addMember(content, member, known)) why ??= 'Nothing says who one of them is.';
  const json = jsonOf(why === undefined ? content : { held: why });
  return { kind: 'members', id: storable(keyText(group.toLowerCase())), part, parts, held: why !== undefined, json };
}

/** False where nothing says who is meant. An id that is listed twice counts once (`known`). */
function addMember(
  content: { ids: string[]; sidsOfIds: (string | null)[]; sids: string[]; names: string[] },
  { id = '', sid = '', dn = '' }: Member,
  known: Set<string>,
): boolean {
  if (id !== '') {
    const lower = keyText(id.toLowerCase());
    const before = known.size;
    if (known.add(lower).size === before) return true;
    content.ids.push(lower);
    content.sidsOfIds.push(sid === '' ? null : keyText(sid));
  } else if (sid !== '') content.sids.push(keyText(sid));
  else if (dn !== '') content.names.push(nameKey(dn));
  return id !== '' || sid !== '' || dn !== '';
}

/**
 * Finds out who members are whom the directory gave by name only, and foreign security principals: place holders that carry
 * the SID of somebody of another forest. One look-up serves many groups.
 */
import type { EnrichedRecord, ExtractedRecord, Member } from '../model/records.js';
import { KnownNames } from './known-names.js';
import { type FoundObject, type Lookup, isForeign } from './lookup.js';
import { Recent } from './recent.js';

/** SIDs of domains, as accounts and groups have them. */
const OF_DOMAIN = /^S-1-5-21-/i;
const MOST_REMEMBERED = 20_000;
/** 4 MB. Active Directory gives ids beside the names, and needs none of them. Of who is beyond it the directory or the account is asked. */
const MOST_NAMES = 131_072;

/** For the report. */
export interface ResolveFigures {
  /** Members given by name only that were found: in the same run before, or by look-up. */
  membersFound: number;
  /** Members given by name only that no look-up found: the account looks for them by name. */
  membersByName: number;
  /** Foreign security principals that the second directory knows, and those that nobody does. */
  foreignFound: number;
  foreignExternal: number;
}

export class MemberResolver {
  readonly figures: ResolveFigures = { membersFound: 0, membersByName: 0, foreignFound: 0, foreignExternal: 0 };
  readonly #read: KnownNames;
  readonly #names = new Recent<FoundObject>(MOST_REMEMBERED);
  readonly #sids = new Recent<FoundObject | null>(MOST_REMEMBERED);

  /**
   * `own`: the directory that was read; `other`: that of another forest. Null: not to be asked. `mostNames`: of so many
   * who were read the names are kept; members behind them are looked up, or left to the account, which looks for names.
   */
  constructor(
    private readonly own: Lookup | null,
    private readonly other: Lookup | null,
    mostNames = MOST_NAMES,
  ) {
    this.#read = new KnownNames(mostNames);
  }

  /** Notes who was read, where members may come by name: Active Directory, whose objects have SIDs, gives their ids. */
  note(record: ExtractedRecord): void {
    if (record.kind === 'quarantined' || record.attributes['objectSid'] !== undefined) return;
    this.#read.add(record.dn, record.id);
  }

  /** The id of somebody who was read before; null: of nobody. */
  readonly idOf = (dn: string): string | null => {
    const id = isForeign(dn) ? null : this.#read.get(dn);
    if (id !== null) this.figures.membersFound += 1;
    return id;
  };

  /** Changes the members of these records, in place. Throws `DirectoryError`; then nothing was changed. */
  async resolve(records: readonly EnrichedRecord[]): Promise<void> {
    const nameless: Member[] = [];
    const foreign: Member[] = [];
    for (const record of records) if (record.kind === 'members') this.#knownIn(record.add, nameless, foreign);
    if (foreign.length > 0) await this.#foreign(foreign);
    if (nameless.length > 0 && this.own !== null) await this.#named(nameless, this.own);
    else this.figures.membersByName += nameless.length;
  }

  /** Gives those their ids who were read behind the group in the same batch, and lists the others. */
  #knownIn(add: Member[], nameless: Member[], foreign: Member[]): void {
    for (let at = 0; at < add.length; at += 1) {
      const member = add[at];
      if (member?.dn === undefined) continue;
      if (isForeign(member.dn)) foreign.push(member);
      else if (member.id === undefined) {
        const id = this.idOf(member.dn);
        // A new object, with its room for both: to add a field to one costs more.
        if (id === null) nameless.push(member);
        else add[at] = member.sid === undefined ? { id, dn: member.dn } : { id, sid: member.sid, dn: member.dn };
      }
    }
  }

  async #named(members: readonly Member[], lookup: Lookup): Promise<void> {
    const here = new Map<string, FoundObject>();
    const wanted = new Set<string>();
    for (const { dn = '' } of members) {
      const known = this.#names.get(dn);
      if (known) here.set(dn, known);
      else wanted.add(dn);
    }
    for (const [dn, found] of await lookup.byNames([...wanted], 'ids')) {
      here.set(dn, found);
      this.#names.set(dn, found);
    }
    for (const member of members) {
      const found = here.get(member.dn ?? '');
      if (found?.id === undefined || found.id === null) {
        this.figures.membersByName += 1;
        continue;
      }
      member.id = found.id;
      if (found.sid !== null && member.sid === undefined) member.sid = found.sid;
      this.figures.membersFound += 1;
    }
  }

  async #foreign(members: readonly Member[]): Promise<void> {
    for (const member of members) {
      const sid = sidInName(member.dn ?? '');
      if (member.sid === undefined && sid !== null) member.sid = sid;
    }
    const here = await this.#bySid(members.flatMap(({ sid }) => sid ?? []));
    for (const member of members) {
      const found = member.sid === undefined ? null : (here.get(member.sid) ?? null);
      if (found?.id === undefined || found.id === null) {
        // Others stand for no account, but for everybody who is logged on, say.
        if (member.sid !== undefined && !OF_DOMAIN.test(member.sid)) continue;
        member.external = true;
        this.figures.foreignExternal += 1;
        continue;
      }
      member.id = found.id;
      member.dn = found.dn;
      this.figures.foreignFound += 1;
    }
  }

  async #bySid(sids: readonly string[]): Promise<Map<string, FoundObject | null>> {
    const here = new Map<string, FoundObject | null>();
    if (this.other === null) return here;
    const wanted = new Set<string>();
    for (const sid of sids) {
      const known = this.#sids.get(sid);
      if (known === undefined) wanted.add(sid);
      else here.set(sid, known);
    }
    const found = wanted.size === 0 ? new Map<string, FoundObject>() : await this.other.bySids([...wanted], 'ids');
    for (const sid of wanted) {
      const one = found.get(sid) ?? null;
      here.set(sid, one);
      this.#sids.set(sid, one);
    }
    return here;
  }
}

/** The SID that a foreign security principal is called by. */
function sidInName(dn: string): string | null {
  return /^CN=(S-1-[0-9-]+),/i.exec(dn)?.[1] ?? null;
}

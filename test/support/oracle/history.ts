/**
 * What an account must be after a history of directories, by the rules on plain maps: a second opinion that shares no code
 * with the engine. Everybody has addresses of their own, so that clashes are no part of it.
 */
import type { Rules } from '../../../engine/account/rules.js';
import type { AccountSnapshot } from '../../../engine/account/snapshot.js';

export interface PersonNow {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly aliases: readonly string[];
}
export interface GroupNow {
  readonly id: string;
  /** Null: could not be read whole. */
  readonly members: readonly string[] | null;
}
/** What one run says, and how it came. `day`: when. `others`: is another source well? */
export interface RunNow {
  readonly people: readonly PersonNow[];
  readonly groups: readonly GroupNow[];
  readonly complete: boolean;
  readonly day: number;
  readonly others: boolean;
}

interface Mark {
  since: number;
  runs: number;
  why: 'absent' | 'no-mail';
  done: boolean;
}
interface Line {
  name: string;
  enabled: boolean;
  aliases: Set<string>;
}

const addressOf = (id: string) => `${id}@example.com`;

/** Takes one run after the other; {@link snapshot} is the account then. */
export class AccountOracle {
  readonly #present = new Map<string, boolean>();
  readonly #held = new Set<string>();
  readonly #lists = new Map<string, readonly string[]>();
  readonly #users = new Map<string, Line>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #mailFlow = new Map<string, string>();
  readonly #marks = new Map<string, Mark>();

  constructor(
    private readonly rules: Pick<Rules, 'userLeft' | 'graceDays' | 'graceRuns'> &
      Partial<Pick<Rules, 'groupLeft' | 'groupWithoutMail'>>,
  ) {}

  run(run: RunNow): void {
    const removals = run.complete && run.others;
    const named = new Set([...run.people, ...run.groups].map(({ id }) => id));
    for (const id of named) this.#present.set(id, true);
    if (run.complete) for (const id of this.#present.keys()) if (!named.has(id)) this.#present.set(id, false);
    for (const { id, members } of run.groups) {
      if (members === null) this.#held.add(id);
      else {
        this.#held.delete(id);
        this.#lists.set(id, members);
      }
    }
    // What a cut run did not bring is as it was when it was last heard of.
    const here = [...this.#present].filter(([id, present]) => present && id.startsWith('g')).map(([id]) => id);
    const whole = new Set(here.filter((id) => !this.#held.has(id)));

    const bearing = this.#bearing(here);
    this.#takePeople(run.people, removals);
    for (const id of whole) if (bearing.has(id) && !this.#groups.has(id)) this.#groups.set(id, new Set());
    for (const id of whole) this.#bringMembers(id, removals);
    const leavers = removals ? this.#leavers(whole, bearing) : new Map<string, Mark['why']>();
    this.#unmark(leavers, removals);
    for (const [id, why] of leavers) this.#leave(id, why, run.day);
  }

  snapshot(): AccountSnapshot {
    const order = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);
    const users = [...this.#users].map(([id, { name, enabled, aliases }]) => ({
      address: addressOf(id),
      name,
      origin: 'directory' as const,
      enabled,
      aliases: [...aliases].sort(order),
      attributes: {},
    }));
    const known = [...this.#mailFlow].map(([id, name]) => ({
      address: addressOf(id),
      name,
      origin: 'mail-flow' as const,
      enabled: true,
      aliases: [],
      attributes: {},
    }));
    const written = (id: string) => (this.#users.has(id) ? `user:${addressOf(id)}` : `group:${id}`);
    return {
      users: [...users, ...known].sort((left, right) => order(left.address, right.address)),
      contacts: [],
      groups: [...this.#groups]
        .map(([id, members]) => ({
          name: id,
          address: null,
          kind: 'group' as const,
          members: [...members].map(written).sort(order),
        }))
        .sort((left, right) => order(left.name, right.name)),
    };
  }

  /** Groups below which somebody is who has mail. A person who is absent counts for a group that the account has. */
  #bearing(here: readonly string[]): Set<string> {
    const bearing = new Set<string>();
    const isPerson = (id: string) => id.startsWith('p');
    for (let size = -1; size !== bearing.size;) {
      size = bearing.size;
      for (const id of here) {
        const bears = (member: string) =>
          isPerson(member)
            ? this.#present.get(member) === true || (this.#groups.has(id) && this.#users.has(member))
            : bearing.has(member);
        if ((this.#lists.get(id) ?? []).some(bears)) bearing.add(id);
      }
    }
    return bearing;
  }

  #takePeople(people: readonly PersonNow[], removals: boolean): void {
    for (const { id, name, enabled, aliases } of people) {
      const before = removals ? [] : [...(this.#users.get(id)?.aliases ?? [])];
      this.#users.set(id, { name, enabled, aliases: new Set([...before, ...aliases]) });
      this.#mailFlow.delete(id);
    }
  }

  #bringMembers(id: string, removals: boolean): void {
    const members = this.#groups.get(id);
    if (!members) return;
    const listed = this.#lists.get(id) ?? [];
    if (removals) for (const member of members) if (!listed.includes(member)) members.delete(member);
    for (const member of listed) if (this.#users.has(member) || this.#groups.has(member)) members.add(member);
  }

  #leavers(whole: ReadonlySet<string>, bearing: ReadonlySet<string>): Map<string, Mark['why']> {
    const leavers = new Map<string, Mark['why']>();
    for (const id of [...this.#users.keys(), ...this.#groups.keys()]) {
      const absent = this.#present.get(id) === false;
      if (absent && (this.#users.has(id) || this.rules.groupLeft !== 'keep')) leavers.set(id, 'absent');
      else if (whole.has(id) && !bearing.has(id) && this.rules.groupWithoutMail !== 'keep') leavers.set(id, 'no-mail');
    }
    return leavers;
  }

  #unmark(leavers: ReadonlyMap<string, string>, removals: boolean): void {
    for (const [id, { why }] of this.#marks) {
      if (removals ? !leavers.has(id) : this.#present.get(id) === true && why === 'absent') this.#marks.delete(id);
    }
  }

  #leave(id: string, why: Mark['why'], day: number): void {
    const mark = this.#marks.get(id) ?? { since: day, runs: 0, why, done: false };
    this.#marks.set(id, mark);
    if (mark.done) return;
    mark.runs += 1;
    mark.why = why;
    if (mark.runs < this.rules.graceRuns || day - mark.since < this.rules.graceDays) return;
    const user = this.#users.get(id);
    if (user && this.rules.userLeft === 'disable') {
      user.enabled = false;
      mark.done = true;
      return;
    }
    this.#marks.delete(id);
    if (user && this.rules.userLeft === 'downgrade') this.#mailFlow.set(id, user.name);
    this.#users.delete(id);
    this.#groups.delete(id);
    for (const members of this.#groups.values()) members.delete(id);
  }
}

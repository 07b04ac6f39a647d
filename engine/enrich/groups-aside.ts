/**
 * Groups that were set aside, for flattening: who is in them is not known, so that groups above them are held. They are found
 * among the members by id, SID or name, whatever is known of both.
 */
import { dnKey } from '../model/dn.js';
import type { Member, Quarantined } from '../model/records.js';
import { mayBeGroup } from './aside.js';
import { byName } from './attributes.js';
import { hashOf } from './hash.js';
import { PackedNumbers } from './packed-numbers.js';
import { sidIn } from './sids.js';

const NO_NAME = 0;

export class GroupsAside {
  /** Keys as those of members, with the reason for setting aside. */
  readonly #keys = new Map<string, string>();
  /** Hashes of the names of those without an id. */
  readonly #names = new Map<number, string>();
  /** The hash of each member's name, by number. */
  readonly #nameOf = new PackedNumbers();
  readonly #numbers = new Map<number, string>();
  #nameless: string | null = null;

  note(record: Quarantined): void {
    if (!mayBeGroup(record)) return;
    const { id, dn, reason } = record;
    const sid = sidIn(byName(record.shown ?? {}), 'objectSid');
    if (id !== null) this.#keys.set(id.toLowerCase(), reason);
    if (sid !== null) this.#keys.set(`sid:${sid}`, reason);
    if (dn !== '') this.#keys.set(`dn:${dnKey(dn)}`, reason);
    if (id !== null) return;
    if (dn === '') this.#nameless = reason;
    else this.#names.set(nameHash(dn), reason);
  }

  /** Members that have ids are known by them, and one without an id only by the name beside it. */
  noteName(number: number, { id, dn }: Member): void {
    while (this.#nameOf.count < number) this.#nameOf.add(NO_NAME);
    this.#nameOf.add(id !== undefined && dn !== undefined ? nameHash(dn) : NO_NAME);
  }

  /** Looks for them among the members. `numberOf`: the number of a key, -1 for none. */
  find(numberOf: (key: string) => number): void {
    for (const [key, reason] of this.#keys) {
      const number = numberOf(key);
      if (number !== -1) this.#numbers.set(number, reason);
    }
    if (this.#names.size === 0) return;
    for (let number = 0; number < this.#nameOf.count; number += 1) {
      const reason = this.#names.get(this.#nameOf.at(number));
      if (reason !== undefined) this.#numbers.set(number, reason);
    }
  }

  /** Why a group in which these stand is held; null where none of them is one. */
  reasonFor(numbers: readonly number[]): string | null {
    if (this.#nameless !== null) return held(this.#nameless);
    if (this.#numbers.size === 0) return null;
    for (const number of numbers) {
      const reason = this.#numbers.get(number);
      if (reason !== undefined) return held(reason);
    }
    return null;
  }
}

function held(reason: string): string {
  return `A group in it was set aside (${reason}), so who is in that is not known.`;
}

/** Never that of no name. */
function nameHash(dn: string): number {
  return hashOf(dn.toLowerCase()) || 1;
}

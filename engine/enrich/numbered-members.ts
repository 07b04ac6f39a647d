/**
 * Members, numbered in the order in which they come. Those with an id take some 50 bytes; of those without one, and of people of
 * another forest, all is kept that is known.
 */
import { dnKey } from '../model/dn.js';
import type { Member } from '../model/records.js';
import { PackedIds } from './packed-ids.js';
import { PackedSids } from './packed-sids.js';
import { TextNumbers } from './text-numbers.js';

export class NumberedMembers {
  readonly #keys = new TextNumbers();
  readonly #ids = new PackedIds();
  readonly #sids = new PackedSids();
  /** Those that are not to be made from id and SID alone. */
  readonly #others = new Map<number, Member>();
  /** By number, the keys of those without an id: `sid:…` or `dn:…`. */
  readonly withoutId = new Map<number, string>();

  get count(): number {
    return this.#keys.count;
  }

  /** The number of a member; one that is new has the number that `count` was before. */
  add(member: Member): number {
    const key = keyOf(member);
    const before = this.#keys.count;
    const number = this.#keys.add(key);
    if (number < before) return number;
    const { id, sid = null, external } = member;
    const isPacked = this.#ids.addPlace(id ?? '');
    this.#sids.add(sid);
    if (!isPacked || external === true) this.#others.set(number, member);
    if (id === undefined) this.withoutId.set(number, key);
    return number;
  }

  /** The number of an id, `sid:…` or `dn:…` with a canonical name; -1 where there is none. */
  find(key: string): number {
    return this.#keys.find(key);
  }

  /** Without the name where there is an id: names are long. */
  at(number: number): Member {
    const other = this.#others.get(number);
    if (other) return other;
    const id = this.#ids.at(number) ?? '';
    const sid = this.#sids.at(number);
    return sid === null ? { id } : { id, sid };
  }
}

function keyOf({ id, sid, dn = '' }: Member): string {
  return id?.toLowerCase() ?? (sid === undefined ? `dn:${dnKey(dn)}` : `sid:${sid}`);
}

/**
 * Who else has this value? Values are kept as hashes with the number of the owner, some 24 bytes for a value, and 20 bytes for
 * an owner.
 */
import { hashOf } from './hash.js';
import { PackedIds } from './packed-ids.js';
import { PackedNumbers } from './packed-numbers.js';
import { TextNumbers } from './text-numbers.js';

/** An owner: his id where it is a GUID, and a hash of his SID. */
export interface Owner {
  readonly id: string | null;
  readonly sidHash: number;
}

export class Duplicates {
  readonly #values = new TextNumbers();
  /** The owner of each value. */
  readonly #ownerOf = new PackedNumbers();
  readonly #ids = new PackedIds();
  readonly #sids = new PackedNumbers();

  /** The number of a new owner. */
  owner(id: string, sid: string | null): number {
    this.#ids.addPlace(id);
    this.#sids.add(sidHash(sid));
    return this.#ids.count - 1;
  }

  /** Notes that `owner` has `value`; gives who has it already, if that is somebody else. */
  note(value: string, owner: number): Owner | null {
    const before = this.#values.count;
    const number = this.#values.add(value);
    if (number === before) {
      this.#ownerOf.add(owner);
      return null;
    }
    const known = this.#ownerOf.at(number);
    return known === owner ? null : { id: this.#ids.at(known), sidHash: this.#sids.at(known) };
  }
}

/** 0 for none. */
export function sidHash(sid: string | null): number {
  return sid === null ? 0 : hashOf(sid);
}

/**
 * Who else has this value? Kept as hashes of 64 bits with the number of the owner: 12 bytes for a value, at most three times that
 * with the free places of the table, and 20 bytes for an owner. Two values with one hash are met once in billions of runs.
 */
import { guidToBytes, guidToText } from '../model/identifiers.js';
import { hashOf } from './hash.js';

const FIRST_ROOM = 1024;
const FULLEST = 0.6;
const ID_BYTES = 16;

/** An owner: his id where it is a GUID, and a hash of his SID. */
export interface Owner {
  readonly id: string | null;
  readonly sidHash: number;
}

export class Duplicates {
  #hashes = new Uint32Array(2 * FIRST_ROOM);
  /** Owner of the value in the same place, counted from 1; 0 is a free place. */
  #ownerOf = new Uint32Array(FIRST_ROOM);
  #values = 0;
  #ids = Buffer.alloc(FIRST_ROOM * ID_BYTES);
  #sids = new Uint32Array(FIRST_ROOM);
  #owners = 0;

  /** The number of a new owner. */
  owner(id: string, sid: string | null): number {
    if (this.#owners === this.#sids.length) {
      this.#ids = Buffer.concat([this.#ids, Buffer.alloc(this.#ids.length)]);
      const sids = new Uint32Array(2 * this.#owners);
      sids.set(this.#sids);
      this.#sids = sids;
    }
    guidToBytes(id)?.copy(this.#ids, this.#owners * ID_BYTES);
    this.#sids[this.#owners] = sidHash(sid);
    this.#owners += 1;
    return this.#owners;
  }

  /** Notes that `owner` has `value`; gives who has it already, if that is somebody else. */
  note(value: string, owner: number): Owner | null {
    if (this.#values >= this.#ownerOf.length * FULLEST) this.#grow();
    const [first, second] = hashOf(value);
    const place = this.#placeOf(this.#hashes, this.#ownerOf, first, second);
    const known = this.#ownerOf[place] ?? 0;
    if (known === 0) {
      this.#hashes[2 * place] = first;
      this.#hashes[2 * place + 1] = second;
      this.#ownerOf[place] = owner;
      this.#values += 1;
      return null;
    }
    if (known === owner) return null;
    const at = (known - 1) * ID_BYTES;
    return { id: guidToText(this.#ids, at, at + ID_BYTES), sidHash: this.#sids[known - 1] ?? 0 };
  }

  #placeOf(hashes: Uint32Array, owners: Uint32Array, first: number, second: number): number {
    let place = first % owners.length;
    while (owners[place] !== 0 && (hashes[2 * place] !== first || hashes[2 * place + 1] !== second)) {
      place = (place + 1) % owners.length;
    }
    return place;
  }

  #grow(): void {
    const hashes = new Uint32Array(2 * this.#hashes.length);
    const owners = new Uint32Array(2 * this.#ownerOf.length);
    for (const [old, owner] of this.#ownerOf.entries()) {
      if (owner === 0) continue;
      const [first = 0, second = 0] = [this.#hashes[2 * old], this.#hashes[2 * old + 1]];
      const place = this.#placeOf(hashes, owners, first, second);
      hashes[2 * place] = first;
      hashes[2 * place + 1] = second;
      owners[place] = owner;
    }
    this.#hashes = hashes;
    this.#ownerOf = owners;
  }
}

/** 0 for none. */
export function sidHash(sid: string | null): number {
  return sid === null ? 0 : hashOf(sid)[0];
}

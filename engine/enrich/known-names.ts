/**
 * The ids of objects by name, for directories that give members by name only: most members are read in the same run, and need no
 * look-up. Names are kept as hashes of 64 bits, ids as the text that they are: some 100 bytes for an object.
 */
import { hashOf } from './hash.js';

const FIRST_ROOM = 1024;
const FULLEST = 0.6;

export class KnownNames {
  #hashes = new Uint32Array(2 * FIRST_ROOM);
  /** The number of the id, counted from 1; 0 is a free place. */
  #places = new Uint32Array(FIRST_ROOM);
  readonly #ids: string[] = [];

  /** `most`: beyond it nothing is added, and a look-up asks the directory. */
  constructor(private readonly most: number) {}

  add(dn: string, id: string): void {
    if (this.#ids.length >= this.most) return;
    if (this.#ids.length >= this.#places.length * FULLEST) this.#grow();
    const [first, second] = hashOf(dn.toLowerCase());
    const place = this.#placeOf(first, second);
    if (this.#places[place] !== 0) return;
    this.#put(place, first, second, this.#ids.push(id));
  }

  get(dn: string): string | null {
    if (this.#ids.length === 0) return null;
    const [first, second] = hashOf(dn.toLowerCase());
    const number = this.#places[this.#placeOf(first, second)] ?? 0;
    return this.#ids[number - 1] ?? null;
  }

  #put(place: number, first: number, second: number, number: number): void {
    this.#hashes[2 * place] = first;
    this.#hashes[2 * place + 1] = second;
    this.#places[place] = number;
  }

  #placeOf(first: number, second: number): number {
    let place = first % this.#places.length;
    while (this.#places[place] !== 0 && (this.#hashes[2 * place] !== first || this.#hashes[2 * place + 1] !== second)) {
      place = (place + 1) % this.#places.length;
    }
    return place;
  }

  #grow(): void {
    const [hashes, places] = [this.#hashes, this.#places];
    this.#hashes = new Uint32Array(2 * hashes.length);
    this.#places = new Uint32Array(2 * places.length);
    for (const [old, number] of places.entries()) {
      if (number === 0) continue;
      const [first = 0, second = 0] = [hashes[2 * old], hashes[2 * old + 1]];
      this.#put(this.#placeOf(first, second), first, second, number);
    }
  }
}

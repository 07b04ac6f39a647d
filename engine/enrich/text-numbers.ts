/**
 * Numbers texts in the order in which they come, without keeping them: 8 bytes of hash for each, and its place in a table, which takes
 * another 7 to 13. Two texts with one hash of 64 bits are met once in billions of runs.
 */
import { hashInto } from './hash.js';

const FIRST_ROOM = 1024;
const FULLEST = 0.6;
/** Hashes in a block: a list that grows by blocks is never copied, and so never there twice. */
const BLOCK = 8192;

export class TextNumbers {
  /** Number of the text in the same place, counted from 1; 0 is a free place. The room is a power of two. */
  #places = new Uint32Array(FIRST_ROOM);
  readonly #hashes: Uint32Array[] = [];
  readonly #hash = new Uint32Array(2);
  #count = 0;

  /** `hash`: writes the two halves of a text's hash. */
  constructor(private readonly hash: (text: string, into: Uint32Array) => void = hashInto) {}

  get count(): number {
    return this.#count;
  }

  /** The number of a text, from 0; -1 where it did not come. */
  find(text: string): number {
    if (this.#count === 0) return -1;
    this.hash(text, this.#hash);
    return (this.#places[this.#placeOf(this.#hash[0] ?? 0, this.#hash[1] ?? 0)] ?? 0) - 1;
  }

  /** The number of a text; one that is new has the number that `count` was before. */
  add(text: string): number {
    this.hash(text, this.#hash);
    const [first = 0, second = 0] = this.#hash;
    const place = this.#placeOf(first, second);
    const known = this.#places[place] ?? 0;
    if (known !== 0) return known - 1;
    const number = this.#count;
    const block = (this.#hashes[Math.floor(number / BLOCK)] ??= new Uint32Array(2 * BLOCK));
    block[2 * (number % BLOCK)] = first;
    block[2 * (number % BLOCK) + 1] = second;
    this.#count += 1;
    this.#places[place] = this.#count;
    if (this.#count > this.#places.length * FULLEST) this.#grow();
    return number;
  }

  #placeOf(first: number, second: number): number {
    const last = this.#places.length - 1;
    let place = first & last;
    for (let known = this.#places[place]; known !== undefined && known !== 0; known = this.#places[place]) {
      const block = this.#hashes[Math.floor((known - 1) / BLOCK)];
      const at = 2 * ((known - 1) % BLOCK);
      if (block?.[at] === first && block[at + 1] === second) return place;
      place = (place + 1) & last;
    }
    return place;
  }

  #grow(): void {
    this.#places = new Uint32Array(2 * this.#places.length);
    for (let number = 0; number < this.#count; number += 1) {
      const block = this.#hashes[Math.floor(number / BLOCK)];
      const at = 2 * (number % BLOCK);
      this.#places[this.#placeOf(block?.[at] ?? 0, block?.[at + 1] ?? 0)] = number + 1;
    }
  }
}

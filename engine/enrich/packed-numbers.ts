/** Numbers in a block: a list that grows by blocks is never copied, and so never there twice. */
const BLOCK = 8192;
const FIRST_ROOM = 8;

/** A list of numbers from 0 to 2^32 - 1, in 4 bytes each. */
export class PackedNumbers implements Iterable<number> {
  readonly #blocks: Uint32Array[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(number: number): void {
    const index = Math.floor(this.#count / BLOCK);
    const at = this.#count % BLOCK;
    let block = this.#blocks[index];
    if (block === undefined || at === block.length) {
      // The first block grows, because most lists are short.
      const larger = new Uint32Array(index > 0 ? BLOCK : Math.min(BLOCK, Math.max(FIRST_ROOM, 2 * at)));
      if (block) larger.set(block);
      block = this.#blocks[index] = larger;
    }
    block[at] = number;
    this.#count += 1;
  }

  /** 0 where there is none. */
  at(place: number): number {
    return this.#blocks[Math.floor(place / BLOCK)]?.[place % BLOCK] ?? 0;
  }

  *[Symbol.iterator](): Generator<number, void, void> {
    for (let place = 0; place < this.#count; place += 1) yield this.at(place);
  }
}

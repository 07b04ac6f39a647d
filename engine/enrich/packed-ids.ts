import { guidToText, writeGuid } from '../model/identifiers.js';

const ID_BYTES = 16;
const FIRST_ROOM = 64;
/** Ids in a block: a list that grows by blocks is never copied, and so never there twice. */
const BLOCK = 4096;
const NONE = '00000000-0000-0000-0000-000000000000';

/** A list of GUIDs in 16 bytes each: as text each would take five times as much. */
export class PackedIds {
  readonly #blocks: Buffer[] = [Buffer.alloc(FIRST_ROOM * ID_BYTES)];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds an id behind the others; false for a text that is no GUID. */
  add(id: string): boolean {
    const [block, at] = this.#place(this.#count);
    if (!writeGuid(id, block, at)) return false;
    this.#count += 1;
    return true;
  }

  /** As `add`, but a text that is no GUID takes a place, too, in which there is none then. */
  addPlace(id: string): boolean {
    if (this.add(id)) return true;
    return !this.add(NONE);
  }

  /** The id in a place, in lower case; null where there is none. */
  at(number: number): string | null {
    const block = this.#blocks[Math.floor(number / BLOCK)];
    if (block === undefined || number >= this.#count) return null;
    const at = (number % BLOCK) * ID_BYTES;
    const id = guidToText(block, at, at + ID_BYTES);
    return id === NONE ? null : id;
  }

  /** Those from one place up to another. */
  slice(from: number, to: number): string[] {
    const ids: string[] = [];
    for (let number = from; number < Math.min(to, this.#count); number += 1) {
      const id = this.at(number);
      if (id !== null) ids.push(id);
    }
    return ids;
  }

  /** The block of a new place. The first one grows, because most lists are short. */
  #place(number: number): [Buffer, number] {
    const index = Math.floor(number / BLOCK);
    const at = (number % BLOCK) * ID_BYTES;
    let block = (this.#blocks[index] ??= Buffer.alloc(BLOCK * ID_BYTES));
    if (at === block.length) block = this.#blocks[index] = Buffer.concat([block], 4 * at);
    return [block, at];
  }
}

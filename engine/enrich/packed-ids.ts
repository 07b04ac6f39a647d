import { guidToText } from '../model/identifiers.js';

const ID_BYTES = 16;
const FIRST_ROOM = 64;

/** A list of ids in 16 bytes each: as text each would take five times as much. */
export class PackedIds {
  #bytes = Buffer.alloc(FIRST_ROOM * ID_BYTES);
  count = 0;

  add(id: Buffer): this {
    const at = this.count * ID_BYTES;
    if (at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(at)]);
    id.copy(this.#bytes, at);
    this.count += 1;
    return this;
  }

  slice(from: number, to: number): string[] {
    const ids: string[] = [];
    for (let index = from; index < Math.min(to, this.count); index += 1) {
      ids.push(guidToText(this.#bytes, index * ID_BYTES, (index + 1) * ID_BYTES) ?? '');
    }
    return ids;
  }
}

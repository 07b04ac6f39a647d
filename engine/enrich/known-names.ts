/**
 * The ids of objects by name, for directories that give members by name only: most members are read in the same run, and need no
 * look-up. Names are kept as hashes, ids in 16 bytes: less than 40 bytes for an object, and no more than `most` of them.
 */
import { hashFoldedInto } from './hash.js';
import { PackedIds } from './packed-ids.js';
import { TextNumbers } from './text-numbers.js';

export class KnownNames {
  readonly #names = new TextNumbers(hashFoldedInto);
  readonly #ids = new PackedIds();

  /** `most`: beyond it nothing is added, and a look-up asks the directory. */
  constructor(private readonly most: number) {}

  /** Notes who has a name; the first counts. An id that is no GUID is not noted. */
  add(dn: string, id: string): void {
    const number = this.#names.count;
    if (number >= this.most || this.#names.add(dn) < number) return;
    this.#ids.addPlace(id);
  }

  get(dn: string): string | null {
    const number = this.#names.find(dn);
    return number === -1 ? null : this.#ids.at(number);
  }
}

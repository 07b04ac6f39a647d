/** Room on the disk for what is kept only in case: written piece by piece, and read again seldom or never. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Pieces of one size in a temporary file that nobody else can open, and that ends with the process at the latest. */
export class Scrap {
  #file: number | null = null;
  #name = '';
  #count = 0;
  #failed = false;

  /** `bytes`: of each piece. `folder`: the system's own for temporary files where none is given. */
  constructor(
    private readonly bytes: number,
    private readonly folder = tmpdir(),
  ) {}

  /** Pieces that were kept. */
  get count(): number {
    return this.#count;
  }

  /** Keeps a piece behind the others; false where the disk does not take it, now or before. Throws nothing. */
  keep(piece: Buffer): boolean {
    if (this.#failed) return false;
    try {
      this.#file ??= this.#open();
      let done = 0;
      while (done < this.bytes) {
        done += writeSync(this.#file, piece, done, this.bytes - done, this.#count * this.bytes + done);
      }
      this.#count += 1;
    } catch {
      this.#failed = true;
    }
    return !this.#failed;
  }

  /** The pieces in order. Throws what the file system throws. */
  *pieces(): Generator<Buffer> {
    for (let index = 0; index < this.#count; index += 1) {
      const piece = Buffer.allocUnsafeSlow(this.bytes);
      let done = 0;
      while (this.#file !== null && done < this.bytes) {
        const read = readSync(this.#file, piece, done, this.bytes - done, index * this.bytes + done);
        if (read === 0) throw new Error('A temporary file is shorter than what was written to it.');
        done += read;
      }
      yield piece;
    }
  }

  /** Gives the room back. Throws nothing. */
  close(): void {
    if (this.#file === null) return;
    const file = this.#file;
    this.#file = null;
    this.#count = 0;
    quietly(() => closeSync(file));
    if (this.#name !== '') quietly(() => unlinkSync(this.#name));
  }

  /** Where the system lets a file lose its name while it is open, nothing is left behind whatever happens. */
  #open(): number {
    const name = join(this.folder, `directory-sync-${randomUUID()}`);
    const file = openSync(name, 'wx+', 0o600);
    if (!quietly(() => unlinkSync(name))) this.#name = name;
    return file;
  }
}

function quietly(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/**
 * Brings what was written to a file to the disk while nobody waits for it, so that whoever has to wait later, for a commit, waits for
 * less. What fails here is said there.
 */
import { open } from 'node:fs/promises';

/** A few megabytes, as batches are: each request takes the system some work of its own. */
const WRITTEN_AT_ONCE = 8;

export class Writeback {
  #written = 0;
  #underWay: Promise<void> | undefined;

  constructor(private readonly file: string) {}

  /** Something was written. One request is under way at a time. */
  written(): void {
    this.#written += 1;
    if (this.#written < WRITTEN_AT_ONCE || this.#underWay) return;
    this.#written = 0;
    this.#underWay = onDisk(this.file).finally(() => (this.#underWay = undefined));
  }

  /** Resolves when the file is in nobody's hand any more. */
  async settled(): Promise<void> {
    await this.#underWay;
  }
}

async function onDisk(file: string): Promise<void> {
  const handle = await open(file, 'r+').catch(() => undefined);
  await handle?.datasync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/**
 * The batches of a run that were sent, kept until the run is done: a receiver that lost them gets them again. The first
 * megabyte stays in memory, the rest in a file, so that memory does not grow with the directory.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const IN_MEMORY_BYTES = 1024 * 1024;
const PREFIX = 'directory-sync-sending-';
/** A file of that age belongs to no run: the process that wrote it was killed. */
const LEFT_OVER_AFTER_MS = 2 * 24 * 3_600_000;

type Place = { readonly bytes: Buffer } | { readonly at: number; readonly length: number };

/** Compressed batches by number. The file has no other readers: only its owner may open it, and it goes with the run. */
export class Outbox {
  readonly #places = new Map<number, Place>();
  #inMemory = 0;
  #end = 0;
  #file: Promise<{ handle: FileHandle; path: string }> | null = null;

  /** `folder` for the file, made where it is not there. */
  constructor(private readonly folder: string) {}

  async keep(index: number, bytes: Buffer): Promise<void> {
    if (this.#places.has(index)) return;
    if (this.#inMemory + bytes.length <= IN_MEMORY_BYTES) {
      this.#inMemory += bytes.length;
      // Of its own: a compressor's output lies in a larger piece of memory, which would be kept with it.
      this.#places.set(index, { bytes: Buffer.from(bytes) });
      return;
    }
    const at = this.#end;
    this.#end += bytes.length;
    const { handle } = await (this.#file ??= create(this.folder));
    await handle.write(bytes, 0, bytes.length, at);
    this.#places.set(index, { at, length: bytes.length });
  }

  /** The bytes of a batch that was kept; null for another. */
  async take(index: number): Promise<Buffer | null> {
    const place = this.#places.get(index);
    if (!place) return null;
    if ('bytes' in place) return place.bytes;
    const { handle } = await (this.#file ??= create(this.folder));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(place.length), 0, place.length, place.at);
    return bytesRead === place.length ? buffer : null;
  }

  /** Forgets everything. Never rejects: what cannot be deleted now is deleted by a later run. */
  async close(): Promise<void> {
    this.#places.clear();
    const file = await this.#file?.catch(() => null);
    await file?.handle.close().catch(() => undefined);
    if (file) await rm(file.path, { force: true }).catch(() => undefined);
  }
}

async function create(folder: string): Promise<{ handle: FileHandle; path: string }> {
  await mkdir(folder, { recursive: true });
  await removeLeftOver(folder).catch(() => undefined);
  const path = join(folder, `${PREFIX}${randomBytes(9).toString('hex')}`);
  return { handle: await open(path, 'wx+', 0o600), path };
}

async function removeLeftOver(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > LEFT_OVER_AFTER_MS) await rm(path, { force: true });
  }
}

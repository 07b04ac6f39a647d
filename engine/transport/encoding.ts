/**
 * How batches are compressed. By measurement (docs/decisions/0008): zstd at level 3 makes people a sixth of their JSON in
 * half the time of gzip at level 1, which makes them a fifth; Brotli at quality 1 is nearly as good. Not every Node.js has zstd.
 */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { ContractError } from '../model/errors.js';

export type Encoding = 'zstd' | 'br' | 'gzip';

interface Codec {
  compress(content: Buffer): Promise<Buffer>;
  /** Throws where it is cut or damaged, or larger than `atMost` bytes (code `ERR_BUFFER_TOO_LARGE`). */
  inflate(content: Uint8Array, atMost: number): Buffer;
}

const { constants } = zlib;
/** Of zlib's output. Its own 16 KiB make a turn of the event loop for each of them. */
const COMPRESSED = { chunkSize: 128 * 1024 };
const INFLATED = { chunkSize: 1024 * 1024 };

const brotli: Codec = {
  compress: (content) =>
    promisify(zlib.brotliCompress)(content, {
      ...COMPRESSED,
      params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    }),
  inflate: (content, maxOutputLength) => zlib.brotliDecompressSync(content, { ...INFLATED, maxOutputLength }),
};
const gzip: Codec = {
  compress: (content) => promisify(zlib.gzip)(content, { ...COMPRESSED, level: 1 }),
  inflate: (content, maxOutputLength) => zlib.gunzipSync(content, { ...INFLATED, maxOutputLength }),
};

/** Null on a Node.js before 22.15, which the types do not know. */
function zstd(): Codec | null {
  const { zstdCompress, zstdDecompressSync } = zlib as Partial<typeof zlib>;
  if (!zstdCompress || !zstdDecompressSync) return null;
  const compress = promisify(zstdCompress);
  return {
    compress: (content) => compress(content, { ...COMPRESSED, params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
    inflate: (content, maxOutputLength) => zstdDecompressSync(content, { ...INFLATED, maxOutputLength }),
  };
}

const codecs = new Map<Encoding, Codec>();
const ours = zstd();
if (ours) codecs.set('zstd', ours);
codecs.set('br', brotli).set('gzip', gzip);

/** Those that this Node.js has, the best first. */
export const ENCODINGS: readonly Encoding[] = [...codecs.keys()];

/** The best that both sides have. Every receiver has gzip. */
export function bestEncoding(offered: readonly string[]): Encoding {
  return ENCODINGS.find((encoding) => offered.includes(encoding)) ?? 'gzip';
}

/** The encoding of that name, as far as this Node.js has it. */
export function encodingOf(name: string): Encoding | null {
  return ENCODINGS.find((encoding) => encoding === name) ?? null;
}

export function compress(content: Buffer, encoding: Encoding): Promise<Buffer> {
  return codecOf(encoding).compress(content);
}

/** The largest ratio that is looked into: below this size a ratio says nothing, a hundred empty groups compress very well. */
const RATIO_FROM_BYTES = 1024 * 1024;

/**
 * The content, inflated; never more than `limits` allow is made. `encoding` is blank for none. Blocks: for a worker thread.
 * @throws ContractError `TOO_LARGE`, or `NOT_AS_AGREED` where it is cut or damaged.
 */
export function inflate(
  content: Uint8Array,
  encoding: Encoding | '',
  limits: { readonly batchBytes: number; readonly ratio: number },
): Buffer {
  if (encoding === '') return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const atMost = Math.min(limits.batchBytes, Math.max(RATIO_FROM_BYTES, content.length * limits.ratio));
  try {
    return codecOf(encoding).inflate(content, atMost);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ContractError('TOO_LARGE', {
        message: `A batch may have ${String(limits.batchBytes)} bytes, and be ${String(limits.ratio)} times as large as its compressed form. Lower the batch size of directory-extract.`,
        status: 'batch too large',
        params: { what: 'batch', limit: atMost },
      });
    }
    throw new ContractError('NOT_AS_AGREED', {
      message: `The content is not ${encoding}, or is cut.`,
      status: 'not as agreed',
      params: { what: encoding },
    });
  }
}

function codecOf(encoding: Encoding): Codec {
  return codecs.get(encoding) ?? gzip;
}

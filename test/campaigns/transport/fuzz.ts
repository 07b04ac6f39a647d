/**
 * `npm run fuzz:receiver -- --count N --seed N --json --check`: requests from somebody who has the key and lost their mind. The
 * receiver answers each with a problem of the list (4xx), takes what happens to be right, keeps its memory, and goes on.
 */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { PROBLEMS } from '../../../engine/transport/problem.js';
import { BATCH_TYPE } from '../../../engine/transport/protocol.js';
import { seeded } from '../../support/fault-proxy.js';
import { runCases, verdict } from '../campaign.js';
import { type PlainAnswer, plainSender, startAround } from './around.js';
import { type Asking, type SignedRequest, batchesOfRun, requestsOf, signed } from './requests.js';

type Any = (limit: number) => number;
const pick = <Item>(items: readonly Item[], any: Any): Item => items[any(items.length)] as Item;

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'x',
  '\u0000',
  [],
  {},
  [[]],
  '__proto__',
  'a'.repeat(5000),
  2 ** 53,
];
const KEYS = ['kind', 'id', 'run', 'batches', 'seal', 'records', 'constructor', '__proto__', 'toString', 'x', '\ud800'];
const PATHS = [
  '',
  '/',
  '/v1',
  '/v1/runs',
  '/v1/runs/',
  '/v2/runs',
  '/v1/runs/a',
  '/v1/runs/%2e%2e/x',
  '/v1/runs/fuzzed-run/batches/-1',
  '/v1/runs/fuzzed-run/batches/99999999',
  '/v1/runs/fuzzed-run/seal/x',
  '/v1/runs/fuzzed-run?x=1',
  '//v1/runs',
];
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE'];

/** The value, with something in it replaced, added or taken away. */
function mutated(value: unknown, any: Any, depth = 0): unknown {
  if (depth > 6 || any(6) === 0) return pick(VALUES, any);
  if (Array.isArray(value)) {
    const items: unknown[] = [...(value as unknown[])];
    if (items.length === 0 || any(4) === 0) return [...items, pick(VALUES, any)];
    const at = any(items.length);
    items[at] = mutated(items[at], any, depth + 1);
    return items;
  }
  if (value !== null && typeof value === 'object') {
    const entries: [string, unknown][] = Object.entries(value);
    if (entries.length === 0 || any(5) === 0)
      return Object.fromEntries([...entries, [pick(KEYS, any), pick(VALUES, any)]]);
    const at = any(entries.length);
    const [key, inner] = entries[at] ?? ['', null];
    if (any(5) === 0) entries.splice(at, 1);
    else entries[at] = [any(8) === 0 ? pick(KEYS, any) : key, mutated(inner, any, depth + 1)];
    return Object.fromEntries(entries);
  }
  return pick(VALUES, any);
}

/** Bytes with some cut, doubled or replaced. */
function damaged(bytes: Buffer, any: Any): Buffer {
  const at = any(bytes.length + 1);
  switch (any(5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([any(256), any(256), any(256)]), bytes.subarray(at)]);
    case 3:
      return Buffer.alloc(any(2_000), any(256));
    default: {
      const copy = Buffer.from(bytes);
      for (let count = 1 + any(8); count > 0; count -= 1) copy[any(Math.max(1, copy.length))] = any(256);
      return copy;
    }
  }
}

function content(asking: Asking, any: Any): Asking {
  const plain = asking.encoding === 'gzip';
  const batch = Buffer.from(`${JSON.stringify(mutated({ ...batchesOfRun(1, 1)[0]?.[0] }, any))}\n`);
  const json = plain
    ? batch
    : Buffer.from(JSON.stringify(mutated(JSON.parse((asking.content ?? '{}').toString()), any)));
  const text = any(3) === 0 ? damaged(json, any) : json;
  const packed = !plain ? text : any(6) === 0 ? brotliCompressSync(text) : gzipSync(text, { level: 1 });
  const bytes = any(5) === 0 ? damaged(packed, any) : packed;
  return { ...asking, content: bytes };
}

function fuzzed(host: string, any: Any): SignedRequest {
  const requests = requestsOf(`fuzzed-run-${String(any(500))}`, batchesOfRun(1, 1));
  const base = content(pick(requests, any), any);
  const asking: Asking = {
    ...base,
    ...(any(8) === 0 && { path: pick(PATHS, any) }),
    ...(any(8) === 0 && { method: pick(METHODS, any) }),
    ...(any(12) === 0 && { type: pick([BATCH_TYPE, 'text/plain', 'application/json; charset=x', ''], any) }),
    ...(any(12) === 0 && { encoding: pick(['br', 'zstd', 'deflate', 'gzip, gzip', 'identity'], any) }),
  };
  const request = signed(host, asking);
  if (any(10) > 0) return request;
  const name = pick(
    ['Content-Digest', 'Signature', 'Signature-Input', 'Authorization', 'Content-Encoding', 'Expect'],
    any,
  );
  return {
    ...request,
    headers: { ...request.headers, [name]: pick(['', 'x', '()', 'dirflow=()', ':::', 'a'.repeat(3_000), '"'], any) },
  };
}

/** What the answer is; everything beside the first three is a fault of the receiver. */
function kindOf({ status, type, body }: PlainAnswer, method: string): string {
  if (status >= 200 && status < 300) return 'taken';
  // Before a request reaches the receiver, Node.js itself refuses what is no HTTP.
  if ((status === 400 || status === 417) && type === '' && body === '') return 'no HTTP';
  if (status < 400 || status >= 500) return `status ${String(status)}`;
  if (method === 'HEAD') return 'problem';
  if (type !== 'application/problem+json') return `${String(status)} with ${type || 'nothing'}`;
  const name = String((JSON.parse(body) as { type?: unknown }).type).replace('urn:dirflow:problem:', '');
  return Object.hasOwn(PROBLEMS, name) ? 'problem' : `unknown problem ${name}`;
}

async function main(argv: readonly string[]): Promise<void> {
  const around = await startAround({ requests: 1_000 });
  const { send, close } = plainSender(around.plainPort);
  const host = `127.0.0.1:${String(around.plainPort)}`;
  let highest = 0;
  let settled = 0;
  try {
    const result = await runCases(
      {
        title: 'fuzz',
        count: 100_000,
        atATime: 12,
        async one(seed) {
          const request = fuzzed(host, seeded(seed));
          const answer = await send(request);
          if (seed % 500 === 0) {
            const { rss } = process.memoryUsage();
            if (seed <= 5_000) settled = Math.max(settled, rss);
            highest = Math.max(highest, rss);
          }
          return kindOf(answer, request.method);
        },
      },
      argv,
    );
    const good = ['taken', 'problem', 'no HTTP'].reduce((sum, kind) => sum + (result.counts[kind] ?? 0), 0);
    const megabytes = Math.round(highest / 2 ** 20);
    const [open] = requestsOf('after-fuzzing', []);
    const alive = open ? (await send(signed(host, open))).status : 0;
    verdict(
      'A fuzzed receiver',
      [
        { name: 'answers that are neither a 4xx problem nor an acceptance', value: result.cases - good, limit: 0 },
        { name: 'still serves afterwards: 0 for yes', value: alive === 201 ? 0 : 1, limit: 0 },
        { name: 'memory of receiver and fuzzer together at its highest, MiB', value: megabytes, limit: 600 },
      ],
      { ...result, settledMiB: Math.round(settled / 2 ** 20), highestMiB: megabytes },
      argv,
    );
  } finally {
    close();
    await around.close();
  }
}

void main(process.argv.slice(2));

/**
 * `npm run forgeries:transport -- --count N --seed N --json --check`: requests that were forged, are stale, were sent before, or
 * were meant for another place. None is accepted. The control: the same requests before they were touched are.
 */
import { seeded } from '../../support/fault-proxy.js';
import { KEY, OTHER_KEY } from '../../unit/transport/keys.js';
import { runCases, verdict } from '../campaign.js';
import { plainSender, startAround } from './around.js';
import { type Asking, type SignedRequest, batchesOfRun, requestsOf, signed } from './requests.js';

type Any = (limit: number) => number;
type Forge = (request: SignedRequest, any: Any) => SignedRequest;

const changed = (request: SignedRequest, headers: Record<string, string>): SignedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});

/** Another character at any place, of those that may stand there. */
function spoiled(text: string, any: Any): string {
  const at = any(text.length);
  const characters = 'abcXYZ0189"=:;()+/';
  for (;;) {
    const character = characters[any(characters.length)] ?? 'a';
    if (character !== text[at]) return text.slice(0, at) + character + text.slice(at + 1);
  }
}

const header = (request: SignedRequest, name: string) => request.headers[name] ?? '';

const FORGERIES: readonly Forge[] = [
  (request, any) =>
    changed(request, { Signature: `dirflow=:${Buffer.from(String(any(1e9)).repeat(4)).toString('base64')}:` }),
  (request, any) => changed(request, { Signature: spoiled(header(request, 'Signature'), any) }),
  (request, any) => changed(request, { 'Signature-Input': spoiled(header(request, 'Signature-Input'), any) }),
  (request) => changed(request, { 'Signature-Input': header(request, 'Signature-Input').replace(/"@path" ?/, '') }),
  (request) =>
    changed(request, {
      'Signature-Input': header(request, 'Signature-Input')
        .replace(/"content-digest" ?/, '')
        .replace('"@method" ', ''),
    }),
  (request) =>
    changed(request, {
      'Signature-Input': header(request, 'Signature-Input').replace(/created=\d+/, (text) => `${text}1`),
    }),
  (request, any) =>
    changed(request, {
      'Signature-Input': header(request, 'Signature-Input').replace(
        /nonce="[^"]+"/,
        `nonce="${String(any(1e9)).padStart(20, 'n')}"`,
      ),
    }),
  (request) => changed(request, { 'Signature-Input': header(request, 'Signature-Input').replace('site-1', 'site-2') }),
  (request) => changed(request, { Host: 'receiver.example' }),
  (request) => ({ ...request, method: request.method === 'PUT' ? 'POST' : 'PUT' }),
  (request) => ({ ...request, path: request.path.replace('/runs', '/runs/forgeries-other') }),
  (request) => ({ ...request, path: `${request.path}/` }),
  (request) => ({ ...request, path: `${request.path.replace(/forgeries-(\d+)/, 'forgeries-1$1')}x` }),
  (request) => ({ ...request, content: Buffer.concat([request.content ?? Buffer.alloc(0), Buffer.from(' ')]) }),
  (request, any) => ({ ...request, content: flipped(request.content ?? Buffer.from('x'), any) }),
  (request) => ({
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== 'Signature')),
  }),
  (request) => ({
    ...request,
    headers: { Host: header(request, 'Host'), 'Content-Type': header(request, 'Content-Type') },
  }),
  (request) => changed(request, { Authorization: 'Bearer not-a-token-that-anybody-here-would-know' }),
];

function flipped(content: Buffer, any: Any): Buffer {
  const copy = Buffer.from(content);
  const at = any(Math.max(1, copy.length));
  copy[at] = (copy[at] ?? 0) ^ (1 << any(8));
  return copy;
}

async function main(argv: readonly string[]): Promise<void> {
  const around = await startAround({ requests: 1_000 });
  const { send, close } = plainSender(around.plainPort);
  const host = `127.0.0.1:${String(around.plainPort)}`;
  let controls = 0;
  try {
    const result = await runCases(
      {
        title: 'forgeries',
        count: 10_000,
        atATime: 8,
        async one(seed) {
          const any = seeded(seed);
          const id = `forgeries-${String(seed)}`;
          const [open, put] = requestsOf(id, batchesOfRun(1, 1));
          if (!open || !put) return 'no requests';
          await send(signed(host, open));
          const asking: Asking = any(2) === 0 ? open : put;
          const request = signed(host, asking);
          const kind = any(FORGERIES.length + 3);
          const forge = FORGERIES[kind];
          let forged: SignedRequest;
          if (forge) forged = forge(request, any);
          else if (kind === FORGERIES.length)
            forged = signed(host, asking, KEY, Date.now() + (any(2) === 0 ? 1 : -1) * (301_000 + any(1e7)));
          else if (kind === FORGERIES.length + 1) forged = signed(host, asking, OTHER_KEY);
          else forged = signed(host, asking, { id: KEY.id, key: `a key of somebody else ${String(any(1e9))}` });
          const { status } = await send(forged);
          // One that is not touched is taken; and not a second time.
          const untouched = signed(host, asking);
          if ((await send(untouched)).status < 300) controls += 1;
          const again = await send(untouched);
          if (again.status !== 401 && again.status !== 429) return 'a copy was accepted';
          return status >= 200 && status < 300 ? `accepted: forgery ${String(kind)}` : 'refused';
        },
      },
      argv,
    );
    verdict(
      'Forged requests',
      [
        {
          name: 'forged, stale, re-targeted or repeated requests that were accepted',
          value: result.cases - (result.counts['refused'] ?? 0),
          limit: 0,
        },
        { name: 'controls that were not accepted', value: result.cases - controls, limit: 0 },
      ],
      result,
      argv,
    );
  } finally {
    close();
    await around.close();
  }
}

void main(process.argv.slice(2));

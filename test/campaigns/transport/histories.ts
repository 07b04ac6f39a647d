/**
 * `npm run histories:transport -- --count N --seed N --json --check`: every request of a run, sent one to ten times, out of
 * order, as new requests and as copies of old ones, by its sender and by another at the same time. The run arrives once,
 * whole, and the same request has the same answer however often.
 */
import { numberOption } from '../../../bench/support/verdict.js';
import { seeded } from '../../support/fault-proxy.js';
import { OTHER_KEY } from '../../unit/transport/keys.js';
import { runCases, verdict } from '../campaign.js';
import { type CampaignAround, type PlainAnswer, plainSender, startAround } from './around.js';
import { batchesOfRun, contentOf, requestsOf, signed } from './requests.js';

type Sent = (request: ReturnType<typeof signed>) => Promise<PlainAnswer>;

async function history(around: CampaignAround, send: Sent, seed: number, firstSeed: number): Promise<string> {
  const any = seeded(seed);
  const id = `history-${String(firstSeed)}-${String(seed)}`;
  const host = `127.0.0.1:${String(around.plainPort)}`;
  const batches = batchesOfRun(3, 4);
  const requests = requestsOf(id, batches);
  const [open] = requests;
  if (!open) return 'no requests';
  await send(signed(host, open));
  const fresh = () => requests.flatMap((asking) => Array.from({ length: 1 + any(10) }, () => signed(host, asking)));
  const own = fresh();
  const copies = own.filter(() => any(4) === 0);
  const foreign = requests.slice(1).map((asking) => signed(host, asking, OTHER_KEY));
  const steps = shuffled([...own, ...foreign], any);
  const answers = await inLanes(steps, send);

  if (foreign.some((request) => answers.get(request)?.status !== 403)) return 'another sender got through';
  const replayed = await Promise.all(copies.map(send));
  if (replayed.some((answer) => !isRefusedCopy(answer))) return 'a copy got through';

  // Then as it should be, to the end: whatever happened before, this is what counts.
  const last: PlainAnswer[] = [];
  for (const asking of requests) last.push(await send(signed(host, asking)));
  if (last.some(({ status }) => status >= 300)) return `not done: ${last.map(({ status }) => status).join(' ')}`;
  for (const [index, asking] of requests.entries()) {
    const same = own.filter(({ path, method }) => path.endsWith(asking.path) && method === asking.method);
    const taken = same
      .map((request) => answers.get(request))
      // 202 says only that there is no report yet.
      .filter((answer) => answer !== undefined && answer.status < 300 && answer.status !== 202);
    // The state in the answer to opening moves on with the run; the answers to batches and seal do not.
    if (index > 0 && taken.some((answer) => answer?.body !== last[index]?.body))
      return 'another answer to the same request';
  }
  const handed = around.handed.get(id);
  around.handed.delete(id);
  if (handed?.times !== 1) return `handed over ${String(handed?.times ?? 0)} times`;
  return handed.content === contentOf(batches) ? 'one effect' : 'other content';
}

/** As a copy, or (after many of them) as one of too many refusals. */
function isRefusedCopy({ status, body }: PlainAnswer): boolean {
  return (
    (status === 401 && body.includes('signature-replayed')) || (status === 429 && body.includes('too-many-refusals'))
  );
}

/** Four at a time, in order within each. */
async function inLanes(steps: readonly ReturnType<typeof signed>[], send: Sent) {
  const answers = new Map<ReturnType<typeof signed>, PlainAnswer>();
  let next = 0;
  const lane = async () => {
    for (let step = steps[next++]; step; step = steps[next++]) answers.set(step, await send(step));
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return answers;
}

function shuffled<Item>(items: readonly Item[], any: (limit: number) => number): Item[] {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = any(at + 1);
    [mixed[at], mixed[other]] = [mixed[other] as Item, mixed[at] as Item];
  }
  return mixed;
}

async function main(argv: readonly string[]): Promise<void> {
  const around = await startAround({ requests: 1_000 });
  const { send, close } = plainSender(around.plainPort);
  const firstSeed = numberOption(argv, 'seed', 1);
  try {
    const one = (seed: number) => history(around, send, seed, firstSeed);
    const result = await runCases({ title: 'histories', count: 10_000, atATime: 4, one }, argv);
    const other = result.cases - (result.counts['one effect'] ?? 0);
    verdict(
      'Histories of repeated requests',
      [{ name: 'histories with another effect than one', value: other, limit: 0 }],
      result,
      argv,
    );
  } finally {
    close();
    await around.close();
  }
}

void main(process.argv.slice(2));

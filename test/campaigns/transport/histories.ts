/**
 * `npm run histories:transport -- --count N --seed N --json --check`: every request of a run, sent one to ten times, out of
 * order, as new requests and as copies of old ones, by its sender and by another at the same time. The run arrives once,
 * whole, and the same request has the same answer however often.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { numberOption } from '../../../bench/support/verdict.js';
import { seeded } from '../../support/fault-proxy.js';
import { OTHER_KEY } from '../../unit/transport/keys.js';
import { runCases, verdict } from '../campaign.js';
import { type CampaignAround, type PlainAnswer, plainSender, startAround } from './around.js';
import { batchesOfRun, contentOf, requestsOf, signed } from './requests.js';

type Request = ReturnType<typeof signed>;
type Sent = (request: Request) => Promise<PlainAnswer>;
/** A request as it was sent last, and the answer to it. */
interface Exchange {
  readonly request: Request;
  readonly answer: PlainAnswer;
}

/** So often the same is asked, signed anew, before "no answer" or "not yet" is taken for an answer. */
const TRIES = 20;
const TRY_AGAIN_MS = 250;

/**
 * Sends what `make` signs, until there is an answer that says something of the run. A process that was paused for minutes
 * (a busy machine, one that slept) finds its connections closed, its signatures stale, and seals without a report yet.
 */
async function exchange(send: Sent, make: () => Request): Promise<Exchange> {
  for (let tries = 1; ; tries += 1) {
    const request = make();
    const answer = await send(request);
    const nothing = answer.status === 0 || answer.status === 202 || isProblem(answer, 'signature-stale');
    if (!nothing || tries >= TRIES) return { request, answer };
    await delay(TRY_AGAIN_MS);
  }
}

async function history(around: CampaignAround, send: Sent, seed: number, firstSeed: number): Promise<string> {
  const any = seeded(seed);
  const id = `history-${String(firstSeed)}-${String(seed)}`;
  const host = `127.0.0.1:${String(around.plainPort)}`;
  const batches = batchesOfRun(3, 4);
  const requests = requestsOf(id, batches);
  const [open] = requests;
  if (!open) return 'no requests';
  await exchange(send, () => signed(host, open));
  const own = requests.flatMap((asking) =>
    Array.from({ length: 1 + any(10) }, () => ({ asking, copied: any(4) === 0, make: () => signed(host, asking) })),
  );
  const foreign = requests
    .slice(1)
    .map((asking) => ({ asking, copied: false, make: () => signed(host, asking, OTHER_KEY) }));
  const exchanges = await inLanes(shuffled([...own, ...foreign], any), async (step) => ({
    ...step,
    ...(await exchange(send, step.make)),
  }));

  const others = exchanges.filter(({ request }) => String(request.headers['Signature-Input']).includes(OTHER_KEY.id));
  if (others.length !== foreign.length || others.some(({ answer }) => answer.status !== 403))
    return 'another sender got through';
  const copies = exchanges.filter(({ copied, answer }) => copied && answer.status !== 0);
  const replayed = await Promise.all(copies.map(({ request }) => exchange(send, () => request)));
  if (replayed.some(({ answer }) => !isRefusedCopy(answer))) return 'a copy got through';

  // Then as it should be, to the end: whatever happened before, this is what counts.
  const last: PlainAnswer[] = [];
  for (const asking of requests) last.push((await exchange(send, () => signed(host, asking))).answer);
  if (last.some(({ status }) => status >= 300 || status === 0))
    return `not done: ${last.map(({ status }) => status).join(' ')}`;
  for (const [index, asking] of requests.entries()) {
    const taken = exchanges.filter((one) => one.asking === asking && !others.includes(one));
    const answers = taken.map(({ answer }) => answer).filter(({ status }) => status > 0 && status < 300);
    // The state in the answer to opening moves on with the run; the answers to batches and seal do not.
    if (index > 0 && answers.some(({ body }) => body !== last[index]?.body))
      return 'another answer to the same request';
  }
  const handed = around.handed.get(id);
  around.handed.delete(id);
  if (handed?.times !== 1) return `handed over ${String(handed?.times ?? 0)} times`;
  return handed.content === contentOf(batches) ? 'one effect' : 'other content';
}

function isProblem({ status, body }: PlainAnswer, name: string): boolean {
  return status >= 400 && body.includes(`"urn:dirflow:problem:${name}"`);
}

/** As a copy, or as too old, or (after many of them) as one of too many refusals. */
function isRefusedCopy(answer: PlainAnswer): boolean {
  return ['signature-replayed', 'signature-stale', 'too-many-refusals'].some((name) => isProblem(answer, name));
}

/** Four at a time, in order within each. */
async function inLanes<Step, Result>(steps: readonly Step[], work: (step: Step) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async () => {
    for (let step = steps[next++]; step; step = steps[next++]) results.push(await work(step));
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return results;
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
  const { sendOnce: send, close } = plainSender(around.plainPort);
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

/**
 * `npm run faults:transport -- --count N --seed N --cuts N --json --check`: runs through a proxy that does harm, by seed, and a
 * small run that is cut after every byte (`--cuts N`: after every Nth). A run that the sender calls done must have arrived
 * whole, once; what arrived must be whole in any case. The control sends without repeating and without digests.
 */
import https from 'node:https';
import { createSender } from '../../../engine/transport/sender.js';
import { numberOption } from '../../../bench/support/verdict.js';
import { type Direction, type Fault, faultOf, seeded, startFaultProxy } from '../../support/fault-proxy.js';
import { KEY, PATH } from '../../unit/transport/keys.js';
import { runCases, verdict } from '../campaign.js';
import { type CampaignAround, startAround } from './around.js';
import { batchesOfRun, contentOf, requestsOf, signed } from './requests.js';

const RANGE = { bytes: { up: 6_000, down: 6_000 }, messages: 24, ms: 120 };

type Faults = (connection: number) => readonly Fault[];

/** One to three of the first connections come to harm. */
function seededFaults(seed: number): Faults {
  const any = seeded(seed);
  const harmed = 1 + any(3);
  return (connection) => (connection < harmed ? [faultOf(seed * 8 + connection, RANGE)] : []);
}

async function throughProxy(
  around: CampaignAround,
  id: string,
  faults: Faults,
  size: { batches: number; each: number },
) {
  const batches = batchesOfRun(size.batches, size.each);
  const proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: around.port }, faults });
  const sender = createSender(
    {
      url: `https://127.0.0.1:${String(proxy.port)}${PATH}`,
      proof: { kind: 'signature', keyId: KEY.id, key: KEY.key },
      tls: { ca: around.ca },
      minimumTls: 'TLSv1.2',
      deadlineMs: 8_000,
      underWay: 2,
      spoolFolder: around.folder,
    },
    new AbortController().signal,
  );
  let said = 'done';
  try {
    const run = { id, source: 'example.test', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z', batch: 0 } as const;
    await sender.open(run);
    await Promise.all(batches.map((records, index) => sender.send(index, records)));
    await sender.seal({
      kind: 'seal',
      batches: batches.length,
      records: { user: batches.flat().length, contact: 0, group: 0, 'dynamic-group': 0, members: 0, quarantined: 0 },
      complete: true,
      incomplete: [],
      proof: null,
      token: null,
      stages: [],
    });
  } catch (error) {
    said = (error as { code?: string }).code ?? 'UNEXPECTED';
  }
  sender.close();
  await proxy.close();
  const handed = around.handed.get(id);
  const whole = handed?.times === 1 && handed.content === contentOf(batches);
  around.handed.delete(id);
  if (said === 'done') return whole ? 'done' : 'false success';
  return handed && !whole ? 'arrived in part' : `refused: ${said}`;
}

/** What a sender does that neither repeats nor names what it sent: what got through is the run. */
async function naively(around: CampaignAround, id: string, faults: Faults) {
  const batches = batchesOfRun(5, 20);
  const proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: around.port }, faults });
  const host = `127.0.0.1:${String(proxy.port)}`;
  const send = (asking: Parameters<typeof signed>[1]) =>
    new Promise<number>((resolve) => {
      const { method, path, headers, content } = signed(host, asking);
      const options = {
        host: '127.0.0.1',
        port: proxy.port,
        ca: around.ca,
        method,
        path,
        headers,
        agent: false,
        timeout: 1_000,
      };
      const request = https.request(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', () => resolve(0)).on('timeout', () => request.destroy());
      request.end(content);
    });
  const [open] = requestsOf(id, []);
  if (open) await send(open);
  const taken: typeof batches = [];
  for (const records of batches) {
    const request = requestsOf(id, [...taken, records]).at(-2);
    if (request && (await send(request)) === 200) taken.push(records);
  }
  const seal = requestsOf(id, taken).at(-1);
  const answer = seal ? await send(seal) : 0;
  await proxy.close();
  const handed = around.handed.get(id);
  around.handed.delete(id);
  if (answer !== 200) return 'refused';
  return handed?.content === contentOf(batches) ? 'done' : 'false success';
}

async function main(argv: readonly string[]): Promise<void> {
  const around = await startAround();
  try {
    const size = { batches: 5, each: 20 };
    const seeds = await runCases(
      {
        title: 'faults by seed',
        count: 1_000,
        atATime: 12,
        one: (seed) => throughProxy(around, `faults-${String(seed)}`, seededFaults(seed), size),
      },
      argv,
    );
    const cuts = await cutEverywhere(around, numberOption(argv, 'cuts', 1));
    const control = await runCases(
      {
        title: 'control, without repeating',
        count: 60,
        atATime: 12,
        one: (seed) => naively(around, `naive-${String(seed)}`, (at) => (at === 2 ? [faultOf(seed, RANGE)] : [])),
      },
      ['--count', '60', '--seed', String(seeds.seed)],
    );
    const bad = ({ counts }: { counts: Record<string, number> }) =>
      (counts['false success'] ?? 0) + (counts['arrived in part'] ?? 0) + (counts['refused: UNEXPECTED'] ?? 0);
    verdict(
      'A run through faults',
      [
        { name: 'false successes and partial runs, faults by seed', value: bad(seeds), limit: 0 },
        { name: 'false successes and partial runs, cut at every byte', value: bad(cuts), limit: 0 },
        { name: 'cuts that a run did not survive', value: cuts.cases - (cuts.counts['done'] ?? 0), limit: 0 },
        {
          name: 'control: 1 where the naive sender came to no harm',
          value: control.counts['false success'] ? 0 : 1,
          limit: 0,
        },
      ],
      { seeds, cuts, control },
      argv,
    );
  } finally {
    await around.close();
  }
}

/** Cuts the first connection of a small run after every byte, in both directions. */
async function cutEverywhere(around: CampaignAround, step: number) {
  const length = await lengths(around);
  const points = (['up', 'down'] as const).flatMap((direction) =>
    Array.from({ length: Math.ceil(length[direction] / step) }, (_, at) => ({ direction, byte: at * step })),
  );
  return runCases(
    {
      title: 'cut after every byte',
      count: points.length,
      atATime: 12,
      async one(seed) {
        const point = points[seed - 1] ?? { direction: 'up' as Direction, byte: 0 };
        const fault: Fault = { kind: 'cut', direction: point.direction, at: { byte: point.byte } };
        const faults: Faults = (connection) => (connection === 0 ? [fault] : []);
        return throughProxy(around, `cut-run-${String(seed)}`, faults, { batches: 1, each: 2 });
      },
    },
    ['--count', String(points.length)],
  );
}

async function lengths(around: CampaignAround): Promise<Record<Direction, number>> {
  const [batches] = [batchesOfRun(1, 2)];
  const proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: around.port }, faults: () => [] });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: around.ca });
  const host = `127.0.0.1:${String(proxy.port)}`;
  for (const asking of requestsOf('lengths-01', batches)) {
    const { method, path, headers, content } = signed(host, asking);
    await new Promise((resolve, reject) => {
      const request = https.request({ host: '127.0.0.1', port: proxy.port, agent, method, path, headers }, (response) =>
        response.resume().on('end', resolve),
      );
      request.on('error', reject).end(content);
    });
  }
  agent.destroy();
  const { up, down } = proxy.bytes;
  await proxy.close();
  return { up, down };
}

void main(process.argv.slice(2));

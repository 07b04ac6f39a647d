/** The sending side of a transfer, in a process of its own. */
import https from 'node:https';
import { type TLSSocket, connect } from 'node:tls';
import { promisify } from 'node:util';
import { type ZlibOptions, constants, gzip } from 'node:zlib';
import axios from 'axios';
import { countRecords } from '../../engine/model/message.js';
import { type EnrichedRecord, noRecords } from '../../engine/model/records.js';
import { writeBatch } from '../../engine/transport/batch.js';
import { ENCODINGS, compress } from '../../engine/transport/encoding.js';
import { createSender } from '../../engine/transport/sender.js';
import { companyBatches } from '../support/enriched.js';
import { BENCH_KEY, type SideJob, measuring } from './job.js';

interface Bytes {
  json: number;
  wire: number;
}

/** Gives each batch to `send`, with a few under way, as the window of a run does. */
async function throughWindow(
  job: SideJob,
  size: number,
  send: (index: number, records: EnrichedRecord[]) => Promise<void>,
) {
  const underWay = new Set<Promise<void>>();
  let index = 0;
  for await (const records of companyBatches(job)) {
    const sending = send(index, records).finally(() => underWay.delete(sending));
    underWay.add(sending);
    index += 1;
    while (underWay.size >= size) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return index;
}

async function ours(job: SideJob): Promise<Bytes> {
  const sender = createSender(
    {
      url: `https://127.0.0.1:${String(job.port)}/directory-sync`,
      proof: { kind: 'signature', keyId: BENCH_KEY.id, key: BENCH_KEY.key },
      tls: { ca: job.ca },
      minimumTls: 'TLSv1.2',
      deadlineMs: 300_000,
      spoolFolder: job.folder,
    },
    new AbortController().signal,
  );
  const run = {
    id: 'bench-transmit',
    source: 'bench',
    mode: 'full',
    startedAt: new Date().toISOString(),
    batch: 0,
  } as const;
  const records = noRecords();
  await sender.open(run);
  const batches = await throughWindow(job, 4, async (index, batch) => {
    countRecords(batch, records);
    await sender.send(index, batch);
  });
  const seal = {
    kind: 'seal',
    batches,
    records,
    complete: true,
    incomplete: [],
    proof: null,
    token: null,
    stages: [],
  } as const;
  const report = await sender.seal({ ...seal, incomplete: [], stages: [] });
  sender.close();
  const { jsonBytes, sentBytes } = report.stages[0]?.figures ?? {};
  return { json: Number(jsonBytes), wire: Number(sentBytes) };
}

/** As one would write it in an afternoon: a batch after the other, compressed by zlib as it is. */
async function plainAxios(job: SideJob, level: number): Promise<Bytes> {
  const bytes = { json: 0, wire: 0 };
  const httpsAgent = new https.Agent({ ca: job.ca, keepAlive: true });
  const zip = promisify<Buffer, ZlibOptions, Buffer>(gzip);
  for await (const records of companyBatches(job)) {
    const json = Buffer.from(JSON.stringify(records));
    const data = await zip(json, { level });
    bytes.json += json.length;
    bytes.wire += data.length;
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    await axios.post(`https://127.0.0.1:${String(job.port)}/`, data, { httpsAgent, headers, proxy: false });
  }
  httpsAgent.destroy();
  return bytes;
}

/** The same compressed bytes as ours, in one stream, read by nobody. */
async function raw(job: SideJob): Promise<Bytes> {
  const bytes = { json: 0, wire: 0 };
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const made = connect({ host: '127.0.0.1', port: job.port, ca: job.ca }, () => resolve(made));
    made.on('error', reject);
  });
  for await (const records of companyBatches(job)) {
    const { content } = writeBatch(records);
    const data = await compress(content, ENCODINGS[0] ?? 'gzip');
    bytes.json += content.length;
    bytes.wire += data.length;
    if (!socket.write(data)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await new Promise<void>((resolve) => socket.end(resolve));
  return bytes;
}

process.once('message', (job: SideJob) => {
  const done = measuring();
  const ways: Record<SideJob['kind'], () => Promise<Bytes>> = {
    ours: () => ours(job),
    axios: () => plainAxios(job, constants.Z_DEFAULT_COMPRESSION),
    'axios-fast': () => plainAxios(job, constants.Z_BEST_SPEED),
    raw: () => raw(job),
  };
  const sending = ways[job.kind]();
  process.once('disconnect', () => process.exit(0));
  void sending.then((bytes) => process.send?.(done(bytes)));
});

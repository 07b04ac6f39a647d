/** Reads as the extract node does, and enriches beside it as the enrich node does. Prints what that took. */
import { setImmediate as soon } from 'node:timers/promises';
import { Enrichment } from '../../engine/enrich/enrichment.js';
import type { EnrichSettings } from '../../engine/enrich/settings.js';
import { extract } from '../../engine/extract/extract.js';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import { ADDITIONAL } from '../support/attributes.js';
import { type EnrichFigures, ENRICH } from './enrich-job.js';
import { readJob } from './job.js';

/** Batches under way at once, as the node has them. */
const AT_ONCE = 4;

async function main(): Promise<void> {
  const job = readJob();
  const directory: DirectorySettings = {
    servers: [{ host: job.host, port: job.port }],
    encryption: 'none',
    tls: {},
    user: job.user,
    password: job.password,
    base: job.base,
    pageSize: job.pageSize,
    timeouts: { connect: 5_000, idle: 60_000, run: 600_000 },
    maxMessageBytes: 32 * 1024 * 1024,
  };
  const { signal } = new AbortController();
  const wanted = process.env[ENRICH];
  const settings = wanted === undefined ? null : (JSON.parse(wanted) as EnrichSettings);
  const enrichment = settings && new Enrichment(settings, { own: directory, other: null }, new Date(), signal);
  const startedAt = performance.now();
  const batches = extract(
    directory,
    { filter: job.filter, attributes: ADDITIONAL, batchSize: 500, contacts: true },
    signal,
  );
  const underWay = new Set<Promise<void>>();
  let objects = 0;
  let memberships = 0;
  let readRequests = 0;
  const count = (records: readonly object[]) => {
    for (const record of records) if ('add' in record && Array.isArray(record.add)) memberships += record.add.length;
  };
  for (;;) {
    const next = await batches.next();
    if (next.done === true) {
      if (!next.value.seal.complete) throw new Error('The seal is not complete.');
      readRequests = Number(next.value.seal.stages[0]?.figures['requests']);
      break;
    }
    objects += next.value.length;
    if (!enrichment) continue;
    // Node-RED delivers a message in a turn of its own.
    const work = soon()
      .then(() => enrichment.batch(next.value))
      .then(({ records }) => count(records));
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  for (const records of enrichment?.rest() ?? []) count(records);
  const seconds = (performance.now() - startedAt) / 1000;
  const outcome = enrichment?.outcome();
  if ((outcome?.incomplete.length ?? 0) > 0) throw new Error(outcome?.incomplete[0]?.message);
  await enrichment?.close();
  const lookUpRequests = Number(outcome?.figures['requests'] ?? 0);
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  const figures: EnrichFigures = { seconds, objects, memberships, readRequests, lookUpRequests, peakMegabytes };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});

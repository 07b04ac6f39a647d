/** Our reader, as the extract node uses it: records decoded, guard on, proof made. */
import { extract } from '../../engine/extract/extract.js';
import { ADDITIONAL } from '../support/attributes.js';
import { runClient } from './client.js';

runClient(async (job) => {
  const batches = extract(
    {
      servers: [{ host: job.host, port: job.port }],
      encryption: 'none',
      tls: {},
      user: job.user,
      password: job.password,
      base: job.base,
      pageSize: job.pageSize,
      timeouts: { connect: 5_000, idle: 60_000, run: 600_000 },
      maxMessageBytes: 32 * 1024 * 1024,
    },
    { filter: job.filter, attributes: ADDITIONAL, batchSize: 500, contacts: true },
    new AbortController().signal,
  );
  let entries = 0;
  for (;;) {
    const next = await batches.next();
    if (next.done === true) {
      if (next.value.failure !== null) throw next.value.failure;
      if (!next.value.seal.complete) throw new Error('The seal is not complete.');
      return entries;
    }
    entries += next.value.length;
  }
});

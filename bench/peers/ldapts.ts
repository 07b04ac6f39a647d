/** Plain ldapts, page by page: what one gets without a wire of one's own. */
import { Client } from 'ldapts';
import { runClient } from './client.js';

runClient(async (job) => {
  const client = new Client({ url: `ldap://${job.host}:${String(job.port)}` });
  await client.bind(job.user, job.password);
  let entries = 0;
  const pages = client.searchPaginated(job.base, {
    filter: job.filter,
    attributes: job.attributes,
    timeLimit: 0,
    paged: { pageSize: job.pageSize },
  });
  for await (const page of pages) entries += page.searchEntries.length;
  await client.unbind();
  return entries;
});

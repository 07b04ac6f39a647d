/** ldapjs, which most existing Node-RED nodes rest on; retired by its maintainer, here for comparison only. */
import ldap from 'ldapjs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const job = JSON.parse(process.env.READ_JOB);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const client = ldap.createClient({ url: `ldap://${job.host}:${job.port}` });
client.bind(job.user, job.password, (refused) => {
  if (refused) throw refused;
  const options = { scope: 'sub', filter: job.filter, attributes: job.attributes, paged: { pageSize: job.pageSize } };
  client.search(job.base, options, (failed, search) => {
    if (failed) throw failed;
    let entries = 0;
    search.on('searchEntry', (entry) => {
      if (entry.attributes.length > 0) entries += 1;
    });
    search.on('error', (error) => {
      throw error;
    });
    search.on('end', () => {
      delay.disable();
      console.log(
        JSON.stringify({
          entries,
          peakMegabytes: process.resourceUsage().maxRSS / 1024,
          loopP999: delay.percentile(99.9) / 1e6,
          loopMax: delay.max / 1e6,
        }),
      );
      client.unbind();
    });
  });
});

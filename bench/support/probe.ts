/**
 * Loaded into a Node-RED before it starts (`--require`): watches its event loop, and prints what it saw since the last
 * time whenever it gets the signal SIGWINCH (Node-RED takes SIGUSR2 for its own end).
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let processor = process.cpuUsage();

process.on('SIGWINCH', () => {
  const { user, system } = process.cpuUsage(processor);
  const seen = {
    loopP999: delay.percentile(99.9) / 1e6,
    loopMax: delay.max / 1e6,
    cpu: (user + system) / 1e6,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
  processor = process.cpuUsage();
  delay.reset();
  process.stdout.write(`PROBE ${JSON.stringify(seen)}\n`);
});

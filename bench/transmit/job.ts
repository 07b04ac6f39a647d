/** What the two processes of a transfer are told, and what they tell; and how they measure themselves. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** `axios`: with zlib as it is, gzip at level 6; `axios-fast`: at level 1. */
export type SideKind = 'ours' | 'axios' | 'axios-fast' | 'raw';

export interface SideJob {
  readonly kind: SideKind;
  readonly people: number;
  readonly groups: number;
  readonly batchSize: number;
  /** Telephone numbers and the like by chance. */
  readonly random: boolean;
  readonly folder: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Whether what was stored is read again and handed on, as to a flow. */
  readonly handOver: boolean;
  /** Where the receiving side listens; 0 for itself. */
  readonly port: number;
}

export interface SideFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly delayP999Ms: number;
  readonly jsonBytes: number;
  readonly wireBytes: number;
}

export const BENCH_KEY = { id: 'bench', key: 'a key for benches, thirty-two characters or more' };
const SAMPLE_EVERY_MS = 20;

/** Begins to measure this process; the function ends it. Memory is the highest that was seen, in MiB. */
export function measuring(): (bytes: { json: number; wire: number }) => SideFigures {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let peak = 0;
  const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), SAMPLE_EVERY_MS);
  return ({ json, wire }) => {
    clearInterval(sampling);
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    return {
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakMiB: Math.max(peak, process.memoryUsage.rss()) / 2 ** 20,
      // The histogram counts from one tick of its timer to the next: what is above that was a delay.
      delayP999Ms: Math.max(0, delay.percentile(99.9) / 1e6 - 1),
      jsonBytes: json,
      wireBytes: wire,
    };
  };
}

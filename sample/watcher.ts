/** Watches a run in the flow: tells its progress, and waits for its report. */
import { parserOf, contractFault } from '../engine/model/check.js';
import { Report } from '../engine/model/report.js';
import type { FlowWatcher } from './runtime.js';

const parseReport = parserOf(Report, contractFault('The report'));

/** After an error: how long a report may still follow (a failed read still seals its run). */
const REPORT_AFTER_ERROR_MS = 10_000;
const PROGRESS_EVERY_MS = 1_000;

/** How a run ended: its report, if one came, and what went wrong on the way. */
export interface RunEnd {
  readonly report: Report | null;
  readonly errors: readonly string[];
}

export class RunWatcher implements FlowWatcher {
  readonly #errors: string[] = [];
  readonly #sent = new Map<string, number>();
  #report: Report | null = null;
  #toldAt = 0;
  #settle: (() => void) | undefined;

  constructor(private readonly tell: (line: string) => void) {}

  onMessage(type: string, { topic, payload }: { readonly topic?: unknown; readonly payload?: unknown }): void {
    if (topic === 'batch' && Array.isArray(payload)) this.#progress(type, payload.length);
    if (topic === 'seal') this.tell(`  ${type}: ${String(this.#sent.get(type) ?? 0)} records, sealed`);
    if (type === 'directory-transmit' && topic === 'report') {
      this.#report = parseReport(payload);
      this.#settle?.();
    }
  }

  onError(type: string, message: string): void {
    this.#errors.push(`${type}: ${message}`);
    setTimeout(() => this.#settle?.(), REPORT_AFTER_ERROR_MS).unref();
  }

  /** Resolves when the report is there, or when after an error none has followed. */
  async ended(): Promise<RunEnd> {
    if (this.#report === null) {
      await new Promise<void>((settle) => {
        this.#settle = settle;
      });
    }
    return { report: this.#report, errors: this.#errors };
  }

  #progress(type: string, records: number): void {
    const sent = (this.#sent.get(type) ?? 0) + records;
    this.#sent.set(type, sent);
    const now = Date.now();
    if (now - this.#toldAt < PROGRESS_EVERY_MS) return;
    this.#toldAt = now;
    this.tell(`  ${type}: ${String(sent)} records`);
  }
}

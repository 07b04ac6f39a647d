/**
 * Carries what apply did with a run back to the receive node that handed it to the flow, inside one process. Where no
 * apply node takes the run (it goes into a file, or to another machine), the receiver learns that too, and does not wait.
 */
import type { DirectorySyncError } from '../model/errors.js';
import type { Report } from '../model/report.js';

/** What became of a run: a report, an error, or nobody here took it. */
export type RunOutcome = { report: Report } | { error: DirectorySyncError } | { untaken: true };

interface Waiting {
  taken: boolean;
  settle: (outcome: RunOutcome) => void;
}

const waiting = new Map<string, Waiting>();
const TAKE_WITHIN_MS = 2_000;

/**
 * Waits for the outcome of a run. Call it before the run's first message is sent into the flow, and call `handedOver` once
 * its seal has been sent: from then on, a run that nobody took within two seconds counts as untaken.
 */
export function awaitOutcome(
  runId: string,
  takeWithin = TAKE_WITHIN_MS,
): { outcome: Promise<RunOutcome>; handedOver: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const outcome = new Promise<RunOutcome>((resolve) => {
    waiting.set(runId, {
      taken: false,
      settle: (value) => {
        clearTimeout(timer);
        waiting.delete(runId);
        resolve(value);
      },
    });
  });
  const handedOver = () => {
    timer = setTimeout(() => {
      const entry = waiting.get(runId);
      if (entry && !entry.taken) entry.settle({ untaken: true });
    }, takeWithin);
  };
  return { outcome, handedOver };
}

/** Apply says: this run is mine, an outcome will follow. */
export function takeRun(runId: string): void {
  const entry = waiting.get(runId);
  if (entry) entry.taken = true;
}

/** Apply says what became of the run. Harmless where nobody waits. */
export function settleRun(runId: string, outcome: RunOutcome): void {
  waiting.get(runId)?.settle(outcome);
}

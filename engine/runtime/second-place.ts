/** Whose turn it is where there is less processor than work. */
import { getPriority, setPriority } from 'node:os';

const LAST = 19;
/** Of the steps that a thread may step back: with half of them it gets a tenth of what another gets that wants as much. */
const STEPS_BACK = 10;

/**
 * Gives way to the thread that serves the editor; call it in a worker thread. Linux only: there 0 means the calling thread
 * (setpriority(2), "C library/kernel differences"), elsewhere the whole process, in which nothing would change then.
 */
export function takeSecondPlace(): void {
  if (process.platform !== 'linux') return;
  try {
    // From where the process was put: in a process that stepped back itself, ten would be a step forward.
    setPriority(0, Math.min(LAST, getPriority(0) + STEPS_BACK));
  } catch {
    // Where that is forbidden all threads have the same turn, as elsewhere.
  }
}

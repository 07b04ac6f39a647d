/** Whose turn it is where there is less processor than work. */
import { setPriority } from 'node:os';

/** Of the 19 steps that a thread may step back: with half of them it gets a tenth of what another gets that wants as much. */
const STEPS_BACK = 10;

/**
 * Gives way to the thread that serves the editor; call it in a worker thread. Linux only: there 0 means the calling thread
 * (setpriority(2), "C library/kernel differences"), elsewhere the whole process, in which nothing would change then.
 */
export function takeSecondPlace(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, STEPS_BACK);
  } catch {
    // Where that is forbidden all threads have the same turn, as elsewhere.
  }
}

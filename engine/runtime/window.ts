/**
 * Back-pressure inside one process. Node-RED's messages have none, so a run has a window: extract waits while more than a
 * few of its batches are unacknowledged; the node that finally takes the batches (transmit, apply) claims the run and
 * acknowledges. Where nobody claims it (a debug node, a broker), the run goes on unthrottled and does not stall.
 */
import { StoppedError } from '../model/errors.js';

const open = new Map<string, RunWindow>();

/**
 * How long extract waits for somebody to claim the run before it takes the flow for one that does not acknowledge. Messages
 * reach a node that is wired directly, or behind function and switch nodes, in a few milliseconds. A claim that comes later
 * still throttles it.
 */
const CLAIM_WITHIN_MS = 100;
/** The same where a node that looks things up, and hands the first batch on only then, has the run. */
const CLAIM_BEHIND_WITHIN_MS = 500;
/**
 * A claimed run of which nothing is heard for this long, neither an acknowledgement nor a claim again, has lost batches on the
 * way: it goes on with an empty window.
 */
const LOST_AFTER_MS = 60_000;

/** The window of one run, held by its extract node. Always `close()` it. */
export class RunWindow {
  #unacknowledged = 0;
  #claimed = false;
  #claimedAt = 0;
  #unclaimed = false;
  #behind = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(
    readonly runId: string,
    readonly size: number,
    private readonly claimWithin = CLAIM_WITHIN_MS,
    private readonly lostAfter = LOST_AFTER_MS,
    private readonly claimBehindWithin = CLAIM_BEHIND_WITHIN_MS,
  ) {
    open.set(runId, this);
  }

  /** Counts a batch as sent, then waits until there is room for another. Rejects with `StoppedError` when aborted. */
  async sent(signal: AbortSignal): Promise<void> {
    this.#unacknowledged += 1;
    while (this.#unacknowledged >= this.size && !this.#unclaimed && !this.#closed) {
      if (signal.aborted) throw new StoppedError(signal.reason);
      await this.#room(signal);
    }
  }

  /** @internal Called through {@link claimRun}. */
  claim(): void {
    this.#claimed = true;
    this.#claimedAt = performance.now();
    this.#unclaimed = false;
  }

  /** @internal Called through {@link announceClaim}. */
  announced(): void {
    if (this.#behind) return;
    this.#behind = true;
    this.#wake?.();
  }

  /** @internal Called through {@link acknowledgeBatch}. */
  acknowledge(): void {
    this.#unacknowledged -= 1;
    this.#wake?.();
  }

  close(): void {
    open.delete(this.runId);
    this.#closed = true;
    this.#wake?.();
  }

  #patience(): number {
    if (this.#claimed) return this.lostAfter;
    return this.#behind ? this.claimBehindWithin : this.claimWithin;
  }

  #room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const claimed = this.#claimed;
      const giveUp = setTimeout(() => {
        const lost = performance.now() - this.#claimedAt >= this.lostAfter;
        if (claimed && lost) this.#unacknowledged = 0;
        if (!claimed) this.#unclaimed = !this.#claimed;
        wake();
      }, this.#patience());
      const wake = () => {
        clearTimeout(giveUp);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake);
    });
  }
}

/**
 * Says that this node will acknowledge the run's batches; again, every now and then, that it is still at it. Harmless for a
 * run of another process.
 */
export function claimRun(runId: string): void {
  open.get(runId)?.claim();
}

/** Says that this node has the run and takes its time: whoever is behind it can claim the run only later. */
export function announceClaim(runId: string): void {
  open.get(runId)?.announced();
}

/** Says that one more batch of the run has been taken care of. Harmless for a run of another process. */
export function acknowledgeBatch(runId: string): void {
  open.get(runId)?.acknowledge();
}

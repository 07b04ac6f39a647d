/**
 * Work in a thread of its own, as typed calls: `startWorker` on the one side, `serveWorker` in the file that the thread
 * runs. Calls are done one at a time, in the order in which they were made (in lanes of them, where it says so); errors of the taxonomy come back as what they
 * were (class, code, message, status, params). Arguments and results are copied (structured clone), but for a result
 * that is bytes: those are handed over, and the thread has them no more.
 */
import { Worker, isMarkedAsUntransferable, parentPort, workerData } from 'node:worker_threads';
import { DirectorySyncError, StoppedError, asDirectorySyncError } from '../model/errors.js';
import { type PackedError, packError, unpackError } from './packed-error.js';
import { takeSecondPlace } from './second-place.js';

/** What a thread offers: every property a function, synchronous or not. */
type Callable<Methods> = { [Name in keyof Methods]: (...args: never[]) => unknown };

/** The near end of a worker thread. */
export interface WorkerHandle<Methods extends Callable<Methods>> {
  /** Calls a method of the thread. Rejects with what it threw, or `WORKER_LOST` where the thread ended under it. */
  call<Name extends keyof Methods & string>(
    name: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>>;
  /** Waits for the call at hand, refuses those behind it (`STOPPED`), lets the thread tidy up, ends it. May be called twice. */
  close(): Promise<void>;
}

interface Call {
  id: number;
  name: string;
  args: unknown[];
}
type Answer = { id: number; value: unknown } | { id: number; error: PackedError };
interface Start {
  data: unknown;
  /** One 32-bit flag, seen by both sides at once: not 0 = take no further calls. */
  closing: Int32Array;
}

/**
 * Starts `file` (absolute path of a compiled module that calls {@link serveWorker}) in a thread; `data` is what its
 * {@link workerInput} returns. An idle thread does not keep the process alive.
 */
export function startWorker<Methods extends Callable<Methods>>(file: string, data: unknown): WorkerHandle<Methods> {
  const closing = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(file, { workerData: { data, closing } satisfies Start });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let failure: unknown;
  let ended = false;

  const settled = (id: number) => {
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  };
  worker.unref();
  worker.on('message', (answer: Answer) => {
    const call = waiting.get(answer.id);
    settled(answer.id);
    if ('error' in answer) call?.reject(unpackError(answer.error));
    else call?.resolve(answer.value);
  });
  worker.on('error', (error) => (failure = error));
  const exit = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      ended = true;
      for (const call of waiting.values()) call.reject(lost(failure));
      waiting.clear();
      resolve();
    });
  });

  return {
    call(name, ...args) {
      if (closing[0] !== 0) return Promise.reject(new StoppedError());
      if (ended) return Promise.reject(lost(failure));
      return new Promise((resolve, reject) => {
        const id = (lastId += 1);
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        worker.ref();
        try {
          worker.postMessage({ id, name, args } satisfies Call);
        } catch (error) {
          settled(id);
          reject(asDirectorySyncError(error));
        }
      });
    },
    async close() {
      if (!ended) {
        const first = Atomics.exchange(closing, 0, 1) === 0;
        worker.ref();
        if (first) worker.postMessage(null);
      }
      await exit;
    },
  };
}

function lost(failure: unknown): DirectorySyncError {
  if (failure instanceof DirectorySyncError) return failure;
  const why = failure instanceof Error ? `: ${failure.message}` : '';
  return new DirectorySyncError('WORKER_LOST', {
    message: `The thread that did the work ended unexpectedly${why}. Nothing was half-done; start the run again, and look for a lack of memory if it happens again.`,
    status: 'worker lost',
    cause: failure,
    transient: true,
  });
}

/** In the thread: the `data` it was started with. Parse it before use. */
export function workerInput(): unknown {
  return (workerData as Start).data;
}

/**
 * In the thread: answers calls with `methods`, one at a time in each lane (`laneOf` a method's name; one for all, if not
 * told otherwise; null: at once), until the other side closes; then `tidyUp` runs (close files there) and the thread ends.
 */
export function serveWorker<Methods extends Callable<Methods>>(
  methods: Methods,
  tidyUp: () => void | Promise<void> = () => undefined,
  laneOf: (name: string) => string | null = () => '',
): void {
  const port = parentPort;
  if (!port) throw new Error('serveWorker() was called outside a worker thread.');
  takeSecondPlace();
  const { closing } = workerData as Start;
  const table = new Map<string, (...args: never[]) => unknown>(Object.entries(methods));
  const answer = async ({ id, name, args }: Call): Promise<Answer> => {
    try {
      if (Atomics.load(closing, 0) !== 0) throw new StoppedError();
      const method = table.get(name);
      if (!method) throw new Error(`the thread has no method ${name}`);
      return { id, value: await method(...(args as never[])) };
    } catch (error) {
      return { id, error: packError(error) };
    }
  };
  const answered = async (call: Call) => {
    const message = await answer(call);
    port.postMessage(message, 'value' in message ? ownMemory(message.value) : []);
  };
  const lanes = new Map<string, Promise<void>>();
  const atOnce = new Set<Promise<void>>();
  port.on('message', (call: Call | null) => {
    if (call) {
      const lane = laneOf(call.name);
      if (lane === null) {
        const work = answered(call).finally(() => atOnce.delete(work));
        atOnce.add(work);
        return;
      }
      const before = lanes.get(lane) ?? Promise.resolve();
      lanes.set(
        lane,
        before.then(() => answered(call)),
      );
    } else {
      void Promise.allSettled([...lanes.values(), ...atOnce])
        .then(tidyUp)
        .finally(() => port.close());
    }
  });
}

/** The memory of bytes that are a whole result. Small buffers of Node.js share theirs, which it marks, and are copied. */
function ownMemory(value: unknown): ArrayBuffer[] {
  if (!(value instanceof Uint8Array)) return [];
  const { buffer } = value;
  return buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer) ? [buffer] : [];
}

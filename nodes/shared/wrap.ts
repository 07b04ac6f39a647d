/**
 * The one place where a node's work meets Node-RED's callbacks.
 *
 * Node-RED ignores the promise that a handler returns: a rejection nobody catches ends the whole process (hazard N1), an
 * error in a close handler is swallowed without a word, and after its time limit an instance that has not stopped works on
 * as a ghost beside its successor (N3). So nodes register nothing themselves; they give their work to {@link runNode}.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { type DirectorySyncError, StoppedError, asDirectorySyncError } from '../../engine/model/errors.js';
import { StatusLine } from './status.js';

export type Send = (message: NodeMessage | (NodeMessage | NodeMessage[] | null)[]) => void;

/** What a node does. Everything may throw or reject: it becomes status, log and (for a message) `done(error)`. */
export interface Handlers {
  /** A message came in. When it settles, the message is done: once, with or without an error. */
  input?(message: NodeMessageInFlow, send: Send): Promise<void>;
  /** The node closes; `life.signal` is aborted already. */
  close?(removed: boolean): Promise<void>;
}

/** A node's time between construction and close. */
export interface Life {
  /** Aborted when the node is closed or redeployed. */
  readonly signal: AbortSignal;
  readonly status: StatusLine;
  /** Resolves when all nodes of the flows are there, so that what is sent arrives. Rejects where the node is closed before. */
  flowsStarted(): Promise<void>;
  /** Work that belongs to no message: callbacks of servers and emitters, start-up. Never rejects. */
  background(work: () => Promise<void>): Promise<void>;
  /** Does something again and again, until the answer is called or the node is closed. What it throws is shown. */
  every(milliseconds: number, work: () => void): () => void;
  /** Shows and logs an error that belongs to no message. */
  failed(thrown: unknown): void;
}

/** Node-RED waits 15 s for a close; we wait for our own work no longer than this, aborted as it is. */
const SETTLE_WITHIN_MS = 4_000;

/**
 * Sets a node up: `build` reads its settings and returns its handlers. Where `build` throws (a setting is wrong), the error
 * is shown at once and every message is refused with it.
 */
export function runNode(RED: NodeAPI, node: Node, build: (life: Life) => Handlers): void {
  const abort = new AbortController();
  const underWay = new Set<Promise<void>>();
  const status = new StatusLine(RED, node);
  const failed = (thrown: unknown) => {
    const error = asDirectorySyncError(thrown);
    if (error instanceof StoppedError) return;
    status.failed(error);
    node.error(shown(error));
    traceCause(node, error);
  };
  const track = (work: Promise<void>): Promise<void> => {
    underWay.add(work);
    return work.finally(() => underWay.delete(work));
  };
  const background = (work: () => Promise<void>) => track(settled(work, failed));
  const flowsStarted = () => started(RED, abort.signal);
  const every = (milliseconds: number, work: () => void) => again(milliseconds, work, { failed, signal: abort.signal });
  const life: Life = { signal: abort.signal, status, flowsStarted, background, every, failed };
  const handlers = built(() => build(life), failed);

  if (handlers.input) {
    const input = handlers.input.bind(handlers);
    node.on('input', (message, send, done) => {
      const refuse = (thrown: unknown) => refused(node, status, thrown, done);
      const work = () => input(message, send).catch((thrown: unknown) => unlessDeployed(thrown, abort.signal));
      void track(settled(() => work().then(() => done()), refuse));
    });
  }
  node.on('close', (removed: boolean, done: () => void) => {
    abort.abort();
    const closing = settled(async () => {
      const closed = Promise.resolve(handlers.close?.(removed));
      await within(SETTLE_WITHIN_MS, Promise.all([closed, Promise.allSettled(underWay)]));
    }, failed);
    void closing.then(done);
  });
}

/** The handlers, or for a node that could not be set up, those that refuse every message with the reason. */
function built(build: () => Handlers, failed: (thrown: unknown) => void): Handlers {
  try {
    return build();
  } catch (error) {
    failed(error);
    return { input: () => Promise.reject(asDirectorySyncError(error)) };
  }
}

/** Runs work so that neither a throw nor a rejection leaves it; not even one of `onError`, which calls Node-RED. */
async function settled(work: () => Promise<void>, onError: (thrown: unknown) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    onError(error);
  }
}

/** A deploy closes nodes one after another: this node's configuration may be gone a moment before it is itself. */
const DEPLOYED_WITHIN_MS = 200;

/** Throws what was thrown; where a configuration was missing because of a deploy that closes this node too, `StoppedError`. */
async function unlessDeployed(thrown: unknown, closed: AbortSignal): Promise<never> {
  if (asDirectorySyncError(thrown).code === 'CONFIG_NODE_MISSING') {
    const end = Date.now() + DEPLOYED_WITHIN_MS;
    while (!closed.aborted && Date.now() < end) await sleep(10);
    if (closed.aborted) throw new StoppedError(thrown);
  }
  throw thrown;
}

/** A message that was stopped with its node is done without an error: nobody has to look at anything. */
function refused(node: Node, status: StatusLine, thrown: unknown, done: (error?: Error) => void): void {
  const error = asDirectorySyncError(thrown);
  if (error instanceof StoppedError) {
    status.clear();
    done();
    return;
  }
  status.failed(error);
  traceCause(node, error);
  done(shown(error));
}

/**
 * The error as Node-RED gets it. It copies an error's `cause` and `stack` into what a catch node sends on, and a cause may
 * hold what a server said, names of objects among it: so neither goes along.
 */
function shown({ name, message, code }: DirectorySyncError): Error {
  const bare: Error & { code?: string } = new Error(message);
  bare.name = name;
  bare.code = code;
  Object.defineProperty(bare, 'stack', { value: `${name}: ${message}` });
  return bare;
}

/** The cause may name objects of the directory: only for those who ask for traces. */
function traceCause(node: Node, error: DirectorySyncError): void {
  if (error.cause instanceof Error) node.trace(`${error.code}: ${error.cause.stack ?? error.cause.message}`);
}

function again(
  milliseconds: number,
  work: () => void,
  { failed, signal }: { failed: (thrown: unknown) => void; signal: AbortSignal },
): () => void {
  const timer = setInterval(() => {
    try {
      work();
    } catch (error) {
      failed(error);
    }
  }, milliseconds).unref();
  const stop = () => {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  };
  signal.addEventListener('abort', stop);
  return stop;
}

function started(RED: NodeAPI, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = () => resolve();
    RED.events.once('flows:started', go);
    signal.addEventListener('abort', () => {
      RED.events.off('flows:started', go);
      reject(new StoppedError());
    });
  });
}

function within(milliseconds: number, work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Accounts whose work is done in this thread, in a database in memory: the same code and the same SQLite as in a thread of
 * its own, without the time that starting threads and waiting for the disk take. For campaigns with thousands of accounts;
 * one at a time is opened.
 */
import { createRequire } from 'node:module';
import { type Account, type AccountSettings, openAccount } from '../../../engine/account/account.js';
import { StoppedError } from '../../../engine/model/errors.js';

const load = createRequire(__filename);
const worker = load('../../../engine/runtime/worker.js') as object;
type Methods = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** Opens an account in this thread; `file` is `:memory:` unless the settings name another. */
export async function openHere(settings: AccountSettings): Promise<Account> {
  const threaded = { ...worker };
  Object.assign(worker, { startWorker: startHere });
  try {
    return await openAccount(settings);
  } finally {
    Object.assign(worker, threaded);
  }
}

/** From now on no account of this process has a thread of its own. */
export function withoutThreads(): void {
  Object.assign(worker, { startWorker: startHere });
}

/** What `startWorker` does, without a thread: calls are done one at a time, in the order in which they were made. */
function startHere(file: string, data: unknown) {
  let methods: Methods = {};
  let tidyUp: () => unknown = () => undefined;
  const threaded = { ...worker };
  Object.assign(worker, {
    workerInput: () => data,
    serveWorker: (offered: Methods, tidy: () => unknown) => {
      methods = offered;
      tidyUp = tidy;
    },
  });
  try {
    Reflect.deleteProperty(load.cache, file); // It keeps its state in the module: every thread has its own.
    load(file);
  } finally {
    Object.assign(worker, threaded);
  }
  let before: Promise<unknown> = Promise.resolve();
  const queued = (work: () => unknown): Promise<unknown> => {
    const result = before.then(work);
    before = result.catch(() => undefined);
    return result;
  };
  let closed: Promise<unknown> | undefined;
  return {
    call: (name: string, ...args: unknown[]) =>
      closed ? Promise.reject(new StoppedError()) : queued(() => methods[name]?.(...args)),
    close: () => (closed ??= queued(() => tidyUp())),
  };
}

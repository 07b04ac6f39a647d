/** Runs that are not applied, whatever they bring. */
import { AccountError, ContractError } from '../model/errors.js';
import type { Run } from '../model/run.js';
import { type SqlConnection, textOrNull } from './store/connection.js';

const FUTURE_MS = 24 * 3_600_000;

/** Its start would supersede every run until then. @throws AccountError `RUN_FROM_THE_FUTURE` */
export function refuseFuture({ run, at }: { readonly run: Run; readonly at: string }): void {
  if (!(Date.parse(run.startedAt) - Date.parse(at) > FUTURE_MS)) return;
  throw new AccountError('RUN_FROM_THE_FUTURE', {
    message: `Run ${run.id} was not applied: it says that it started at ${run.startedAt}, and here it is ${at}. Set the clock of the computer that reads the directory, and start a new run.`,
    status: 'clock of the sender is ahead',
    params: { run: run.id, source: run.source, startedAt: run.startedAt },
  });
}

/** A run of the same source that started later was applied before. @throws AccountError `RUN_SUPERSEDED` */
export async function refuseSuperseded(db: SqlConnection, source: number, run: Run): Promise<void> {
  const started = Date.parse(run.startedAt);
  if (Number.isNaN(started)) {
    throw new ContractError('NOT_AS_AGREED', {
      message:
        'msg.run is not as docs/messages.md says: startedAt is no date. Look at what the nodes before change in it.',
      status: 'unexpected message',
      params: { what: 'msg.run', pointer: '/startedAt', expected: 'a date' },
    });
  }
  const [row] = await db.query('SELECT started_at FROM source WHERE key = ?1', [source]);
  const applied = textOrNull(row, 'started_at');
  if (applied === null || Date.parse(applied) <= started) return;
  throw new AccountError('RUN_SUPERSEDED', {
    message: `Run ${run.id} was not applied: a run of the same source that started later was applied before it. Nothing needs to be done; look at the schedule if it happens often.`,
    status: 'superseded',
    params: { run: run.id, source: run.source },
  });
}

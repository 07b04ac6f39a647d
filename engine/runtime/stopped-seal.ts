/** The seal of a run that was stopped on purpose: what was read is good, and nothing may be concluded from the rest. */
import { StoppedError } from '../model/errors.js';
import type { RunLedger } from '../model/ledger.js';
import type { Seal } from '../model/run.js';

/** An incomplete seal over everything that `ledger` saw pass. */
export function stoppedSeal(ledger: RunLedger): Seal {
  const { code, message } = new StoppedError();
  const passedOn = { batches: ledger.batches, records: ledger.records };
  return {
    kind: 'seal',
    ...passedOn,
    complete: false,
    incomplete: [{ code, message }],
    proof: null,
    token: null,
    stages: [ledger.stage('extract', passedOn)],
  };
}

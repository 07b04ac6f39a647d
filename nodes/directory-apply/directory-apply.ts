/** Stages, plans and commits runs into an account; gives the report and the changes. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Account } from '../../engine/account/account.js';
import { parseEnrichedMessage } from '../../engine/model/message.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import type { Change, Report } from '../../engine/model/report.js';
import { settleRun, takeRun } from '../../engine/runtime/outcome.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { acknowledgeBatch, claimRun } from '../../engine/runtime/window.js';
import { type WithAccount, accounts } from '../shared/offers.js';
import { reportMessage, showReport } from '../shared/report.js';
import { type Send, runNode } from '../shared/wrap.js';
import { parseKnown } from './known.js';
import { applySettings } from './settings.js';

interface Staging {
  staged: number;
}

export = function (RED: NodeAPI): void {
  function DirectoryApply(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const settings = applySettings(config);
      const withAccount: WithAccount = (work) => accounts.take(RED, this, settings.account)(work);
      const stage = new RunStage<EnrichedRecord, Staging, null, Report>(
        {
          begin: () => ({ staged: 0 }),
          seen(runId) {
            claimRun(runId);
            takeRun(runId);
          },
          // A receiver that was redeployed hands a run over again: it learns what became of it, and nothing is done twice.
          async again(run, seal, error) {
            const { dryRun } = settings;
            const report = () => withAccount((account) => account.apply(run, seal, { dryRun }));
            settleRun(run.id, error === null ? { report: await report() } : { error });
          },
          async batch({ run, state }, index, records) {
            await withAccount((account) => account.stage(run, index, records));
            state.staged += records.length;
            life.status.busy('staging', { count: state.staged });
          },
          async seal({ run }, seal) {
            life.status.busy('applying');
            const { dryRun } = settings;
            const report = await withAccount((account) => account.apply(run, seal, { dryRun }));
            settleRun(run.id, { report });
            return report;
          },
          end({ run }, error) {
            if (error === null) return;
            // What was staged stays: a receiver hands a run that failed over again. The account forgets it in time.
            settleRun(run.id, { error });
          },
          release: acknowledgeBatch,
        },
        { onGivenUp: (error) => life.failed(error) },
      );
      return {
        async input(message, send) {
          if (message.topic === 'known') {
            send([await withAccount((account) => addKnown(account, message)), null]);
            return;
          }
          const report = await stage.take(parseEnrichedMessage(message), null);
          if (report === null) return;
          showReport(life.status, report);
          const { run } = message;
          send([reportMessage(message, report), null]);
          await withAccount((account) => sendChanges(account.changes(report.run), report.run, run, send));
        },
        close: () => stage.close(),
      };
    });
  }
  RED.nodes.registerType('directory-apply', DirectoryApply);
};

async function addKnown(account: Account, message: NodeMessage): Promise<NodeMessage> {
  const payload = await account.addKnown(parseKnown(message.payload));
  return Object.assign(message, { payload });
}

/** One message behind, because the last one carries the `count`. */
async function sendChanges(batches: AsyncIterable<Change[]>, id: string, run: unknown, send: Send): Promise<void> {
  let index = 0;
  let held: Change[] | null = null;
  const pass = (payload: Change[], count: { count?: number }) => {
    const parts = { id: `${id}-changes`, index, type: 'array', len: payload.length, ...count };
    send([null, { topic: 'changes', run, parts, payload }]);
    index += 1;
  };
  for await (const changes of batches) {
    if (held) pass(held, {});
    held = changes;
  }
  if (held) pass(held, { count: index + 1 });
}

/** Stages, plans and commits runs into an account; gives the report and the changes. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Account } from '../../engine/account/account.js';
import { parseEnrichedMessage } from '../../engine/model/message.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import type { Change, Report } from '../../engine/model/report.js';
import { settleRun, takeRun } from '../../engine/runtime/outcome.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { acknowledgeBatch, claimRun } from '../../engine/runtime/window.js';
import { accounts } from '../shared/offers.js';
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
      const account = () => accounts.take(RED, this, settings.account)();
      const stage = new RunStage<EnrichedRecord, Staging, null, Report>({
        begin(run) {
          claimRun(run.id);
          takeRun(run.id);
          return { staged: 0 };
        },
        async batch({ run, state }, index, records) {
          await (await account()).stage(run, index, records);
          state.staged += records.length;
          life.status.busy('staging', { count: state.staged });
        },
        async seal({ run }, seal) {
          life.status.busy('applying');
          const report = await (await account()).apply(run, seal, { dryRun: settings.dryRun });
          settleRun(run.id, { report });
          return report;
        },
        async end({ run }, error) {
          if (error === null) return;
          settleRun(run.id, { error });
          if (!life.signal.aborted)
            await account()
              .then((open) => open.abandon(run.id))
              .catch(() => undefined);
        },
        release: acknowledgeBatch,
      });
      return {
        async input(message, send) {
          if (message.topic === 'known') {
            send([await addKnown(await account(), message), null]);
            return;
          }
          const report = await stage.take(parseEnrichedMessage(message), null);
          if (report === null) return;
          showReport(life.status, report);
          const { run } = message;
          send([reportMessage(message, report), null]);
          await sendChanges((await account()).changes(report.run), report.run, run, send);
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

/** Stages, plans and commits runs into an account; gives the report and the changes. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Decision } from '../../engine/account/account.js';
import { parseEnrichedMessage } from '../../engine/model/message.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import type { Report } from '../../engine/model/report.js';
import { settleRun, takeRun } from '../../engine/runtime/outcome.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { acknowledgeBatch, claimRun } from '../../engine/runtime/window.js';
import { type WithAccount, accounts } from '../shared/offers.js';
import { reportMessage, showReport } from '../shared/report.js';
import { type Send, runNode } from '../shared/wrap.js';
import { ANSWERS, sendChanges } from './answers.js';
import { parseDecision } from './asked.js';
import { approvable, serveDecisions } from './routes.js';
import { applySettings } from './settings.js';

interface Staging {
  staged: number;
}

/** Does anything take what the node sends on this output? Deploying may change it. */
function isWired(node: Node, port: number): boolean {
  const { wires } = node as Node & { readonly wires?: readonly (readonly string[])[] };
  return (wires?.[port]?.length ?? 0) > 0;
}

export = function (RED: NodeAPI): void {
  function DirectoryApply(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const { id } = this;
      const send: Send = (message) => this.send(message);
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
      /** `before`: how many of its changes were told when its plan was held. */
      const told = async (message: NodeMessage, report: Report, send: Send, before = 0) => {
        showReport(life.status, report);
        const { run } = message;
        send([reportMessage(message, report), null, null]);
        // Reading a million changes takes longer than applying them: only for somebody who takes them.
        if (isWired(this, 1)) {
          await withAccount((account) =>
            sendChanges(
              account.changes(report.run, before),
              { id: report.run, topic: 'changes', port: 1, more: { run } },
              send,
            ),
          );
        }
        if (report.outcome !== 'held' || !isWired(this, 2)) return;
        const { plan, holds, source } = report;
        const more = { run, plan, holds, source };
        await withAccount((account) =>
          sendChanges(account.planned(plan), { id: report.run, topic: 'plan', port: 2, more }, send),
        );
      };
      const decided = (what: Decision) => withAccount((account) => account.decide(what));
      approvable.set(id, {
        withAccount,
        async decide(what) {
          const report = await decided(what);
          await told({}, report, send, report.wentAhead);
          return report;
        },
      });
      return {
        async input(message, send) {
          const answer = ANSWERS.get(message.topic);
          if (answer) {
            await withAccount((account) => answer(account, message, send));
            return;
          }
          if (message.topic === 'approve' || message.topic === 'reject') {
            const { plan, by } = parseDecision(message);
            const report = await decided({ plan, by, verdict: message.topic });
            await told(message, report, send, report.wentAhead);
            return;
          }
          const report = await stage.take(parseEnrichedMessage(message), null);
          if (report !== null) await told(message, report, send);
        },
        close() {
          approvable.delete(id);
          return stage.close();
        },
      };
    });
  }
  serveDecisions(RED);
  RED.nodes.registerType('directory-apply', DirectoryApply);
};

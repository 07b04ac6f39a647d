/** Sends runs to a receiver over HTTPS, and gives its report. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { parseEnrichedMessage } from '../../engine/model/message.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import type { Report } from '../../engine/model/report.js';
import type { Run } from '../../engine/model/run.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { acknowledgeBatch, claimRun } from '../../engine/runtime/window.js';
import { type Refused, type Sender, type Warning, createSender } from '../../engine/transport/sender.js';
import { endpoints } from '../shared/offers.js';
import { reportMessage, showReport } from '../shared/report.js';
import type { StatusLine } from '../shared/status.js';
import { type Send, runNode } from '../shared/wrap.js';
import { transmitSettings } from './settings.js';

/** So often a node that waits for the receiver says that it is still at it; the window of a run waits a minute. */
const STILL_WAITING_MS = 20_000;

/** The sender of a run, made and opened with its first message. */
interface Sending {
  sender?: Sender;
  opened?: Promise<void>;
  sent: number;
  warnings?: readonly Warning[];
}

/** The message at hand, and where what comes of it goes. */
interface Passing {
  readonly message: NodeMessage;
  readonly send: Send;
}

export = function (RED: NodeAPI): void {
  function DirectoryTransmit(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const { endpoint } = transmitSettings(config);
      const opened = async (run: Run, state: Sending): Promise<Sender> => {
        const sender = (state.sender ??= createSender(endpoints.take(RED, this, endpoint)(), life.signal));
        await (state.opened ??= sender.open(run));
        return sender;
      };
      let warnings: readonly Warning[] = [];
      const stage = new RunStage<EnrichedRecord, Sending, Passing, Report>({
        begin(run) {
          claimRun(run.id);
          return { sent: 0 };
        },
        async batch({ run, state }, index, records, { message, send }) {
          const sender = await opened(run, state);
          // A receiver that is down is waited for: the run must not be taken for lost, and go on into our memory.
          const stopWaiting = life.every(STILL_WAITING_MS, () => claimRun(run.id));
          const refused = await sender.send(index, records).finally(stopWaiting);
          // The others go on without them; the seal says that the run is not complete.
          for (const one of refused) send([null, refusedMessage(message, one)]);
          state.sent += records.length - refused.reduce((sum, one) => sum + one.records.length, 0);
          life.status.busy('sending', { count: state.sent });
        },
        async seal({ run, state }, seal) {
          const sender = await opened(run, state);
          life.status.busy('waiting');
          const report = await sender.seal(seal);
          state.warnings = sender.warnings();
          return report;
        },
        async end({ state }, error) {
          warnings = state.warnings ?? [];
          if (error) await state.sender?.abandon();
          state.sender?.close();
        },
        release: acknowledgeBatch,
      });
      return {
        async input(message, send) {
          const report = await stage.take(parseEnrichedMessage(message), { message, send });
          if (report === null) return;
          showReport(life.status, report);
          showWarning(life.status, warnings);
          send([reportMessage(message, report), null]);
        },
        close: () => stage.close(),
      };
    });
  }
  RED.nodes.registerType('directory-transmit', DirectoryTransmit);
};

/** Records that the receiver will not have, with the reason: as they came, so that they can be kept, corrected or looked at. */
function refusedMessage(message: NodeMessage, { records, error }: Refused): NodeMessage {
  const { code, message: text, params } = error;
  return { ...message, topic: 'refused', payload: records, problem: { ...params, code, message: text } };
}

/** What somebody should look at before it goes wrong, over what the run has brought. */
function showWarning(status: StatusLine, warnings: readonly Warning[]): void {
  const [first] = warnings;
  switch (first?.code) {
    case undefined:
      return;
    case 'CERTIFICATE_NOT_CHECKED':
      status.notice('unchecked');
      return;
    case 'TLS_LOWERED':
      status.notice('lowered');
      return;
    case 'CERTIFICATE_ENDS':
      status.notice('ends', { days: first.days });
      return;
  }
}

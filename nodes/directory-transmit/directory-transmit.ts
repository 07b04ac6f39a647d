/** Sends runs to a receiver over HTTPS, and gives its report. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { parseEnrichedMessage } from '../../engine/model/message.js';
import type { EnrichedRecord } from '../../engine/model/records.js';
import type { Report } from '../../engine/model/report.js';
import type { Run } from '../../engine/model/run.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { acknowledgeBatch, claimRun } from '../../engine/runtime/window.js';
import { type Sender, createSender } from '../../engine/transport/sender.js';
import { endpoints } from '../shared/offers.js';
import { reportMessage, showReport } from '../shared/report.js';
import { runNode } from '../shared/wrap.js';
import { transmitSettings } from './settings.js';

/** The sender of a run, made and opened with its first message. */
interface Sending {
  sender?: Sender;
  opened?: Promise<void>;
  sent: number;
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
      const stage = new RunStage<EnrichedRecord, Sending, null, Report>({
        begin(run) {
          claimRun(run.id);
          return { sent: 0 };
        },
        async batch({ run, state }, index, records) {
          const sender = await opened(run, state);
          await sender.send(index, records);
          state.sent += records.length;
          life.status.busy('sending', { count: state.sent });
        },
        async seal({ run, state }, seal) {
          const sender = await opened(run, state);
          life.status.busy('waiting');
          return sender.seal(seal);
        },
        async end({ state }, error) {
          if (error) await state.sender?.abandon();
          state.sender?.close();
        },
        release: acknowledgeBatch,
      });
      return {
        async input(message, send) {
          const report = await stage.take(parseEnrichedMessage(message), null);
          if (report === null) return;
          showReport(life.status, report);
          send(reportMessage(message, report));
        },
        close: () => stage.close(),
      };
    });
  }
  RED.nodes.registerType('directory-transmit', DirectoryTransmit);
};

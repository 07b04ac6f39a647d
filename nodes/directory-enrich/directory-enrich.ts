/** Turns what extract read into records of an account: batch by batch, with the same numbers. */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { enrichRecord } from '../../engine/enrich/enrich.js';
import { batchMessage, countRecords, parseExtractedMessage, sealMessage } from '../../engine/model/message.js';
import { type ExtractedRecord, type RecordCounts, noRecords } from '../../engine/model/records.js';
import type { Seal } from '../../engine/model/run.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { type Send, runNode } from '../shared/wrap.js';
import { enrichSettings } from './settings.js';

/** A message and the way on for it. */
interface Passing {
  message: NodeMessage;
  send: Send;
}
interface PassedOn {
  records: RecordCounts;
}

export = function (RED: NodeAPI): void {
  function DirectoryEnrich(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const settings = enrichSettings(config);
      const stage = new RunStage<ExtractedRecord, PassedOn, Passing, Seal>({
        begin: () => ({ records: noRecords() }),
        batch({ run, state }, index, records, { message, send }) {
          const enriched = records.flatMap((record) => enrichRecord(record, settings));
          countRecords(enriched, state.records);
          send(Object.assign(message, batchMessage(run, index, enriched)));
          life.status.busy('enriching', { count: total(state.records) });
          return Promise.resolve();
        },
        seal({ run, state, ledger }, seal, { message, send }) {
          // An empty batch in the place of each that is missing: the seal says so, once, and nobody behind waits for them.
          for (const index of ledger.missing(seal.batches, seal.batches)) send({ ...batchMessage(run, index, []) });
          const passedOn = { batches: seal.batches, records: state.records };
          const sealed = { ...seal, ...passedOn, stages: [...seal.stages, ledger.stage('enrich', passedOn)] };
          send(Object.assign(message, sealMessage(run, sealed)));
          life.status.good('enriched', { count: total(state.records) });
          return Promise.resolve(sealed);
        },
        end: () => undefined,
      });
      return {
        async input(message, send) {
          await stage.take(parseExtractedMessage(message), { message, send });
        },
        close: () => stage.close(),
      };
    });
  }
  RED.nodes.registerType('directory-enrich', DirectoryEnrich);
};

function total(records: RecordCounts): number {
  return Object.values(records).reduce((sum, count) => sum + count, 0);
}
